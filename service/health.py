"""Whether the service can do its work, and how much of it waits. Reads; mends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col, select

from service.db import Database
from service.errors import Unavailable
from service.judges import Judges
from service.models import PENDING, Comment, Delivery


@dataclass(frozen=True, slots=True)
class Wrong:
    """`blocking`: no comment can be taken. `degraded`: comments are taken, and people must do more."""

    blocking: list[str] = field(default_factory=list)
    degraded: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class QueueLengths:
    """Comments that wait for a person; deliveries that are due."""

    pending: int
    due: int


def problems(db: Database, judges: Judges) -> Wrong:
    """What is wrong right now, in sentences for an operator."""
    wrong = Wrong()
    try:
        with db.read() as session:
            session.execute(text("SELECT version_num FROM alembic_version"))
    except (Unavailable, ProgrammingError):
        wrong.blocking.append("The database does not answer or is not migrated.")
    wrong.degraded.extend(judges.problems)
    return wrong


def queue_lengths(db: Database, *, now: datetime) -> QueueLengths:
    """How much waits."""
    with db.read() as session:
        pending = session.exec(select(func.count()).select_from(Comment).where(Comment.status == PENDING)).one()
        due = session.exec(
            select(func.count()).select_from(Delivery).where(Delivery.state == "due", col(Delivery.due_at) <= now)
        ).one()
    return QueueLengths(pending, due)
