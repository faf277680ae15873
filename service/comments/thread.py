"""What readers see: threads with nested replies. Core rows in, structs out.

Nothing personal stands in these answers: the same bytes serve every reader. `msgspec` writes them; a test loads its
output through the marshmallow schema that documents it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Text, and_, cast, func, literal, or_, select, tuple_
from sqlmodel import Session, col

from service import sites
from service.db import Database, UtcTime
from service.errors import Invalid, NotFound
from service.models import Article, Author, Comment, CommentVersion, Site, is_id

REPLIES_SHOWN = 10
BELOW_SHOWN = 500
MAX_DEPTH = 20  # below it a reply stands beside what it answers: what writes a tree down recurses once a level
FEATURED_SHOWN = 3
MAX_SCORE = 2**31 - 1
BEGINNING = ("oldest", "1970-01-01T00:00:00+00:00", "0" * 24)
COLUMNS = (
    "id",
    "article_id",
    "author_id",
    "parent_id",
    "thread_id",
    "depth",
    "public",
    "latest",
    "visible_replies",
    "score",
    "featured_at",
    "gone",
    "created_at",
)


class AuthorView(msgspec.Struct):
    """Who wrote it, as everybody may know them."""

    id: str
    name: str
    verified: bool
    badge: str | None


class RepliesView(msgspec.Struct):
    """The replies to one comment: how many readers see, the first of them, and where the rest begins."""

    count: int
    comments: list[CommentView]
    next: str | None


class CommentView(msgspec.Struct):
    """One comment as everybody sees it; a placeholder has `gone`, no author and no nodes."""

    id: str
    article: str
    parent: str | None
    depth: int
    author: AuthorView | None
    nodes: msgspec.Raw
    created_at: str
    edited_at: str | None
    version: int
    featured: bool
    gone: str | None
    reactions: msgspec.Raw
    permalink: str
    replies: RepliesView


class ArticleView(msgspec.Struct):
    """The article above the thread."""

    key: str
    url: str
    title: str
    prompt: str
    state: str
    moderation: str
    count: int
    version: int
    reactions: list[str]


class ThreadView(msgspec.Struct):
    """One page of a thread; `shows` is the version that `thread_version` must still give for it to be true."""

    article: ArticleView
    featured: list[CommentView]
    comments: list[CommentView]
    next: str | None


class RepliesPage(msgspec.Struct):
    """One page of the replies to one comment."""

    comments: list[CommentView]
    next: str | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Which page of which thread: `limit` counts top-level comments."""

    site_id: str
    key: str
    sort: str = "newest"
    limit: int = 20
    cursor: str | None = None


def moment(value: datetime) -> str:
    """A time as RFC 3339 in UTC, to the millisecond."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def as_plain(view: ThreadView | RepliesPage) -> dict[str, Any]:
    """A thread, or a page of replies, as plain dictionaries, for templates."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(view))
    return plain


# ---- thread -------------------------------------------------------------------------------------------------------


def thread_version(db: Database, site_id: str, key: str) -> str:
    """The version that a rendered thread must show to be still true: the site's and the article's."""
    query = (
        select(col(Site.version), col(Article.version))
        .outerjoin(Article, and_(col(Article.site_id) == col(Site.id), col(Article.key) == key))
        .where(col(Site.id) == site_id)
    )
    with db.read() as session:
        row = session.execute(query).first()
    return f"{row[0]}.{row[1] or 0}" if row else ""


def thread(db: Database, ask: Ask) -> ThreadView:
    """One page of an article's thread; an article nobody commented on yet has an empty one."""
    if ask.cursor is not None:
        _read_cursor(ask.sort, ask.cursor)
    with db.read() as session:
        site = sites.known_site(session, ask.site_id)
        article = sites.find_article(session, site.id, ask.key)
        if article is None:
            return ThreadView(_blank(site, ask.key), [], [], None)
        rows, after = _page(session, article, ask)
        below = _descendants(session, [row.thread_id for row in rows])
        featured = _featured(session, article) if ask.cursor is None else []
        shown = [_view(row, article, below) for row in rows]
        return ThreadView(_article_view(site, article), [comment_view(row, article) for row in featured], shown, after)


def replies(db: Database, comment_id: str, cursor: str | None, limit: int = 20) -> RepliesPage:
    """The next replies to one comment, oldest first, each with its own first replies."""
    with db.read() as session:
        parent = session.get(Comment, comment_id)
        if parent is None or not (parent.public is not None or parent.visible_replies):
            raise NotFound("There is no such comment.")
        article = session.get(Article, parent.article_id)
        if article is None:
            raise NotFound("There is no such comment.")
        query = visible().where(col(Comment.parent_id) == comment_id)
        query = _after(query, "oldest", cursor).limit(limit + 1)
        rows = session.execute(query).all()
        below = _descendants(session, [row.thread_id for row in rows[:1]])
        page = [_view(row, article, below) for row in rows[:limit]]
        return RepliesPage(page, _cursor("oldest", rows[limit - 1]) if len(rows) > limit else None)


def shown(version: Any) -> Any:
    """Comments with their authors and the text of one version, as plain columns: no objects are made of them."""
    at = and_(col(CommentVersion.comment_id) == col(Comment.id), col(CommentVersion.number) == version)
    return (
        select(
            *(getattr(Comment, name) for name in COLUMNS),
            cast(col(Comment.reaction_counts), Text).label("reactions"),
            col(Author.name).label("name"),
            col(Author.verified).label("verified"),
            col(Author.badge).label("badge"),
            col(Author.subject).label("subject"),
            col(CommentVersion.number).label("number"),
            col(CommentVersion.created_at).label("written_at"),
            cast(col(CommentVersion.nodes), Text).label("nodes"),
        )
        .join(Author, col(Author.id) == col(Comment.author_id))
        .outerjoin(CommentVersion, at)
    )


def visible() -> Any:
    """Comments that readers see, or whose placeholder they see, in their public version."""
    seen = or_(col(Comment.public).is_not(None), col(Comment.visible_replies) > 0)
    return shown(col(Comment.public)).where(seen)


def _page(session: Session, article: Article, ask: Ask) -> tuple[Sequence[Row[Any]], str | None]:
    query = visible().where(col(Comment.article_id) == article.id, col(Comment.parent_id).is_(None))
    rows = session.execute(_after(query, ask.sort, ask.cursor).limit(ask.limit + 1)).all()
    more = len(rows) > ask.limit
    return rows[: ask.limit], _cursor(ask.sort, rows[ask.limit - 1]) if more else None


def _after(query: Any, sort: str, cursor: str | None) -> Any:
    """Order a query and start it behind a cursor."""
    created, key, score = col(Comment.created_at), col(Comment.id), col(Comment.score)
    begin = _read_cursor(sort, cursor) if cursor else None
    if sort == "oldest":
        query = query.order_by(created, key)
        return query.where(tuple_(created, key) > tuple_(*begin)) if begin else query
    if sort == "newest":
        query = query.order_by(created.desc(), key.desc())
        return query.where(tuple_(created, key) < tuple_(*begin)) if begin else query
    query = query.order_by(score.desc(), created.desc(), key.desc())
    return query.where(tuple_(score, created, key) < tuple_(*begin)) if begin else query


def _cursor(sort: str, comment: Row[Any]) -> str:
    position: list[Any] = [sort, comment.created_at.isoformat(), comment.id]
    if sort == "top":
        position.append(comment.score)
    return _as_cursor(position)


def _as_cursor(position: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _read_cursor(sort: str, cursor: str) -> tuple[Any, ...]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        kind, created, key, *score = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        moment_ = datetime.fromisoformat(created)
        if kind != sort or not is_id(key) or moment_.tzinfo is None or len(score) != (sort == "top"):
            raise ValueError
        if not all(type(one) is int and abs(one) <= MAX_SCORE for one in score):
            raise ValueError
        at = literal(moment_.astimezone(UTC), type_=UtcTime())
    except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError):
        raise Invalid("This cursor is not one that we gave for this order.", pointer="?cursor") from None
    return (*score, at, key)


def _descendants(session: Session, thread_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """The first replies at every level of some threads, by parent; a parent lists at most `REPLIES_SHOWN`.

    Of all of them the `BELOW_SHOWN` that are nested least, so that one page stays of a size to keep.
    """
    wanted = list(dict.fromkeys(thread_ids))
    if not wanted:
        return {}
    place = (
        func.row_number()
        .over(partition_by=col(Comment.parent_id), order_by=(col(Comment.created_at), col(Comment.id)))
        .label("place")
    )
    seen = or_(col(Comment.public).is_not(None), col(Comment.visible_replies) > 0)
    ranked = (
        select(col(Comment.id).label("id"), place)
        .where(col(Comment.thread_id).in_(wanted), col(Comment.depth).between(1, MAX_DEPTH), seen)
        .subquery()
    )
    query = visible().join(ranked, ranked.c.id == col(Comment.id)).where(ranked.c.place <= REPLIES_SHOWN)
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    first = (col(Comment.depth), col(Comment.created_at), col(Comment.id))
    for row in session.execute(query.order_by(*first).limit(BELOW_SHOWN)):
        found[row.parent_id].append(row)
    return found


def _featured(session: Session, article: Article) -> Sequence[Row[Any]]:
    query = (
        visible()
        .where(
            col(Comment.article_id) == article.id,
            col(Comment.featured_at).is_not(None),
            col(Comment.public).is_not(None),
        )
        .order_by(col(Comment.featured_at).desc())
        .limit(FEATURED_SHOWN)
    )
    found: Sequence[Row[Any]] = session.execute(query).all()
    return found


# ---- views --------------------------------------------------------------------------------------------------------


def _blank(site: Site, key: str) -> ArticleView:
    moderation = "pre" if site.premoderated else "post"
    return ArticleView(key, "", "", site.prompt, "open", moderation, 0, 0, site.reactions)


def _article_view(site: Site, article: Article) -> ArticleView:
    return ArticleView(
        key=article.key,
        url=article.url,
        title=article.title,
        prompt=article.prompt or site.prompt,
        state="closed" if article.closed else "open",
        moderation="pre" if sites.premoderated(site, article) else "post",
        count=article.count,
        version=article.version,
        reactions=site.reactions,
    )


def _view(row: Row[Any], article: Article, below: dict[str, list[Row[Any]]]) -> CommentView:
    children = below.get(row.id, [])
    replies_shown = [_view(child, article, below) for child in children]
    more = row.visible_replies > len(children)
    last = _cursor("oldest", children[-1]) if children else _as_cursor(BEGINNING)
    onward = last if more else None
    return comment_view(row, article, RepliesView(row.visible_replies, replies_shown, onward))


def comment_view(row: Row[Any], article: Article, below: RepliesView | None = None) -> CommentView:
    """A row of `shown` as everybody sees it: without a version it is a placeholder that says why."""
    public = row.number is not None
    return CommentView(
        id=row.id,
        article=article.key,
        parent=row.parent_id,
        depth=row.depth,
        author=AuthorView(row.author_id, row.name, row.verified, _badge(row, article)) if public else None,
        nodes=msgspec.Raw(row.nodes.encode() if public else b"[]"),
        created_at=moment(row.created_at),
        edited_at=moment(row.written_at) if public and row.number > 1 else None,
        version=row.number or 0,
        featured=public and row.featured_at is not None,
        gone=None if public else row.gone or "removed",
        reactions=msgspec.Raw(row.reactions.encode() if public else b"{}"),
        permalink=f"{article.url.partition('#')[0]}#comment-{row.id}",
        replies=below or RepliesView(row.visible_replies, [], None),
    )


def _badge(row: Row[Any], article: Article) -> str | None:
    """What stands beside a name: that they wrote this very article, or whatever staff gave them."""
    return "author" if row.verified and row.subject in article.writers else row.badge
