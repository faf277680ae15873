"""What tables have in common: ids, statuses, and the kinds of columns and indexes."""

from __future__ import annotations

import re
import secrets
from typing import Any, TypeGuard

from sqlalchemy import JSON, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from service.db import UtcTime

Json = JSON().with_variant(JSONB(), "postgresql")

PENDING, APPROVED, REJECTED, DELETED = "pending", "approved", "rejected", "deleted"
ID = re.compile(r"[0-9a-f]{24}")


def new_id() -> str:
    """An opaque, unguessable id: 96 random bits as 24 hex digits."""
    return secrets.token_hex(12)


def is_id(value: object) -> TypeGuard[str]:
    """Whether a value has the form of an id: what comes back from outside may be anything."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def reference(table: str, **options: Any) -> Any:
    """The id of a row of another table."""
    return Field(foreign_key=f"{table}.id", **options)


def moment(**options: Any) -> Any:
    """A time, in UTC."""
    return Field(sa_type=UtcTime, **options)


def document(default: Any) -> Any:
    """JSON, made anew for each row by `default`."""
    return Field(default_factory=default, sa_type=Json)


def long_text(default: str | None = None) -> Any:
    """Text of any length."""
    return Field(default=default, sa_type=Text)


def partial_index(name: str, condition: str, *columns: str) -> Index:
    """An index of the few rows that a view of the queue shows, so that it stays small beside the whole archive."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))
