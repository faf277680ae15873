"""`flask db`: migrations, and a backup of SQLite."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import click
from alembic.util import CommandError
from sqlalchemy.engine import make_url

from config.settings import load
from service import migrations
from service.cli.opening import answering


@click.group()
def db() -> None:
    """The database's tables."""


@db.command()
def upgrade() -> None:
    """Bring the tables to what this version needs. Back up first; see docs/operations.md."""
    settings = load()
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise click.ClickException(f"DATA_DIR {settings.data_dir} cannot be made: {why.strerror}.") from why
    with answering(settings.database_url):
        migrations.upgrade(settings.database_url)
    click.echo("The tables are up to date.")


@db.command()
def check() -> None:
    """Say whether the tables are what the models want."""
    url = load().database_url
    try:
        with answering(url):
            migrations.check(url)
    except CommandError as why:
        raise click.ClickException(
            f"{why} `db upgrade` brings it there; before a release, a migration is missing."
        ) from why


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
    try:
        with answering(settings.database_url):
            whole = copied(source, file)
    except click.ClickException:
        file.unlink()  # it was made here, and holds nothing that could be restored
        raise
    if whole != "ok":
        raise click.ClickException(f"The copy in {file} is damaged: {whole}")
    click.echo(f"Copied to {file}.")


def copied(source: str, file: Path) -> str:
    """Copy a running database into an empty file; returns what SQLite says of the copy, `ok` where it is whole."""
    read_only = f"file:{quote(source)}?mode=ro"
    with closing(sqlite3.connect(read_only, uri=True)) as live, closing(sqlite3.connect(file)) as copy:
        live.backup(copy)
        return str(copy.execute("PRAGMA quick_check(1)").fetchone()[0])
