"""The judges of this process: one set of engines, one judge for each policy that a site runs under.

Built once by `create_app` and by the worker. Knows the judgement's door and nothing of comments, requests or tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from moderation import Engine, EngineUnavailable, Judge, Span, load_policy, open_engine

KEPT = 256


class Judges:
    """Gives the judge for a site's policy. Sites that override nothing share one."""

    def __init__(
        self, policy_source: str, engines: Sequence[Engine], timeout: float, problems: Sequence[str] = ()
    ) -> None:
        self.problems = tuple(problems)
        self._source = policy_source
        self._engines = tuple(engines)
        self._timeout = timeout
        self._judges: dict[str, Judge] = {}
        self._lock = Lock()
        self.shipped = self.under("")

    def under(self, override: str) -> Judge:
        """The judge for the shipped policy with a site's overrides; raises `PolicyError` with all its problems."""
        judge = self._judges.get(override)
        if judge is None:
            judge = self.trial(override)
            with self._lock:
                if len(self._judges) >= KEPT:
                    self._judges.pop(next(iter(self._judges)))
                self._judges[override] = judge
        return judge

    def trial(self, override: str) -> Judge:
        """A judge for overrides that may never be kept: for previews and validation."""
        return Judge(load_policy(self._source, override or None), self._engines, timeout=self._timeout)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The engines that score in this process."""
        return self._engines


def open_judges(policy_source: str, engine: str, timeout: float) -> Judges:
    """Judges with the engine that the settings name.

    An engine that cannot be opened does not stop the service: every comment is then held for a person, `problems`
    says why, and readiness and the desk show it.
    """
    try:
        return Judges(policy_source, [open_engine(engine)], timeout)
    except EngineUnavailable as why:
        return Judges(policy_source, [AbsentEngine(engine, str(why))], timeout, [f"Engine {engine}: {why}"])


class AbsentEngine:
    """Stands where an engine could not be opened: scores nothing and says so, so that a person decides."""

    version = "absent"
    attributes: tuple[str, ...] = ()
    languages: frozenset[str] | None = None

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self._why = why

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Always raises: there is nothing to score with."""
        raise EngineUnavailable(self._why)

    def explain(self, text: str) -> dict[str, list[Span]]:
        """Nothing to explain."""
        return {}
