"""Events: numbered without gaps, in the order of their commits, fanned out to those that listen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from service import webhooks
from service.db import Database
from service.models import Event
from tests.service import host_side as host


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with host.opened(database_url) as database:
        host.add_site(database)
        yield database


def numbers(db: Database, site: str = host.SITE) -> list[int]:
    with db.read() as session:
        return list(session.exec(select(Event.seq).where(Event.site_id == site).order_by(Event.seq)))


def test_numbers_count_up_from_one_in_each_site(db: Database) -> None:
    host.add_site(db, "herald")
    for site in ("gazette", "herald", "gazette"):
        host.emit(db, site=site)
    assert (numbers(db), numbers(db, "herald")) == ([1, 2], [1])


def test_what_is_undone_leaves_no_gap(db: Database) -> None:
    host.emit(db)
    with db.write() as session:
        webhooks.emit(session, host.SITE, "ping", {}, now=host.NOON)
        session.rollback()
    host.emit(db)
    assert numbers(db) == [1, 2]


def test_a_reader_in_the_middle_of_many_writers_never_misses_one(db: Database) -> None:
    """Whoever reads on from the last number seen has seen every number: they commit in order."""
    done = threading.Event()

    def read_along() -> list[int]:
        seen: list[int] = []
        while True:
            last_round = done.is_set()
            with db.read() as session:
                after = seen[-1] if seen else 0
                seen += session.exec(select(Event.seq).where(Event.seq > after).order_by(Event.seq))
            if last_round:
                return seen

    with ThreadPoolExecutor(9) as pool:
        reading = pool.submit(read_along)
        writers = [pool.submit(lambda: [host.emit(db) for _ in range(25)]) for _ in range(8)]
        for writer in writers:
            writer.result(60)
        done.set()
        assert reading.result(30) == list(range(1, 201))


def test_an_endpoint_gets_the_types_it_asked_for_and_an_empty_list_means_all(db: Database) -> None:
    everything = host.add_endpoint(db, "https://a.example/hook")
    closings = host.add_endpoint(db, "https://b.example/hook", types=["article.closed"])
    host.add_endpoint(db, "https://c.example/hook", state="disabled")
    host.add_endpoint(db, "https://d.example/hook", deleted_at=host.NOON)
    host.add_site(db, "herald")
    host.add_endpoint(db, "https://e.example/hook", site="herald")
    host.emit(db, "article.closed")
    host.emit(db, "article.opened")
    assert [d.endpoint_id for d in host.deliveries(db) if d.endpoint_id != everything] == [closings]
    assert len(host.deliveries(db)) == 3


def test_an_unknown_type_is_a_programming_error(db: Database) -> None:
    with pytest.raises(ValueError, match="no such event"), db.write() as session:
        webhooks.emit(session, host.SITE, "comment.liked", {}, now=host.NOON)
    assert numbers(db) == []
