"""Deliveries: claimed by lease, judged by their answer, and either done, tried again or given up.

The table is the queue. A claim sets the delivery's due time to the end of its lease, so that a worker which dies
needs no clean-up: its deliveries are simply due again. Nothing here opens a connection; `sending.py` does, between
`claim_due` and `settle`, with no transaction open.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, func, update
from sqlmodel import Session, col, select

from service.db import Database
from service.models import Attempt, Delivery, Endpoint
from service.webhooks.events import emit
from service.webhooks.payloads import moment
from service.webhooks.signing import next_attempt

DUE, SENDING, DELIVERED, FAILED = "due", "sending", "delivered", "failed"
ACTIVE, DISABLED = "active", "disabled"

GONE: Final = 410
FAST_SHARE: Final = 4  # deliveries that one good endpoint may have in flight at once
SLOW_SHARE: Final = 1
SLOW_MS: Final = 2_000  # an endpoint that takes longer than this is slow until it answers faster
NO_KEY_LOCK: Final = {"key_share": True}  # FOR UPDATE would stand in the way of every event that is fanned out
PATIENCE: Final = timedelta(days=5)  # of failure without one success, before an endpoint is disabled


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that the caller holds until `lease` runs out. `attempt` counts from 1."""

    delivery_id: str
    endpoint_id: str
    event_id: str
    lease: str
    attempt: int
    slow: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt: an HTTP status, or an `error` code when there was none.

    `text` is the first bytes of the answer for the log; `retry_after` is what a 429 or 503 asked for.
    """

    status: int | None
    error: str | None = None
    text: str = ""
    latency_ms: int = 0
    retry_after: timedelta | None = None

    @property
    def accepted(self) -> bool:
        """Whether the endpoint took the event: 2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300


# ---- claiming ----


def next_due(db: Database) -> datetime | None:
    """When the next delivery of any endpoint in service may be taken up; None when there is none."""
    with db.read() as session:
        ready = select(func.min(Delivery.due_at)).where(
            Delivery.endpoint_id == Endpoint.id, col(Delivery.state).in_((DUE, SENDING))
        )
        soonest = [
            max(due, rest) if rest else due
            for due, rest in session.exec(select(ready.scalar_subquery(), Endpoint.resting_until).where(_in_service()))
            if due
        ]
    return min(soonest, default=None)


def claim_due(
    db: Database, now: datetime, limit: int, lease_seconds: int, *, slow_limit: int | None = None
) -> list[Due]:
    """Take up to `limit` due deliveries until `now + lease_seconds`, a fair share for each endpoint.

    At most `slow_limit` of them go to endpoints that are slow or failing, so that those delay no other. Two callers
    never get the same delivery.
    """
    left = {False: limit, True: limit if slow_limit is None else min(slow_limit, limit)}
    claimed: list[Due] = []
    with db.write() as session:
        for endpoint_id, slow, busy in _endpoints_waiting(session, now):
            share = (SLOW_SHARE if slow else FAST_SHARE) - busy
            room = min(share, left[slow], limit - len(claimed))
            if room > 0:
                due = _claim(session, endpoint_id, slow, room, (now, now + timedelta(seconds=lease_seconds)))
                claimed += due
                left[slow] -= len(due)
    return claimed


def _endpoints_waiting(session: Session, now: datetime) -> list[tuple[str, bool, int]]:
    """Endpoints with something due: id, whether slow, how many are in flight; good and idle ones first, then by lot."""
    mine = col(Delivery.endpoint_id) == col(Endpoint.id)
    in_flight = (
        select(func.count()).select_from(Delivery).where(mine, Delivery.state == SENDING, col(Delivery.due_at) > now)
    ).scalar_subquery()
    found = session.exec(
        select(Endpoint.id, Endpoint.slow, in_flight)
        .where(_in_service(), ~(col(Endpoint.resting_until) > now) | col(Endpoint.resting_until).is_(None))
        .where(exists().where(mine, _ready(now)))
        .order_by(col(Endpoint.slow), in_flight, func.random())
    )
    return [(endpoint_id, slow, busy) for endpoint_id, slow, busy in found]


def _claim(session: Session, endpoint_id: str, slow: bool, room: int, span: tuple[datetime, datetime]) -> list[Due]:
    """Lease the oldest due deliveries of one endpoint; rows that another worker is claiming are passed over."""
    now, until = span
    free = session.exec(
        select(Delivery.id)
        .where(Delivery.endpoint_id == endpoint_id, _ready(now))
        .order_by(col(Delivery.due_at), col(Delivery.created_at))
        .limit(room)
        .with_for_update(skip_locked=True)
    ).all()
    lease = secrets.token_hex(12)
    taken = session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(free), _ready(now))
        .values(state=SENDING, lease=lease, due_at=until, attempts=Delivery.attempts + 1)
        .returning(col(Delivery.id), col(Delivery.event_id), col(Delivery.attempts))
        .execution_options(synchronize_session=False)
    )
    return [Due(id_, endpoint_id, event_id, lease, attempt, slow) for id_, event_id, attempt in taken]


def _in_service() -> ColumnElement[bool]:
    return (col(Endpoint.state) == ACTIVE) & col(Endpoint.deleted_at).is_(None)


def _ready(now: datetime) -> ColumnElement[bool]:
    """Due, or held by somebody whose lease has run out."""
    return col(Delivery.state).in_((DUE, SENDING)) & (col(Delivery.due_at) <= now)


# ---- settling ----


def settle(db: Database, due: Due, answer: Answer, *, now: datetime, rng: random.Random) -> str | None:
    """Store what came of an attempt and what follows from it; returns the delivery's state.

    Returns None, and stores the attempt alone, when the lease ran out meanwhile and somebody else took the delivery up.
    """
    with db.write() as session:
        session.add(_attempt(due, answer, now))
        delivery = _held(session, due)
        if delivery is None:
            return None
        endpoint = session.get_one(Endpoint, due.endpoint_id, with_for_update=NO_KEY_LOCK)
        in_service = endpoint.state == ACTIVE and endpoint.deleted_at is None
        again = next_attempt(_tries(session, due), now, rng, answer.retry_after)
        _judge(delivery, answer, now, again if in_service else None)
        if in_service:
            _remember(session, endpoint, answer, now)
        session.add_all((delivery, endpoint))
        return delivery.state


def _attempt(due: Due, answer: Answer, now: datetime) -> Attempt:
    return Attempt(
        delivery_id=due.delivery_id,
        number=due.attempt,
        at=now - timedelta(milliseconds=answer.latency_ms),
        latency_ms=answer.latency_ms,
        status=answer.status,
        error=answer.error,
        answer=answer.text,
    )


def _held(session: Session, due: Due) -> Delivery | None:
    return session.exec(
        select(Delivery)
        .where(Delivery.id == due.delivery_id, Delivery.lease == due.lease)
        .with_for_update(key_share=True)
    ).first()


def _tries(session: Session, due: Due) -> int:
    """Attempts that came to an end. One that died with its worker does not use up the schedule."""
    return session.exec(select(func.count()).select_from(Attempt).where(Attempt.delivery_id == due.delivery_id)).one()


def _judge(delivery: Delivery, answer: Answer, now: datetime, again: datetime | None) -> None:
    """Delivered, due `again`, or given up."""
    delivery.lease = None
    if answer.accepted:
        delivery.state, delivery.delivered_at = DELIVERED, now
    elif again is None or answer.status == GONE:
        delivery.state = FAILED
    else:
        delivery.state, delivery.due_at = DUE, again


def _remember(session: Session, endpoint: Endpoint, answer: Answer, now: datetime) -> None:
    """Keep what this answer says of the endpoint, and disable one that is gone or has failed for days."""
    endpoint.slow = not answer.accepted or answer.latency_ms > SLOW_MS
    if answer.accepted:
        endpoint.failing_since = None
        return
    endpoint.failing_since = endpoint.failing_since or now
    if answer.retry_after is not None:
        endpoint.resting_until = now + answer.retry_after
    if answer.status == GONE:
        disable(session, endpoint, "gone", now=now)
    elif now - endpoint.failing_since >= PATIENCE:
        disable(session, endpoint, "failing", now=now)


def disable(session: Session, endpoint: Endpoint, reason: str, *, now: datetime) -> None:
    """Take an endpoint out of service, give up what still waits for it, and tell the host's other endpoints."""
    if endpoint.state == DISABLED:
        return
    endpoint.state, endpoint.disabled_reason = DISABLED, reason
    session.add(endpoint)
    session.flush()
    give_up(session, endpoint.id)
    emit(session, endpoint.site_id, "endpoint.disabled", disabled_payload(endpoint), now=now)


def give_up(session: Session, endpoint_id: str) -> None:
    """End every delivery that waits for an endpoint; the log keeps them and a replay sends them again."""
    session.execute(
        update(Delivery)
        .where(col(Delivery.endpoint_id) == endpoint_id, col(Delivery.state) == DUE)
        .values(state=FAILED, lease=None)
        .execution_options(synchronize_session=False)
    )


def disabled_payload(endpoint: Endpoint) -> dict[str, Any]:
    """What `endpoint.disabled` tells: which one, where it pointed, why and since when it had failed."""
    since = endpoint.failing_since
    return {
        "endpoint": {
            "id": endpoint.id,
            "url": endpoint.url,
            "reason": endpoint.disabled_reason,
            "failing_since": moment(since) if since else None,
        }
    }
