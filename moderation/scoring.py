"""Scores without a judgement, for those who ask for numbers: a notebook, a command, another system's protocol.

No policy, no outcome, no finding. A text that is only scored is never stored, so what `canonicalise` would refuse to
store is mended here instead of refused.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from moderation.engines import Engine, open_engine
from moderation.language import detect_language, is_written_in
from moderation.model import Span
from moderation.text import canonicalise, invisible

LONGEST = 61_440
MOST_MARKS = 32
MOST_SENTENCES = 64

_ENDED = re.compile(r"""(?<![.!?…])[.!?…]++["'”’»)\]]*+(?=\s)|[。！？｡]+["'”’」』）]*|(?<![؟۔।॥])[؟۔।॥]++(?=\s)|\n+""")
_ABBREVIATED = re.compile(
    r"(?:\b(?i:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|approx|inc|ltd|jr|sr|bzw|z\.b|ca|usw|p\.ej|sra?)|\b[A-Z])\."
)


class NoScore(Exception):
    """An engine gave what is no probability."""


def score(texts: Sequence[str], engine: Engine | str = "bundled") -> list[dict[str, float]]:
    """For each text, a probability from 0 to 1 for each attribute that the engine knows.

    `engine` is an opened engine or the name of one. Raises `TextRefused` for a text with nothing to be seen in it,
    `EngineUnavailable`, and `NoScore` where an engine gives something else than probabilities.

    Each text is asked by itself: in one run of an int8 model they would share a scale, and a text's score would depend
    on its neighbours (by up to 0.10, measured). On texts of many lengths that is faster too: nothing is padded.
    """
    asked = open_engine(engine) if isinstance(engine, str) else engine
    return [_alone(asked, scorable(text)) for text in texts]


def _alone(engine: Engine, text: str) -> dict[str, float]:
    found = engine.score([text])
    if len(found) != 1:
        raise NoScore(f"{engine.name} gave {len(found)} answers to one text")
    return _probabilities(engine, found[0])


def _probabilities(engine: Engine, found: dict[str, float]) -> dict[str, float]:
    scores = {attribute: float(found[attribute]) for attribute in engine.attributes if attribute in found}
    wrong = [name for name in engine.attributes if not _is_probability(scores.get(name, math.nan))]
    if wrong:
        raise NoScore(f"{engine.name} gave no probability for {', '.join(wrong)}")
    return scores


def _is_probability(value: float) -> bool:
    return math.isfinite(value) and 0 <= value <= 1


def scorable(raw: str) -> str:
    """A text as an engine takes it: NUL a space, piled marks thinned. Raises `TextRefused` where nothing is left."""
    text = raw.replace("\0", " ")
    return canonicalise(text if text.isascii() else _thinned(text), LONGEST)


def _thinned(text: str) -> str:
    """No more marks on one letter than anybody can read: the rest is decoration."""
    kept: list[str] = []
    marks = 0
    for sign in text:
        marks = marks + 1 if unicodedata.combining(sign) else 0
        if marks <= MOST_MARKS:
            kept.append(sign)
    return "".join(kept)


def sentences(text: str, at_most: int = MOST_SENTENCES) -> list[Span]:
    """The sentences of a text, trimmed, in order, each with something to be seen in it.

    Where there are more than `at_most`, neighbours are joined, evenly, until there are not.
    """
    found: list[Span] = []
    start = 0
    for end in [*_ends(text), len(text)]:
        span = _trimmed(text, start, end)
        if span is None:
            continue
        if found and not any(map(str.isalnum, text[span.start : span.end])):
            found[-1] = Span(found[-1].start, span.end)
        else:
            found.append(span)
        start = end
    return _joined(found, at_most)


def _ends(text: str) -> list[int]:
    ends = []
    for match in _ENDED.finditer(text):
        before = text[max(0, match.start() - 12) : match.end()]
        if match[0] == "." and any(found.end() == len(before) for found in _ABBREVIATED.finditer(before)):
            continue
        ends.append(match.end())
    return ends


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The stretch without what cannot be seen at its ends; None where nothing is left."""
    while start < end and (text[start].isspace() or invisible(text[start])):
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None


def _joined(spans: Sequence[Span], at_most: int) -> list[Span]:
    size = math.ceil(len(spans) / at_most) if spans else 1
    groups = [spans[place : place + size] for place in range(0, len(spans), size)]
    return [Span(group[0].start, group[-1].end) for group in groups]


def language_of(text: str, assumed: str | None = None) -> str | None:
    """The language of a text, or None where it cannot be told.

    A text too short to tell is taken to be in the `assumed` language when it is written in that language's letters.
    """
    found = detect_language(text)
    if found is not None or assumed is None:
        return found
    return assumed if any(map(str.isalpha, text)) and is_written_in(text, assumed) else None
