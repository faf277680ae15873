"""The one door for status: transition, decision row, article version, counters and events, in one transaction.

Every change of what is public or pending passes through `record`. Callers hold the locks that `locked` takes and have
checked what they must; this room keeps the books. It never judges and never reads the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from service.errors import NotFound
from service.models import (
    APPROVED,
    DELETED,
    PENDING,
    REJECTED,
    Article,
    Author,
    Comment,
    CommentVersion,
    Decision,
)
from service.triage import Standing, is_drawn, triage, urgency
from service.webhooks import News, emit_all

Row = TypeVar("Row")

NO_KEY_LOCK = {"key_share": True}  # FOR UPDATE would stand in the way of every row that refers to this one

PEOPLE = ("moderator", "host")  # actors whose decisions stand until a person takes them back

STATUS_EVENTS = {
    PENDING: "comment.pending",
    APPROVED: "comment.approved",
    REJECTED: "comment.rejected",
    DELETED: "comment.deleted",
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decided: `engine`, `author`, `moderator`, `host` or `system`; `id` and `name` where there is a person."""

    kind: str
    id: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One transition: what becomes of which versions, and by whom and why.

    `statuses` maps version numbers to their new status; where it is empty, only the history grows. `public` is the
    version readers see afterwards (None: none); `gone` says why a comment is no longer there (`withdrawn`, `removed`).
    `kept` is what an undo has to restore beside the statuses.
    """

    actor: Actor
    verb: str
    version: int
    statuses: Mapping[int, str]
    public: int | None
    gone: str | None = None
    reason: str | None = None
    note: str | None = None
    judgement: Mapping[str, Any] = field(default_factory=dict)
    policy_digest: str | None = None
    undoes: str | None = None
    batch: str | None = None
    events: tuple[str, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A comment with what belongs to it, locked for the caller's transaction."""

    article: Article
    author: Author
    comment: Comment
    versions: dict[int, CommentVersion]

    @property
    def latest(self) -> CommentVersion:
        """The text written last."""
        return self.versions[self.comment.latest]


def locked(session: Session, comment_id: str) -> Case:
    """Lock a comment's rows in the house's order (article, author, comment) and read them fresh."""
    found = session.exec(select(Comment.article_id, Comment.author_id).where(Comment.id == comment_id)).first()
    if found is None:
        raise NotFound("There is no such comment.")
    article_id, author_id = found
    article = lock(session, Article, article_id)
    author = lock(session, Author, author_id)
    comment = lock(session, Comment, comment_id)
    rows = session.exec(select(CommentVersion).where(CommentVersion.comment_id == comment_id)).all()
    return Case(article, author, comment, {row.number: row for row in rows})


def locked_many(session: Session, comment_ids: Sequence[str]) -> list[Case]:
    """Lock several comments' rows at once, each kind in the order of its ids, so that two who do so never cross."""
    ids = select(Comment.article_id, Comment.author_id, Comment.id).where(col(Comment.id).in_(comment_ids))
    found = session.exec(ids).all()
    articles = _lock_all(session, Article, {article for article, _, _ in found})
    authors = _lock_all(session, Author, {author for _, author, _ in found})
    comments = _lock_all(session, Comment, {comment for _, _, comment in found})
    rows = session.exec(select(CommentVersion).where(col(CommentVersion.comment_id).in_(comments))).all()
    versions: dict[str, dict[int, CommentVersion]] = {}
    for row in rows:
        versions.setdefault(row.comment_id, {})[row.number] = row
    return [
        Case(articles[comment.article_id], authors[comment.author_id], comment, versions[comment.id])
        for comment in comments.values()
    ]


def _lock_all(session: Session, table: type[Any], keys: set[str]) -> dict[str, Any]:
    query = select(table).where(col(table.id).in_(keys)).order_by(col(table.id)).with_for_update()
    return {row.id: row for row in session.exec(query.execution_options(populate_existing=True))}


def lock(session: Session, table: type[Row], key: str) -> Row:
    """One row, locked and fresh; raises `NotFound` when it is not there."""
    row = session.get(table, key, with_for_update=NO_KEY_LOCK, populate_existing=True)
    if row is None:
        raise NotFound("That is no longer there.")
    return row


def record(session: Session, case: Case, change: Change, *, now: datetime) -> Decision:
    """Apply a change to a locked case and write its decision, counters and events; returns the decision row."""
    return record_all(session, [(case, change)], now=now)[0]


def record_all(session: Session, changes: Sequence[tuple[Case, Change]], *, now: datetime) -> list[Decision]:
    """The same for many comments of one site in their order, in few statements."""
    decisions: list[Decision] = []
    news: list[News] = []
    for case, change in changes:
        decisions.append(_apply(session, case, change, now))
        news += _news(case, change)
    session.flush()  # a new comment has to be there before its versions
    session.add_all(version for case, _ in changes for version in case.versions.values())
    session.add_all(decisions)
    session.flush()
    if news:
        emit_all(session, changes[0][0].comment.site_id, news, now=now)
    return decisions


def _apply(session: Session, case: Case, change: Change, now: datetime) -> Decision:
    """Change a case's rows, which the caller stores; the decision comes back unstored."""
    comment = case.comment
    before = _state(case)
    was_public, was_rejected = comment.public is not None, comment.status == REJECTED
    was_visible = is_visible(comment)
    for number, status in change.statuses.items():
        case.versions[number].status = status
    comment.public, comment.gone = change.public, change.gone
    comment.status = case.latest.status
    comment.revision += 1
    comment.decided_at = now
    comment.ever_public = comment.ever_public or comment.public is not None
    _take_stock(comment, change)
    _count(case, was_public, was_rejected, now)
    _surface(session, comment, was_visible)
    session.add_all((comment, case.article, case.author))
    return _decision(case, change, before, now)


def _take_stock(comment: Comment, change: Change) -> None:
    """Keep what the queue lists and sorts by in step with a new judgement; draw some of what nobody read."""
    if not change.judgement:
        return
    comment.triage = triage(change.judgement)
    comment.sampled = comment.status == APPROVED and is_drawn(comment.id)
    weigh(comment)


def weigh(comment: Comment, *, legal: bool | None = None) -> None:
    """Work out how urgent a comment is from its judgement, reports and visibility; `legal`: somebody named a law."""
    if legal is not None:
        comment.triage = {**comment.triage, "legal": legal}
    standing = Standing(
        reports=comment.report_count,
        legal=comment.triage.get("legal", False),
        escalated=comment.escalated_at is not None,
        visible=comment.public is not None,
    )
    comment.urgency = urgency(comment.triage.get("band", "low"), standing, comment.created_at)


def _state(case: Case) -> dict[str, Any]:
    return {
        "public": case.comment.public,
        "gone": case.comment.gone,
        "statuses": {str(number): row.status for number, row in case.versions.items()},
    }


def _count(case: Case, was_public: bool, was_rejected: bool, now: datetime) -> None:
    """Keep the totals equal to the rows: the article counts public comments, the author both outcomes."""
    step = int(case.comment.public is not None) - int(was_public)
    case.article.count += step
    case.author.approved += step
    case.author.rejected += int(case.comment.status == REJECTED) - int(was_rejected)
    case.article.version += 1
    if step > 0:
        case.article.last_comment_at = now


def is_visible(comment: Comment) -> bool:
    """Whether readers see the comment or, because of replies that they see, its placeholder."""
    return comment.public is not None or comment.visible_replies > 0


def _surface(session: Session, comment: Comment, was_visible: bool) -> None:
    """Count a comment that came or went among its parent's replies, and the parent among its own, up the chain."""
    child = comment
    while child.parent_id is not None and is_visible(child) != was_visible:
        parent = lock(session, Comment, child.parent_id)
        step = 1 if is_visible(child) else -1
        was_visible = is_visible(parent)
        parent.visible_replies += step
        session.add(parent)
        child = parent


def _decision(case: Case, change: Change, before: dict[str, Any], now: datetime) -> Decision:
    comment = case.comment
    return Decision(
        site_id=comment.site_id,
        comment_id=comment.id,
        revision=comment.revision,
        version=change.version,
        actor=change.actor.kind,
        actor_id=change.actor.id,
        actor_name=change.actor.name,
        verb=change.verb,
        before=before["statuses"].get(str(change.version)) if comment.revision > 1 else None,
        after=case.versions[change.version].status,
        reason=change.reason,
        note=change.note,
        judgement=dict(change.judgement),
        policy_digest=change.policy_digest,
        undoes=change.undoes,
        previous={**before, **change.kept},
        batch=change.batch,
        created_at=now,
    )


def _news(case: Case, change: Change) -> list[News]:
    """One event for what was done and one for the status that came of it; never the same twice."""
    became = (STATUS_EVENTS[case.versions[change.version].status],) if change.statuses else ()
    payload = told(case, change.actor, change.version, change.reason)
    return [News(type_, payload, case.comment.id) for type_ in dict.fromkeys((*change.events, *became))]


def told(case: Case, actor: Actor, version: int, reason: str | None = None) -> dict[str, Any]:
    """The thin payload of a comment's event: ids and states, no text and no name."""
    comment = case.comment
    return {
        "comment": {
            "id": comment.id,
            "parent": comment.parent_id,
            "version": version,
            "revision": comment.revision,
            "status": case.versions[version].status,
            "public_version": comment.public,
        },
        "article": {"key": case.article.key, "count": case.article.count},
        "author": {"id": comment.author_id},
        "actor": actor.kind,
        "reason": reason,
    }


def restored(case: Case, previous: Mapping[str, Any]) -> tuple[dict[int, str], int | None, str | None]:
    """Statuses, public version and `gone` of an earlier state, for a compensating decision."""
    statuses = {int(number): status for number, status in previous["statuses"].items()}
    return {n: s for n, s in statuses.items() if n in case.versions}, previous["public"], previous["gone"]


def history(session: Session, comment_id: str) -> list[Decision]:
    """Every decision about a comment, oldest first."""
    rows = select(Decision).where(Decision.comment_id == comment_id).order_by(col(Decision.revision))
    return list(session.exec(rows))
