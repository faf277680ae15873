"""The backups of docs/operations.md, taken while the service writes, and restored: every book in them is right."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.engine import make_url

from service import migrations, transfer
from service.cli.commands import firstword
from service.db import Database
from tests.chaos import audit
from tests.chaos.audit import Books
from tests.parts import Cluster, wait_for
from tests.service import host_side as host
from tests.service.conftest import Build, Newsroom, Reader


@contextmanager
def writing(room: Newsroom) -> Iterator[None]:
    """Readers who post without a pause until the block ends."""
    readers: list[Reader] = [room.reader(f"Reader {letter}") for letter in ("Ann", "Ben", "Cem")]
    stop = threading.Event()

    def write(reader: Reader) -> int:
        alone, posted = Reader(_apart(room), reader.id, reader.token, None), 0
        while not stop.is_set():
            answer = alone.post(f"Opinion {posted} of mine on the bridge.")
            assert answer.status_code in (201, 202), answer.json
            posted += 1
        return posted

    with ThreadPoolExecutor(len(readers)) as pool:
        jobs = [pool.submit(write, reader) for reader in readers]
        try:
            wait_for(lambda: count(room.db) > 10 or any(job.done() for job in jobs), 30, "some comments")
            yield
            before = count(room.db)
            wait_for(lambda: count(room.db) > before, 30, "comments after the backup")
        finally:
            stop.set()
        assert min(job.result(30) for job in jobs) > 0


def _apart(room: Newsroom) -> Newsroom:
    """The same room with a client of one's own, because a client is for one thread."""
    return Newsroom(room.client.application.test_client(), room.db, room.settings, room.clock, room.api_key)


def count(db: Database) -> int:
    with db.read() as session:
        return len(Books.read(session, "courier").comments)


def check_books(url: str) -> int:
    """Every invariant of a restored database; how many comments it has."""
    migrations.check(url)
    with host.opened(url) as db, db.read() as session:
        books = Books.read(session, "courier")
    for invariant in (audit.publication, audit.history, audit.totals, audit.telling):
        assert list(invariant(books)) == []
    return len(books.comments)


def type_(url: str, folder: Path, *words: str) -> Result:
    environment = {"DATABASE_URL": url, "DATA_DIR": str(folder), "SIGNING_KEYS": "k" * 40}
    return CliRunner(env=environment).invoke(firstword, words)


@pytest.fixture
def sqlite_room(build: Build, database_kind: str) -> Newsroom:
    if database_kind != "sqlite":
        pytest.skip("about SQLite")
    return build()


@pytest.fixture
def postgres_room(build: Build, database_kind: str) -> Newsroom:
    if database_kind != "postgresql":
        pytest.skip("about PostgreSQL")
    return build()


def test_sqlite_is_copied_while_it_is_written_and_the_copy_is_right(sqlite_room: Newsroom, tmp_path: Path) -> None:
    copy = tmp_path / "copy of today.db"
    with writing(sqlite_room):
        told = type_(sqlite_room.db.url, tmp_path, "db", "backup", str(copy))
    assert told.exit_code == 0, told.output
    assert (copy.stat().st_mode & 0o777) == 0o600
    assert 10 < check_books(f"sqlite:///{copy}") < count(sqlite_room.db)


def test_a_backup_overwrites_nothing(sqlite_room: Newsroom, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_bytes(b"the backup of yesterday")
    assert type_(sqlite_room.db.url, tmp_path, "db", "backup", str(there)).exit_code == 1
    assert there.read_bytes() == b"the backup of yesterday"


def test_postgresql_is_dumped_while_it_is_written_and_restored_right(
    postgres_room: Newsroom, postgres: Cluster, tmp_path: Path
) -> None:
    dump, programs = tmp_path / "firstword.dump", postgres.programs
    name = make_url(postgres_room.db.url).database
    reach = ["-h", str(postgres.socket_directory), "-p", str(postgres.port), "-U", "firstword"]
    with writing(postgres_room):
        subprocess.run([programs / "pg_dump", "-Fc", *reach, "-f", dump, str(name)], check=True)
    restored = f"{name}_restored"
    url = postgres.create(restored)
    try:
        subprocess.run([programs / "pg_restore", "--exit-on-error", *reach, "-d", restored, dump], check=True)
        assert 10 < check_books(url) < count(postgres_room.db)
        with host.opened(url) as db:
            moved = list(transfer.write(db, "courier", now=postgres_room.clock()))
        assert len(moved) > 30
    finally:
        postgres.drop(restored)
    assert type_(postgres_room.db.url, tmp_path, "db", "backup", str(tmp_path / "x.db")).exit_code == 1
