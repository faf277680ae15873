"""The real server at its limits: long, chunked, slow and silent clients; SIGTERM; and the disk before the answer."""

from __future__ import annotations

import gzip
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from service import sites
from service.db import Database
from service.doorman import COMING
from service.identity import staff
from service.models import CommentVersion
from tests.invariants import broken
from tests.parts import wait_for
from tests.service.conftest import FINE, ORIGIN
from tests.serving import Answer, Served

PATIENCE = 60.0
MEGABYTE = 1_000_000
PASSWORD = "correct-horse-battery"
PLACE = {"key": "bridge", "url": f"{ORIGIN}/bridge"}


class Newsstand:
    """A served site and one of its readers."""

    def __init__(self, served: Served, db: Database) -> None:
        self.served, self.db = served, db
        entry = served.ask("POST", "/api/v1/tokens", {"site": "courier", "name": "Ada Berg"})
        assert entry.status == 201, entry.text
        self.headers = {"Authorization": f"Bearer {entry.json['token']}"}

    def post(self, text: str = FINE, **more: Any) -> Answer:
        """Submit a comment."""
        return self.served.ask(
            "POST", "/api/v1/comments", {"site": "courier", "article": PLACE, "text": text}, self.headers, **more
        )

    def open(self, *lines: str, path: str = "/api/v1/comments", body: bytes = b"") -> socket.socket:
        """A connection with the head of a POST, as written."""
        connection = socket.create_connection(("127.0.0.1", self.served.port), timeout=PATIENCE)
        head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lines]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        return connection

    def texts(self) -> list[str]:
        """What is stored."""
        with self.db.read() as session:
            return list(session.exec(select(CommentVersion.text)))


@contextmanager
def opened(database_url: str, folder: Path, application: str = "wsgi") -> Iterator[Newsstand]:
    """The service on a site of its own; afterwards its database is sound."""
    db = Database(database_url)
    sites.add_site(db, "courier", "The Courier", [ORIGIN], now=datetime.now(UTC))
    with Served(database_url, folder, application=application, LOG_LEVEL="WARNING") as served:
        yield Newsstand(served, db)
    assert broken(db) == []
    db.close()


@pytest.fixture(scope="module")
def stand(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsstand]:
    """One service for all that does no harm to it; what stands behind it does not matter here."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(sqlite_template, folder / "firstword.db")
    with opened(f"sqlite:///{folder / 'firstword.db'}", folder) as shared:
        yield shared


def status_of(connection: socket.socket) -> int:
    """The status of the answer on a connection; 0 where it was cut."""
    with suppress(OSError):
        found = re.match(rb"HTTP/1\.1 (\d+)", connection.recv(65_536))
        return int(found[1]) if found else 0
    return 0


# ---- bodies ----


def test_long_bodies_are_refused_early_and_take_no_memory(stand: Newsstand) -> None:
    assert stand.post("The first one.").status == 201
    before = stand.served.memory()
    long = stand.served.ask("POST", "/api/v1/comments", b'{"text": "' + b"x" * MEGABYTE + b'"}', stand.headers)
    assert (long.status, long.json["code"]) == (413, "too-large")
    with stand.open("Content-Length: 100000000") as promising:
        assert status_of(promising) == 413
    for path in ("/api/v1/comments", "/api/v1/tokens", "/nowhere", "/desk/login"):
        with stand.open("Transfer-Encoding: chunked", path=path) as endless:
            assert _pour(endless, 100 * MEGABYTE) < 20 * MEGABYTE, "nobody closed the connection"
        whole = stand.served.ask("POST", path, b"x" * MEGABYTE, stand.headers)
        assert whole.status == (404 if path == "/nowhere" else 413), path
    assert stand.served.memory() - before < 32 * MEGABYTE
    assert stand.post("The next one is heard.").status == 201


@pytest.mark.parametrize("head", ["Content-Length: 3145728", "Transfer-Encoding: chunked"])
def test_who_sends_too_much_can_send_it_all_and_is_told_so(stand: Newsstand, head: str) -> None:
    chunked = "chunked" in head
    for _ in range(5):
        with stand.open(head) as sending:
            for _ in range(48):
                sending.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n" if chunked else b"x" * 65_536)
            sending.sendall(b"0\r\n\r\n" if chunked else b"")
            assert status_of(sending) == 413


def _pour(connection: socket.socket, amount: int) -> int:
    """Send chunks until the other side has had enough; returns how many bytes it took."""
    sent, chunk = 0, b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with suppress(OSError):
        while sent < amount:
            connection.sendall(chunk)
            sent += 65_536
    return sent


@pytest.mark.parametrize(("article", "status"), [("zürich".encode(), 200), (b"z%c3%bcrich", 200), (b"z\xfc", 400)])
def test_a_query_with_raw_bytes_is_read_as_utf_8(stand: Newsstand, article: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", stand.served.port), timeout=PATIENCE) as connection:
        line = b"GET /api/v1/counts?site=courier&article=%b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(line % article)
        assert status_of(connection) == status


def test_a_chunked_body_of_good_length_is_read(stand: Newsstand) -> None:
    body = f'{{"site": "courier", "article": {{"key": "k", "url": "{ORIGIN}/k"}}, "text": "In two parts."}}'.encode()
    halves = b"".join(b"%x\r\n%b\r\n" % (len(half), half) for half in (body[:20], body[20:]))
    with stand.open("Transfer-Encoding: chunked", body=halves + b"0\r\n\r\n") as connection:
        assert status_of(connection) == 201
    with stand.open("Transfer-Encoding: chunked", body=halves[:-20]) as broken_off:
        broken_off.shutdown(socket.SHUT_WR)
        assert status_of(broken_off) in (0, 400)
    assert [text for text in stand.texts() if text.startswith("In two")] == ["In two parts."]


def test_a_gzip_bomb_is_not_unpacked(stand: Newsstand) -> None:
    bomb = gzip.compress(b'{"text": "' + bytes(200 * MEGABYTE) + b'"}', 9)
    assert len(bomb) < 4 * MEGABYTE
    small = gzip.compress(b'{"text": "' + bytes(20 * MEGABYTE) + b'"}', 9)
    assert len(small) < 65_536
    before = stand.served.memory()
    for path in ("/api/v1/comments", "/api/v1/tokens", "/desk/login", "/v1alpha1/comments:analyze"):
        for sent in (bomb, small):
            headers = {**stand.headers, "Content-Type": "application/json", "Content-Encoding": "gzip"}
            answer = stand.served.ask("POST", path, sent, headers)
            assert 400 <= answer.status < 500, (path, answer.status)
    assert stand.served.memory() - before < 32 * MEGABYTE


def test_slow_bodies_hold_up_nobody_and_are_given_up(stand: Newsstand) -> None:
    paths = ("/api/v1/comments", "/api/v1/tokens", "/desk/login", "/v1alpha1/comments:analyze")
    slow = [stand.open("Content-Length: 1000", path=paths[n % 4], body=b"{") for n in range(COMING + 40)]
    try:
        began = time.monotonic()
        for number in range(5):
            assert stand.served.ask("GET", "/healthz").status == 200
            assert stand.post(f"I am number {number} and quick.").status == 201
        assert time.monotonic() - began < PATIENCE / 2
        statuses = {status_of(connection) for connection in slow}
    finally:
        for connection in slow:
            connection.close()
    assert 408 in statuses
    assert statuses <= {408, 403, 400}, "neither for its slowness nor for its form or key"
    assert len([text for text in stand.texts() if "and quick" in text]) == 5


def test_the_server_speaks_http_as_it_should(stand: Newsstand) -> None:
    ask, thread = stand.served.ask, "/api/v1/comments?site=courier&article=bridge"
    whole = ask("GET", thread)
    assert (whole.status, whole.json["article"]["key"]) == (200, "bridge")
    head = ask("HEAD", thread)
    assert (head.status, head.body) == (200, b"")
    known = ask("GET", thread, headers={"If-None-Match": whole.headers["etag"]})
    assert (known.status, known.body) == (304, b"")
    assert ask("OPTIONS", "/api/v1/comments", headers={"Access-Control-Request-Method": "POST"}).status in (200, 204)
    assert ask("GET", "/api/v1/comments?site=courier&article=%F0%9F%98%80%00").status == 400
    for path in ("/%ff%fe", "/%F0%9F%98%80", "/%00", "/a%2Fb", "/" + "a" * 8_000, "/..%2f..%2fetc/passwd", "//"):
        assert ask("GET", path).status in (404, 308, 414, 400), path
    assert ask("BREW", "/healthz").status in (405, 404)
    script = ask("GET", "/desk/login")
    assert script.status == 200
    assert script.headers["content-type"].startswith("text/html")


def test_cookies_survive_among_others_and_in_two_lines(stand: Newsstand) -> None:
    staff.add_moderator(stand.db, "mo@x.example", "Mo Vance", PASSWORD, {"courier": "admin"}, datetime.now(UTC))
    page = stand.served.ask("GET", "/desk/login")
    cookie = page.headers["set-cookie"].partition(";")[0]
    csrf = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert csrf
    form = f"csrf={csrf[1]}&login=mo%40x.example&password={PASSWORD}".encode()
    lines = [f"Host: 127.0.0.1:{stand.served.port}", "Content-Type: application/x-www-form-urlencoded"]
    lines += [f"Content-Length: {len(form)}", f"Origin: http://127.0.0.1:{stand.served.port}", "Connection: close"]
    for cookies in ([f"theme=dark; {cookie}; a=b"], ["theme=dark", cookie], ["theme=dark"]):
        with socket.create_connection(("127.0.0.1", stand.served.port), timeout=PATIENCE) as connection:
            head = ["POST /desk/login HTTP/1.1", *lines, *(f"Cookie: {one}" for one in cookies), "", ""]
            connection.sendall("\r\n".join(head).encode() + form)
            assert status_of(connection) == (303 if any(cookie in one for one in cookies) else 403), cookies


def test_silent_connections_are_closed_and_others_served(stand: Newsstand) -> None:
    silent = [socket.create_connection(("127.0.0.1", stand.served.port), timeout=PATIENCE) for _ in range(1_100)]
    try:
        assert stand.served.ask("GET", "/healthz", timeout=PATIENCE).status == 200
        assert silent[0].recv(1) == b"", "a silent connection is still open"
    finally:
        for connection in silent:
            connection.close()


# ---- the end ----


def test_what_is_in_flight_at_sigterm_is_answered_and_stored(database_url: str, tmp_path: Path) -> None:
    texts = [f"Take your time with number {number}." for number in range(3)]
    with opened(database_url, tmp_path, "tests.service.dawdling") as stand, ThreadPoolExecutor(3) as pool:
        flying = [pool.submit(stand.post, text) for text in texts]
        wait_for(lambda: len(list(tmp_path.glob("judging-*"))) == 3, PATIENCE, "three to be judged")
        ending = threading.Thread(target=stand.served.stop, args=("web",))
        ending.start()
        wait_for(lambda: _is_refused(stand.served.port), PATIENCE, "the door to close", pause=0.05)
        (tmp_path / "go-on").touch()
        assert [answer.result(PATIENCE).status for answer in flying] == [201, 201, 201]
        ending.join(PATIENCE)
        assert sorted(stand.texts()) == texts


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_whatever_was_acknowledged_before_the_end_is_stored(database_url: str, tmp_path: Path) -> None:
    acknowledged: list[str] = []

    def write(stand: Newsstand, lane: int) -> None:
        with suppress(OSError):
            for number in range(10_000):
                text = f"Number {number} of lane {lane}."
                if stand.post(text, timeout=PATIENCE).status == 201:
                    acknowledged.append(text)

    with opened(database_url, tmp_path) as stand:
        writers = [threading.Thread(target=write, args=(stand, lane)) for lane in range(4)]
        for writer in writers:
            writer.start()
        wait_for(lambda: len(acknowledged) >= 12, PATIENCE, "some comments")
        stand.served.stop("web")
        for writer in writers:
            writer.join(PATIENCE)
        assert set(acknowledged) <= set(stand.texts())
        assert len(stand.texts()) <= len(acknowledged) + len(writers)


# ---- the disk ----


def test_commits_wait_for_the_disk(database_url: str) -> None:
    """What the databases are told, on every connection, whatever their own defaults are."""
    db = Database(database_url)
    with db.write() as session:
        ask = session.connection().exec_driver_sql
        if db.is_sqlite:
            assert ask("PRAGMA synchronous").scalar_one() == 2
            assert ask("PRAGMA journal_mode").scalar_one() == "wal"
        else:
            assert ask("SHOW synchronous_commit").scalar_one() == "on"
    db.close()


def test_the_disk_is_written_before_the_answer(sqlite_url: str, tmp_path: Path) -> None:
    """Seen from outside: an fdatasync of the write-ahead log stands between a request and its 201."""
    if not _can_trace():
        pytest.skip("strace cannot be used here (apt-get install strace, and leave to trace); see the test above")
    db = Database(sqlite_url)
    sites.add_site(db, "courier", "The Courier", [ORIGIN], now=datetime.now(UTC))
    trace = tmp_path / "trace"
    with Served(sqlite_url, tmp_path, LOG_LEVEL="WARNING") as served:
        stand = Newsstand(served, db)
        assert stand.post("The first makes the article.").status == 201
        watched = [word for pid in served.family() for word in ("-p", str(pid))]
        calls = "trace=fdatasync,fsync,write,writev,sendto,sendmsg,recvfrom,recvmsg,read"
        strace = subprocess.Popen(["strace", "-f", "-y", "-s", "60", "-e", calls, "-o", str(trace), *watched])
        try:
            wait_for(lambda: trace.exists() and _attached(served), PATIENCE, "strace to attach")
            assert stand.post("This one is watched.").status == 201
        finally:
            strace.terminate()
            strace.wait(PATIENCE)
    db.close()
    lines = trace.read_text("utf-8", "replace").splitlines()
    answered = next(n for n, line in enumerate(lines) if "HTTP/1.1 201" in line)
    synced = [n for n, line in enumerate(lines[:answered]) if re.search(r"f(data)?sync\(.*-wal>", line)]
    assert synced, "no fsync of the write-ahead log before the answer"


def _can_trace() -> bool:
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def _attached(served: Served) -> bool:
    """Whether every thread of the web process is traced."""
    tasks = [task for pid in served.family() for task in Path(f"/proc/{pid}/task").iterdir()]
    return all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks)
