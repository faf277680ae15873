"""What commands share: settings and database from the environment, and errors said in a line instead of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from config.settings import Settings, SettingsRefused, load
from service.db import Database
from service.errors import FirstwordError


def now() -> datetime:
    """The time a command runs at."""
    return datetime.now(UTC)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Database]:
    """The installation's database, closed at the end; a use case's refusal ends the command with its words."""
    database = Database((settings or load()).database_url, pool_size=2)
    try:
        yield database
    except FirstwordError as refused:
        raise click.ClickException(refused.detail) from refused
    finally:
        database.close()


def plainly(command: click.Command) -> None:
    """Run a command; settings that cannot work are listed, one a line."""
    try:
        command()
    except SettingsRefused as refused:
        click.echo("These settings cannot work:", err=True)
        for problem in refused.problems:
            click.echo(f"  {problem}", err=True)
        sys.exit(2)
