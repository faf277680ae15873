"""What an event says to the host: the same object in a webhook's body and in the list of events.

Thin events carry ids and states. A full one reads the text and names as they are now, at the moment of delivery: what
was erased meanwhile is not told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, col, select

from service.db import Database
from service.models import Article, Author, Comment, CommentVersion, Event


def message_id(event_id: str) -> str:
    """The `webhook-id` of an event: the same over retries, replays, endpoints and in the list of events."""
    return f"msg_{event_id}"


def told(event: Event) -> dict[str, Any]:
    """An event as the host sees it, thin."""
    return {
        "id": message_id(event.id),
        "type": event.type,
        "timestamp": moment(event.created_at),
        "site": event.site_id,
        "seq": event.seq,
        "data": event.payload,
    }


def moment(at: datetime) -> str:
    """A time as RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def listed(db: Database, site_id: str, after: int, limit: int, *, types: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A site's events numbered above `after`, in order and without gaps: whoever reads on has missed nothing."""
    rows = select(Event).where(Event.site_id == site_id, Event.seq > after).order_by(col(Event.seq)).limit(limit)
    with db.read() as session:
        return [told(event) for event in session.exec(rows.where(col(Event.type).in_(types)) if types else rows)]


def told_in_full(session: Session, event: Event) -> dict[str, Any]:
    """An event with the text of the version that it names, the author's name and the article's address and title."""
    thin = told(event)
    if event.comment_id is None or "comment" not in event.payload:
        return thin
    data = {name: dict(part) if isinstance(part, dict) else part for name, part in event.payload.items()}
    found = session.exec(
        select(CommentVersion.text, Author.name, Article.url, Article.title)
        .join(Comment, col(Comment.id) == col(CommentVersion.comment_id))
        .join(Author, col(Author.id) == col(Comment.author_id))
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(CommentVersion.comment_id == event.comment_id, CommentVersion.number == data["comment"]["version"])
    ).first()
    text, name, url, title = found or (None, None, None, None)
    data["comment"]["text"] = text or None
    data.setdefault("author", {})["name"] = name or None
    data.setdefault("article", {}).update(url=url, title=title)
    return thin | {"data": data}


def body(message: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent: compact JSON in UTF-8."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
