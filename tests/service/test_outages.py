"""What breaks around the service: its engine's files, the disk, the database.

Each time the answer is a clear 503 or a comment that waits for a person, nothing that was acknowledged is lost, and the
service recovers by itself.
"""

from __future__ import annotations

import resource
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from config.settings import load
from moderation import Submission
from moderation.engines.bundled import weights
from service import health, judges, sites
from service.comments import facts
from service.db import Database
from service.judges import Judges, open_judges
from service.migrations import upgrade
from service.models import CommentVersion, Site
from service.outbound import Door
from service.webhooks import endpoints
from tests.invariants import broken
from tests.parts import OwnCluster, wait_for
from tests.receiver import Receiver
from tests.service.conftest import KEY, ORIGIN, Build, Newsroom, Reader
from tests.serving import Answer, Served

PATIENCE = 120.0
THREAD = "/api/v1/comments?site=courier&article=bridge"
PLACE = {"key": "bridge", "url": f"{ORIGIN}/bridge"}


def texts(db: Database) -> list[str]:
    """What is stored."""
    with db.read() as session:
        return list(session.exec(select(CommentVersion.text)))


# ---- the engine ----


def _remove(file: Path) -> None:
    file.unlink()


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[: len(content) // 2])


BROKEN: dict[str, Callable[[Path], None]] = {
    "model.onnx is missing": lambda folder: _remove(folder / "model.onnx"),
    "model.onnx is cut off": lambda folder: _cut(folder / "model.onnx"),
    "manifest.json is cut off": lambda folder: _cut(folder / "manifest.json"),
    "manifest.json is another": lambda folder: _another(folder / "manifest.json"),
    "the folder is missing": shutil.rmtree,
}


def _another(file: Path) -> None:
    file.unlink()
    file.write_text('["not", "a", "manifest"]')


@pytest.mark.parametrize("what", BROKEN)
def test_without_its_engines_files_every_comment_waits_for_a_person(build: Build, tmp_path: Path, what: str) -> None:
    folder = _linked(tmp_path / "weights")
    BROKEN[what](folder)
    room = build(judges=_with_model_of(folder))
    held = room.reader("Ada Berg").post()
    assert held.status_code == 202
    assert [reason["code"] for reason in held.json["reasons"]] == ["engine.failed"]
    ready = room.client.get("/readyz")
    assert (ready.status_code, ready.json["problems"]) == (200, [])
    assert "cannot be opened" in ready.json["degraded"][0]
    assert room.client.get(THREAD).status_code == 200


def test_when_its_files_are_back_the_engine_judges_again_without_a_restart(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judges, "RETRY_SECONDS", 0.0)
    folder = _linked(tmp_path / "weights")
    (folder / "model.onnx").rename(tmp_path / "model.onnx")
    room = build(judges=_with_model_of(folder))
    held = room.reader("Ada Berg").post()
    assert held.status_code == 202
    (tmp_path / "model.onnx").rename(folder / "model.onnx")
    assert room.client.get("/readyz").json["degraded"] == []
    assert room.reader("Bo Lund").post("It opens again, and I am glad of it.").status_code == 201
    verdict = {"verdict": "approve", "version": 1}
    assert room.host("POST", f"/api/v1/comments/{held.json['id']}/decisions", json=verdict).status_code == 201
    assert room.thread()["article"]["count"] == 2


def _with_model_of(folder: Path) -> Judges:
    return open_judges(load({"SIGNING_KEYS": KEY, "ENGINE": f"bundled:{folder}", "JUDGE_TIMEOUT": "60"}))


def _linked(folder: Path) -> Path:
    """The shipped weights' folder, in links."""
    folder.mkdir()
    for file in weights.SHIPPED.iterdir():
        (folder / file.name).symlink_to(file)
    return folder


# ---- a site's policy ----


@pytest.mark.parametrize("kept", ["[engines.any.nosuch]\nhold = 0.5", "[[[", "a." * 2000 + "a=1"])
def test_under_a_policy_that_cannot_be_used_every_comment_waits_until_it_is_mended(room: Newsroom, kept: str) -> None:
    ada = room.reader("Ada Berg")
    _keep_policy(room.db, kept)
    held = ada.post()
    assert held.status_code == 202
    assert [reason["code"] for reason in held.json["reasons"]] == ["policy.unreadable"]
    assert "being mended" in ada.mine()[0]["reasons"][0]["sentence"]
    assert ada.edit(held.json["id"], "It is well made, this bridge.").json["status"] == "pending"
    assert room.host("GET", "/api/v1/reasons").status_code == 200
    ready = room.client.get("/readyz")
    assert (ready.status_code, ready.json["problems"]) == (200, [])
    assert "The policy of courier cannot be used" in ready.json["degraded"][0]
    _keep_policy(room.db, "[trust]\nnew_below_approved = 0\n")
    assert room.client.get("/readyz").json["degraded"] == []
    assert ada.post("And now it is read by the machine again.").status_code == 201
    assert broken(room.db) == []


def test_a_judgement_keeps_its_policy_when_the_engine_comes_back_and_does_not_fit(room: Newsroom) -> None:
    """What was decided under one policy is not kept under the text of another."""
    shipped = open_judges(load({"SIGNING_KEYS": KEY, "ENGINE": "lexicon"}))
    kept, brief = "[engines.any.nosuch]\nhold = 0.5", Submission("The bridge is open.")
    absent = Judges(shipped._read, lambda: [judges.AbsentEngine("lexicon", "away")], 1.0)
    decision = absent.under(kept).decide(brief)
    with pytest.raises(facts.FactsChanged), room.db.write() as session:
        facts.keep_policy(session, shipped, kept, decision, room.clock())


def _keep_policy(db: Database, policy: str) -> None:
    with db.write() as session:
        session.get_one(Site, "courier").policy = policy


# ---- the disk ----


def test_a_full_database_is_a_clear_503_and_forgets_nothing(room: Newsroom, ada: Reader) -> None:
    first = ada.post("This one came before.").json["id"]
    long = " ".join(f"Word {number} finds no room." for number in range(150))
    with _full(room.db):
        refused = ada.post(long, key="again")
        assert (refused.status_code, refused.json["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) == refused.json["retry_after"] > 0
        assert [comment["id"] for comment in room.thread()["comments"]] == [first]
    assert texts(room.db) == ["This one came before."]
    assert ada.post(long, key="again").status_code == 201
    assert broken(room.db) == []


@contextmanager
def _full(db: Database) -> Iterator[None]:
    """The database has no room for another page, or says so in the words of one that has none."""
    if db.is_sqlite:
        limit = [1]

        @event.listens_for(db.engine, "begin")
        def bound(connection: Any) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count={limit[0]}")

        yield
        limit[0] = 1_000_000
        return
    words = "CREATE FUNCTION full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = "
    with db.write() as session:
        session.execute(text(words + "'disk_full'; END $$"))
        session.execute(text("CREATE TRIGGER boom BEFORE INSERT ON decision EXECUTE FUNCTION full()"))
    yield
    with db.write() as session:
        session.execute(text("DROP FUNCTION full() CASCADE"))


def test_a_disk_without_room_shows_in_readiness(sqlite_url: str, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    room = build(DATABASE_URL=sqlite_url)
    assert room.client.get("/readyz").status_code == 200
    monkeypatch.setattr(health, "LEAST_FREE", 2**62)
    ready = room.client.get("/readyz")
    assert (ready.status_code, ready.json["problems"]) == (503, ["The disk with the database is full."])


def test_on_a_full_disk_the_service_reads_on_and_goes_on_when_there_is_room(sqlite_url: str, tmp_path: Path) -> None:
    """The kernel lets no file of the running service grow any more, its log included."""
    db = Database(sqlite_url)
    sites.add_site(db, "courier", "The Courier", [ORIGIN], now=datetime.now(UTC))
    with Served(sqlite_url, tmp_path, LOG_LEVEL="INFO") as served:
        ada = Writer(served)
        assert ada.post("This one came before.").status == 201
        with _no_file_grows(served):
            for _ in range(3):
                refused = ada.post("This one finds no room.", "again")
                assert (refused.status, refused.json["code"]) == (503, "unavailable")
            assert served.ask("GET", "/healthz").status == 200
            assert len(served.ask("GET", THREAD).json["comments"]) == 1
        again = ada.post("This one finds no room.", "again")
        assert again.status == 201
        assert ada.post("This one finds no room.", "again").json["id"] == again.json["id"]
    assert texts(db) == ["This one came before.", "This one finds no room."]
    assert broken(db) == []
    db.close()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@contextmanager
def _no_file_grows(served: Served) -> Iterator[None]:
    """Every write beyond a file's first byte fails."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in served.family()}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    yield
    for pid, limits in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


class Writer:
    """A reader of a served site who writes."""

    def __init__(self, served: Served, name: str = "Ada Berg") -> None:
        self._served = served
        entry = served.ask("POST", "/api/v1/tokens", {"site": "courier", "name": name})
        assert entry.status == 201, entry.text
        self._token = entry.json["token"]

    def post(self, words: str, key: str = "") -> Answer:
        """Submit a comment; the text is the idempotency key unless there is another."""
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": (key or words).replace(" ", "-")}
        body = {"site": "courier", "article": PLACE, "text": words}
        return self._served.ask("POST", "/api/v1/comments", body, headers, timeout=PATIENCE)


# ---- the database ----


def test_a_database_that_crashes_and_comes_back_costs_nothing(
    own_postgres: OwnCluster, tmp_path: Path, receiver: Receiver
) -> None:
    """It ends without a last word while comments are written; writers try again under their keys."""
    url = own_postgres.cluster.create("firstword")
    upgrade(url)
    db, now = Database(url), datetime.now(UTC)
    sites.add_site(db, "courier", "The Courier", [ORIGIN], now=now)
    door = Door(allow=frozenset({("127.0.0.1", receiver.port)}), require_https=False)
    endpoints.register(db, "courier", endpoints.Wish(receiver.url, types=["comment.created"]), door, now=now)
    settings = {"DEVELOPMENT": "1", "OUTBOUND_ALLOW": receiver.host_port, "LOG_LEVEL": "WARNING"}
    with Served(url, tmp_path, worker=True, **settings) as served:
        lanes = [Lane(served, number) for number in range(3)]
        with ThreadPoolExecutor(len(lanes)) as pool:
            writing = [pool.submit(lane.write, 12) for lane in lanes]
            wait_for(lambda: sum(len(lane.acknowledged) for lane in lanes) >= 6, PATIENCE, "some comments")
            own_postgres.crash()
            wait_for(lambda: all(lane.refusals for lane in lanes), PATIENCE, "everybody to be refused")
            ready = served.ask("GET", "/readyz")
            assert (ready.status, ready.json["problems"]) == (503, [AWAY])
            assert served.ask("GET", "/healthz").status == 200
            own_postgres.start()
            for one in writing:
                one.result(PATIENCE)
        served.wait_until_ready()
        assert sorted(texts(db)) == sorted(words for lane in lanes for words in lane.acknowledged)
        wanted = {comment_id for lane in lanes for comment_id in lane.acknowledged.values()}
        wait_for(lambda: _told(receiver) >= wanted, PATIENCE, "the host to hear of every comment", pause=0.1)
        assert all(process.poll() is None for process in served.processes.values()), "a process ended"
    assert {(answer.status, answer.json["code"]) for lane in lanes for answer in lane.refusals} == {
        (503, "unavailable")
    }
    assert all(int(answer.headers["retry-after"]) > 0 for lane in lanes for answer in lane.refusals)
    assert broken(db) == []
    db.close()


AWAY = "The database does not answer or is not migrated."


def _told(receiver: Receiver) -> set[str]:
    """The comments that the host has heard of."""
    return {request.json["data"]["comment"]["id"] for request in list(receiver.requests)}


class Lane:
    """One writer who tries every comment until it is acknowledged, always under the same key."""

    def __init__(self, served: Served, number: int) -> None:
        self._writer = Writer(served, f"Writer {number}")
        self._number = number
        self.acknowledged: dict[str, str] = {}
        self.refusals: list[Answer] = []

    def write(self, amount: int) -> None:
        """Write so many comments."""
        pause = threading.Event()
        for number in range(amount):
            words = f"Number {number} of lane {self._number}."
            while words not in self.acknowledged:
                answer = self._writer.post(words)
                if answer.status == 201:
                    self.acknowledged[words] = answer.json["id"]
                else:
                    self.refusals.append(answer)
                    pause.wait(0.2)
