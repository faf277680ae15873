"""`flask db`: migrations."""

from __future__ import annotations

import click

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
