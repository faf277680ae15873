"""Rendered threads as bytes, answered before Flask.

Made once per version of an article and its site: plain, gzip and brotli, with an ETag. A version check on the database,
not a guess about staleness, decides whether they still hold; with the entries' number bounded, the oldest unused goes
first. What Flask answers (errors included) passes through untouched.
"""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import brotli
from prometheus_client import Counter

from service.comments import thread_version
from service.db import Database
from service.errors import Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/api/v1/comments"
ENTRIES = 1_000
MAX_ENTRY = 1_000_000
MAX_BYTES = 64_000_000  # of all of them: whoever adds to a query what means nothing makes an entry of it
MARK = "firstword.thread"
HEADERS = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "public, no-cache"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Location, Retry-After, RateLimit, RateLimit-Policy"),
    ("Vary", "Accept-Encoding"),
    ("X-Content-Type-Options", "nosniff"),
]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One page of a thread, in every coding, and the version that it shows."""

    site_id: str
    key: str
    version: str
    etag: str
    bodies: dict[str, bytes]

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return sum(map(len, self.bodies.values()))


class Front:
    """WSGI middleware that answers threads it has rendered already."""

    def __init__(self, app: WSGIApplication, database: Database, answers: Counter) -> None:
        self._app = app
        self._database = database
        self._answers = answers
        self._kept: OrderedDict[str, Rendered] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from what is kept where it still holds; else let Flask answer and keep what it rendered."""
        if environ.get("PATH_INFO") != PATH or environ.get("REQUEST_METHOD") != "GET":
            return self._app(environ, start_response)
        query = environ.get("QUERY_STRING", "")
        rendered = self._still_true(query)
        if rendered is not None:
            return self._answer(rendered, environ, start_response)
        return self._render(query, environ, start_response)

    def _still_true(self, query: str) -> Rendered | None:
        with self._lock:
            rendered = self._kept.get(query)
            if rendered is not None:
                self._kept.move_to_end(query)
        if rendered is None:
            return None
        try:
            version = thread_version(self._database, rendered.site_id, rendered.key)
        except Unavailable:
            return None
        return rendered if version == rendered.version else None

    def _answer(self, rendered: Rendered, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [*HEADERS, ("ETag", rendered.etag)]
        known = {tag.strip().removeprefix("W/") for tag in environ.get("HTTP_IF_NONE_MATCH", "").split(",")}
        if rendered.etag.removeprefix("W/") in known:
            self._answers.labels("thread, kept", "304").inc()
            start_response("304 Not Modified", headers)
            return []
        self._answers.labels("thread, kept", "200").inc()
        coding = _coding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        body = rendered.bodies[coding]
        if coding:
            headers.append(("Content-Encoding", coding))
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _render(self, query: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        told: list[Any] = []

        def listen(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            told[:] = [status, headers, exc_info]
            return lambda _: None

        answer = self._app(environ, listen)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        mark: tuple[str, str, str] | None = environ.get(MARK)
        status, headers, exc_info = told
        if mark is None or not status.startswith("200") or len(body) > MAX_ENTRY:
            start_response(status, headers, exc_info)
            return [body]
        rendered = self._keep(query, mark, body)
        return self._answer(rendered, environ, start_response)

    def _keep(self, query: str, mark: tuple[str, str, str], body: bytes) -> Rendered:
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
        bodies = {"": body, "gzip": gzip.compress(body, 6, mtime=0), "br": brotli.compress(body, quality=5)}
        rendered = Rendered(*mark, etag, bodies)
        with self._lock:
            self._forget(query)
            self._kept[query] = rendered
            self._bytes += rendered.size
            while len(self._kept) > ENTRIES or self._bytes > MAX_BYTES:
                self._forget(next(iter(self._kept)))
        return rendered

    def _forget(self, query: str) -> None:
        gone = self._kept.pop(query, None)
        self._bytes -= gone.size if gone else 0


def _coding(accepted: str) -> str:
    """The best coding a client takes; one that it refuses with q=0 is not taken."""
    offered = {}
    for part in accepted.lower().split(","):
        name, _, quality = part.strip().partition(";")
        offered[name.strip()] = quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return next((coding for coding in ("br", "gzip") if offered.get(coding)), "")
