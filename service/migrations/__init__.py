"""How the tables come to be, in production and in tests alike. Never run by `create_app`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def configuration(url: str) -> Config:
    """Alembic's configuration for one database URL."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`."""
    command.upgrade(configuration(url), revision)


def check(url: str) -> None:
    """Raise when the tables of a migrated database differ from the models."""
    command.check(configuration(url))
