"""The judges of this process: one set of engines, one judge for each policy that a site runs under.

The engine is opened when it is first asked for, once a process. Where it cannot be opened the service goes on, every
comment is held for a person, readiness and the desk say why, and opening it is tried again every so often, so that
mended files need no restart. Where a site's own policy cannot be used, the shipped one stands in and every comment of
that site is held, until the site has another. Knows the judgement's door and nothing of comments,
requests or tables.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import RLock

from config.settings import Settings
from moderation import Engine, EngineUnavailable, Judge, Policy, PolicyError, Span, open_engine, read_policy

KEPT = 256
RETRY_SECONDS = 15.0


class Judges:
    """Gives the judge for a site's policy. Sites that override nothing share one."""

    def __init__(
        self, read: Callable[[str | None], Policy], open_engines: Callable[[], Sequence[Engine]], timeout: float
    ) -> None:
        self._read = read
        self._open = open_engines
        self._timeout = timeout
        self._engines: tuple[Engine, ...] = ()
        self._judges: dict[str, tuple[Judge, tuple[str, ...]]] = {}
        self._retry_at = 0.0
        self._lock = RLock()

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The engines that score in this process. One that could not be opened is tried again when it is time."""
        with self._lock:
            if self._is_incomplete() and time.monotonic() >= self._retry_at:
                self._engines = tuple(self._open())
                self._judges.clear()
                self._retry_at = time.monotonic() + RETRY_SECONDS
            return self._engines

    def _is_incomplete(self) -> bool:
        return not self._engines or any(isinstance(engine, AbsentEngine) for engine in self._engines)

    @property
    def problems(self) -> list[str]:
        """Why scoring is degraded, in sentences for an operator; empty when all is well. Makes the judge ready."""
        self.under()
        return [engine.why for engine in self.engines if isinstance(engine, AbsentEngine)]

    def under(self, override: str = "") -> Judge:
        """The judge for the shipped policy with a site's overrides.

        For overrides that cannot be used it judges by the shipped policy and holds everything for a person. Raises
        `PolicyError` with all problems of the shipped policy itself.
        """
        return self._known(override)[0]

    def flaws(self, override: str) -> tuple[str, ...]:
        """What is wrong with a site's overrides, so that the shipped policy stands in; empty where they count."""
        return self._known(override)[1]

    def _known(self, override: str) -> tuple[Judge, tuple[str, ...]]:
        """The judge for some overrides and their flaws, kept for the next who asks."""
        with self._lock:
            engines = self.engines
            found = self._judges.get(override)
            if found is None:
                found = self._best(override, engines)
                if len(self._judges) >= KEPT:
                    self._judges.pop(next(iter(self._judges)))
                self._judges[override] = found
            return found

    def trial(self, override: str) -> Judge:
        """A judge for overrides that may never be kept: for previews and validation."""
        return self._judge(override, self.engines)

    def _best(self, override: str, engines: Sequence[Engine]) -> tuple[Judge, tuple[str, ...]]:
        try:
            return self._judge(override, engines), ()
        except PolicyError as wrong:
            if not override:
                raise
            stand_in = Judge(self._read(None), engines, timeout=self._timeout, standing_in=True)
            return stand_in, wrong.problems

    def _judge(self, override: str, engines: Sequence[Engine]) -> Judge:
        return Judge(self._read(override or None), engines, timeout=self._timeout)


def open_judges(settings: Settings) -> Judges:
    """Judges with the policy and the engine that the settings name."""

    def read(override: str | None) -> Policy:
        return read_policy(settings.policy_file, settings.wordlists, override)

    def engines() -> list[Engine]:
        policy = read(None)
        try:
            return [open_engine(settings.engine, policy)]
        except EngineUnavailable as why:
            return [AbsentEngine(settings.engine, f"Engine {settings.engine} cannot be opened: {why}")]
        except Exception as mistake:  # a model's library may fail in any way; that must not cost a single comment
            kind = type(mistake).__name__
            return [AbsentEngine(settings.engine, f"Engine {settings.engine} cannot be opened: {kind}: {mistake}")]

    return Judges(read, engines, settings.judge_timeout)


def try_policy(settings: Settings, override: str) -> Judge:
    """A judge without engines under overrides that come from elsewhere; raises `PolicyError` for what is no policy.

    Whether the engine that scores here gives what they set thresholds for is not asked: that is mended at the desk.
    """
    return Judge(read_policy(settings.policy_file, settings.wordlists, override), ())


class AbsentEngine:
    """Stands where an engine could not be opened: scores nothing and says so, so that a person decides."""

    version = "absent"
    attributes: tuple[str, ...] = ()
    languages: frozenset[str] | None = None

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self.why = why

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Always raises: there is nothing to score with."""
        raise EngineUnavailable(self.why)

    def explain(self, text: str) -> dict[str, list[Span]]:
        """Nothing to explain."""
        return {}
