"""The doctor: what is well is said to be well, and each thing that is not is named, with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlmodel import Session, select

from config.settings import Settings, load
from service import doctor
from service.cli.commands import firstword
from service.db import Database
from service.identity import staff
from service.models import Comment, Decision, Endpoint, Site
from service.webhooks import endpoints
from service.webhooks.endpoints import Wish
from service.webhooks.sending import open_door
from tests.parts import Redis
from tests.service import host_side as host
from tests.service.host_side import NOON, SITE


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return load(
        {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "SIGNING_KEYS": "k" * 40, "ENGINE": "lexicon"}
    )


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with host.opened(database_url) as database:
        host.add_site(database)
        staff.add_moderator(database, "mo@gazette.example", "Mo", "correct horse battery", {SITE: "admin"}, NOON)
        yield database


Look = Callable[..., dict[str, str]]


@pytest.fixture
def look(settings: Settings, db: Database) -> Look:
    """What the doctor finds that is not well: level by sentence."""

    def examine(**changes: Any) -> dict[str, str]:
        changed = replace(settings, **changes)
        now = db_now(db)
        found = list(doctor.examine(changed, db, now=now))
        assert all(finding.advice for finding in found if finding.level != doctor.OK)
        return {finding.what: finding.level for finding in found if finding.level != doctor.OK}

    return examine


def db_now(db: Database) -> datetime:
    """The database's own time, so that the clocks agree."""
    if db.is_sqlite:
        return NOON
    with db.read() as session:
        at: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return at


def found(findings: dict[str, str], words: str) -> str:
    """The level of the one finding with these words."""
    (level,) = [level for what, level in findings.items() if words in what]
    return level


def test_an_installation_that_is_well_has_nothing_to_mend(look: Look) -> None:
    assert look() == {}


def test_what_one_does_not_want_in_production_is_named(look: Look) -> None:
    findings = look(public_url="http://comments.example", development=True)
    assert found(findings, "DEVELOPMENT") == doctor.WARN
    assert found(findings, "plain http") == doctor.FAIL
    assert found(findings, "No proxy") == doctor.WARN


def test_a_folder_that_cannot_be_written_fails(look: Look, tmp_path: Path) -> None:
    assert found(look(data_dir=tmp_path / "nowhere"), "DATA_DIR") == doctor.FAIL


def test_an_engine_that_cannot_be_opened_fails(look: Look) -> None:
    assert found(look(engine="nonsense"), "Every comment waits") == doctor.FAIL


def test_a_policy_that_cannot_be_used_fails(look: Look, tmp_path: Path, db: Database) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[rules.nonsense]\n")
    assert found(look(policy_file=wrong), "policy cannot be used") == doctor.FAIL
    with db.write() as session:
        session.get_one(Site, SITE).policy = "[rules.nonsense]\n"
    assert found(look(), f"{SITE}: its own policy") == doctor.FAIL


def test_redis_that_is_away_is_a_warning(look: Look, own_redis: Redis) -> None:
    assert look(redis_url=own_redis.url) == {}
    own_redis.stop()
    assert found(look(redis_url=own_redis.url), "Redis does not answer") == doctor.WARN


def test_tables_of_another_version_fail_and_the_rest_is_left_alone(look: Look, db: Database) -> None:
    with db.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    findings = look()
    assert found(findings, "tables are of 0001") == doctor.FAIL
    assert len(findings) == 1


def test_a_database_that_is_not_there_fails_and_is_not_made(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "absent.db"
    with host.opened(f"sqlite:///{path}") as absent:
        levels = [finding.level for finding in doctor.examine(settings, absent, now=NOON)]
    assert levels[-1] == doctor.FAIL
    assert not path.exists()


def test_a_delivery_that_nobody_takes_up_fails(look: Look, db: Database, settings: Settings) -> None:
    endpoints.register(db, SITE, Wish("https://gazette.example/hook"), open_door(settings), now=NOON)
    host.emit(db, at=db_now(db) - timedelta(minutes=9))
    assert found(look(), "has been due") == doctor.FAIL
    with db.write() as session:
        session.execute(text("UPDATE delivery SET state = 'delivered'"))
    assert look() == {}


def test_endpoints_that_fail_or_are_out_of_service_are_named(look: Look, db: Database, settings: Settings) -> None:
    made = [
        endpoints.register(db, SITE, Wish("https://gazette.example/hook"), open_door(settings), now=NOON)[0].id
        for _ in range(2)
    ]
    with db.write() as session:
        session.get_one(Endpoint, made[0]).failing_since = NOON
        session.get_one(Endpoint, made[1]).state = "disabled"
    findings = look()
    assert found(findings, f"{made[0]} of {SITE} has failed since") == doctor.WARN
    assert found(findings, f"{made[1]} of {SITE} is disabled") == doctor.WARN


def test_clocks_that_differ_are_noticed(settings: Settings, db: Database) -> None:
    if db.is_sqlite:
        with db.write() as session:
            host.add_comment(session, "x")
            at = NOON + timedelta(minutes=5)
            session.add(_decision(session, at))
    off = db_now(db) if db.is_sqlite else db_now(db) - timedelta(minutes=5)
    levels = {finding.what: finding.level for finding in doctor.examine(settings, db, now=off)}
    assert found(levels, "seconds apart") == doctor.FAIL


def _decision(session: Session, at: datetime) -> Decision:
    comment = session.exec(select(Comment.id)).one()
    fields = {"revision": 1, "version": 1, "actor": "engine", "verb": "submit", "after": "approved"}
    return Decision(site_id=SITE, comment_id=comment, created_at=at, **fields)


def test_the_command_ends_with_one_when_something_fails(database_url: str, db: Database, tmp_path: Path) -> None:
    environment = {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
        "SIGNING_KEYS": "k" * 40,
        "ENGINE": "lexicon",
    }
    well = CliRunner(env=environment).invoke(firstword, ["doctor"])
    assert (well.exit_code, "FAIL" in well.stdout) == (0, False), well.output
    ill = CliRunner(env={**environment, "ENGINE": "nonsense"}).invoke(firstword, ["doctor"])
    assert (ill.exit_code, "FAIL" in ill.stdout) == (1, True)
