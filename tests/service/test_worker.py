"""The worker: as a loop in a thread, and as a real process that is killed in the middle of a delivery."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlmodel import select

from config.settings import Settings
from service import housekeeping, worker
from service.db import Database
from service.housekeeping import CHORES, Chore
from service.models import Author, Renewal, SpentAssertion
from tests.parts import wait_for
from tests.receiver import Answer, Receiver
from tests.service import host_side as host

ROOT = Path(__file__).parents[2]


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with host.opened(database_url) as database:
        host.add_site(database)
        yield database


def now() -> datetime:
    return datetime.now(UTC)


def settings(*receivers: Receiver, **more: object) -> Settings:
    holes = frozenset(("127.0.0.1", receiver.port) for receiver in receivers)
    return Settings(**{"development": True, "outbound_allow": holes, "webhook_timeout": 5.0, **more})


@contextmanager
def working(db: Database, settings: Settings, chores: tuple[Chore, ...] = ()) -> Iterator[threading.Event]:
    """A worker in a thread of this process; ended and joined at the end."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(db, settings, stop), kwargs={"chores": chores})
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def all_delivered(db: Database) -> bool:
    return all(delivery.state == "delivered" for delivery in host.deliveries(db))


# ---- the loop ----


def test_what_is_committed_while_the_worker_runs_arrives(db: Database, receiver: Receiver) -> None:
    host.add_endpoint(db, receiver.url)
    with working(db, settings(receiver)):
        sent = [host.emit(db, at=now()) for _ in range(12)]
        arrived = [request.headers["webhook-id"] for request in receiver.wait_for(12)]
        wait_for(lambda: all_delivered(db), 10, "the deliveries to be settled")
    assert sorted(arrived) == sorted(f"msg_{id_}" for id_ in sent)


def test_a_failure_is_tried_again_by_itself(db: Database, receiver: Receiver) -> None:
    host.add_endpoint(db, receiver.url)
    receiver.answers.append(Answer(500))
    host.emit(db, at=now())
    with working(db, settings(receiver)):
        first, second = receiver.wait_for(2, within=15)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_hanging_endpoints_delay_no_other(db: Database, receiver: Receiver) -> None:
    with Receiver() as dead:
        dead.otherwise = Answer(after=30)
        for _ in range(3):
            host.add_endpoint(db, dead.url, slow=True)
        for _ in range(10):
            host.emit(db, at=now())
        host.add_endpoint(db, receiver.url)
        with working(db, settings(receiver, dead, webhook_timeout=2.0, deliveries_at_once=4)):
            dead.wait_for(2)
            for _ in range(10):
                host.emit(db, at=now())
            receiver.wait_for(10, within=8)
            assert any(delivery.state == "due" for delivery in host.deliveries(db))


def test_stopping_finishes_what_is_in_flight(db: Database, receiver: Receiver) -> None:
    host.add_endpoint(db, receiver.url)
    receiver.otherwise = Answer(after=1.0)
    host.emit(db, at=now())
    with working(db, settings(receiver)):
        receiver.wait_for(1)
    assert [delivery.state for delivery in host.deliveries(db)] == ["delivered"]


def test_chores_run_and_one_that_fails_stops_nothing(db: Database, receiver: Receiver) -> None:
    swept = threading.Event()

    def broken(_db: Database, _now: datetime) -> int:
        raise RuntimeError("broken")

    def sweep(_db: Database, _now: datetime) -> int:
        swept.set()
        return 1

    host.add_endpoint(db, receiver.url)
    with working(db, settings(receiver), (Chore("a", timedelta(0), broken), Chore("b", timedelta(0), sweep))):
        assert swept.wait(10)
        host.emit(db, at=now())
        receiver.wait_for(1)


def test_the_chores_remove_what_is_over_and_nothing_else(db: Database) -> None:
    old, new = host.NOON - timedelta(minutes=1), host.NOON + timedelta(minutes=1)
    with db.write() as session:
        host.add_comment(session, "x")
    author = _an_author(db)
    with db.write() as session:
        for number in range(1_200):
            session.add(SpentAssertion(site_id=host.SITE, issuer="i", jti=f"old{number}", expires_at=old))
        session.add(SpentAssertion(site_id=host.SITE, issuer="i", jti="new", expires_at=new))
        for hash_, until in (("h1", old), ("h2", new)):
            session.add(Renewal(hash=hash_, author_id=author, created_at=host.NOON, expires_at=until))
    touched = {chore.name: chore.run(db, host.NOON) for chore in CHORES}
    assert (touched["spent-assertions"], touched["renewals"]) == (1_200, 1)
    assert {chore.name: chore.run(db, host.NOON) for chore in CHORES} == dict.fromkeys(touched, 0)


def test_a_small_database_is_not_measured_by_what_it_will_not_stay(db: Database) -> None:
    assert housekeeping.measure(db, host.NOON) == 0
    assert not inspect(db.engine).has_table("sqlite_stat1")


def _an_author(db: Database) -> str:
    with db.read() as session:
        return session.exec(select(Author.id)).one()


# ---- the process ----


@contextmanager
def process(database_url: str, tmp_path: Path, receiver: Receiver, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real `flask worker`; killed at the end, whatever happened."""
    policy = tmp_path / "policy.toml"
    policy.touch()
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
        "POLICY_FILE": str(policy),
        "SIGNING_KEYS": "k" * 32,
        "DEVELOPMENT": "1",
        "OUTBOUND_ALLOW": receiver.host_port,
        "WEBHOOK_TIMEOUT": "2",
        "DELIVERY_LEASE": "3",
        **more,
    }
    with (tmp_path / "worker.log").open("ab") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "service.cli.worker"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield running
    finally:
        running.kill()
        running.wait(10)


def test_an_event_survives_its_workers_death_in_mid_delivery(
    database_url: str, db: Database, receiver: Receiver, tmp_path: Path
) -> None:
    host.add_endpoint(db, receiver.url)
    receiver.otherwise = Answer(after=30)
    sent = {f"msg_{host.emit(db, at=now())}" for _ in range(4)}
    with process(database_url, tmp_path, receiver) as victim:
        receiver.wait_for(4, within=20)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait(10)
    assert [delivery.state for delivery in host.deliveries(db)] == ["sending"] * 4
    assert host.attempts(db) == []

    receiver.otherwise = Answer(204)
    with process(database_url, tmp_path, receiver):
        wait_for(lambda: all_delivered(db), 20, "the deliveries to arrive after the lease")
    arrived = Counter(request.headers["webhook-id"] for request in receiver.requests)
    assert arrived == dict.fromkeys(sent, 2)
    assert [(attempt.number, attempt.status) for attempt in host.attempts(db)] == [(2, 204)] * 4
    assert sent == {f"msg_{event.id}" for event in host.events(db, "ping")}


def test_sigterm_lets_the_delivery_in_flight_arrive(
    database_url: str, db: Database, receiver: Receiver, tmp_path: Path
) -> None:
    host.add_endpoint(db, receiver.url)
    receiver.otherwise = Answer(204, after=1.0)
    host.emit(db, at=now())
    with process(database_url, tmp_path, receiver) as running:
        receiver.wait_for(1, within=20)
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert [(delivery.state, delivery.attempts) for delivery in host.deliveries(db)] == [("delivered", 1)]


def test_two_workers_killed_at_random_lose_nothing(
    database_url: str, db: Database, receiver: Receiver, tmp_path: Path
) -> None:
    host.add_endpoint(db, receiver.url)
    receiver.otherwise = Answer(204, after=0.1)
    sent = {f"msg_{host.emit(db, at=now())}" for _ in range(40)}
    chance = host.rng()
    with process(database_url, tmp_path, receiver):
        for _ in range(3):
            seen = len(receiver.requests)
            with process(database_url, tmp_path, receiver):
                receiver.wait_for(seen + chance.randrange(1, 5), within=20)
        wait_for(lambda: all_delivered(db), 30, "everything to arrive")
    assert {request.headers["webhook-id"] for request in receiver.requests} == sent
