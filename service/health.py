"""Whether the service can do its work, and how much of it waits. Reads; mends nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, literal_column, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col, select

from service.db import Database
from service.errors import Unavailable
from service.judges import Judges
from service.models import PENDING, Comment, Delivery, Site

LEAST_FREE = 16 * 1024 * 1024  # bytes on the disk of a SQLite file, below which no comment may fit any more


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
    wrong, policies = Wrong(), list[tuple[str, str]]()
    try:
        with db.read() as session:
            session.execute(text("SELECT version_num FROM alembic_version"))
            overridden = select(Site.id, Site.policy).where(Site.policy != "").order_by(Site.id)
            policies += session.exec(overridden).all()
    except (Unavailable, ProgrammingError):
        wrong.blocking.append("The database does not answer or is not migrated.")
    if _is_short_of_disk(db):
        wrong.blocking.append("The disk with the database is full.")
    wrong.degraded.extend(judging(judges, policies))
    return wrong


def judging(judges: Judges, policies: Iterable[tuple[str, str]]) -> list[str]:
    """Why people do the work of the judgement: engines that are away, and policies, by site, that cannot be used.

    What stands in a policy is not told: readiness is read by everybody.
    """
    engines = judges.problems
    unusable = [site_id for site_id, override in policies if judges.flaws(override)]
    mend = "cannot be used and the shipped one stands in; mend it at the desk, under Policy."
    return [*engines, *(f"The policy of {site_id} {mend}" for site_id in unusable)]


def _is_short_of_disk(db: Database) -> bool:
    """Whether the file beside the service has no room to grow; how full a database server is, it says by itself."""
    file = make_url(db.url).database if db.is_sqlite else None
    try:
        return bool(file) and shutil.disk_usage(Path(str(file)).parent).free < LEAST_FREE
    except OSError:
        return False


def queue_lengths(db: Database, *, now: datetime) -> QueueLengths:
    """How much waits, counted in indexes that hold nothing else."""
    waits = col(Comment.status) == literal_column(f"'{PENDING}'")  # spelled out, for a partial index to be seen to fit
    with db.read() as session:
        pending = session.exec(select(func.count()).select_from(Comment).where(waits)).one()
        due = session.exec(
            select(func.count()).select_from(Delivery).where(Delivery.state == "due", col(Delivery.due_at) <= now)
        ).one()
    return QueueLengths(pending, due)
