"""Scores for those who ask for numbers: which attributes are live here, by which engine, and a bounded way to them.

Attributes carry the names that Perspective gave them. One that no installed engine scores does not exist: no number is
ever invented. This room decides nothing about a comment, stores nothing and knows no HTTP.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Event, Lock

import moderation
from moderation import Engine

CHUNK = 4
SPAM = "spam"

# What an engine's attribute answers to. Perspective's experimental names are the same heads to us.
NAMES: dict[str, tuple[str, ...]] = {
    "toxicity": ("TOXICITY", "TOXICITY_EXPERIMENTAL", "TOXICITY_FAST"),
    "severe_toxicity": ("SEVERE_TOXICITY", "SEVERE_TOXICITY_EXPERIMENTAL"),
    "identity_attack": ("IDENTITY_ATTACK", "IDENTITY_ATTACK_EXPERIMENTAL"),
    "insult": ("INSULT", "INSULT_EXPERIMENTAL"),
    "obscene": ("PROFANITY", "PROFANITY_EXPERIMENTAL", "OBSCENE"),
    "threat": ("THREAT", "THREAT_EXPERIMENTAL"),
    "sexual_explicit": ("SEXUALLY_EXPLICIT", "SEXUALLY_EXPLICIT_EXPERIMENTAL"),
    "spam": ("SPAM",),
}

Scores = Mapping[str, float]


class ScoringFailed(Exception):
    """An engine raised, or gave what is no probability. The message names the engine, never the text."""


class Busy(Exception):
    """The engines were not free in the time that the caller would wait."""


class Turns:
    """So many at a time, the others in the order in which they came.

    A lock of the library lets whoever gives back take again before those who wait: a long list would keep everybody
    out. Here a turn that is given back goes straight to the first in line.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._line: deque[Event] = deque()
        self._lock = Lock()

    def take(self, patience: float) -> bool:
        """Wait for a turn; False when none came within `patience` seconds."""
        turn = Event()
        with self._lock:
            if self._free and not self._line:
                self._free -= 1
                return True
            self._line.append(turn)
        if turn.wait(patience):
            return True
        with self._lock:
            if turn.is_set():  # it came at the last moment
                return True
            self._line.remove(turn)
            return False

    def give_back(self) -> None:
        """End a turn."""
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name that can be asked for: which engine scores it, under which attribute of its own."""

    name: str
    engine: Engine
    head: str

    def knows(self, language: str) -> bool:
        """Whether the score means something in a language, given as a BCP 47 tag.

        A region does not matter, nor does the usual script; a romanised language is one of its own.
        """
        known = self.engine.languages
        tag = language.lower()
        primary, _, rest = tag.partition("-")
        if known is None or tag in known:
            return True
        return primary in known and not rest.startswith("latn")


@dataclass(frozen=True, slots=True)
class Live:
    """An attribute as an operator reads it: by which engine, under which names, in which languages, how good."""

    engine: str
    names: tuple[str, ...]
    languages: str
    quality: str


class Scorer:
    """The engines of a process, asked by at most `at_once` threads at a time. They open when they are first asked.

    Spam is scored beside whatever engine judges here, by signs of its own.
    """

    def __init__(self, engines: Callable[[], Sequence[Engine]], at_once: int) -> None:
        self._engines = engines
        self._turns = Turns(at_once)

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """Every attribute that is live, by name. Where two engines score the same, the first one's counts."""
        found: dict[str, Attribute] = {}
        for engine in (*self._engines(), moderation.open_engine(SPAM)):
            for head in engine.attributes:
                for name in NAMES.get(head, ()):
                    found.setdefault(name, Attribute(name, engine, head))
        return found

    def live(self) -> list[Live]:
        """What can be asked for here, for an operator to read."""
        names: dict[tuple[str, str], list[Attribute]] = {}
        for attribute in self.attributes.values():
            names.setdefault((attribute.engine.name, attribute.head), []).append(attribute)
        return [_live(attributes) for attributes in names.values()]

    def find(self, asked: str) -> Attribute | None:
        """The attribute behind a name; a version (`TOXICITY@6`) makes no difference."""
        return self.attributes.get(asked.partition("@")[0])

    def score(self, texts: Sequence[str], attributes: Iterable[Attribute], patience: float) -> list[Scores]:
        """For each text the score of each attribute, by its name; raises `ScoringFailed` or `Busy`.

        Long lists take a turn for a few texts at a time, so that whoever asks for one does not wait for all of them;
        `patience` is how many seconds each of these waits for its turn. What a text scores never depends on the others.
        """
        asked = tuple(attributes)
        return [scores for chunk in _chunks(texts) for scores in self._chunk(chunk, asked, patience)]

    def _chunk(self, texts: Sequence[str], asked: Sequence[Attribute], patience: float) -> list[Scores]:
        if not self._turns.take(patience):
            raise Busy
        try:
            engines = {attribute.engine.name: attribute.engine for attribute in asked}
            found = {name: _ask(engine, texts) for name, engine in engines.items()}
        finally:
            self._turns.give_back()
        return [
            {attribute.name: found[attribute.engine.name][place][attribute.head] for attribute in asked}
            for place in range(len(texts))
        ]


def _live(attributes: Sequence[Attribute]) -> Live:
    engine, head = attributes[0].engine, attributes[0].head
    return Live(
        engine=f"{engine.name} {engine.version}",
        names=tuple(attribute.name for attribute in attributes),
        languages="any" if engine.languages is None else " ".join(sorted(engine.languages)) or "none",
        quality=str(getattr(engine, "quality", {}).get(head, "not measured")),
    )


def _ask(engine: Engine, texts: Sequence[str]) -> list[dict[str, float]]:
    try:
        return moderation.score(texts, engine)
    except moderation.TextRefused:
        raise
    except Exception as failure:
        raise ScoringFailed(f"{engine.name}: {type(failure).__name__}") from failure


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), CHUNK):
        yield texts[start : start + CHUNK]
