"""What a comment's judgement says in numbers, as parts of a query. Reads nothing by itself."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Float, Integer, Text, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, col

from service.models import Comment

BINS: Final = 20

Clause = Any  # what SQLAlchemy calls its parts does not survive SQLModel's column types


def is_sqlite(session: Session) -> bool:
    """Whether a session is on SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def score(session: Session, attribute: str) -> Clause:
    """A comment's score for an attribute; null where it has none."""
    if is_sqlite(session):
        return func.json_extract(col(Comment.triage), f'$.scores."{attribute}"', type_=Float)
    return cast(cast(col(Comment.triage), JSONB)["scores"][attribute].astext, Float)


def twentieth(session: Session, attribute: str) -> Clause:
    """Which twentieth of the scale the score lies in, from 0; a score of 1 would be of the twenty-first."""
    scaled = score(session, attribute) * BINS
    return cast(scaled if is_sqlite(session) else func.floor(scaled), Integer)


def codes(session: Session) -> Clause:
    """What a comment is held for, as JSON text."""
    if is_sqlite(session):
        return func.json_extract(col(Comment.triage), "$.codes", type_=Text)
    return cast(cast(col(Comment.triage), JSONB)["codes"], Text)


def attributes(session: Session) -> Clause:
    """Which attributes a comment has scores for, as JSON text."""
    if is_sqlite(session):
        of = func.json_each(col(Comment.triage), "$.scores").table_valued("key", name="of")
        return select(func.json_group_array(of.c.key)).select_from(of).scalar_subquery()
    name = func.jsonb_object_keys(cast(col(Comment.triage), JSONB)["scores"]).column_valued("name")
    return select(cast(func.jsonb_agg(name), Text)).scalar_subquery()
