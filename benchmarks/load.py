"""A bounded load from several threads over kept connections, to loopback only; and what it cost the server."""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

Ask = Callable[[http.client.HTTPConnection, int], int]
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """One load: answers a second, milliseconds at three percentiles, the server's CPU milliseconds a request."""

    name: str
    requests: int
    rate: float
    cpu_ms: float
    p50: float
    p95: float
    p99: float
    refused: int


def measure(name: str, port: int, pids: list[int], ask: Ask, *, requests: int, threads: int) -> Measured:
    """Send `requests` requests from `threads` threads; an answer of 400 or more counts as refused."""
    mine, took, refused = threading.local(), [], []

    def one(number: int) -> None:
        connection = getattr(mine, "connection", None)
        if connection is None:
            connection = mine.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        began = time.perf_counter()
        status = ask(connection, number)
        took.append((time.perf_counter() - began) * 1000)
        if status >= 400:
            refused.append(status)

    before, began = cpu_seconds(pids), time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(requests)))
    wall, used = time.perf_counter() - began, cpu_seconds(pids) - before
    took.sort()
    at = [took[min(len(took) - 1, int(len(took) * q))] for q in (0.5, 0.95, 0.99)]
    return Measured(name, requests, requests / wall, used * 1000 / requests, *at, len(refused))


def cpu_seconds(pids: list[int]) -> float:
    """User and system seconds that some processes have used."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            found += family(int(child))
    return found


def resident_mib(pids: list[int]) -> float:
    """Memory that some processes hold, proportionally shared, in MiB."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024
