"""Engines: what gives a text scores. The protocol, and a registry that loads an engine when it is asked for.

An engine knows its model and nothing else: no thresholds, no outcomes. Only an engine's own file imports its model
library. To add one: a file here, a line in `ENGINES`, a parameter of the shared engine contract test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
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


# Each module has `open_engine(argument, policy) -> Engine`; the argument is what stands behind the colon of a spec.
ENGINES = {
    "bundled": "moderation.engines.bundled",
    "detoxify": "moderation.engines.detoxify",
    "lexicon": "moderation.engines.lexicon",
    "spam": "moderation.engines.spam",
}


def open_engine(spec: str, policy: Policy | None = None) -> Engine:
    """The engine of a spec such as `lexicon` or `detoxify:original`; raises `EngineUnavailable`.

    The policy is there for its word lists, by which the lexicon scores; an engine with a model of its own needs none.
    """
    family, _, argument = spec.partition(":")
    if family not in ENGINES:
        raise EngineUnavailable(f"There is no engine {family!r}; there are {', '.join(sorted(ENGINES))}.")
    engine: Engine = import_module(ENGINES[family]).open_engine(argument, policy)
    return engine
