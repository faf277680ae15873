"""The doorman: a request is let in when all of its body is here. Slow bodies are waited for outside.

A server of threads gives a thread to a request before its body has come, so that a few clients who send a byte a minute
stop the house. So granian speaks to the doorman (RSGI), who waits for bodies in an event loop where waiting costs
nothing, and hands whole requests to the WSGI application on as many threads as the service has. A body has some seconds
and a least pace; only so many may be on their way at once, and when one more comes, the one that has been coming for
longest is given up. Answers are handed to the server whole, so that a slow reader holds no thread either.

Knows neither routes nor problems: what came too slowly raises where it is read, and Flask tells it like the rest.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog
from werkzeug.exceptions import RequestTimeout

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

COMING: Final = 256  # bodies that may be on their way at once
HELD: Final = 128 * 1024 * 1024  # bytes of them, all together
SECONDS: Final = 10.0  # that any body may take
PACE: Final = 100_000  # bytes a second that earn a long one more time
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MISTAKE: Final = b'{"type": "about:blank", "title": "We made a mistake", "status": 500, "code": "internal"}'

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
    """A body on its way, and how long it is waited for."""

    patience: asyncio.Timeout
    since: float
    held: int = 0
    chunks: list[bytes] = field(default_factory=list)

    def take(self, chunk: bytes) -> None:
        """Another piece, which earns more time."""
        self.chunks.append(chunk)
        self.held += len(chunk)
        self.patience.reschedule(self.since + SECONDS + self.held / PACE)

    def give_up(self, now: float) -> None:
        """Wait no longer."""
        self.patience.reschedule(now)


class Doorman:
    """Takes requests in for a WSGI application that answers at most `inside` of them at once.

    `limit` is how many bytes of a body are taken in; `wider` gives another number for paths that begin so. A longer
    body is passed on cut off behind the limit, for the application to refuse by its length.
    """

    def __init__(self, app: WSGIApplication, inside: int, limit: int, wider: Mapping[str, int]) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(inside, thread_name_prefix="request")
        self._limit = limit
        self._wider = wider
        self._coming: dict[Body, None] = {}  # in the order of their arrival

    async def __call__(self, scope: Scope, line: Line) -> None:
        """Wait for the body, then for a thread; the application's answer goes out in one piece."""
        given, length = await self._take_in(scope, line) if scope.method in WITH_BODY else (BytesIO(), None)
        loop = asyncio.get_running_loop()
        line.response_bytes(*await loop.run_in_executor(self._threads, answer, self._app, scope, given, length))

    async def _take_in(self, scope: Scope, line: Line) -> tuple[Any, int | None]:
        """Something to read the body from, and its length where that is known."""
        limit = next((most for path, most in self._wider.items() if scope.path.startswith(path)), self._limit)
        declared = _number(scope.headers.get("content-length"))
        if declared is not None and not 0 < declared <= limit:
            return BytesIO(), declared
        content = await self._wait_for(line, limit)
        if content is None:
            return Late(), declared or 1
        return BytesIO(content), len(content) if declared is None else declared

    async def _wait_for(self, line: Line, limit: int) -> bytes | None:
        """All of a body, or as much of it as shows that it is too long; None when it was given up."""
        now = asyncio.get_running_loop().time()
        patience = asyncio.timeout_at(now + SECONDS)
        body = Body(patience, now)
        try:
            async with patience:
                self._coming[body] = None
                self._make_room(now)
                async for chunk in line:
                    body.take(chunk)
                    self._make_room(asyncio.get_running_loop().time())
                    if body.held > limit:
                        break
        except TimeoutError:
            return None
        finally:
            self._coming.pop(body, None)
        return b"".join(body.chunks)

    def _make_room(self, now: float) -> None:
        """Give up who has been coming for longest, or holds most, while there are too many or they hold too much."""
        while len(self._coming) > COMING:
            self._give_up(next(iter(self._coming)), now)
        while self._coming and sum(body.held for body in self._coming) > HELD:
            self._give_up(max(self._coming, key=lambda body: body.held), now)

    def _give_up(self, body: Body, now: float) -> None:
        del self._coming[body]
        body.give_up(now)


class Late:
    """Stands where a body should be that did not come in time."""

    def read(self, *_: Any) -> bytes:
        """Refuse, in the words of HTTP."""
        raise RequestTimeout("The body came too slowly. Send it again in one go.")

    readline = readinto = read


def answer(
    app: WSGIApplication, scope: Scope, given: Any, length: int | None
) -> tuple[int, list[tuple[str, str]], bytes]:
    """What a WSGI application answers: status, headers and the whole body. A mistake is told without its words."""
    told: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
        told[:] = [int(status[:3]), headers]
        return lambda _: None

    try:
        pieces = app(environ_of(scope, given, length), start)
        body = _joined(pieces)
    except Exception as mistake:
        structlog.get_logger().error("mistake", kind=type(mistake).__name__, where="doorman")
        return 500, [("Content-Type", "application/problem+json")], MISTAKE
    return told[0], told[1], body


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
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
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


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else None
