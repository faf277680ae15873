"""Search: comments by their text, their author's name or their article's title. FTS5 on SQLite, tsvector on PostgreSQL.

Words are matched from their beginning, all of them, without regard to case. The index is kept by the database itself
(migrations 0004 and 0009), so that nobody can forget it, and it knows of each text which site it is of: what is common
on a large site hides nothing of a small one. What is asked never reaches the database as a query language.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from sqlalchemy import String, cast, column, func, literal, literal_column, select, table, text, union
from sqlalchemy.dialects.postgresql import TSQUERY, array
from sqlmodel import Session, col

from service.models import Article, Author, Comment, CommentVersion

MOST_WORDS, MOST_HITS = 8, 5_000
TOKENIZER = "unicode61 remove_diacritics 0"  # as the migrations made the index
SHELF_BITS, NO_SHELF = 32, -1  # a number in SQLite's index is a site's shelf and a place on it
_map = table("search_map", column("docid"), column("ref"), column("comment_id"))
_shelf = table("search_shelf", column("shelf"), column("kind"), column("site_id"))

Clause = Any  # what SQLAlchemy calls its parts does not survive SQLModel's column types


def found(session: Session, site_id: str, asked: str) -> Clause:
    """The ids of the comments of a site that have all the words, in themselves, their author or their article.

    Of each of the three the newest `MOST_HITS` of that site are looked at.
    """
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    words = (_as_fts_reads(asked) if on_sqlite else _as_tsvector_reads(session, asked))[:MOST_WORDS]
    hits = _by_fts if on_sqlite else _by_tsvector
    authors = select(col(Comment.id)).where(col(Comment.author_id).in_(hits(Author, site_id, words)))
    articles = select(col(Comment.id)).where(col(Comment.article_id).in_(hits(Article, site_id, words)))
    return union(select(hits(CommentVersion, site_id, words).subquery()), authors, articles)


def _as_fts_reads(asked: str) -> list[str]:
    """The words of a search as SQLite's index takes texts apart: `snake_case` is two; its Unicode is not Python's."""
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute(f"CREATE VIRTUAL TABLE asked USING fts5 (text, tokenize='{TOKENIZER}')")
        scratch.execute("CREATE VIRTUAL TABLE words USING fts5vocab (asked, instance)")
        scratch.execute("INSERT INTO asked VALUES (?)", [asked])
        return [word for (word,) in scratch.execute("SELECT term FROM words GROUP BY term ORDER BY min(offset)")]


def _as_tsvector_reads(session: Session, asked: str) -> list[str]:
    """The same as PostgreSQL's index does."""
    lexemes = text("SELECT lexeme FROM unnest(to_tsvector('simple', :asked)) ORDER BY positions[1]")
    return list(session.execute(lexemes, {"asked": asked}).scalars())


def _by_fts(of: Any, site_id: str, words: list[str]) -> Clause:
    """The newest rows of a site whose text has all the words; of a text, the comment. Without any word, none.

    The index gives what matches from the end of the site's shelf, so that the first of a common word are had without
    the rest. A site that has nothing has no shelf, and finds nothing where none is.
    """
    index = table(f"search_in_{of.__tablename__}", column("rowid"))
    query = " AND ".join(f'"{word}" *' for word in words) or '""'
    mine = (_shelf.c.kind == of.__tablename__, _shelf.c.site_id == site_id)
    shelf = func.coalesce(select(_shelf.c.shelf).where(*mine).scalar_subquery(), NO_SHELF)
    return (
        select(_map.c.comment_id if of is CommentVersion else _map.c.ref)
        .where(literal_column(index.name).op("MATCH")(query), _map.c.docid == index.c.rowid)
        .where(index.c.rowid >= shelf.op("<<")(SHELF_BITS), index.c.rowid < (shelf + 1).op("<<")(SHELF_BITS))
        .order_by(index.c.rowid.desc())
        .limit(MOST_HITS)
    )


def _by_tsvector(of: Any, site_id: str, words: list[str]) -> Clause:
    """The same by the words' lexemes; the site is one too, with a space before it, which no text has."""
    searched = {"comment_version": "text", "author": "name", "article": "title"}[of.__tablename__]
    simple: Clause = literal_column("'simple'")
    here = literal_column("' '", String).concat(of.site_id)
    vector = func.array_to_tsvector(array([here])).concat(func.to_tsvector(simple, getattr(of, searched)))
    asked = cast(literal(" & ".join(f"{_quoted(word)}:*" for word in words)), TSQUERY)
    site = cast(literal(_quoted(f" {site_id}")), TSQUERY)
    return (
        select(col(of.comment_id if of is CommentVersion else of.id))
        .where(vector.op("@@")(site), vector.op("@@")(asked))
        .order_by(col(of.created_at).desc())
        .limit(MOST_HITS)
    )


def _quoted(lexeme: str) -> str:
    """A lexeme as PostgreSQL reads one in a query that it is not to take apart again."""
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
