"""`flask db`: migrations, and a backup of SQLite."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import click
from sqlalchemy.engine import make_url

from config.settings import load
from service import migrations


@click.group()
def db() -> None:
    """The database's tables."""


@db.command()
def upgrade() -> None:
    """Bring the tables to what this version needs. Back up first; see docs/operations.md."""
    settings = load()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrations.upgrade(settings.database_url)
    click.echo("The tables are up to date.")


@db.command()
def check() -> None:
    """Say whether the tables are what the models want."""
    migrations.check(load().database_url)


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy a running SQLite database to FILE, as of one moment; a file that is there is not overwritten."""
    settings = load()
    source = make_url(settings.database_url).database
    if not settings.is_sqlite or source is None:
        raise click.ClickException("PostgreSQL is backed up by pg_dump; see docs/operations.md.")
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as why:
        raise click.ClickException(f"{file} cannot be made: {why.strerror}.") from why
    os.close(descriptor)
    read_only = f"file:{quote(source)}?mode=ro"
    with closing(sqlite3.connect(read_only, uri=True)) as live, closing(sqlite3.connect(file)) as copy:
        live.backup(copy)
        whole = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if whole != "ok":
        raise click.ClickException(f"The copy in {file} is damaged: {whole}")
    click.echo(f"Copied to {file}.")
