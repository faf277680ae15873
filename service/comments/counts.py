"""How much is said where: counts of articles, and those most discussed, from what each article keeps of itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from service import sites
from service.comments.thread import moment
from service.db import Database
from service.errors import Invalid
from service.models import Article

MAX_COUNTS = 100


def counts(db: Database, site_id: str, keys: Sequence[str]) -> dict[str, int]:
    """Public comments of up to a hundred articles by their keys; an unknown article has none."""
    if len(keys) > MAX_COUNTS:
        raise Invalid(f"At most {MAX_COUNTS} articles at once.", pointer="?article")
    with db.read() as session:
        sites.known_site(session, site_id)
        query = select(col(Article.key), col(Article.count)).where(
            col(Article.site_id) == site_id, col(Article.key).in_(keys)
        )
        found: dict[str, int] = {key: count for key, count in session.execute(query)}  # noqa: C416 - rows, not pairs
    return {key: found.get(key, 0) for key in keys}


def discussed(db: Database, site_id: str, days: int, limit: int, *, now: datetime) -> list[dict[str, Any]]:
    """The articles with the most public comments among those written under in the last days."""
    with db.read() as session:
        sites.known_site(session, site_id)
        query = (
            select(Article)
            .where(
                col(Article.site_id) == site_id,
                col(Article.last_comment_at) > now - timedelta(days=days),
                col(Article.count) > 0,
            )
            .order_by(col(Article.count).desc(), col(Article.last_comment_at).desc())
            .limit(limit)
        )
        return [_discussed(article) for article in session.execute(query).scalars()]


def _discussed(article: Article) -> dict[str, Any]:
    last = article.last_comment_at
    return {
        "key": article.key,
        "url": article.url,
        "title": article.title,
        "section": article.section,
        "count": article.count,
        "last_at": moment(last) if last else None,
    }
