"""The readers of `replay`: each gets a token from an address of their own and posts over HTTP, several at a time."""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Outcome:
    """What came of one comment: its row, the answer's status, the codes of the reasons, milliseconds, its label."""

    row: int
    status: int
    codes: list[str] = field(default_factory=list)
    milliseconds: float = 0.0
    label: str = ""

    def as_json(self) -> dict[str, Any]:
        """One line of the output file; holds no text."""
        return {"row": self.row, "status": self.status, "codes": self.codes, "ms": round(self.milliseconds, 2),
                "label": self.label}  # fmt: skip


class Client:
    """Speaks to the service as many readers."""

    def __init__(self, host: str, port: int, site: str, origin: str) -> None:
        self._where = (host, port)
        self._site = site
        self._origin = origin
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()
        self._mine = threading.local()

    def post(self, number: int, row: dict[str, str]) -> Outcome:
        """Post one comment as its author."""
        author = row["author"]
        headers = {"Authorization": f"Bearer {self._token(author)}", "Idempotency-Key": f"replay-{number}"}
        key = hashlib.sha256(row["article"].encode()).hexdigest()[:16]
        article = {"key": key, "url": f"{self._origin}/{key}", "title": row["article"][:300]}
        body = {"site": self._site, "article": article, "text": row["text"]}
        began = time.perf_counter()
        status, answer = self._ask("POST", "/api/v1/comments", author, headers, body)
        took = (time.perf_counter() - began) * 1000
        codes = [reason["code"] for reason in answer.get("reasons", [])] or [answer.get("code", "")]
        return Outcome(number, status, codes if status != http.client.CREATED else [], took, row["label"])

    def _token(self, author: str) -> str:
        with self._lock:
            known = self._tokens.get(author)
        if known:
            return known
        for name in (author[:50], f"Reader {secrets.token_hex(4)}"):
            status, answer = self._ask("POST", "/api/v1/tokens", author, {}, {"site": self._site, "name": name})
            if status == http.client.CREATED:
                with self._lock:
                    return self._tokens.setdefault(author, str(answer["token"]))
        raise RuntimeError(f"no token for a reader: {status} {answer.get('code')}")

    def count_events(self, key: str) -> int:
        """How many events the site has, read to the end as a host would."""
        after, found = 0, 0
        while True:
            path = f"/api/v1/events?site={self._site}&after={after}&limit=100"
            _, page = self._ask("GET", path, "host", {"Authorization": f"Bearer {key}"}, None)
            events = page.get("events", [])
            if not events:
                return found
            found, after = found + len(events), events[-1]["seq"]

    def _ask(
        self, method: str, path: str, author: str, headers: dict[str, str], body: dict[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        connection: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = http.client.HTTPConnection(*self._where, timeout=60)
        sent = {"X-Forwarded-For": address_of(author), "Content-Type": "application/json", **headers}
        connection.request(method, path, json.dumps(body) if body is not None else None, sent)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")


def address_of(author: str) -> str:
    """An address in a documentation network for each author: 2001:db8 and 32 bits of their own."""
    digest = hashlib.sha256(author.encode()).hexdigest()
    return f"2001:db8:{digest[:4]}:{digest[4:8]}::1"


def post_all(client: Client, rows: list[dict[str, str]], clients: int, advance: Callable[[], None]) -> list[Outcome]:
    """Post every row, several at a time, in order of the outcomes' rows."""

    def one(numbered: tuple[int, dict[str, str]]) -> Outcome:
        outcome = client.post(*numbered)
        advance()
        return outcome

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, enumerate(rows)))
