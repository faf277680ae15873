"""Engines: what gives a text scores. The protocol, and a registry that loads an engine when it is asked for.

An engine knows its model and nothing else: no thresholds, no outcomes. Only an engine's own file imports its model
library. To add one: a file here, a line in `ENGINES`, a parameter of the shared engine contract test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from moderation.model import Span
from moderation.policy import Policy


class Engine(Protocol):
    """What scores canonical texts. It folds them by itself, and gives spans of the canonical text.

    `attributes` are all that `score` gives, each a number from 0 to 1; `languages` those that the scores mean something
    in, or None for any. `score` covers each text in full, however long, or raises.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def attributes(self) -> tuple[str, ...]: ...

    @property
    def languages(self) -> frozenset[str] | None: ...

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One mapping of attributes to scores for each text, in their order."""

    def explain(self, text: str) -> Mapping[str, Sequence[Span]]:
        """By attribute, the stretches of the text that its score came from."""


class EngineUnavailable(Exception):
    """An engine that cannot be had here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """An engine's model made smaller: by how much a score moved at most, and how many times as fast it is now.

    Both were measured on the same texts, one by one, `before` and `after` in milliseconds a text.
    """

    spec: str
    megabytes: float
    texts: int
    difference: float
    tolerance: float
    before: float
    after: float

    @property
    def speedup(self) -> float:
        """How many times as fast the converted model is, on the machine that converted it."""
        return self.before / self.after


# Each module has `open_engine(argument, policy) -> Engine`; the argument is what stands behind the colon of a spec.
ENGINES = {
    "bundled": "moderation.engines.bundled",
    "detoxify": "moderation.engines.detoxify",
    "lexicon": "moderation.engines.lexicon",
    "spam": "moderation.engines.spam",
}

# Those whose module also has `convert_engine(argument, folder, tolerance, step) -> Conversion`.
CONVERTED = ("detoxify",)


def open_engine(spec: str, policy: Policy | None = None) -> Engine:
    """The engine of a spec such as `lexicon` or `detoxify:original`; raises `EngineUnavailable`.

    The policy is there for its word lists, by which the lexicon scores; an engine with a model of its own needs none.
    """
    family, _, argument = spec.partition(":")
    if family not in ENGINES:
        raise EngineUnavailable(f"There is no engine {family!r}; there are {', '.join(sorted(ENGINES))}.")
    engine: Engine = import_module(ENGINES[family]).open_engine(argument, policy)
    return engine


def convert_engine(spec: str, folder: Path, tolerance: float | None, step: Callable[[str], object]) -> Conversion:
    """Write an engine's model into a new folder in a form that needs less; raises `EngineUnavailable`.

    `step` is told what is being done, before it is done. Where a score would move by more than `tolerance` (the
    engine's own where None), nothing is written.
    """
    family, _, argument = spec.partition(":")
    if family not in CONVERTED:
        raise EngineUnavailable(
            f"There is nothing to convert in {spec!r}: only {', '.join(CONVERTED)} can be converted."
        )
    made: Conversion = import_module(ENGINES[family]).convert_engine(argument, folder, tolerance, step)
    return made
