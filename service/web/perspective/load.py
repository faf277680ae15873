"""Shedding: when calls come faster than they can be answered, some are refused at once, so that the others are in time.

The server hands a request to one of a fixed number of threads and lets the others wait where nobody sees them. While
every thread is busy, calls pile up there: if that lasts longer than a client's patience, whoever waits would only be
answered after having gone. So it is taken for overload, and calls are refused, which takes next to no time, until a
thread has been idle again for a moment. A burst of forty that is done in less than that is answered in full.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

PATIENCE = 0.5
MOMENT = 0.1


class Load:
    """How many of the process's threads are busy, and since when all of them are. Times in seconds."""

    def __init__(self, threads: int, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._patience = patience
        self._clock = clock
        self._lock = Lock()
        self._busy = 0
        self._full_since: float | None = None
        self._idle_since = clock()

    def enter(self) -> None:
        """A thread takes up a request."""
        with self._lock:
            self._busy += 1
            if self._busy != self._threads:
                return
            now = self._clock()
            if self._full_since is None or now - self._idle_since > MOMENT:
                self._full_since = now

    def leave(self) -> None:
        """A thread is done with a request; whether it stays idle, the next one to enter will know."""
        with self._lock:
            if self._busy == self._threads:
                self._idle_since = self._clock()
            self._busy -= 1

    @property
    def is_too_high(self) -> bool:
        """Whether every thread has been busy for longer than anybody is ready to wait."""
        with self._lock:
            if self._full_since is None or self._busy < self._threads:
                return False
            return self._clock() - self._full_since > self._patience
