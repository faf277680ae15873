"""What commands share: settings and database from the environment, and errors said in a line instead of a traceback."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, SQLAlchemyError

from config.settings import Settings, SettingsRefused, load
from service.db import Database
from service.errors import FirstwordError, Unavailable

UPGRADE: Final = "python -m service.cli db upgrade"
NO_TABLES: Final = ("42P01", "42703")  # PostgreSQL's codes for a table and a column that are not there


def now() -> datetime:
    """The time a command runs at."""
    return datetime.now(UTC)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Database]:
    """The installation's database, closed at the end; a use case's refusal ends the command with its words."""
    database = Database((settings or load()).database_url, pool_size=2)
    try:
        with answering(database.url):
            yield database
    except FirstwordError as refused:
        raise click.ClickException(refused.detail) from refused
    finally:
        database.close()


@contextmanager
def answering(url: str) -> Iterator[None]:
    """A database that cannot be used ends the command with what a person at a terminal can do about it."""
    try:
        yield
    except Unavailable as away:
        if not isinstance(away.__cause__, SQLAlchemyError):
            raise
        raise click.ClickException(advice(url, away.__cause__)) from away
    except (OperationalError, sqlite3.Error) as failure:
        raise click.ClickException(advice(url, failure)) from failure
    except DBAPIError as failure:
        if type(failure) is not DatabaseError and _state(failure) not in NO_TABLES:
            raise
        raise click.ClickException(advice(url, failure)) from failure


def advice(url: str, failure: Exception) -> str:
    """What to do about a database that cannot be used."""
    place = make_url(url)
    is_file = place.get_backend_name() == "sqlite"
    folder = Path(place.database or "").absolute().parent
    why = str(getattr(failure, "orig", failure)).partition("\n")[0]
    if is_file and not folder.is_dir():
        return (
            f"There is no folder {folder} for the database. Make it, or set DATABASE_URL or DATA_DIR; then: {UPGRADE}"
        )
    if why.startswith("no such") or _state(failure) in NO_TABLES:
        return f"The database does not have the tables of this version. Run: {UPGRADE}"
    if is_file and "locked" in why:
        return "Another process is writing to the database. Run the command again when that is done."
    look = f"who may write to {place.database} and its folder" if is_file else "that the server runs and lets you in"
    return f"The database cannot be used ({why}). Check DATABASE_URL, and {look}; `doctor` says more."


def _state(failure: Exception) -> str | None:
    """PostgreSQL's own code of an error."""
    return getattr(getattr(failure, "orig", None), "sqlstate", None)


def plainly(command: click.Command) -> None:
    """Run a command; settings that cannot work are listed, one a line."""
    try:
        command()
    except SettingsRefused as refused:
        click.echo("These settings cannot work:", err=True)
        for problem in refused.problems:
            click.echo(f"  {problem}", err=True)
        sys.exit(2)
