"""`python -m benchmarks.deliveries`: how many webhooks real workers deliver, and what a dead endpoint costs the others.

A receiver on loopback, events stored beforehand, then workers started: the rate is from the first webhook to the last.
The CPU is the workers' own, so that it can be read on a machine that does other things besides.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.load import TICKS, resident_mib
from service import sites, webhooks
from service.db import Database
from service.migrations import upgrade
from service.outbound import Door
from service.webhooks import endpoints
from service.webhooks.endpoints import Wish
from tests.parts import Lair, shared_cluster
from tests.receiver import Answer, Receiver

SITE = "bench"
SECONDS = 300.0
PAYLOAD = {"comment": {"id": "0" * 24, "version": 1, "status": "approved"}, "article": {"key": "a", "count": 1}}


def main() -> None:
    """Measure each database with one worker and with three."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deliveries")
    parser.add_argument("--events", type=int, default=1_000)
    events = parser.parse_args().events
    lair = Lair.open()
    try:
        for kind in ("sqlite", "postgresql"):
            for workers in (1, 3):
                for dead in (0, 1):
                    print(measure(kind, workers, dead, events, lair), flush=True)
    finally:
        lair.close()


def measure(kind: str, workers: int, dead: int, events: int, lair: Lair) -> str:
    """One line: so many events to a good endpoint by so many workers, beside so many endpoints that never answer."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fw-bench-")))
        receiver, hanging = stack.enter_context(Receiver()), stack.enter_context(Receiver())
        hanging.otherwise = Answer(after=60)
        sqlite = f"sqlite:///{folder / 'bench.db'}"
        url = sqlite if kind == "sqlite" else shared_cluster(lair).create(f"bench_{secrets.token_hex(4)}")
        fill(url, [receiver, *[hanging] * dead], events)
        processes = [stack.enter_context(worker(url, folder, receiver, hanging)) for _ in range(workers)]
        receiver.wait_for(1, SECONDS)
        began = time.perf_counter()
        receiver.wait_for(events, SECONDS)
        took = time.perf_counter() - began
        cpu = sum(cpu_seconds(process.pid) for process in processes)
        memory = max(resident_mib([process.pid]) for process in processes)
        ids = {request.headers["webhook-id"] for request in receiver.requests}
    return (
        f"{kind:10} {workers} workers, {dead} dead endpoints: {events / took:6.0f} webhooks a second, "
        f"{cpu / events * 1000:5.2f} ms CPU each (start included), {memory:.0f} MiB, {len(ids)} ids"
    )


def fill(url: str, receivers: list[Receiver], events: int) -> None:
    """A migrated database with endpoints and events that are due."""
    upgrade(url)
    db, now = Database(url, pool_size=2), datetime.now(UTC)
    sites.add_site(db, SITE, "Bench", ["https://bench.example"], now=now)
    for receiver in receivers:
        door = Door(allow=frozenset({("127.0.0.1", receiver.port)}), require_https=False)
        endpoints.register(db, SITE, Wish(receiver.url), door, now=now)
    with db.write() as session:
        for _ in range(events):
            webhooks.emit(session, SITE, "comment.approved", PAYLOAD, now=now)
    db.close()


@contextmanager
def worker(url: str, folder: Path, *receivers: Receiver) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker process."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "SIGNING_KEYS": secrets.token_hex(32),
        "DEVELOPMENT": "1",
        "OUTBOUND_ALLOW": " ".join(receiver.host_port for receiver in receivers),
        "LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen([sys.executable, "-m", "service.cli", "worker"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
