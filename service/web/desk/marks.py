"""A text cut where findings point into it, so that a template can mark the pieces without making markup of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, how many findings point at it, and the numbers of those that begin here."""

    text: str
    depth: int
    numbers: tuple[int, ...]


def pieces(text: str, spans: Sequence[tuple[int, int, int]]) -> list[Piece]:
    """The text in pieces; `spans` are (number, start, end) in code points. Joined again they are the text."""
    inside = [(n, max(0, start), min(len(text), end)) for n, start, end in spans]
    inside = [span for span in inside if span[1] < span[2]]
    cuts = sorted({0, len(text)} | {edge for _, start, end in inside for edge in (start, end)})
    return [
        Piece(
            text[start:end],
            len({n for n, s, e in inside if s <= start and end <= e}),
            tuple(sorted({n for n, s, _ in inside if s == start})),
        )
        for start, end in pairwise(cuts)
    ]
