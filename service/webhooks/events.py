"""Events: rows committed with what they tell of, numbered without gaps within a site, and fanned out to endpoints.

A payload is thin: ids, states and names of things, never a comment's text, so that erasure stays possible. An endpoint
that chose `full` gets the text at delivery time, read from the version that the event names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from service.models import Delivery, Endpoint, Event, SiteCounter

EVENTS: Final = (
    "comment.created",
    "comment.approved",
    "comment.rejected",
    "comment.pending",
    "comment.edited",
    "comment.deleted",
    "comment.restored",
    "comment.reported",
    "comment.featured",
    "article.created",
    "article.closed",
    "article.opened",
    "author.muted",
    "author.banned",
    "author.trusted",
    "decision.undone",
    "endpoint.disabled",
    "ping",
)


@dataclass(frozen=True, slots=True)
class News:
    """What an event will tell: its type, its payload, and the comment that it is about."""

    type: str
    payload: Mapping[str, Any]
    comment_id: str | None = None


def emit(
    session: Session,
    site_id: str,
    type_: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    comment_id: str | None = None,
) -> Event:
    """Store an event in the caller's transaction, under the site's next number, with a delivery per endpoint."""
    return emit_all(session, site_id, [News(type_, payload, comment_id)], now=now)[0]


def emit_all(session: Session, site_id: str, news: Sequence[News], *, now: datetime) -> list[Event]:
    """Store events of one site in their order, as `emit` does each."""
    unknown = [one.type for one in news if one.type not in EVENTS]
    if unknown:
        raise ValueError(f"no such event: {', '.join(unknown)}")
    if not news:
        return []
    last, endpoints = _take_numbers(session, site_id, len(news)), _listening(session, site_id)
    events = [
        Event(
            site_id=site_id,
            seq=seq,
            type=one.type,
            comment_id=one.comment_id,
            payload=dict(one.payload),
            created_at=now,
        )
        for seq, one in enumerate(news, last - len(news) + 1)
    ]
    _store(session, events, endpoints)
    return events


def emit_to(session: Session, endpoint: Endpoint, type_: str, payload: Mapping[str, Any], *, now: datetime) -> Event:
    """Store an event that goes to one endpoint alone, whatever it listens to."""
    seq = _take_numbers(session, endpoint.site_id, 1)
    event = Event(site_id=endpoint.site_id, seq=seq, type=type_, payload=dict(payload), created_at=now)
    _store(session, [event], {endpoint.id: []})
    return event


def _store(session: Session, events: Sequence[Event], endpoints: Mapping[str, Collection[str]]) -> None:
    """Events, and their deliveries to each endpoint that listens to them; one that names no types listens to all."""
    session.add_all(events)
    session.flush()
    session.add_all(
        Delivery(
            site_id=event.site_id,
            event_id=event.id,
            endpoint_id=id_,
            due_at=event.created_at,
            created_at=event.created_at,
        )
        for event in events
        for id_, types in endpoints.items()
        if not types or event.type in types
    )


def _take_numbers(session: Session, site_id: str, count: int) -> int:
    """Take the site's next numbers and return the last; the row stays locked until the caller commits."""
    taken = session.execute(
        update(SiteCounter)
        .where(col(SiteCounter.site_id) == site_id)
        .values(event_seq=SiteCounter.event_seq + count)
        .returning(col(SiteCounter.event_seq))
        .execution_options(synchronize_session=False)
    )
    return int(taken.scalar_one())


def _listening(session: Session, site_id: str) -> dict[str, Collection[str]]:
    """The site's live endpoints, each with the types that it named."""
    endpoints = session.exec(
        select(Endpoint.id, Endpoint.types).where(
            Endpoint.site_id == site_id, Endpoint.state == "active", col(Endpoint.deleted_at).is_(None)
        )
    )
    return dict(endpoints.all())
