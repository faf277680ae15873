"""Many cards at once: by selection, or by a view's filters (an author, a cluster, a score range). Never blindly.

A preview says how many, what is left out and shows a sample; the verdict counts for what the preview saw and nothing
newer. Each decision is logged by itself under one batch, written in small transactions so that nobody waits for it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from service.db import Database
from service.errors import Invalid, NotFound
from service.identity.staff import Staff
from service.lifecycle import PEOPLE, Case, locked_many
from service.models import PENDING, Author, Comment, CommentVersion, Decision, Lease, new_id
from service.review import scores
from service.review.decide import REJECT, Decider, Verdict, check, check_reason, settle_all, take_all_back
from service.review.views import Ask, among, require

if TYPE_CHECKING:
    from service.judges import Judges

MOST, CHUNK, SAMPLE = 5_000, 100, 5

Clause = Any  # what SQLAlchemy calls its parts does not survive SQLModel's column types


@dataclass(frozen=True, slots=True)
class Selection:
    """What a bulk is about: the waiting comments of a view, or those of them that were ticked."""

    ask: Ask
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampled:
    """One of those that a bulk would decide."""

    id: str
    author: str
    text: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk would do now: how many, how many are being read by others, some of them, and their scores."""

    count: int
    being_read: int
    sample: Sequence[Sampled]
    scores: Sequence[int]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a bulk did: its id to undo it by, how many were decided, and how many were left out."""

    id: str
    done: int
    left_out: int


def preview(db: Database, staff: Staff, selection: Selection, now: datetime) -> Preview:
    """What deciding this selection would touch."""
    require(staff, selection.ask)
    with db.read() as session:
        ids = list(session.scalars(_waiting(session, selection, now).order_by(col(Comment.urgency))))
        being_read = len(_read_by_others(session, staff, now).intersection(ids))
        return Preview(
            len(ids) - being_read, being_read, _sample(session, selection, ids), _bins(session, selection, now)
        )


def decide_all(
    db: Database, judges: Judges, by: Decider, selection: Selection, verdict: Verdict, now: datetime
) -> Batch:
    """Decide everything that the selection held when it was previewed (`selection.ask.until`), as one batch.

    `verdict` says what and why; its comment and version are those of each row. What was edited, decided or claimed by
    another since then is left out.
    """
    check(verdict)
    seen_at = selection.ask.until
    if seen_at is None:
        raise Invalid("Say until when the selection was seen.", pointer="/until")
    by.require(selection.ask.site)
    with db.read() as session:
        if verdict.verdict == REJECT:
            check_reason(session, judges, selection.ask.site, verdict.reason)
        ids = _ids(session, selection, now)
    batch, done = new_id(), 0
    for chunk in _chunks(ids):
        with db.write() as session:
            held, cases = _held(session, by, chunk, now), locked_many(session, chunk)
            free = [case for case in cases if _is_as_seen(case, by, seen_at) and case.comment.id not in held]
            done += len(settle_all(session, [(case, _of(case, verdict, batch)) for case in free], by, now))
    return Batch(batch, done, len(ids) - done)


def undo_all(db: Database, by: Decider, batch_id: str, now: datetime) -> Batch:
    """Take a whole batch back, but for what somebody decided again since; as a batch of its own."""
    with db.read() as session:
        query = select(Decision).where(Decision.batch == batch_id, col(Decision.actor).in_(PEOPLE))
        rows = [row for row in session.exec(query) if row.site_id in by.roles and row.verb != "undo"]
    if not rows:
        raise NotFound("There is no such batch.")
    by.require(rows[0].site_id)
    decided = {row.comment_id: row for row in rows}
    batch, done = new_id(), 0
    for chunk in _chunks(list(decided)):
        with db.write() as session:
            pairs = [(case, decided[case.comment.id]) for case in locked_many(session, chunk)]
            last = [(case, row) for case, row in pairs if row.revision == case.comment.revision]
            done += len(take_all_back(session, last, by, now, batch))
    return Batch(batch, done, len(decided) - done)


def told_batch(db: Database, staff: Staff, batch_id: str) -> tuple[Decision, int] | None:
    """One decision of a batch and how many it has, to say what was done; None when it is not there for them."""
    with db.read() as session:
        row = session.exec(select(Decision).where(Decision.batch == batch_id).limit(1)).first()
        if row is None or not staff.may_see(row.site_id):
            return None
        return row, session.exec(select(func.count()).where(Decision.batch == batch_id)).one()


# ---- which ones ---------------------------------------------------------------------------------------------------


def _waiting(session: Session, selection: Selection, now: datetime) -> Clause:
    """The ids of those that it is about."""
    query = among(session, selection.ask, now, col(Comment.id)).where(col(Comment.status) == PENDING)
    return query.where(col(Comment.id).in_(selection.ids)) if selection.ids else query


def _read_by_others(session: Session, staff: Staff, now: datetime) -> set[str]:
    """What other moderators read now, on any site: a few."""
    others = col(Lease.moderator_id) != staff.id
    return set(session.scalars(core_select(col(Lease.comment_id)).where(col(Lease.expires_at) > now, others)))


def _ids(session: Session, selection: Selection, now: datetime) -> list[str]:
    found = list(session.scalars(_waiting(session, selection, now).order_by(col(Comment.id)).limit(MOST + 1)))
    if len(found) > MOST:
        raise Invalid(f"At most {MOST} at once. Narrow the filters.")
    return found


def _sample(session: Session, selection: Selection, ids: Sequence[str]) -> list[Sampled]:
    """A few of them, drawn over the whole."""
    drawn = random.Random(str(len(ids))).sample(ids, min(SAMPLE, len(ids)))  # noqa: S311 - a sample, no secret
    latest = and_(col(CommentVersion.comment_id) == col(Comment.id), col(CommentVersion.number) == col(Comment.latest))
    query = (
        core_select(Comment, col(Author.name), col(CommentVersion.text))
        .join(Author, col(Author.id) == col(Comment.author_id))
        .join(CommentVersion, latest)
        .where(col(Comment.id).in_(drawn))
    )
    return [
        Sampled(row.id, name, text, row.triage.get("scores", {}).get(selection.ask.attribute))
        for row, name, text in session.execute(query)
    ]


def _bins(session: Session, selection: Selection, now: datetime) -> list[int]:
    """How many waiting comments have which score, in twentieths over the whole scale; empty without an attribute."""
    ask = selection.ask
    if not ask.attribute:
        return []
    place = scores.twentieth(session, ask.attribute).label("place")
    everything = Ask(ask.site, ask.view, attribute=ask.attribute, lowest=0.0)
    bins = [0] * scores.BINS
    for at, many in session.execute(among(session, everything, now, place, func.count()).group_by(place)):
        bins[min(at, scores.BINS - 1)] += many
    return bins


# ---- one chunk ----------------------------------------------------------------------------------------------------


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _held(session: Session, by: Decider, ids: Sequence[str], now: datetime) -> set[str]:
    """Those of them that somebody else reads now."""
    query = select(Lease.comment_id).where(
        col(Lease.comment_id).in_(ids), col(Lease.expires_at) > now, Lease.moderator_id != by.actor.id
    )
    return set(session.exec(query))


def _is_as_seen(case: Case, by: Decider, seen_at: datetime) -> bool:
    comment = case.comment
    unchanged = case.latest.created_at < seen_at and comment.site_id in by.roles
    return unchanged and comment.status == PENDING and comment.gone is None


def _of(case: Case, verdict: Verdict, batch: str) -> Verdict:
    return Verdict(
        case.comment.id, case.comment.latest, verdict.verdict, reason=verdict.reason, note=verdict.note, batch=batch
    )
