"""Migrations are the only way tables come to be, and what they make is what the models say, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, inspect, text

from service.migrations import check, upgrade


def test_a_migrated_database_is_what_the_models_say(database_url: str) -> None:
    check(database_url)


def test_migrating_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    check(database_url)


@pytest.mark.parametrize("attempt", [1, 2])
def test_every_test_gets_a_database_that_nobody_wrote_to(database_url: str, attempt: int) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        assert not inspect(connection).has_table("mark")
        connection.execute(text("CREATE TABLE mark (attempt integer)"))
    engine.dispose()
