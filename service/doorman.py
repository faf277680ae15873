"""The doorman: a request is let in when all of its body is here. Slow bodies are waited for outside.

A server of threads gives a thread to a request before its body has come, so that a few clients who send a byte a minute
stop the house. So granian speaks to the doorman (RSGI), who waits for bodies in an event loop where waiting costs
nothing, and hands whole requests to the WSGI application on as many threads as the service has. A body has some seconds
and a least pace; only so many may be on their way at once, and when one more comes, the one that has been coming for
longest is given up. Of one that is too long, the rest is let go by for a moment, because who is cut off while sending
often never sees the answer that says why. A body counts until its answer is out: while those inside hold all that may
be held, others are told to come again. Answers are handed to the server whole, so that a slow reader holds no thread
either.

Knows no routes: what did not come raises where it is read, and Flask tells it like the rest. Only the mistakes that
nobody inside caught are told here.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from prometheus_client import Counter
from structlog.contextvars import clear_contextvars, get_contextvars
from werkzeug.exceptions import RequestTimeout

from service.errors import Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

COMING: Final = 256  # bodies that may be on their way at once
HELD: Final = 128 * 1024 * 1024  # bytes of bodies, on their way and inside, all together
SECONDS: Final = 10.0  # that any body may take
PACE: Final = 100_000  # bytes a second that earn a long one more time
PASSING: Final = 4 * 1024 * 1024  # bytes, and seconds, for which a body that is too long is let go by
PASSING_SECONDS: Final = 2.0
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MISTAKE: Final = {
    "type": "https://firstword.example/problems/internal",
    "title": "We made a mistake",
    "status": 500,
    "detail": "The mistake is ours. It was noted under the request id.",
    "code": "internal",
}

EVERYWHERE: Final = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


class Scope(Protocol):
    """What granian says of a request (RSGI)."""

    method: str
    path: str
    query_string: str
    http_version: str
    scheme: str
    server: str
    client: str
    headers: Any


class Line(Protocol):
    """The line to a client (RSGI): gives the body in pieces, takes one answer."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


@dataclass(eq=False)
class Body:
    """A body on its way, and how long it is waited for. `refusal` says why it was given up, where it was."""

    patience: asyncio.Timeout
    since: float
    held: int = 0
    passed: int = 0
    chunks: list[bytes] = field(default_factory=list)
    refusal: Exception | None = None

    def take(self, chunk: bytes) -> None:
        """Another piece, which earns more time."""
        self.chunks.append(chunk)
        self.held += len(chunk)
        self.patience.reschedule(self.since + SECONDS + self.held / PACE)

    def give_up(self, refusal: Exception, now: float) -> None:
        """Wait no longer and keep nothing, even if another piece is here before its request has heard of it."""
        self.refusal = refusal
        self.chunks.clear()
        with suppress(RuntimeError):  # its time was up already, and it is leaving by itself
            self.patience.reschedule(now)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the application reads a body from, the length it is told, and how many bytes are held for it."""

    stream: Any
    length: int | None
    held: int = 0


class Doorman:
    """Takes requests in for a WSGI application that answers at most `inside` of them at once.

    `limit` is how many bytes of a body are taken in; `wider` gives another number for a path, or for all that begin
    with one that ends in a slash. A longer body is passed on cut off behind the limit, for the application to refuse by
    its length. `answers` counts, by route and status, the mistakes that the application did not catch.
    """

    def __init__(
        self, app: WSGIApplication, inside: int, limit: int, wider: Mapping[str, int], answers: Counter
    ) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(inside, thread_name_prefix="request")
        self._limit = limit
        self._wider = wider
        self._answers = answers
        self._coming: dict[Body, None] = {}  # in the order of their arrival
        self._inside = 0  # bytes that came in whole, for requests that are not answered yet

    async def __call__(self, scope: Scope, line: Line) -> None:
        """Wait for the body, then for a thread; the application's answer goes out in one piece."""
        taken = await self._take_in(scope, line) if scope.method in WITH_BODY else Taken(BytesIO(), None)
        self._inside += taken.held
        try:
            loop = asyncio.get_running_loop()
            told = await loop.run_in_executor(self._threads, answer, self._app, scope, taken, self._answers)
            line.response_bytes(*told)
        finally:
            self._inside -= taken.held

    async def _take_in(self, scope: Scope, line: Line) -> Taken:
        """Something to read the body from, and its length where that is known."""
        limit = self._limit_of(scope.path)
        declared = _number(scope.headers.get("content-length"))
        if declared is not None and not 0 < declared <= limit:
            if declared > limit and scope.headers.get("expect") is None:
                await self._wait_for(line, 0, PASSING_SECONDS)
            return Taken(BytesIO(), declared)
        content = await self._wait_for(line, limit)
        if isinstance(content, Exception):
            return Taken(Absent(content), declared or 1)
        return Taken(BytesIO(content), len(content) if declared is None else declared, len(content))

    def _limit_of(self, path: str) -> int:
        for wide, most in self._wider.items():
            if path == wide or (wide.endswith("/") and path.startswith(wide)):
                return most
        return self._limit

    async def _wait_for(self, line: Line, limit: int, seconds: float = SECONDS) -> bytes | Exception:
        """All of a body, or as much of it as shows that it is too long; or why it was given up."""
        now = asyncio.get_running_loop().time()
        patience = asyncio.timeout_at(now + seconds)
        body = Body(patience, now)
        try:
            async with patience:
                self._coming[body] = None
                self._make_room(now)
                async for chunk in line:
                    if body.refusal is None:
                        self._hear(body, chunk, limit)
                    if body.refusal is not None or body.passed > PASSING:
                        break
        except TimeoutError:
            if body.held <= limit:
                return body.refusal or _too_slow()
        finally:
            self._coming.pop(body, None)
        return body.refusal or b"".join(body.chunks)

    def _hear(self, body: Body, chunk: bytes, limit: int) -> None:
        """A piece came: it is kept up to the first that exceeds the limit, and what follows that one goes by."""
        now = asyncio.get_running_loop().time()
        if body.held > limit:
            body.passed += len(chunk)
            return
        body.take(chunk)
        if body.held > limit:
            body.patience.reschedule(now + PASSING_SECONDS)
        self._make_room(now)

    def _make_room(self, now: float) -> None:
        """Give up who has been coming for longest, or holds most, while there are too many or they hold too much."""
        while len(self._coming) > COMING:
            self._give_up(next(iter(self._coming)), _too_slow(), now)
        while self._coming and self._inside + sum(body.held for body in self._coming) > HELD:
            self._give_up(max(self._coming, key=lambda body: body.held), _too_full(), now)

    def _give_up(self, body: Body, refusal: Exception, now: float) -> None:
        del self._coming[body]
        body.give_up(refusal, now)


class Absent:
    """Stands where a body should be that was given up."""

    def __init__(self, refusal: Exception) -> None:
        self._refusal = refusal

    def read(self, *_: Any) -> bytes:
        """Refuse, and say why."""
        raise self._refusal

    readline = readinto = read


def _too_slow() -> RequestTimeout:
    return RequestTimeout("The body came too slowly. Send it again in one go.")


def _too_full() -> Unavailable:
    return Unavailable("We are reading as much as we can. Send it again in a moment.")


def answer(
    app: WSGIApplication, scope: Scope, taken: Taken, answers: Counter
) -> tuple[int, list[tuple[str, str]], bytes]:
    """What a WSGI application answers: status, headers and the whole body. A mistake is told without its words."""
    told: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
        told[:] = [int(status[:3]), headers]
        return lambda _: None

    clear_contextvars()
    try:
        body = _joined(app(environ_of(scope, taken.stream, taken.length), start))
        return told[0], told[1], body
    except Exception as mistake:
        answers.labels("doorman", "500").inc()
        return _apology(mistake)


def _apology(mistake: Exception) -> tuple[int, list[tuple[str, str]], bytes]:
    """A mistake that nobody inside caught, told as the rest are: under the request id, and readable on any page."""
    request_id = get_contextvars().get("request_id") or secrets.token_hex(8)
    structlog.get_logger().error("mistake", kind=type(mistake).__name__, where="doorman", request_id=request_id)
    headers = {
        "Content-Type": "application/problem+json",
        "X-Request-Id": request_id,
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
    }
    return 500, list(headers.items()), json.dumps({**MISTAKE, "request_id": request_id}).encode()


def _joined(pieces: Iterable[bytes]) -> bytes:
    try:
        return b"".join(pieces)
    finally:
        if hasattr(pieces, "close"):
            pieces.close()


def environ_of(scope: Scope, given: Any, length: int | None) -> WSGIEnvironment:
    """A request in the words of WSGI. A header that came twice is one, joined as HTTP joins it.

    A name with an underscore is dropped, as proxies do: `X_Forwarded_For` would be read as `X-Forwarded-For`, which a
    configured proxy overwrites and its look-alike not.
    """
    name, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        **EVERYWHERE,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": _as_wsgi(scope.path),
        "QUERY_STRING": _as_wsgi(scope.query_string),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": given,
    }
    for header, value in scope.headers.items():
        if "_" in header:
            continue
        key = "HTTP_" + header.upper().replace("-", "_")
        comma = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{comma}{value}" if key in environ else value
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("HTTP_CONTENT_LENGTH", None)
    if "HTTP_CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE")
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return environ


def _as_wsgi(text: str) -> str:
    """A text as WSGI hands it on: each of its bytes is a letter."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else None
