"""The latest public comments of an article or of a whole site, for feeds. Rows in, structs out.

Nothing personal stands here, and no placeholders: a feed carries what can be read.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlmodel import Session, col

from service import sites
from service.comments.thread import CommentView, comment_view, moment, visible
from service.db import Database
from service.models import Article, Comment, Site

LATEST_SHOWN = 50


class Latest(msgspec.Struct):
    """What one feed carries, newest first; `articles` has the title of each article by its key."""

    site: str
    title: str
    home: str
    language: str
    updated: str
    comments: list[CommentView]
    articles: dict[str, str]


def latest(db: Database, site_id: str, key: str | None = None) -> Latest:
    """The last comments of a site, or of one article; an article nobody commented on yet has none."""
    with db.read() as session:
        site = sites.known_site(session, site_id)
        article = sites.find_article(session, site.id, key) if key is not None else None
        rows = [] if key is not None and article is None else _rows(session, site, article)
        views = [comment_view(row, row.Article) for row in rows]
        times = [view.edited_at or view.created_at for view in views]
        return Latest(
            site=site.name,
            title=article.title if article else "",
            home=article.url if article else next(iter(site.origins), ""),
            language=site.language,
            updated=max(times, default=moment((article or site).created_at)),
            comments=views,
            articles={row.Article.key: row.Article.title for row in rows},
        )


def _rows(session: Session, site: Site, article: Article | None) -> list[Any]:
    query = visible().add_columns(Article).join(Article, col(Article.id) == col(Comment.article_id))
    here = col(Comment.article_id) == article.id if article else col(Comment.site_id) == site.id
    query = query.where(here, col(Comment.public).is_not(None))
    query = query.order_by(col(Comment.created_at).desc(), col(Comment.id).desc())
    return list(session.execute(query.limit(LATEST_SHOWN)).all())
