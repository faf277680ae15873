"""Alembic's entry: one connection, the models' metadata, SQLite in batch mode."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import service.models  # noqa: F401 - fills the metadata
from service.db import Database, UtcTime


def render_item(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Write column types as plain SQLAlchemy, so that a migration never imports the house."""
    if kind != "type":
        return False
    if isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return "sa.String()" if isinstance(item, AutoString) else False


def is_ours(_object: Any, name: str | None, _kind: str, _reflected: bool, _other: Any) -> bool:
    """Whether the models speak for a table or an index; what search keeps, its migration alone speaks for."""
    return not (name or "").startswith("search_")


def run() -> None:
    """Run the migrations in one transaction."""
    database = Database(context.config.get_main_option("sqlalchemy.url") or "", pool_size=1)
    try:
        with database.engine.connect() as connection:
            context.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                render_as_batch=True,
                render_item=render_item,
                include_object=is_ours,
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        database.close()


run()
