"""Submit, edit, withdraw, restore: one read gathers the facts, one pure call judges, one write stores what came of it.

No transaction is open while a text is judged. What may have changed meanwhile (the article, the author's standing, the
parent, the key) is checked again under lock; where a fact that the judgement rested on has changed, it judges again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from moderation import ArticleFacts, AuthorFacts, Decision, Outcome, Submission, TextRefused
from service import sites
from service.db import Database, add_if_absent
from service.errors import (
    ArticleClosed,
    Conflict,
    EditWindowOver,
    KeyReused,
    NotFound,
    Nudge,
    StaleVersion,
    TextUnfit,
    Unauthenticated,
    Unavailable,
)
from service.identity import tokens
from service.identity.readers import refuse_barred, standing
from service.identity.tokens import Reader
from service.judges import Judges
from service.lifecycle import Actor, Case, Change, lock, locked, record, restored
from service.markup import RENDERER_VERSION, render
from service.models import (
    APPROVED,
    DELETED,
    PENDING,
    REJECTED,
    Article,
    Author,
    Comment,
    CommentVersion,
    Idempotency,
    PolicyText,
    Site,
    SpentNudge,
    new_id,
)
from service.models import Decision as DecisionRow

STATUS_OF = {Outcome.APPROVE: APPROVED, Outcome.HOLD: PENDING, Outcome.REJECT: REJECTED}
RECENT_TEXTS = 20
RECENT_HOURS = 24
KEY_LIMIT = 200
ROUNDS = 3
RESTORE_SECONDS = 600


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


@dataclass(frozen=True, slots=True)
class Edit:
    """A new text for a comment, written while looking at `version`."""

    reader: Reader
    comment_id: str
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a text: the comment, the version it became, that version's status, and whether it was known."""

    comment_id: str
    version: int
    status: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a judgement rests on. Compared under lock: where it differs, the text is judged again."""

    policy: str
    standing: str
    premoderated: bool
    language: str


@dataclass(frozen=True, slots=True)
class _Brief:
    facts: _Facts
    submission: Submission


class _FactsChanged(Exception):
    """A fact that the judgement rested on is no longer so."""


# ---- submit -------------------------------------------------------------------------------------------------------


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
        decision = _judge(judges, brief)
        _ask_to_rephrase(draft, decision, keys, now)
        try:
            return _store(db, judges, draft, brief.facts, decision, now)
        except _FactsChanged:
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
        select(CommentVersion).where(
            CommentVersion.comment_id == row.comment_id, CommentVersion.number == row.version
        )
    ).first()
    if comment is None or version is None:
        raise NotFound("What came of this key is no longer there.")
    return Written(comment.id, row.version, version.status, replayed=True)


def _request_hash(draft: Draft) -> str:
    asked = [draft.reader.site_id, draft.place.key, draft.parent, draft.text]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _gather(db: Database, draft: Draft, now: datetime) -> tuple[_Brief, bool]:
    """Everything that the judgement may know, in one read; and whether the article is still to be made."""
    with db.read() as session:
        site = sites.known_site(session, draft.reader.site_id)
        article = sites.find_article(session, site.id, draft.place.key)
        if article is None:
            sites.check_place(site, draft.place)
        elif article.closed:
            raise ArticleClosed("The discussion under this article is closed.")
        author = _writer(session, draft.reader, now)
        parent_text = _parent_text(session, article, draft.parent)
        facts = _facts(site, article, author, now)
        submission = _submission(session, draft.text, author, facts, now, parent_text=parent_text)
    return _Brief(facts, submission), article is None


def _writer(session: Session, reader: Reader, now: datetime) -> Author:
    author = session.get(Author, reader.author_id)
    if author is None or author.site_id != reader.site_id:
        raise Unauthenticated("This token does not hold.")
    refuse_barred(author, now)
    return author


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


def _facts(site: Site, article: Article | None, author: Author, now: datetime) -> _Facts:
    return _Facts(site.policy, standing(author, now), sites.premoderated(site, article), site.language)


def _submission(
    session: Session,
    text: str,
    author: Author,
    facts: _Facts,
    now: datetime,
    *,
    parent_text: str | None = None,
    kind: str = "comment",
) -> Submission:
    recent = session.exec(
        select(Comment.fingerprint)
        .where(Comment.author_id == author.id, Comment.created_at > now - timedelta(hours=RECENT_HOURS))
        .order_by(col(Comment.created_at).desc())
        .limit(RECENT_TEXTS)
    ).all()
    return Submission(
        text=text,
        name=author.name,
        author=AuthorFacts(
            standing=facts.standing,
            verified=author.verified,
            approved=author.approved,
            rejected=author.rejected,
            age_seconds=int((now - author.created_at).total_seconds()),
            recent=tuple(recent) if kind == "comment" else (),
        ),
        article=ArticleFacts(premoderated=facts.premoderated, language=facts.language),
        kind=kind,
        parent_text=parent_text,
    )


def _judge(judges: Judges, brief: _Brief) -> Decision:
    try:
        return judges.under(brief.facts.policy).decide(brief.submission)
    except TextRefused as refused:
        raise TextUnfit(refused.detail, pointer="/text") from None


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


def _store(db: Database, judges: Judges, draft: Draft, facts: _Facts, decision: Decision, now: datetime) -> Written:
    """One write: everything that may have changed is checked under lock, then all rows together."""
    comment_id = new_id()
    with db.write() as session:
        rival = _take_key(session, draft, comment_id, now)
        if rival is not None:
            return rival
        site = sites.known_site(session, draft.reader.site_id)
        article = lock(session, Article, sites.admit(session, site, draft.place, now=now).id)
        if article.closed:
            raise ArticleClosed("The discussion under this article is closed.")
        author = lock(session, Author, draft.reader.author_id)
        refuse_barred(author, now)
        if _facts(site, article, author, now) != facts:
            raise _FactsChanged
        parent = _locked_parent(session, article, draft.parent)
        _spend_nudge(session, draft, now)
        comment = _new_comment(comment_id, article, author, parent, draft, decision, now)
        version = _new_version(comment, 1, decision, now)
        session.add(comment)
        session.flush()
        session.add(version)
        _keep_policy(session, judges, facts.policy, decision, now)
        status = STATUS_OF[decision.outcome]
        change = _judged(decision, 1, {1: status}, 1 if status == APPROVED else None, "comment.created")
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
    if parent_id is None:
        return None
    parent = lock(session, Comment, parent_id)
    if parent.article_id != article.id or parent.public is None:
        raise NotFound("The comment that this answers is no longer there.")
    return parent


def _spend_nudge(session: Session, draft: Draft, now: datetime) -> None:
    if draft.nudge_token is None:
        return
    spent = SpentNudge(hash=tokens.hash_secret(draft.nudge_token), expires_at=now + timedelta(hours=1))
    if not add_if_absent(session, spent):
        raise Conflict("This nudge was answered already.", pointer="/nudge_token")


def _new_comment(
    comment_id: str,
    article: Article,
    author: Author,
    parent: Comment | None,
    draft: Draft,
    decision: Decision,
    now: datetime,
) -> Comment:
    return Comment(
        id=comment_id,
        site_id=article.site_id,
        article_id=article.id,
        author_id=author.id,
        parent_id=parent.id if parent else None,
        thread_id=parent.thread_id if parent else comment_id,
        depth=parent.depth + 1 if parent else 0,
        language=decision.language,
        fingerprint=decision.fingerprint,
        network=draft.network,
        created_at=now,
    )


def _new_version(comment: Comment, number: int, decision: Decision, now: datetime) -> CommentVersion:
    return CommentVersion(
        site_id=comment.site_id,
        comment_id=comment.id,
        number=number,
        status=PENDING,
        text=decision.text,
        nodes=render(decision.text),
        renderer=RENDERER_VERSION,
        created_at=now,
    )


def _keep_policy(session: Session, judges: Judges, override: str, decision: Decision, now: datetime) -> None:
    source = judges.under(override).policy.source
    add_if_absent(session, PolicyText(digest=decision.policy_digest, source=source, created_at=now))


def _judged(
    decision: Decision, version: int, statuses: dict[int, str], public: int | None, told: str
) -> Change:
    return Change(
        actor=Actor("engine"),
        verb="judge",
        version=version,
        statuses=statuses,
        public=public,
        judgement=decision.to_json(),
        policy_digest=decision.policy_digest,
        events=(told,),
    )


# ---- edit ---------------------------------------------------------------------------------------------------------


def edit(db: Database, judges: Judges, change: Edit, *, window: int, now: datetime) -> Written:
    """Judge a new text for one's own comment, within the window; an approved version stays public while it waits."""
    for _ in range(ROUNDS):
        brief = _gather_edit(db, change, window, now)
        decision = _judge(judges, brief)
        try:
            return _store_edit(db, judges, change, brief.facts, decision, now)
        except _FactsChanged:
            continue
    raise Unavailable("Too much is changing around this comment. Nothing was stored; try again in a moment.")


def _gather_edit(db: Database, change: Edit, window: int, now: datetime) -> _Brief:
    with db.read() as session:
        comment = _own_comment(session, change.reader, change.comment_id)
        author = _writer(session, change.reader, now)
        article = session.get(Article, comment.article_id)
        _refuse_edit(comment, article, change, window, now)
        site = sites.known_site(session, comment.site_id)
        facts = _edit_facts(session, site, article, author, comment, now)
        return _Brief(facts, _submission(session, change.text, author, facts, now, kind="edit"))


def _own_comment(session: Session, reader: Reader, comment_id: str) -> Comment:
    comment = session.get(Comment, comment_id)
    if comment is None or comment.author_id != reader.author_id or comment.site_id != reader.site_id:
        raise NotFound("There is no such comment.")
    return comment


def _refuse_edit(comment: Comment, article: Article | None, change: Edit, window: int, now: datetime) -> None:
    if comment.gone is not None:
        raise Conflict("A comment that is gone cannot be changed.")
    if now >= comment.created_at + timedelta(seconds=window):
        raise EditWindowOver("The time to change this comment has passed.")
    if article is None or article.closed:
        raise ArticleClosed("The discussion under this article is closed.")
    if comment.latest != change.version:
        raise StaleVersion("The comment was changed meanwhile.", extra={"latest": comment.latest})


def _edit_facts(
    session: Session, site: Site, article: Article | None, author: Author, comment: Comment, now: datetime
) -> _Facts:
    """The usual facts; what a person has rejected comes back only through a person."""
    facts = _facts(site, article, author, now)
    refused = session.exec(
        select(DecisionRow.id).where(
            DecisionRow.comment_id == comment.id, DecisionRow.verb == "reject", DecisionRow.actor != "engine"
        )
    ).first()
    return _Facts(facts.policy, facts.standing, facts.premoderated or refused is not None, facts.language)


def _store_edit(
    db: Database, judges: Judges, change: Edit, facts: _Facts, decision: Decision, now: datetime
) -> Written:
    with db.write() as session:
        case = locked(session, change.comment_id)
        if case.comment.latest != change.version or case.comment.gone is not None:
            raise StaleVersion("The comment was changed meanwhile.", extra={"latest": case.comment.latest})
        if case.article.closed:
            raise ArticleClosed("The discussion under this article is closed.")
        refuse_barred(case.author, now)
        site = sites.known_site(session, case.comment.site_id)
        if _edit_facts(session, site, case.article, case.author, case.comment, now) != facts:
            raise _FactsChanged
        number = case.comment.latest + 1
        statuses = {number: STATUS_OF[decision.outcome]}
        if case.latest.status == PENDING:
            statuses[case.comment.latest] = DELETED
        case.versions[number] = _new_version(case.comment, number, decision, now)
        case.comment.latest = number
        case.comment.fingerprint, case.comment.language = decision.fingerprint, decision.language
        _keep_policy(session, judges, facts.policy, decision, now)
        public = number if statuses[number] == APPROVED else case.comment.public
        record(session, case, _judged(decision, number, statuses, public, "comment.edited"), now=now)
    return Written(change.comment_id, number, statuses[number])


# ---- withdraw and restore -----------------------------------------------------------------------------------------


def withdraw(db: Database, reader: Reader, comment_id: str, *, now: datetime) -> Written:
    """Take one's own comment back; where it has replies that readers see, a placeholder stays. Repeating is harmless."""
    with db.write() as session:
        _own_comment(session, reader, comment_id)
        case = locked(session, comment_id)
        if case.comment.gone != "withdrawn":
            change = Change(
                actor=Actor("author", reader.author_id),
                verb="withdraw",
                version=case.comment.latest,
                statuses={number: DELETED for number in case.versions},
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
