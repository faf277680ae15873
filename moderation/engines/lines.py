"""A line of waiting texts before an engine: a few threads that work for it, and no more than those.

An engine that hangs costs its own threads only; when all of them hang, whoever asks is told so at once. Threads go when
there is nothing to do, so that a judge that nobody uses leaves nothing behind.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from moderation.engines import Engine

IDLE = 10.0
Work = Callable[[Engine], Any]
Order = tuple[Future[Any], Work]


class Line:
    """One engine and the threads that ask it."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self.engine = engine
        self._most = threads
        self._waiting: deque[Order] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._working = 0
        self._hanging = 0

    def ask(self, work: Work) -> Future[Any] | None:
        """Let a thread do some work with the engine; None at once where all of them hang."""
        future: Future[Any] = Future()
        with self._changed:
            if self._hanging >= self._most:
                return None
            self._waiting.append((future, work))
            self._changed.notify()
            if len(self._waiting) > self._threads - self._working and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._work, name=f"engine {self.engine.name}", daemon=True).start()
        return future

    def wait(self, future: Future[Any] | None, deadline: float) -> Any:
        """What the work gave by a time of the monotonic clock, or the exception that it came to."""
        if future is None:
            return TimeoutError("every thread of this engine hangs")
        wait([future], max(0.0, deadline - time.monotonic()))
        if future.cancel():
            return TimeoutError("the engine is too busy")
        if not future.done():
            return self._give_up(future)
        return future.exception() or future.result()

    def _give_up(self, future: Future[Any]) -> TimeoutError:
        with self._changed:
            self._hanging += 1
        future.add_done_callback(self._came_back)
        return TimeoutError("the engine is late")

    def _came_back(self, _: Future[Any]) -> None:
        with self._changed:
            self._hanging -= 1

    def _work(self) -> None:
        while order := self._next():
            future, work = order
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work(self.engine))
                except BaseException as failure:
                    future.set_exception(failure)
            with self._changed:
                self._working -= 1

    def _next(self) -> Order | None:
        """The next order, or None when none came for a while and the thread may go."""
        with self._changed:
            while not self._waiting:
                if not self._changed.wait(IDLE) and not self._waiting:
                    self._threads -= 1
                    return None
            self._working += 1
            return self._waiting.popleft()
