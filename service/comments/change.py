"""Edit, withdraw, restore: what authors may do to their own comments afterwards.

An edit is a new version, judged again; while it waits, the approved one stays public.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session, select

from moderation import Decision, Submission
from service import sites
from service.comments.facts import (
    ROUNDS,
    STATUS_OF,
    Brief,
    Facts,
    FactsChanged,
    Written,
    facts_of,
    judge,
    judged,
    keep_policy,
    new_version,
    submission,
    writer,
)
from service.db import Database
from service.errors import ArticleClosed, Conflict, EditWindowOver, NotFound, StaleVersion, Unavailable
from service.identity.readers import refuse_barred
from service.identity.tokens import Reader
from service.judges import Judges
from service.lifecycle import Actor, Change, locked, record, restored
from service.models import APPROVED, DELETED, PENDING, Article, Author, Comment, Site
from service.models import Decision as DecisionRow

RESTORE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Edit:
    """A new text for a comment, written while looking at `version`."""

    reader: Reader
    comment_id: str
    version: int
    text: str


def edit(db: Database, judges: Judges, change: Edit, *, window: int, now: datetime) -> Written:
    """Judge a new text for one's own comment; an approved version stays public while it waits.

    What readers see can be changed within the window, what they never saw (held, rejected) at any time.
    """
    for _ in range(ROUNDS):
        brief = _gather_edit(db, change, window, now)
        decision = judge(judges, brief)
        try:
            return _store_edit(db, judges, change, brief.facts, decision, now)
        except FactsChanged:
            continue
    raise Unavailable("Too much is changing around this comment. Nothing was stored; try again in a moment.")


def _gather_edit(db: Database, change: Edit, window: int, now: datetime) -> Brief:
    with db.read() as session:
        comment = _own_comment(session, change.reader, change.comment_id)
        author = writer(session, change.reader, now)
        article = session.get(Article, comment.article_id)
        _refuse_edit(comment, article, change, window, now)
        site = sites.known_site(session, comment.site_id)
        facts = _edit_facts(session, site, article, author, comment, now)
        return Brief(facts, _rewritten(submission(session, change.text, author, facts, now)))


def _rewritten(submission: Submission) -> Submission:
    """An edit of a text: being like one's own last texts is no repeat."""
    return replace(submission, kind="edit", author=replace(submission.author, recent=()))


def _own_comment(session: Session, reader: Reader, comment_id: str) -> Comment:
    comment = session.get(Comment, comment_id)
    if comment is None or comment.author_id != reader.author_id or comment.site_id != reader.site_id:
        raise NotFound("There is no such comment.")
    return comment


def _refuse_edit(comment: Comment, article: Article | None, change: Edit, window: int, now: datetime) -> None:
    if comment.gone is not None:
        raise Conflict("A comment that is gone cannot be changed.")
    if comment.public is not None and now >= comment.created_at + timedelta(seconds=window):
        raise EditWindowOver("The time to change this comment has passed.")
    if article is None or article.closed:
        raise ArticleClosed("The discussion under this article is closed.")
    if comment.latest != change.version:
        raise StaleVersion("The comment was changed meanwhile.", extra={"latest": comment.latest})


def _edit_facts(
    session: Session, site: Site, article: Article | None, author: Author, comment: Comment, now: datetime
) -> Facts:
    """The usual facts; what a person has rejected comes back only through a person."""
    facts = facts_of(site, article, author, now)
    refused = session.exec(
        select(DecisionRow.id).where(
            DecisionRow.comment_id == comment.id, DecisionRow.verb == "reject", DecisionRow.actor != "engine"
        )
    ).first()
    return Facts(facts.policy, facts.standing, facts.premoderated or refused is not None, facts.language)


def _store_edit(db: Database, judges: Judges, change: Edit, facts: Facts, decision: Decision, now: datetime) -> Written:
    with db.write() as session:
        case = locked(session, change.comment_id)
        if case.comment.latest != change.version or case.comment.gone is not None:
            raise StaleVersion("The comment was changed meanwhile.", extra={"latest": case.comment.latest})
        if case.article.closed:
            raise ArticleClosed("The discussion under this article is closed.")
        refuse_barred(case.author, now)
        site = sites.known_site(session, case.comment.site_id)
        if _edit_facts(session, site, case.article, case.author, case.comment, now) != facts:
            raise FactsChanged
        number = case.comment.latest + 1
        statuses = {number: STATUS_OF[decision.outcome]}
        if case.latest.status == PENDING:
            statuses[case.comment.latest] = DELETED
        case.versions[number] = new_version(case.comment, number, decision, now)
        case.comment.latest = number
        case.comment.fingerprint, case.comment.language = decision.fingerprint, decision.language
        keep_policy(session, judges, facts.policy, decision, now)
        public = number if statuses[number] == APPROVED else case.comment.public
        record(session, case, judged(decision, number, statuses, public, "comment.edited"), now=now)
    return Written(change.comment_id, number, statuses[number])


def withdraw(db: Database, reader: Reader, comment_id: str, *, now: datetime) -> Written:
    """Take one's own comment back; under replies that readers see a placeholder stays. Repeating is harmless."""
    with db.write() as session:
        _own_comment(session, reader, comment_id)
        case = locked(session, comment_id)
        if case.comment.gone != "withdrawn":
            change = Change(
                actor=Actor("author", reader.author_id),
                verb="withdraw",
                version=case.comment.latest,
                statuses=dict.fromkeys(case.versions, DELETED),
                public=None,
                gone="withdrawn",
            )
            record(session, case, change, now=now)
    return Written(comment_id, case.comment.latest, DELETED)


def restore(db: Database, reader: Reader, comment_id: str, *, now: datetime) -> Written:
    """Undo one's own withdrawal within ten minutes: everything is as it was before it."""
    with db.write() as session:
        _own_comment(session, reader, comment_id)
        case = locked(session, comment_id)
        refuse_barred(case.author, now)
        last = session.exec(
            select(DecisionRow).where(
                DecisionRow.comment_id == comment_id, DecisionRow.revision == case.comment.revision
            )
        ).one()
        if last.verb != "withdraw" or now > last.created_at + timedelta(seconds=RESTORE_SECONDS):
            raise Conflict("This withdrawal cannot be undone any more.")
        statuses, public, gone = restored(case, last.previous)
        change = Change(
            actor=Actor("author", reader.author_id),
            verb="restore",
            version=case.comment.latest,
            statuses=statuses,
            public=public,
            gone=gone,
            undoes=last.id,
            events=("comment.restored",),
        )
        record(session, case, change, now=now)
    return Written(comment_id, case.comment.latest, case.comment.status)
