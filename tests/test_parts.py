"""The parts that tests stand on do what the tests believe."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.parts import Cluster, Redis, free_port, wait_for
from tests.receiver import Answer, Receiver

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_postgres_runs_as_an_unprivileged_user_and_asks_for_the_password(postgres: Cluster) -> None:
    with psycopg.connect(postgres.url().replace("+psycopg", "")) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    owner = (postgres.socket_directory / "data").stat().st_uid
    assert owner != 0
    wrong = postgres.url().replace(postgres.password, "wrong").replace("+psycopg", "")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)


def test_a_database_is_a_copy_of_its_template_and_goes_when_dropped(postgres: Cluster) -> None:
    postgres.create("first")
    postgres.execute("CREATE TABLE word (said text)", "first")
    postgres.create("second", "first")
    try:
        postgres.execute("INSERT INTO word VALUES ('hello')", "second")
    finally:
        postgres.drop("second")
        postgres.drop("first")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        postgres.execute("SELECT 1", "second")


def test_redis_is_empty_and_comes_back_on_the_same_port(own_redis: Redis) -> None:
    port = own_redis.port
    own_redis.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert own_redis.start().port == port


def test_redis_of_the_worker_answers(redis_url: str) -> None:
    assert redis_url.startswith("redis://127.0.0.1:")


def test_a_server_ends_when_its_session_is_killed(tmp_path: Path) -> None:
    port = free_port()
    script = (
        "import sys, time\n"
        "from tests.parts import Lair, wait_for\n"
        "lair = Lair.open()\n"
        f"lair.start(sys.executable, '-m', 'http.server', '{port}', '--bind', '127.0.0.1')\n"
        "print(lair.path, flush=True)\n"
        "time.sleep(60)\n"
    )
    session = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert session.stdout is not None
    with session, session.stdout:
        lair = Path(session.stdout.readline().strip())
        wait_for(lambda: _listens(port), 10, "the server to listen")
        os.kill(session.pid, signal.SIGKILL)
    wait_for(lambda: not _listens(port), 10, "the server to end")
    wait_for(lambda: not lair.exists(), 10, "the guard to clear up")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_the_receiver_answers_as_told_and_remembers(receiver: Receiver) -> None:
    receiver.answers.append(Answer(503, {"Retry-After": "7"}, b"later"))
    with pytest.raises(urllib.error.HTTPError) as refused:
        _post(receiver.url, b'{"a": 1}')
    with refused.value as answer:
        assert (answer.code, answer.headers["Retry-After"], answer.read()) == (503, "7", b"later")
    assert _post(receiver.url, b'{"a": 2}') == 204
    assert [request.json for request in receiver.wait_for(2)] == [{"a": 1}, {"a": 2}]
    assert receiver.requests[0].headers["content-type"] == "application/json"


def test_the_receiver_can_hang_up_and_its_silence_ends_with_it() -> None:
    with Receiver() as receiver:
        receiver.answers.extend([Answer(hang_up=True), Answer(after=3600)])
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            _post(receiver.url, b"{}")
        with pytest.raises(TimeoutError):
            _post(receiver.url, b"{}", timeout=0.1)
        with pytest.raises(TimeoutError, match="2 of 3"):
            receiver.wait_for(3, within=0.05)


def _post(url: str, body: bytes, timeout: float = 5) -> int:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return int(answer.status)


def test_the_browser_reaches_loopback_by_any_name_under_test(page: Page, receiver: Receiver) -> None:
    receiver.otherwise = Answer(200, {"Content-Type": "text/html; charset=utf-8"}, "<h1>Grüße</h1>".encode())
    page.goto(f"http://news.test:{receiver.port}/story")
    assert page.get_by_role("heading").inner_text() == "Grüße"
    assert receiver.requests[0].headers["host"] == f"news.test:{receiver.port}"


def test_the_browser_reaches_nothing_else(page: Page) -> None:
    from playwright.sync_api import Error

    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.org/")
