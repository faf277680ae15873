"""The doorman by himself: what waits outside, what is given up, and how many are let in."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Coroutine, Generator, Iterable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from werkzeug.exceptions import RequestTimeout

from service import doorman
from service.doorman import Doorman, environ_of
from service.errors import Unavailable

LIMIT = 1_000
NEVER = 60.0


class Line:
    """A client whose body comes in pieces, and goes on for ever where there is no end to it."""

    def __init__(self, *chunks: bytes, ends: bool = True, fails: bool = False) -> None:
        self._chunks, self._ends, self._fails = chunks, ends, fails
        self.heard = asyncio.Event()
        self.answer: tuple[int, list[tuple[str, str]], bytes] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        self.heard.set()
        if self._fails:
            raise OSError
        if not self._ends:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answer = (status, headers, body)


def scope(method: str = "POST", path: str = "/", **headers: str) -> Any:
    """What granian would say of a request."""
    return SimpleNamespace(
        method=method,
        path=path,
        query_string="q=1",
        http_version="1.1",
        scheme="http",
        server="127.0.0.1:8000",
        client="203.0.113.7:5000",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


class Turn:
    """One turn of the event loop."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Pairs:
    """Headers as granian gives them: in pairs, a name as often as it came."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = pairs

    def items(self) -> tuple[tuple[str, str], ...]:
        return self._pairs


def reading(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """An application that answers with what it reads, or says that it met somebody slow."""
    start("200 OK", [])
    try:
        return [environ["wsgi.input"].read(), b"|", environ.get("CONTENT_LENGTH", "").encode()]
    except RequestTimeout:
        return [b"too slow"]
    except Unavailable:
        return [b"too full"]


def a_door(app: Any = reading, inside: int = 4, registry: CollectorRegistry | None = None) -> Doorman:
    answers = Counter("answers", "Answers", ["route", "status"], registry=registry or CollectorRegistry())
    return Doorman(app, inside, LIMIT, {"/wide/": 5 * LIMIT, "/batch": 5 * LIMIT}, answers)


async def said(door: Doorman, line: Line, **request: str) -> bytes:
    """What one request through the door is answered with."""
    await door(scope(**request), line)
    assert line.answer is not None
    return line.answer[2]


def run(story: Coroutine[Any, Any, Any]) -> Any:
    """Let a story happen."""
    return asyncio.run(story)


def test_a_body_is_there_in_full_when_its_request_is_let_in() -> None:
    assert run(said(a_door(), Line(b"one ", b"two"), content_length="7")) == b"one two|7"
    assert run(said(a_door(), Line(b"one ", b"two"))) == b"one two|7"
    assert run(said(a_door(), Line(ends=False), method="GET")) == b"|"


def test_a_longer_body_is_cut_off_behind_the_limit() -> None:
    pieces = [b"x" * 300] * 100
    assert run(said(a_door(), Line(*pieces))).endswith(b"|1200")
    assert run(said(a_door(), Line(*pieces), path="/wide/open")).endswith(b"|5100")
    assert run(said(a_door(), Line(*pieces), path="/batch")).endswith(b"|5100")
    for other in ("/wide", "/batchelor", "/batch/1"):
        assert run(said(a_door(), Line(*pieces), path=other)).endswith(b"|1200"), other


def test_a_body_that_says_it_is_too_long_is_let_go_by_for_a_moment_and_never_read() -> None:
    assert run(said(a_door(), Line(b"x", ends=False), content_length="2000")) == b"|2000"
    asking = Line(b"x", ends=False)
    assert run(said(a_door(), asking, content_length="2000", expect="100-continue")) == b"|2000"
    assert not asking.heard.is_set(), "who asks first is told before sending anything"


def test_what_is_let_go_by_has_an_end() -> None:
    flood = [b"x" * 100_000] * 1_000
    assert run(said(a_door(), heard := Line(*flood, ends=False))).endswith(b"|100000")
    assert not heard.heard.is_set()


def test_what_came_of_a_broken_connection_keeps_the_length_that_was_promised() -> None:
    assert run(said(a_door(), Line(b"abc"), content_length="7")) == b"abc|7"


def test_a_slow_body_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "SECONDS", 0.05)
    assert run(said(a_door(), Line(b"x", ends=False), content_length="7")) == b"too slow"
    assert run(said(a_door(), Line(b"x", ends=False))) == b"too slow"


def test_a_long_body_earns_its_time_by_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "PACE", 1)
    monkeypatch.setattr(doorman, "SECONDS", 0.5)

    class Steady(Line):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(8):
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.Event().wait(), 0.1)
                yield b"x"

    assert run(said(a_door(), Steady(), content_length="8")) == b"xxxxxxxx|8"


async def _one_too_many(slow: list[Line], quick: Line) -> list[bytes | None]:
    """Slow ones on their way, then a quick one; what the slow ones were answered with meanwhile."""
    door = a_door()
    tasks = []
    for line in slow:
        tasks.append(asyncio.create_task(said(door, line, content_length="900")))
        await line.heard.wait()
    assert await said(door, quick) == b"quick|5"
    await asyncio.wait(tasks, timeout=NEVER, return_when=asyncio.FIRST_COMPLETED)
    answers = [task.result() if task.done() else None for task in tasks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return answers


def test_of_too_many_the_one_that_has_been_coming_for_longest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "COMING", 3)
    slow = [Line(b"x", ends=False) for _ in range(3)]
    assert run(_one_too_many(slow, Line(b"quick"))) == [b"too slow", None, None]


def test_of_too_much_the_one_that_holds_most_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "HELD", 604)
    slow = [Line(b"x" * 100, ends=False), Line(b"x" * 500, ends=False)]
    assert run(_one_too_many(slow, Line(b"quick"))) == [None, b"too full"]


def test_a_body_counts_until_its_request_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "HELD", 900)
    came_in, may_go = threading.Event(), threading.Event()

    def dawdling(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        said = reading(environ, start)
        if environ["CONTENT_LENGTH"] == "800":
            came_in.set()
            may_go.wait(NEVER)
        return said

    async def story() -> None:
        door = a_door(dawdling)
        long = asyncio.create_task(said(door, Line(b"x" * 800)))
        assert await asyncio.to_thread(came_in.wait, NEVER)
        assert await said(door, Line(b"y" * 101)) == b"too full"
        assert await said(door, Line(b"y" * 100)) == b"y" * 100 + b"|100"
        may_go.set()
        assert await long == b"x" * 800 + b"|800"
        assert await said(door, Line(b"y" * 101)) == b"y" * 101 + b"|101"

    run(story())


def test_giving_up_one_whose_time_is_up_already_hurts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "COMING", 1)

    async def story() -> None:
        door, slow = a_door(), Line(b"x", ends=False)
        leaving = asyncio.create_task(said(door, slow, content_length="900"))
        await slow.heard.wait()
        next(iter(door._coming)).patience.reschedule(0)
        await Turn()  # its time is up, and it has not heard of it
        assert await said(door, Line(b"quick")) == b"quick|5"
        assert await leaving == b"too slow"

    run(story())


def test_one_given_up_stays_so_even_if_a_piece_comes_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorman, "COMING", 1)

    class Waiting(Line):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"x"
            self.heard.set()
            await piece.wait()
            yield b"y"

    async def story() -> None:
        door, slow = a_door(), Waiting()
        task = asyncio.create_task(said(door, slow, content_length="900"))
        await slow.heard.wait()
        piece.set()
        assert await said(door, Line(b"quick")) == b"quick|5"
        assert await task == b"too slow"

    piece = asyncio.Event()
    run(story())


def test_as_many_are_inside_as_there_are_threads_and_no_more() -> None:
    inside, most, lock = 0, 0, threading.Lock()
    company = threading.Barrier(3)

    def counting(_: dict[str, Any], start: Any) -> list[bytes]:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        with suppress(threading.BrokenBarrierError):
            company.wait(0.5)
        with lock:
            inside -= 1
        start("200 OK", [])
        return [b""]

    async def story() -> None:
        door = a_door(counting, inside=2)
        await asyncio.gather(*(said(door, Line(b"x")) for _ in range(5)))

    run(story())
    assert most == 2


def failing(_: dict[str, Any], __: Any) -> list[bytes]:
    """An application with a mistake."""
    raise ValueError("what somebody wrote")


def silent(_: dict[str, Any], __: Any) -> list[bytes]:
    """An application that gives a body and no status."""
    return [b"what somebody wrote"]


@pytest.mark.parametrize("app", [failing, silent])
def test_a_mistake_of_the_application_is_told_without_its_words_and_like_others(app: Any) -> None:
    line, registry = Line(b"x"), CollectorRegistry()
    run(said(a_door(app, registry=registry), line))
    assert line.answer is not None
    status, headers, body = line.answer
    told, head = json.loads(body), dict(headers)
    assert (status, told["status"], told["code"]) == (500, 500, "internal")
    assert "somebody" not in body.decode()
    assert told["request_id"] == head["X-Request-Id"] != ""
    assert head["Access-Control-Allow-Origin"] == "*"
    assert registry.get_sample_value("answers_total", {"route": "doorman", "status": "500"}) == 1


def test_a_request_reads_the_same_in_the_words_of_wsgi() -> None:
    request = scope(path="/é", content_type="application/json", x_forwarded_for="1.2.3.4", transfer_encoding="chunked")
    request.client = "[2001:db8::1]:443"
    environ = environ_of(request, None, 3)
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/é"
    raw = SimpleNamespace(**{**vars(scope()), "query_string": "article=zürich"})
    assert environ_of(raw, None, None)["QUERY_STRING"].encode("latin-1").decode() == "article=zürich"
    assert (environ["REMOTE_ADDR"], environ["CONTENT_LENGTH"]) == ("2001:db8::1", "3")
    assert (environ["CONTENT_TYPE"], environ["HTTP_X_FORWARDED_FOR"]) == ("application/json", "1.2.3.4")
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_headers_that_came_twice_are_one_and_look_alikes_of_names_are_none() -> None:
    request = scope()
    request.headers = Pairs(
        ("cookie", "a=1; b=2"),
        ("cookie", "c=3"),
        ("x-forwarded-for", "1.1.1.1"),
        ("x-forwarded-for", "2.2.2.2"),
        ("x_forwarded_for", "6.6.6.6"),
        ("content_length", "0"),
    )
    environ = environ_of(request, None, None)
    assert environ["HTTP_COOKIE"] == "a=1; b=2; c=3"
    assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"
    assert not {"HTTP_CONTENT_LENGTH", "CONTENT_LENGTH"} & set(environ)
