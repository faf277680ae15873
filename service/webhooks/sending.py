"""One attempt of one delivery: written, signed, sent through the outbound door, and its answer settled.

The body is read in one transaction and the outcome stored in another; none is open while the network is. Secrets and
texts pass through here and are never logged.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from config.settings import Settings
from service.db import Database
from service.models import Endpoint, Event
from service.outbound import Answer as Reply
from service.outbound import Door, OutboundFailed, OutboundRefused
from service.webhooks import payloads, signing
from service.webhooks.deliveries import ACTIVE, Answer, Due, settle

ANSWER_BYTES: Final = 512
MOST_STARTS: Final = 3 * len(signing.SCHEDULE)  # a delivery that ends its worker every time must end too
HEARD_OUT: Final = (429, 503)  # the statuses whose Retry-After counts


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent, and where to. The keys that sign it do not show in a representation."""

    url: str
    message_id: str
    body: bytes = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)


def open_door(settings: Settings) -> Door:
    """The outbound door as this installation's settings want it."""
    return Door(
        allow=settings.outbound_allow,
        require_https=not settings.development,
        connect_timeout=min(5.0, settings.webhook_timeout),
        total_deadline=settings.webhook_timeout,
        max_body=ANSWER_BYTES,
    )


def deliver(db: Database, door: Door, due: Due, clock: Callable[[], datetime], rng: random.Random) -> Answer:
    """Make one attempt and settle it; returns what the endpoint answered."""
    answer = _attempt(db, door, due, clock)
    settle(db, due, answer, now=clock(), rng=rng)
    return answer


def _attempt(db: Database, door: Door, due: Due, clock: Callable[[], datetime]) -> Answer:
    if due.attempt > MOST_STARTS:
        return Answer(None, "Every attempt ended before its answer came.")
    letter = write(db, due, clock())
    if letter is None:
        return Answer(None, "The endpoint is out of service.")
    return post(door, letter, clock())


def write(db: Database, due: Due, now: datetime) -> Letter | None:
    """The letter of a delivery, as things stand now; None when its endpoint went out of service."""
    with db.read() as session:
        endpoint = session.get_one(Endpoint, due.endpoint_id)
        if endpoint.state != ACTIVE or endpoint.deleted_at is not None:
            return None
        event = session.get_one(Event, due.event_id)
        message = payloads.told_in_full(session, event) if endpoint.full else payloads.told(event)
    return Letter(endpoint.url, payloads.message_id(event.id), payloads.body(message), live_keys(endpoint.secrets, now))


def live_keys(secrets: list[dict[str, Any]], now: datetime) -> tuple[str, ...]:
    """The keys that sign at `now`, newest first: one, or two while an old one runs out."""
    return tuple(s["key"] for s in secrets if s["until"] is None or datetime.fromisoformat(s["until"]) > now)


def post(door: Door, letter: Letter, now: datetime) -> Answer:
    """Send a letter, signed as of `now`; whatever happens on the network comes back as an answer."""
    headers = {"content-type": "application/json", **signing.headers(letter.keys, letter.message_id, now, letter.body)}
    try:
        return _heard(door.post(letter.url, letter.body, headers), now)
    except (OutboundRefused, OutboundFailed) as failure:
        return Answer(None, failure.detail)


def _heard(reply: Reply, now: datetime) -> Answer:
    """The reply, as it is kept: the first bytes for the log, without what no database column takes."""
    wait = signing.read_retry_after(reply.headers.get("retry-after"), now) if reply.status in HEARD_OUT else None
    text = reply.first_bytes[:ANSWER_BYTES].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return Answer(reply.status, None, text, reply.latency_ms, wait)
