"""Search: comments by their text, their author's name or their article's title. FTS5 on SQLite, tsvector on PostgreSQL.

Words are matched from their beginning, all of them, without regard to case. The index is kept by the database itself
(migration 0004), so that nobody can forget it. What is asked never reaches the database as a query language.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import column, func, literal_column, select, table, union
from sqlmodel import Session, col

from service.models import Article, Author, Comment, CommentVersion

MOST_WORDS, MOST_HITS = 8, 5_000
WORD = re.compile(r"\w+")
_map = table("search_map", column("docid"), column("kind"), column("ref"))
_text = table("search_text", column("rowid"), column("text"))

Clause = Any  # what SQLAlchemy calls its parts does not survive SQLModel's column types


def found(session: Session, asked: str) -> Clause:
    """The ids of the comments that have all the words, in themselves, their author or their article.

    They are of any site: it is the caller who keeps to one. Said here again, it would lead SQLite from these few to
    all comments of the site.
    """
    words = WORD.findall(asked)[:MOST_WORDS]
    hits = _by_fts if session.get_bind().dialect.name == "sqlite" else _by_tsvector
    texts = select(col(CommentVersion.comment_id)).where(col(CommentVersion.id).in_(hits(CommentVersion, words)))
    authors = select(col(Comment.id)).where(col(Comment.author_id).in_(hits(Author, words)))
    articles = select(col(Comment.id)).where(col(Comment.article_id).in_(hits(Article, words)))
    return union(texts, authors, articles)


def _by_fts(of: Any, words: list[str]) -> Clause:
    """The newest rows of a table whose text has all the words; without any word, none.

    The index gives what matches from its end, so that the first of a common word are had without the rest.
    """
    query = " AND ".join(f'"{word}" *' for word in words) or '""'
    return (
        select(_map.c.ref)
        .where(literal_column("search_text").op("MATCH")(query), _map.c.docid == _text.c.rowid)
        .where(_map.c.kind == of.__tablename__)
        .order_by(_text.c.rowid.desc())
        .limit(MOST_HITS)
    )


def _by_tsvector(of: Any, words: list[str]) -> Clause:
    """The same by the words' lexemes."""
    searched = {"comment_version": "text", "author": "name", "article": "title"}[of.__tablename__]
    query = func.to_tsquery(literal_column("'simple'"), " & ".join(f"{word}:*" for word in words))
    matching: Clause = func.to_tsvector(literal_column("'simple'"), getattr(of, searched)).op("@@")(query)
    return select(col(of.id)).where(matching).order_by(col(of.created_at).desc()).limit(MOST_HITS)
