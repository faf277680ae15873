"""The background: webhook deliveries, several at once, and the chores that keep tables small.

`run` claims by lease and keeps nothing in memory that would be missed: a worker may be killed at any moment, and
several may run beside each other. It must not decide about comments; what is due is a query, and how it is done is
another room's business.
"""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from config.settings import Settings
from service.db import Database
from service.errors import Unavailable
from service.housekeeping import CHORES, Chore
from service.webhooks import deliveries, sending

TICK: Final = 0.5  # seconds between two looks at the table, when nothing is known to be due sooner
SHORTEST: Final = 0.02

log = structlog.get_logger("firstword.worker")

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def run(
    db: Database,
    settings: Settings,
    stop: threading.Event,
    *,
    clock: Clock = utc_now,
    chores: tuple[Chore, ...] = CHORES,
) -> None:
    """Work until `stop` is set; what is in flight then is finished first."""
    log.info("worker.started", at_once=settings.deliveries_at_once)
    with (
        ThreadPoolExecutor(settings.deliveries_at_once, thread_name_prefix="delivery") as posts,
        ThreadPoolExecutor(1, thread_name_prefix="chore") as broom,
    ):
        postman = Postman(db, settings, posts, clock)
        rota = Rota(db, chores, broom, clock)
        while not stop.is_set():
            pause = TICK
            with _surviving("worker.round_failed"):
                rota.start_due()
                pause = postman.round()
            postman.wait(pause, stop)
    log.info("worker.stopped")


@contextmanager
def _surviving(what: str) -> Iterator[None]:
    """Keep the worker alive over a database that is away and over a bad row; the log says what and where, no values."""
    try:
        yield
    except Unavailable as away:
        log.warning(what, problem=away.detail)
    except Exception as error:
        log.error(what, error=type(error).__name__, at=_place(error))


def _place(error: Exception) -> str:
    """Where it went wrong. A traceback's messages could quote a row, and with it somebody's words."""
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-4:])


@dataclass
class Postman:
    """Claims what is due and has it sent, at most as many at once as there are threads."""

    db: Database
    settings: Settings
    posts: ThreadPoolExecutor
    clock: Clock
    flying: dict[Future[None], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.door = sending.open_door(self.settings)
        self.rng = random.Random()  # noqa: S311 - spreads retries in time, guards nothing

    def round(self) -> float:
        """Start what is due and may start; returns for how many seconds nothing else is known to become due."""
        self.flying = {future: slow for future, slow in self.flying.items() if not future.done()}
        free = self.settings.deliveries_at_once - len(self.flying)
        soonest = deliveries.next_due(self.db) if free else None
        if soonest is None:
            return TICK
        ahead = (soonest - self.clock()).total_seconds()
        if ahead > 0:
            return min(ahead, TICK)
        return SHORTEST if self._start(free) else TICK

    def _start(self, free: int) -> int:
        """Claim and hand out; slow endpoints get half of the threads at most."""
        slow_free = max(1, self.settings.deliveries_at_once // 2) - sum(self.flying.values())
        claimed = deliveries.claim_due(
            self.db, self.clock(), free, self.settings.delivery_lease, slow_limit=max(0, slow_free)
        )
        for due in claimed:
            self.flying[self.posts.submit(self._send, due)] = due.slow
        return len(claimed)

    def _send(self, due: deliveries.Due) -> None:
        with _surviving("delivery.failed"):
            answer = sending.deliver(self.db, self.door, due, self.clock, self.rng)
            log.info(
                "delivery.attempted",
                delivery=due.delivery_id,
                endpoint=due.endpoint_id,
                attempt=due.attempt,
                status=answer.status,
                error=answer.error,
                ms=answer.latency_ms,
            )

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Until a delivery is through, `stop` is set, or the time is over."""
        if self.flying:
            wait(self.flying, seconds, FIRST_COMPLETED)
        else:
            stop.wait(seconds)


@dataclass
class Rota:
    """Starts each chore when its time has come, one after the other, beside the deliveries."""

    db: Database
    chores: tuple[Chore, ...]
    broom: ThreadPoolExecutor
    clock: Clock
    next_at: dict[str, datetime] = field(default_factory=dict)

    def start_due(self) -> None:
        """Hand every chore whose time has come to the broom."""
        now = self.clock()
        for chore in self.chores:
            if self.next_at.get(chore.name, now) <= now:
                self.next_at[chore.name] = now + chore.every + timedelta(seconds=1)
                self.broom.submit(self._do, chore)

    def _do(self, chore: Chore) -> None:
        with _surviving(f"chore.{chore.name}.failed"):
            touched = chore.run(self.db, self.clock())
            if touched:
                log.info("chore.done", chore=chore.name, rows=touched)
