"""A host site's webhook receiver: a real HTTP server on loopback that remembers what it got and answers as told.

    with Receiver() as receiver:
        receiver.answers.extend([Answer(503), Answer(200)])   # then 204, for ever
        ...
        first, second = receiver.wait_for(2)

It can be slow, say nothing, hang up in the middle, or send more than anyone asked for, because endpoints do.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHUNK = 65_536


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What the receiver does with one request."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: float = 0.0  # seconds of silence before the first byte
    hang_up: bool = False  # close the connection instead of answering
    drip: float = 0.0  # seconds between the single bytes of the body


class Receiver:
    """Serves from `with` to the end of it; every thread of its own ends there too."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: deque[Answer] = deque()
        self.otherwise = Answer()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)

    def __enter__(self) -> Receiver:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def host_port(self) -> str:
        """As the setting OUTBOUND_ALLOW wants it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where to send webhooks."""
        return f"http://{self.host_port}/hook"

    def wait_for(self, count: int, within: float = 10.0) -> list[Received]:
        """The first `count` requests; raises TimeoutError when they do not come in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= count, within):
                raise TimeoutError(f"{len(self.requests)} of {count} requests came within {within:g} s")
            return self.requests[:count]

    def note(self, request: Received) -> Answer:
        """Remember a request; returns how to answer it."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            return self.answers.popleft() if self.answers else self.otherwise

    def pause(self, seconds: float) -> None:
        """Be silent, but not past the receiver's own end."""
        if seconds:
            self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close() waits for the answers in flight
    block_on_close = True

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that a client goes away in mid-answer is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_POST(self) -> None:
        """Note the request and do as told."""
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver = self.server.receiver
        body = self.rfile.read(length)
        if len(body) < length:  # the sender was killed while it spoke: no request came whole
            self.close_connection = True
            return
        answer = receiver.note(Received(self.command, self.path, headers, body))
        receiver.pause(answer.after)
        self.close_connection = True
        if not answer.hang_up:
            self._answer(answer)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST  # noqa: N815 - the base class names them so

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        step = 1 if answer.drip else CHUNK
        for start in range(0, len(answer.body), step):
            self.wfile.write(answer.body[start : start + step])
            self.server.receiver.pause(answer.drip)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Keep test output clean."""
