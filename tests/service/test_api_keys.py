"""API keys: shown once, kept as a hash, held to their scopes and their site."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from service.db import Database
from service.errors import Forbidden, Invalid, NotFound, Unauthenticated
from service.identity import api_keys
from service.models import ApiKey
from tests.service import host_side as host
from tests.service.host_side import NOON


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with host.opened(database_url) as database:
        host.add_site(database)
        yield database


def create(db: Database, *scopes: str, site: str = host.SITE) -> tuple[str, str]:
    with db.write() as session:
        row, shown = api_keys.create(session, site, "newsroom", scopes, now=NOON)
        return row.id, shown


def test_a_key_opens_what_its_scopes_name(db: Database) -> None:
    id_, shown = create(db, "events", "articles")
    caller = api_keys.authenticate(db, shown, "events", site_id=host.SITE, now=NOON)
    assert (caller.key_id, caller.site_id, caller.scopes) == (id_, host.SITE, {"events", "articles"})
    with pytest.raises(Forbidden, match="webhooks"):
        api_keys.authenticate(db, shown, "webhooks", now=NOON)


def test_another_sites_affairs_look_like_those_of_no_site(db: Database) -> None:
    host.add_site(db, "herald")
    _, shown = create(db, "events")
    answers = set()
    for site in ("herald", "nowhere"):
        with pytest.raises(NotFound) as refusal:
            api_keys.authenticate(db, shown, "events", site_id=site, now=NOON)
        answers.add(refusal.value.detail)
    assert len(answers) == 1


@pytest.mark.parametrize("shown", ["", "fwk_", "fwk_" + "a" * 43, "fwk_" + "é" * 43, "x" * 5_000, "fwk_\0"])
def test_what_is_no_key_does_not_hold(db: Database, shown: str) -> None:
    create(db, "events")
    with pytest.raises(Unauthenticated):
        api_keys.authenticate(db, shown, "events", now=NOON)


def test_a_revoked_key_ends_at_once(db: Database) -> None:
    id_, shown = create(db, "events")
    with db.write() as session:
        api_keys.revoke(session, id_, now=NOON)
    with pytest.raises(Unauthenticated):
        api_keys.authenticate(db, shown, "events", now=NOON)


def test_the_database_never_holds_the_key_itself(db: Database) -> None:
    _, shown = create(db, "events")
    with db.read() as session:
        (row,) = api_keys.listed(session, host.SITE)
    assert shown not in repr(row)
    assert row.hint == shown[-4:]
    assert row.hash == api_keys.hash_key(shown)


def test_last_use_is_noted_once_an_hour(db: Database) -> None:
    id_, shown = create(db, "events")

    def used_at(at):
        api_keys.authenticate(db, shown, "events", now=at)
        with db.read() as session:
            return session.get_one(ApiKey, id_).last_used_at

    assert used_at(NOON) == NOON
    assert used_at(NOON + timedelta(minutes=59)) == NOON
    assert used_at(NOON + timedelta(minutes=60)) == NOON + timedelta(minutes=60)


def test_a_key_needs_known_scopes_and_a_site(db: Database) -> None:
    with pytest.raises(Invalid, match="No such scope: everything"):
        create(db, "everything")
    with pytest.raises(Invalid, match="at least one"):
        create(db)
    with pytest.raises(NotFound):
        create(db, "events", site="nowhere")
