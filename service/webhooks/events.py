"""Events: rows committed with what they tell of, numbered without gaps within a site, and fanned out to endpoints.

A payload is thin: ids, states and names of things, never a comment's text, so that erasure stays possible. An endpoint
that chose `full` gets the text at delivery time, read from the version that the event names.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    if type_ not in EVENTS:
        raise ValueError(f"no such event: {type_}")
    event = Event(
        site_id=site_id,
        seq=_next_number(session, site_id),
        type=type_,
        comment_id=comment_id,
        payload=dict(payload),
        created_at=now,
    )
    _store(session, event, _listening(session, site_id, type_))
    return event


def emit_to(session: Session, endpoint: Endpoint, type_: str, payload: Mapping[str, Any], *, now: datetime) -> Event:
    """Store an event that goes to one endpoint alone, whatever it listens to."""
    seq = _next_number(session, endpoint.site_id)
    event = Event(site_id=endpoint.site_id, seq=seq, type=type_, payload=dict(payload), created_at=now)
    _store(session, event, [endpoint.id])
    return event


def _store(session: Session, event: Event, endpoint_ids: list[str]) -> None:
    session.add(event)
    session.flush()
    moment, site_id = event.created_at, event.site_id
    session.add_all(
        Delivery(site_id=site_id, event_id=event.id, endpoint_id=id_, due_at=moment, created_at=moment)
        for id_ in endpoint_ids
    )


def _next_number(session: Session, site_id: str) -> int:
    """Take the site's next number; the row stays locked until the caller commits."""
    taken = session.execute(
        update(SiteCounter)
        .where(col(SiteCounter.site_id) == site_id)
        .values(event_seq=SiteCounter.event_seq + 1)
        .returning(col(SiteCounter.event_seq))
        .execution_options(synchronize_session=False)
    )
    return int(taken.scalar_one())


def _listening(session: Session, site_id: str, type_: str) -> list[str]:
    endpoints = session.exec(
        select(Endpoint.id, Endpoint.types).where(
            Endpoint.site_id == site_id, Endpoint.state == "active", col(Endpoint.deleted_at).is_(None)
        )
    )
    return [id_ for id_, types in endpoints if not types or type_ in types]
