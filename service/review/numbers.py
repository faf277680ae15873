"""The numbers of a site: what became of comments, how long they wait, how well a score parts them. Reads only.

What still waits counts as waiting: a decision that has not come yet is censored, never left out, because leaving it out
would make a slow desk look fast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, literal
from sqlalchemy import case as when
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from service.db import Database
from service.identity.staff import Staff
from service.lifecycle import PEOPLE
from service.models import APPROVED, DELETED, PENDING, REJECTED, Comment, Decision
from service.review import scores
from service.review.views import Ask, require

OUTCOMES = ("unread", "read", "rejected", "waiting")
STATUSES = (PENDING, APPROVED, REJECTED, DELETED)

Clause = Any  # what SQLAlchemy calls its parts does not survive SQLModel's column types


@dataclass(frozen=True, slots=True)
class Survival:
    """The share of held comments still undecided by minutes since they were sent (Kaplan and Meier).

    `steps` are (minutes, share); `deciles` the minutes in which a share was decided, None where that is not known yet.
    """

    steps: Sequence[tuple[float, float]]
    held: int
    decided: int
    deciles: Mapping[int, float | None]


@dataclass(frozen=True, slots=True)
class Scores:
    """How many comments with a score in each twentieth were published and rejected in the end."""

    attribute: str
    published: Sequence[int]
    rejected: Sequence[int]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The first page of numbers, for some days up to now."""

    since: date
    until: date
    days: Mapping[date, Mapping[str, int]]
    waits: Sequence[float]
    survival: Survival
    scores: Scores | None


def numbers(db: Database, staff: Staff, site_id: str, days: int, attribute: str, now: datetime) -> Numbers:
    """The numbers of the last `days` days, today counted; `attribute` is the score whose distribution is wanted."""
    require(staff, Ask(site_id))
    first = (now - timedelta(days=days - 1)).date()
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    with db.read() as session:
        return Numbers(
            since=first,
            until=now.date(),
            days=_volume(session, site_id, since, [first + timedelta(days=n) for n in range(days)]),
            waits=_waits(session, site_id, now),
            survival=survival(_spans(session, site_id, since, now)),
            scores=_scores(session, site_id, since, attribute) if attribute else None,
        )


def _volume(session: Session, site_id: str, since: datetime, days: Sequence[date]) -> dict[date, dict[str, int]]:
    outcome = when(
        (col(Comment.status) == PENDING, "waiting"),
        (col(Comment.status) == REJECTED, "rejected"),
        (col(Comment.id).in_(_by_people(site_id, since, col(Decision.comment_id))), "read"),
        else_="unread",
    )
    sent = _sent(site_id, since, (PENDING, APPROVED, REJECTED))
    each = core_select(_day(session).label("day"), outcome.label("outcome")).where(*sent).subquery()
    found = {one: dict.fromkeys(OUTCOMES, 0) for one in days}
    for name, what, many in session.execute(core_select(*each.c, func.count()).group_by(*each.c)):
        found.setdefault(date.fromisoformat(name), dict.fromkeys(OUTCOMES, 0))[what] = many
    return found


def _sent(site_id: str, since: datetime, statuses: Sequence[str]) -> list[Clause]:
    """The comments of some statuses that were sent since, in a form that leads through the index of all three."""
    return [col(Comment.site_id) == site_id, col(Comment.created_at) >= since, col(Comment.status).in_(statuses)]


def _by_people(site_id: str, since: datetime, *what: Clause) -> Clause:
    """Something about what people decided since; `PEOPLE` stands as written, or the index of these is not taken."""
    people: Clause = bindparam("people", PEOPLE, expanding=True, literal_execute=True)
    return core_select(*what).where(*_decided(site_id, since), col(Decision.actor).in_(people))


def _held(site_id: str, since: datetime) -> Clause:
    """The comments that were held when they were sent, likewise."""
    at_first = col(Decision.revision) == literal(1, literal_execute=True)
    held = col(Decision.after) == literal(PENDING, literal_execute=True)
    return core_select(col(Decision.comment_id)).where(*_decided(site_id, since), at_first, held)


def _decided(site_id: str, since: datetime) -> list[Clause]:
    """What was decided since: all about the comments that were sent since, for nothing is decided before it is sent."""
    return [col(Decision.site_id) == site_id, col(Decision.created_at) >= since]


def _day(session: Session) -> Clause:
    """The UTC day of a comment, as text that sorts."""
    if scores.is_sqlite(session):
        return func.strftime("%Y-%m-%d", col(Comment.created_at))
    return func.to_char(func.timezone("UTC", col(Comment.created_at)), "YYYY-MM-DD")


def _waits(session: Session, site_id: str, now: datetime) -> list[float]:
    """How many minutes each waiting comment has waited, the shortest first; none where the clock was set back since."""
    waiting = and_(col(Comment.site_id) == site_id, col(Comment.status) == PENDING)
    found = session.execute(
        core_select(col(Comment.created_at)).where(waiting).order_by(col(Comment.created_at).desc())
    )
    return [max((now - at).total_seconds() / 60, 0.0) for (at,) in found]


# ---- how long a decision takes ------------------------------------------------------------------------------------


def _spans(session: Session, site_id: str, since: datetime, now: datetime) -> list[tuple[float, bool]]:
    """For each comment held since: how many minutes until a person decided, or until now (or its end) without one."""
    of = col(Decision.comment_id)
    decided = _by_people(site_id, since, of, func.min(col(Decision.created_at)).label("at")).group_by(of).subquery()
    ended = when((col(Comment.status) != PENDING, col(Comment.decided_at)))
    as_expression = col(Comment.id).concat("")  # leads SQLite through the days' index, not from each that was held
    query = (
        core_select(col(Comment.created_at), decided.c.at, col(Comment.status), ended)
        .outerjoin(decided, decided.c.comment_id == col(Comment.id))
        .where(*_sent(site_id, since, STATUSES), as_expression.in_(_held(site_id, since)))
    )
    return [_span(sent, at, status, ended, now) for sent, at, status, ended in session.execute(query)]


def _span(
    sent: datetime, decided: datetime | None, status: str, ended: datetime | None, now: datetime
) -> tuple[float, bool]:
    end = decided or (now if status == PENDING else ended or now)
    return max((end - sent).total_seconds() / 60, 0.0), decided is not None


def survival(spans: Sequence[tuple[float, bool]]) -> Survival:
    """The curve of Kaplan and Meier over (minutes, whether a person decided then)."""
    at_risk, share = len(spans), 1.0
    steps: list[tuple[float, float]] = [(0.0, 1.0)]
    events = Counter(minutes for minutes, decided in spans if decided)
    leaving = Counter(minutes for minutes, _ in spans)
    for minutes in sorted(leaving):
        if events[minutes]:
            share *= 1 - events[minutes] / at_risk
            steps.append((minutes, share))
        at_risk -= leaving[minutes]
    deciles = {percent: _reached(steps, percent) for percent in (50, 90)}
    return Survival(steps, len(spans), sum(events.values()), deciles)


def _reached(steps: Sequence[tuple[float, float]], percent: int) -> float | None:
    """After how many minutes so many in a hundred were decided; None when they are not yet."""
    return next((minutes for minutes, share in steps if share <= 1 - percent / 100 + 1e-9), None)


# ---- how well a score parts them ----------------------------------------------------------------------------------


def _scores(session: Session, site_id: str, since: datetime, attribute: str) -> Scores:
    place = scores.twentieth(session, attribute).label("place")
    query = (
        core_select(place, col(Comment.status), func.count())
        .where(*_sent(site_id, since, (APPROVED, REJECTED)), scores.score(session, attribute).is_not(None))
        .group_by(place, col(Comment.status))
    )
    found = {APPROVED: [0] * scores.BINS, REJECTED: [0] * scores.BINS}
    for at, status, many in session.execute(query):
        found[status][min(max(at, 0), scores.BINS - 1)] += many
    return Scores(attribute, found[APPROVED], found[REJECTED])
