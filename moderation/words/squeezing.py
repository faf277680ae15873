"""A folded text as it is searched: every run of one letter made one, everything else between words made one space.

It knows no words. Two writings of a word that differ by how often a letter stands have one squeezed form; how often it
stood can still be asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from moderation.text import Folded

# Writing systems that put no space between words, and what may pull a word of theirs apart.
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
LONGEST_GAP = 2
_PULLED_APART = frozenset(" .*-_~·・|/+#")
_MAY_BE_UNSPACED = re.compile("[\u0e00-\u109f\u1780-\u17ff\u2e80-\U0003ffff]")
_BETWEEN_WORDS = {code: " " for code in range(128) if not chr(code).isalnum()}


@dataclass(frozen=True, slots=True)
class Squeezed:
    """A squeezed text, between two spaces; `firsts` and `lasts` say where in the folded text each letter stands."""

    text: str
    firsts: Sequence[int]
    lasts: Sequence[int]
    folded: Folded

    def count(self, place: int) -> int:
        """How often the author wrote a letter of the squeezed text; 0 for a space."""
        if self.text[place] == " ":
            return 0
        return sum(self.folded.runs[self.firsts[place] : self.lasts[place] + 1])

    def native(self, place: int) -> str:
        """A letter of the squeezed text with its accent."""
        return " " if self.text[place] == " " else self.folded.native[self.firsts[place]]


def squeeze(folded: Folded) -> Squeezed:
    """The folded text as it is searched, every word with a space on either side."""
    text = f" {_words_only(folded.text)} "
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    firsts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    lasts = np.append(firsts[1:], len(codes)) - 1
    if _MAY_BE_UNSPACED.search(text):
        gaps = _gaps(f" {folded.text} ", _text(codes[firsts]), firsts.tolist(), lasts.tolist())
        firsts, lasts = np.delete(firsts, gaps), np.delete(lasts, gaps)
    return Squeezed(_text(codes[firsts]), (firsts - 1).tolist(), (lasts - 1).tolist(), folded)


def _text(codes: npt.NDArray[np.uint32]) -> str:
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def _words_only(text: str) -> str:
    """The text with a space for everything that is no letter, digit or vowel sign."""
    if text.isascii():
        return text.translate(_BETWEEN_WORDS)
    return text.translate({ord(character): " " for character in set(text) if not _is_of_a_word(character)})


@lru_cache(maxsize=16_384)
def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _gaps(text: str, letters: str, firsts: Sequence[int], lasts: Sequence[int]) -> list[int]:
    """The spaces that only pull apart a word of a script that has none: `操.你.妈`."""
    return [
        place
        for place in range(1, len(letters) - 1)
        if letters[place] == " "
        and lasts[place] - firsts[place] < LONGEST_GAP
        and is_unspaced(letters[place - 1])
        and is_unspaced(letters[place + 1])
        and _PULLED_APART.issuperset(text[firsts[place] : lasts[place] + 1])
    ]


@lru_cache(maxsize=16_384)
def is_unspaced(letter: str) -> bool:
    """Whether a letter is of a writing system that puts no space between words."""
    return not letter.isascii() and unicodedata.name(letter, "").startswith(UNSPACED)
