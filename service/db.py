"""The database: `read()` and `write()`, and the only commit in the house.

SQLite is used as it must be: WAL, `synchronous=FULL`, foreign keys on, and `BEGIN IMMEDIATE` for every write, so that
two writers wait for each other instead of losing updates. On PostgreSQL writes run at READ COMMITTED and the use cases
lock the rows that they judge by (`SELECT … FOR UPDATE`, always in the order article, author, comment, site counter).

This room knows no table and no use case.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, create_engine, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

from service.errors import Unavailable

BUSY_SECONDS = 10
RENEWED_SECONDS = 3_600  # after which a SQLite connection is opened anew: it reads the statistics once, when it opens
POOL_SECONDS = 10
POSTGRES = {
    "synchronous_commit": "on",  # what is acknowledged is on the disk, whatever the server's default is
    "lock_timeout": "10s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
}
AWAY = "The database does not answer. Try again in a moment; under the same idempotency key nothing happens twice."


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC. Refuses naive datetimes; SQLite, which keeps no zone, gets it back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no zone; SQLite stores UTC without one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back the zone that SQLite does not keep."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One database. Use cases that take a `Database` open and close their own transaction."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._reader = _sqlite_engine(url, pool_size, begin="BEGIN")
            self._writer = _sqlite_engine(url, pool_size, begin="BEGIN IMMEDIATE")
        else:
            self._writer = _postgres_engine(url, pool_size)
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one consistent snapshot that cannot write."""
        with _translated(), Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed when the block ends and undone when it raises."""
        with _translated(), Session(self._writer, expire_on_commit=False) as session:
            yield session
            session.commit()

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and the read path of rendered threads."""
        return self._writer

    @property
    def reader(self) -> Engine:
        """The reading engine, for Core reads."""
        return self._reader

    def close(self) -> None:
        """Close every pooled connection."""
        self._reader.dispose()
        self._writer.dispose()


def add_if_absent(session: Session, row: SQLModel) -> bool:
    """Insert a row unless one with its key is there already; waits for a rival's commit. True when it was inserted."""
    table: Any = type(row).__table__  # type: ignore[attr-defined]
    values = {column.name: getattr(row, column.name) for column in table.columns}
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    unless_there = insert(table).values(values).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return session.execute(unless_there).first() is not None


@contextmanager
def _translated() -> Iterator[None]:
    """A database that cannot answer becomes `Unavailable`; mistakes in what it was asked stay what they are.

    Full, locked, restarting, read-only after a failover, damaged, or all connections busy. Whether a commit that was
    cut off had happened nobody knows: hence what the sentence says.
    """
    try:
        yield
    except (OperationalError, InternalError, PoolTimeout) as failure:
        raise Unavailable(AWAY) from failure
    except DBAPIError as failure:
        if failure.connection_invalidated or type(failure) is DatabaseError:
            raise Unavailable(AWAY) from failure
        raise


def _sqlite_engine(url: str, pool_size: int, *, begin: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,  # a failing statement must not carry comment text into a log
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_SECONDS,
        pool_recycle=RENEWED_SECONDS,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        if begin == "BEGIN":
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def open_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres_engine(url: str, pool_size: int) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,  # a failing statement must not carry comment text into a log
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "options": " ".join(f"-c {name}={value}" for name, value in POSTGRES.items()),
        },
    )
