"""The delivery log and what can be done with it: look, send again one, a range, or all that failed.

A replay is a delivery of its own beside the first, with the event's one id, so that a receiver that has seen the event
knows it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from service.db import Database
from service.errors import Invalid, NotFound
from service.models import Attempt, Delivery, Endpoint, Event, is_id
from service.webhooks.deliveries import DELIVERED, FAILED
from service.webhooks.endpoints import find, in_service

MOST_AT_ONCE: Final = 1_000
KEPT: Final = timedelta(days=30)
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery with its event and its attempts, oldest first."""

    delivery: Delivery
    event: Event
    attempts: list[Attempt]


@dataclass(frozen=True, slots=True)
class Queued:
    """How many events will be sent again, and the number to go on after when there are more."""

    count: int
    next_after: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Which part of the log: `cursor` is where the page before ended, `state` narrows it to one state."""

    cursor: str | None = None
    state: str | None = None
    limit: int = 50


# ---- looking ----


def entries(db: Database, site_id: str, endpoint_id: str, look: Look) -> tuple[list[Entry], str | None]:
    """A page of an endpoint's deliveries, newest first, and the cursor of the next page."""
    with db.read() as session:
        endpoint = find(session, site_id, endpoint_id)
        found = session.exec(_page(endpoint, look)).all()
        attempts = _attempts(session, [delivery.id for delivery, _ in found])
    page = [Entry(delivery, event, attempts.get(delivery.id, [])) for delivery, event in found[: look.limit]]
    return page, _cursor(page[-1].delivery) if len(found) > look.limit else None


def _page(endpoint: Endpoint, look: Look) -> Any:
    rows = (
        select(Delivery, Event)
        .join(Event, col(Event.id) == col(Delivery.event_id))
        .where(Delivery.endpoint_id == endpoint.id)
        .order_by(col(Delivery.created_at).desc(), col(Delivery.id).desc())
        .limit(look.limit + 1)
    )
    if look.cursor is not None:
        at, id_ = _read_cursor(look.cursor)
        older = (col(Delivery.created_at) < at) | ((col(Delivery.created_at) == at) & (col(Delivery.id) < id_))
        rows = rows.where(older)
    return rows if look.state is None else rows.where(Delivery.state == look.state)


def _cursor(last: Delivery) -> str:
    place = f"{int(last.created_at.timestamp() * 1_000_000)}.{last.id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        place = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True).decode()
        micros, _, id_ = place.partition(".")
        if not is_id(id_):
            raise ValueError("not an id of ours")
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(micros)), id_
    except (ValueError, OverflowError):
        raise Invalid("This cursor is not one that we gave.", pointer="?cursor") from None


def _attempts(session: Session, delivery_ids: Sequence[str]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    rows = select(Attempt).where(col(Attempt.delivery_id).in_(delivery_ids)).order_by(col(Attempt.number))
    for attempt in session.exec(rows):
        found.setdefault(attempt.delivery_id, []).append(attempt)
    return found


# ---- sending again ----


def replay_one(db: Database, site_id: str, endpoint_id: str, event_id: str, *, now: datetime) -> Queued:
    """Send one event again, whatever came of it before."""
    with db.write() as session:
        endpoint = in_service(session, site_id, endpoint_id)
        event = session.get(Event, event_id)
        if event is None or event.site_id != site_id:
            raise NotFound("There is no such event.")
        return _queue(session, endpoint, [(event.id, event.seq)], now)


def replay_range(db: Database, site_id: str, endpoint_id: str, after: int, until: int, *, now: datetime) -> Queued:
    """Send again the events numbered above `after` up to `until` that the endpoint listens to, delivered or not."""
    if until <= after:
        raise Invalid("`until` must be above `after`.", pointer="/until")
    rows = select(Event.id, Event.seq).where(Event.site_id == site_id, Event.seq > after, Event.seq <= until)
    with db.write() as session:
        endpoint = in_service(session, site_id, endpoint_id)
        if endpoint.types:
            rows = rows.where(col(Event.type).in_(endpoint.types))
        found = session.exec(rows.order_by(col(Event.seq)).limit(MOST_AT_ONCE + 1)).all()
        return _queue(session, endpoint, found, now)


def replay_failed(db: Database, site_id: str, endpoint_id: str, after: int = 0, *, now: datetime) -> Queued:
    """Send again every event above `after` of which all deliveries to this endpoint were given up."""
    not_failed = func.count().filter(col(Delivery.state) != FAILED)
    with db.write() as session:
        endpoint = in_service(session, site_id, endpoint_id)
        rows = (
            select(Event.id, Event.seq)
            .join(Delivery, col(Delivery.event_id) == col(Event.id))
            .where(Delivery.endpoint_id == endpoint.id, Event.seq > after)
            .group_by(col(Event.id), col(Event.seq))
            .having(not_failed == 0)
            .order_by(col(Event.seq))
            .limit(MOST_AT_ONCE + 1)
        )
        return _queue(session, endpoint, session.exec(rows).all(), now)


def _queue(session: Session, endpoint: Endpoint, found: Sequence[tuple[str, int]], now: datetime) -> Queued:
    """Add a delivery for each event, numbered after the ones it had; one more than fits says that there is more."""
    chosen = found[:MOST_AT_ONCE]
    ids = [event_id for event_id, _ in chosen]
    last = dict(
        session.exec(
            select(Delivery.event_id, func.max(Delivery.replay))
            .where(Delivery.endpoint_id == endpoint.id, col(Delivery.event_id).in_(ids))
            .group_by(col(Delivery.event_id))
        ).all()
    )
    session.add_all(
        Delivery(
            site_id=endpoint.site_id,
            endpoint_id=endpoint.id,
            event_id=id_,
            replay=last.get(id_, -1) + 1,
            due_at=now,
            created_at=now,
        )
        for id_ in ids
    )
    return Queued(len(chosen), chosen[-1][1] if len(found) > len(chosen) else None)


# ---- forgetting ----


def forget(db: Database, now: datetime) -> int:
    """A chore: remove deliveries that ended more than 30 days ago, with their attempts. Events stay."""
    forgotten = 0
    while taken := _forget_some(db, now - KEPT):
        forgotten += taken
    return forgotten


def _forget_some(db: Database, before: datetime) -> int:
    over = col(Delivery.state).in_((DELIVERED, FAILED)) & (col(Delivery.due_at) < before)
    with db.read() as session:
        old = session.exec(select(Delivery.id).where(over, Delivery.created_at < before).limit(BATCH)).all()
    if old:
        with db.write() as session:
            for table, column in ((Attempt, col(Attempt.delivery_id)), (Delivery, col(Delivery.id))):
                session.execute(delete(table).where(column.in_(old)).execution_options(synchronize_session=False))
    return len(old)
