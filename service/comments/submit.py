"""Submit: one read gathers the facts, one pure call judges, one write stores what came of it.

No transaction is open while a text is judged. What may have changed meanwhile (the article, the author's standing, the
parent, the key) is checked again under lock; where a fact that the judgement rested on has changed, it judges again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from moderation import Decision, Outcome
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
from service.comments.thread import MAX_DEPTH
from service.db import Database, add_if_absent
from service.errors import ArticleClosed, Conflict, KeyReused, NotFound, Nudge, Unavailable
from service.identity import tokens
from service.identity.readers import refuse_barred
from service.identity.tokens import Reader
from service.judges import Judges
from service.lifecycle import Case, lock, record
from service.models import APPROVED, Article, Author, Comment, CommentVersion, Idempotency, SpentNudge, new_id


@dataclass(frozen=True, slots=True)
class Draft:
    """A new comment as its author sends it. `network` is the keyed hash of where it comes from."""

    reader: Reader
    place: sites.Place
    text: str
    parent: str | None = None
    key: str | None = None
    nudge: bool = False
    nudge_token: str | None = None
    network: str = ""


def submit(
    db: Database,
    judges: Judges,
    draft: Draft,
    *,
    keys: Sequence[str],
    now: datetime,
    before_new_article: Callable[[], object] = lambda: None,
) -> Written:
    """Judge and store a new comment, exactly once per idempotency key.

    Raises `Nudge` (nothing stored) where the draft asks for it and the hold is for tone alone.
    """
    for _ in range(ROUNDS):
        known = _known(db, draft)
        if known is not None:
            return known
        brief, article_is_new = _gather(db, draft, now)
        if article_is_new:
            before_new_article()
        decision = judge(judges, brief)
        _ask_to_rephrase(draft, decision, keys, now)
        try:
            return _store(db, judges, draft, brief.facts, decision, now)
        except FactsChanged:
            continue
    raise Unavailable("Too much is changing around this comment. Nothing was stored; try again in a moment.")


def _known(db: Database, draft: Draft) -> Written | None:
    """What came of an earlier request under the same key; raises `KeyReused` when it asked for something else."""
    if draft.key is None:
        return None
    with db.read() as session:
        row = session.get(Idempotency, (draft.reader.author_id, draft.key))
        return _replay(session, row, draft) if row else None


def _replay(session: Session, row: Idempotency, draft: Draft) -> Written:
    if row.request_hash != _request_hash(draft):
        raise KeyReused("This idempotency key was used for another comment.", pointer="!Idempotency-Key")
    comment = session.get(Comment, row.comment_id)
    version = session.exec(
        select(CommentVersion).where(CommentVersion.comment_id == row.comment_id, CommentVersion.number == row.version)
    ).first()
    if comment is None or version is None:
        raise NotFound("What came of this key is no longer there.")
    return Written(comment.id, row.version, version.status, replayed=True)


def _request_hash(draft: Draft) -> str:
    asked = [draft.reader.site_id, draft.place.key, draft.parent, draft.text]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _gather(db: Database, draft: Draft, now: datetime) -> tuple[Brief, bool]:
    """Everything that the judgement may know, in one read; and whether the article is still to be made."""
    with db.read() as session:
        site = sites.known_site(session, draft.reader.site_id)
        article = sites.find_article(session, site.id, draft.place.key)
        if article is None:
            sites.check_place(site, draft.place)
        elif article.closed:
            raise ArticleClosed("The discussion under this article is closed.")
        author = writer(session, draft.reader, now)
        parent_text = _parent_text(session, article, draft.parent)
        facts = facts_of(site, article, author, now)
        brief = Brief(facts, replace(submission(session, draft.text, author, facts, now), parent_text=parent_text))
    return brief, article is None


def _parent_text(session: Session, article: Article | None, parent_id: str | None) -> str | None:
    if parent_id is None:
        return None
    row = session.exec(
        select(Comment, CommentVersion.text)
        .join(CommentVersion, col(CommentVersion.comment_id) == Comment.id)
        .where(Comment.id == parent_id, CommentVersion.number == Comment.public)
    ).first()
    if row is None or article is None or row[0].article_id != article.id:
        raise NotFound("The comment that this answers is not there.")
    return row[1]


def _ask_to_rephrase(draft: Draft, decision: Decision, keys: Sequence[str], now: datetime) -> None:
    """Raise `Nudge` once: the hold is for tone alone, the draft asks for it, and carries no token from before."""
    if not draft.nudge or decision.outcome is not Outcome.HOLD or not decision.tone_only:
        return
    mark = hashlib.sha256(decision.text.encode()).hexdigest()
    if draft.nudge_token and tokens.reads_nudge(keys, draft.nudge_token, draft.reader, mark, now=now):
        return
    spans = sorted({(span.start, span.end) for finding in decision.findings for span in finding.spans})
    token = tokens.mint_nudge(keys, draft.reader, mark, now=now)
    raise Nudge(
        "Some of this may read as an attack. You can rephrase it, or post it anyway and a person will read it first.",
        extra={"spans": [list(span) for span in spans], "nudge_token": token},
    )


def _store(db: Database, judges: Judges, draft: Draft, facts: Facts, decision: Decision, now: datetime) -> Written:
    """One write: everything that may have changed is checked under lock, then all rows together."""
    comment_id = new_id()
    with db.write() as session:
        rival = _take_key(session, draft, comment_id, now)
        if rival is not None:
            return rival
        site = sites.known_site(session, draft.reader.site_id)
        found, is_new = sites.admit(session, site, draft.place, now=now)
        article = lock(session, Article, found.id)
        if article.closed:
            raise ArticleClosed("The discussion under this article is closed.")
        author = lock(session, Author, draft.reader.author_id)
        refuse_barred(author, now)
        if facts_of(site, article, author, now) != facts:
            raise FactsChanged
        parent = _locked_parent(session, article, draft.parent)
        _spend_nudge(session, draft, now)
        if is_new:
            sites.announce(session, article, now=now)
        comment = _new_comment(comment_id, draft, article, parent, now)
        comment.language, comment.fingerprint = decision.language, decision.fingerprint
        version = new_version(comment, 1, decision, now)
        keep_policy(session, judges, facts.policy, decision, now)
        status = STATUS_OF[decision.outcome]
        change = judged(decision, 1, {1: status}, 1 if status == APPROVED else None, "comment.created")
        record(session, Case(article, author, comment, {1: version}), change, now=now)
    return Written(comment_id, 1, status)


def _take_key(session: Session, draft: Draft, comment_id: str, now: datetime) -> Written | None:
    """Claim the idempotency key; a rival that claimed it first is waited for and replayed."""
    if draft.key is None:
        return None
    author_id = draft.reader.author_id
    row = Idempotency(
        author_id=author_id, key=draft.key, request_hash=_request_hash(draft), comment_id=comment_id, created_at=now
    )
    if add_if_absent(session, row):
        return None
    taken = session.get(Idempotency, (author_id, draft.key), populate_existing=True)
    if taken is None:
        raise Conflict("This idempotency key is in use; try again.")
    return _replay(session, taken, draft)


def _locked_parent(session: Session, article: Article, parent_id: str | None) -> Comment | None:
    """The comment that a new one stands under: what it answers, or beside that where it would be nested too deep."""
    if parent_id is None:
        return None
    parent = lock(session, Comment, parent_id)
    if parent.article_id != article.id or parent.public is None:
        raise NotFound("The comment that this answers is no longer there.")
    while parent.depth >= MAX_DEPTH and parent.parent_id is not None:
        parent = lock(session, Comment, parent.parent_id)
    return parent


def _spend_nudge(session: Session, draft: Draft, now: datetime) -> None:
    if draft.nudge_token is None:
        return
    spent = SpentNudge(hash=tokens.hash_secret(draft.nudge_token), expires_at=now + timedelta(hours=1))
    if not add_if_absent(session, spent):
        raise Conflict("This nudge was answered already.", pointer="/nudge_token")


def _new_comment(comment_id: str, draft: Draft, article: Article, parent: Comment | None, now: datetime) -> Comment:
    return Comment(
        id=comment_id,
        site_id=article.site_id,
        article_id=article.id,
        author_id=draft.reader.author_id,
        parent_id=parent.id if parent else None,
        thread_id=parent.thread_id if parent else comment_id,
        depth=parent.depth + 1 if parent else 0,
        network=draft.network,
        created_at=now,
    )
