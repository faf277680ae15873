"""A real HTTP receiver for `replay`: counts the distinct webhooks that arrive, by their `webhook-id`."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class Receiver:
    """Listens on a free port of this machine for as long as a `with` block lasts."""

    def __init__(self) -> None:
        seen: set[str] = set()

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                seen.add(self.headers.get("webhook-id", ""))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._seen = seen
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def count(self) -> int:
        """How many distinct events have arrived."""
        return len(self._seen)

    def wait_for(self, events: int, *, seconds: float) -> None:
        """Wait until so many have arrived, or the time is over."""
        ends = time.monotonic() + seconds
        while self.count < events and time.monotonic() < ends:
            time.sleep(0.1)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
