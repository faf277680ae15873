"""`python -m benchmarks.perspective`: comments of 200 words through the Perspective-compatible endpoints.

An open load: calls leave at their times whether or not earlier ones were answered, and each is timed from when it
should have left, so that waiting in a line counts. Then a burst of forty, an overload, and a batch of a thousand parts.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import prepared, served, wait_for
from benchmarks.load import cpu_seconds, family
from config.settings import Settings
from service.db import Database
from service.identity import scoring_keys
from service.identity.scoring_keys import Terms

# fmt: off
WORDS = (
    "the", "bridge", "council", "bus", "morning", "money", "people", "think", "never", "always", "reader",
    "river", "school", "plan", "vote", "budget", "road", "child", "angry", "happy", "wrong", "right", "because",
    "nobody", "answered", "question", "town", "hall", "market", "street", "old", "new", "light", "winter",
    "summer", "ticket", "price", "work", "home", "garden", "paper", "letter", "editor", "facts", "numbers",
    "truth", "story", "city", "harbour", "mayor", "rent", "tax",
)
# fmt: on
PATIENCE = 10.0
CLIENTS = 96


@dataclass(frozen=True)
class Found:
    """What came of one load: answers by status, milliseconds at three percentiles of those that were scored."""

    name: str
    rate: float
    statuses: dict[int, int]
    p50: float
    p95: float
    p99: float
    refused_p99: float
    cpu_ms: float


def main() -> None:
    """Run all of it and print a table; `--json FILE` keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="bundled")
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second of the stated load")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each load lasts")
    parser.add_argument("--words", type=int, default=200, help="words of a comment")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firstword-bench-") as folder:
        settings, environment = prepared(Path(folder), options.engine)
        key = make_key(settings)
        with served(settings, environment, "wsgi:application") as process:
            wait_for(settings.port, "/readyz", 60)
            calls = Calls(settings.port, key, options.words, process.pid)
            calls.run("warm-up", 5, 5)
            loads = [
                calls.run(f"{options.rate:g} a second", options.rate, options.seconds),
                calls.burst(40),
                calls.run("four times that", 4 * options.rate, options.seconds),
                calls.run(f"{options.rate:g} a second again", options.rate, options.seconds),
            ]
            batch = calls.batch(1_000)
    show(Console(), settings, loads, batch)
    if options.json:
        options.json.write_text(json.dumps([vars(load) for load in loads], indent=1) + "\n", encoding="utf-8")


def make_key(settings: Settings) -> str:
    """A key that no quota stops."""
    database = Database(settings.database_url, pool_size=1)
    with database.write() as session:
        _, key = scoring_keys.create(session, "bench", "bench", Terms(per_minute=1_000_000), now=datetime.now(UTC))
    database.close()
    return key


class Calls:
    """A client of one service. Each of its threads keeps a connection."""

    def __init__(self, port: int, key: str, words: int, pid: int) -> None:
        self._port = port
        self._path = f"/v1alpha1/comments:analyze?key={key}"
        self._batch = f"/batch?key={key}"
        self._words = words
        self._pid = pid
        self._chance = random.Random(1)
        self._mine = threading.local()

    def body(self) -> bytes:
        """A request for a comment that was never sent before."""
        text = " ".join(self._chance.choices(WORDS, k=self._words))
        return json.dumps({"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}}).encode()

    def run(self, name: str, rate: float, seconds: float) -> Found:
        """A steady load, open: call n leaves at n / rate."""
        leaves = [number / rate for number in range(int(rate * seconds))]
        return self._measured(name, rate, leaves)

    def burst(self, count: int) -> Found:
        """So many at the same moment."""
        return self._measured(f"{count} at once", 0, [0.0] * count)

    def batch(self, parts: int) -> tuple[float, int]:
        """One batch: seconds, and how many parts were scored."""
        pieces = []
        for number in range(parts):
            head = f"--b\r\nContent-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n"
            inner = "POST /v1alpha1/comments:analyze HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
            pieces.append((head + inner).encode() + self.body() + b"\r\n")
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)
        began = time.perf_counter()
        headers = {"Content-Type": "multipart/mixed; boundary=b"}
        connection.request("POST", self._batch, b"".join(pieces) + b"--b--\r\n", headers)
        answer = connection.getresponse().read()
        return time.perf_counter() - began, answer.count(b"HTTP/1.1 200")

    def _measured(self, name: str, rate: float, leaves: list[float]) -> Found:
        bodies = [self.body() for _ in leaves]
        took: dict[int, list[float]] = {}
        lock = threading.Lock()
        before, began = cpu_seconds(family(self._pid)), time.perf_counter()

        def one(number: int) -> None:
            due = began + leaves[number]
            time.sleep(max(0.0, due - time.perf_counter()))
            status = self._ask(bodies[number])
            with lock:
                took.setdefault(status, []).append((time.perf_counter() - due) * 1000)

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(one, range(len(leaves))))
        used = cpu_seconds(family(self._pid)) - before
        return found(name, rate, took, used)

    def _ask(self, body: bytes) -> int:
        """The status of one answer; 0 where none came in time."""
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self._mine.connection = None
            return 0
        return int(answer.status)


def found(name: str, rate: float, took: dict[int, list[float]], used: float) -> Found:
    """The figures of a load."""
    scored = sorted(took.get(200, [0.0]))
    refused = sorted(took.get(429, [0.0]))
    return Found(
        name=name,
        rate=rate,
        statuses={status: len(times) for status, times in took.items()},
        p50=at(scored, 0.5),
        p95=at(scored, 0.95),
        p99=at(scored, 0.99),
        refused_p99=at(refused, 0.99),
        cpu_ms=used * 1000 / max(1, len(took.get(200, []))),
    )


def at(times: list[float], share: float) -> float:
    """The time that a share of all took at most."""
    return times[min(len(times) - 1, int(len(times) * share))]


def show(console: Console, settings: Settings, loads: list[Found], batch: tuple[float, int]) -> None:
    """The table."""
    names = ("load", "scored", "429", "other", "p50 ms", "p95", "p99", "p99 of 429s", "CPU ms")
    table = Table(*names, title=settings.engine)
    for load in loads:
        other = sum(count for status, count in load.statuses.items() if status not in (200, 429))
        counts = (load.statuses.get(200, 0), load.statuses.get(429, 0), other)
        figures = (load.p50, load.p95, load.p99, load.refused_p99, load.cpu_ms)
        table.add_row(load.name, *map(str, counts), *(f"{figure:.1f}" for figure in figures))
    console.print(table)
    console.print(f"a batch of 1,000 parts: {batch[0]:.1f} s, {batch[1]} scored")


if __name__ == "__main__":
    main()
