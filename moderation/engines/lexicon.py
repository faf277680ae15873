"""The lexicon engine: scores from word lists alone, for where no model can run.

It is honest about little: it knows words, not what is meant by them. Each term found adds to the attribute that its
list names, by its severity; several different ones together weigh more than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from moderation.engines import EngineUnavailable
from moderation.language import language_or
from moderation.model import Span
from moderation.policy import Policy
from moderation.text import fold
from moderation.words import KINDS, Hit, Wordlists

WEIGHTS = {"mild": 0.45, "strong": 0.7, "severe": 0.95}
FLOOR = 0.01
VERSION = "1"


class Lexicon:
    """Word lists as an engine."""

    name = "lexicon"
    attributes = ("toxicity", "severe_toxicity", *KINDS)

    def __init__(self, words: Wordlists, language: str, digest: str) -> None:
        self._words = words
        self._language = language
        self.version = f"{VERSION}-{digest[:12]}"
        self.languages: frozenset[str] | None = words.languages

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """The scores of some canonical texts."""
        return [self._scores(self._find(text)) for text in texts]

    def explain(self, text: str) -> dict[str, list[Span]]:
        """The terms found, by the attributes that they count for."""
        hits = self._find(text)
        found = {attribute: [hit.span for hit in hits if _counts(hit, attribute)] for attribute in self.attributes}
        return {attribute: spans for attribute, spans in found.items() if spans}

    def _find(self, text: str) -> tuple[Hit, ...]:
        return self._words.find(fold(text), language_or(text, self._language))

    def _scores(self, hits: Sequence[Hit]) -> dict[str, float]:
        return {attribute: _together(hit for hit in hits if _counts(hit, attribute)) for attribute in self.attributes}


def _counts(hit: Hit, attribute: str) -> bool:
    if attribute == "severe_toxicity":
        return hit.term.severity == "severe"
    return attribute in ("toxicity", hit.term.kind)


def _together(hits: Iterable[Hit]) -> float:
    """How likely at least one of some terms is meant, if each were meant by its weight and none by the others'."""
    none = 1 - FLOOR
    for term in {hit.term for hit in hits}:
        none *= 1 - WEIGHTS[term.severity]
    return round(1 - none, 6)


def open_engine(argument: str, policy: Policy | None) -> Lexicon:
    """The lexicon of a policy's word lists; it takes no argument."""
    if policy is None:
        raise EngineUnavailable("The lexicon scores by a policy's word lists; open it with a policy.")
    return Lexicon(policy.words, policy.language, policy.digest)
