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

from sqlalchemy import Float, Integer, and_, cast, func
from sqlalchemy import case as when
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from service.db import Database
from service.identity.staff import Staff
from service.lifecycle import PEOPLE
from service.models import APPROVED, DELETED, PENDING, REJECTED, Comment, Decision
from service.review.views import Ask, require

OUTCOMES = ("unread", "read", "rejected", "waiting")
BINS = 20

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
    person = core_select(Decision.id).where(  # type: ignore[call-overload]
        col(Decision.comment_id) == col(Comment.id), col(Decision.actor).in_(PEOPLE)
    )
    outcome = when(
        (col(Comment.status) == PENDING, "waiting"),
        (col(Comment.status) == REJECTED, "rejected"),
        (person.exists(), "read"),
        else_="unread",
    )
    day = _day(session)
    query = (
        core_select(day, outcome, func.count())
        .where(col(Comment.site_id) == site_id, col(Comment.created_at) >= since, col(Comment.status) != DELETED)
        .group_by(day, outcome)
    )
    found = {one: dict.fromkeys(OUTCOMES, 0) for one in days}
    for name, what, many in session.execute(query):
        found.setdefault(date.fromisoformat(name), dict.fromkeys(OUTCOMES, 0))[what] = many
    return found


def _day(session: Session) -> Clause:
    """The UTC day of a comment, as text that sorts."""
    if session.get_bind().dialect.name == "sqlite":
        return func.strftime("%Y-%m-%d", col(Comment.created_at))
    return func.to_char(func.timezone("UTC", col(Comment.created_at)), "YYYY-MM-DD")


def _waits(session: Session, site_id: str, now: datetime) -> list[float]:
    """How many minutes each waiting comment has waited, the shortest first."""
    waiting = and_(col(Comment.site_id) == site_id, col(Comment.status) == PENDING)
    found = session.execute(
        core_select(col(Comment.created_at)).where(waiting).order_by(col(Comment.created_at).desc())
    )
    return [(now - at).total_seconds() / 60 for (at,) in found]


# ---- how long a decision takes ------------------------------------------------------------------------------------


def _spans(session: Session, site_id: str, since: datetime, now: datetime) -> list[tuple[float, bool]]:
    """For each comment held since: how many minutes until a person decided, or until now (or its end) without one."""
    held = (
        core_select(col(Decision.comment_id))
        .where(col(Decision.revision) == 1, col(Decision.after) == PENDING, col(Decision.comment_id) == col(Comment.id))
        .exists()
    )
    decided = (
        core_select(func.min(col(Decision.created_at)))
        .where(col(Decision.comment_id) == col(Comment.id), col(Decision.actor).in_(PEOPLE))
        .scalar_subquery()
    )
    query = core_select(col(Comment.created_at), decided, col(Comment.status), col(Comment.decided_at)).where(
        col(Comment.site_id) == site_id, col(Comment.created_at) >= since, held
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
    score = cast(col(Comment.triage)["scores"][attribute].as_string(), Float)
    bin_ = cast(func.floor(score * BINS) if not _is_sqlite(session) else score * BINS, Integer)
    query = (
        core_select(bin_, col(Comment.status), func.count())
        .where(
            col(Comment.site_id) == site_id,
            col(Comment.created_at) >= since,
            col(Comment.status).in_((APPROVED, REJECTED)),
            score.is_not(None),
        )
        .group_by(bin_, col(Comment.status))
    )
    found = {APPROVED: [0] * BINS, REJECTED: [0] * BINS}
    for place, status, many in session.execute(query):
        found[status][min(max(place, 0), BINS - 1)] += many
    return Scores(attribute, found[APPROVED], found[REJECTED])


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
