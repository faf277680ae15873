"""Chores: what the worker does from time to time so that tables hold no more than they must.

Each chore is a function of a database and the time that returns how many rows it touched, is safe to repeat and to run
in several workers at once, and works in small transactions. A new chore is one line in `CHORES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, text, tuple_
from sqlmodel import SQLModel, col, select

from service.db import Database
from service.models import Idempotency, Renewal, SpentAssertion, SpentNudge, SpentProof, StaffSession
from service.webhooks import log

BATCH: Final = 500
REPLAYABLE: Final = timedelta(days=7)  # how long an idempotency key is remembered
WORTH_MEASURING: Final = 2_000  # comments
LOOKED_AT: Final = 10_000  # entries of each index, so that writers wait some tenths of a second at most


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so often."""

    name: str
    every: timedelta
    run: Callable[[Database, datetime], int]


def _expired(table: type[SQLModel], column: Any, kept: timedelta = timedelta(0)) -> Callable[[Database, datetime], int]:
    """A chore that removes rows whose time lies more than `kept` back, a batch a transaction."""

    def sweep(db: Database, now: datetime) -> int:
        swept = 0
        while taken := _sweep_once(db, table, col(column) < now - kept):
            swept += taken
        return swept

    return sweep


def _sweep_once(db: Database, table: type[SQLModel], past: ColumnElement[bool]) -> int:
    key = list(table.__table__.primary_key.columns)  # type: ignore[attr-defined]
    with db.read() as session:
        old = [tuple(row) for row in session.execute(select(*key).where(past).limit(BATCH))]
    if old:
        with db.write() as session:
            session.execute(delete(table).where(tuple_(*key).in_(old)).execution_options(synchronize_session=False))
    return len(old)


def measure(db: Database, _now: datetime) -> int:
    """Let SQLite learn how its rows are spread: without that it takes the wrong index. PostgreSQL does so by itself.

    A small database is left alone: any plan is quick there, and its figures would mislead when it has grown.
    """
    if db.is_sqlite:
        with db.write() as session:
            if (session.execute(text("SELECT max(rowid) FROM comment")).scalar_one() or 0) >= WORTH_MEASURING:
                session.execute(text(f"PRAGMA analysis_limit = {LOOKED_AT}"))
                session.execute(text("ANALYZE"))
    return 0


HOURLY: Final = timedelta(hours=1)

CHORES: Final = (
    Chore("spent-assertions", HOURLY, _expired(SpentAssertion, SpentAssertion.expires_at)),
    Chore("spent-nudges", HOURLY, _expired(SpentNudge, SpentNudge.expires_at)),
    Chore("spent-proofs", HOURLY, _expired(SpentProof, SpentProof.expires_at)),
    Chore("renewals", HOURLY, _expired(Renewal, Renewal.expires_at)),
    Chore("staff-sessions", HOURLY, _expired(StaffSession, StaffSession.expires_at)),
    Chore("idempotency-keys", HOURLY, _expired(Idempotency, Idempotency.created_at, REPLAYABLE)),
    Chore("delivery-log", timedelta(hours=6), log.forget),
    Chore("statistics", HOURLY, measure),
)
