"""The ways in which a folded text may be read: as it stands, with every sign as a letter, with broken words mended.

Folding undoes what cannot be innocent. What may be innocent is only read otherwise here, for the search, and harms
nobody: `covid19` read as `covidig` is still no word of any list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from moderation.text import Folded, latin_twin

# Words spelled out letter by letter: what may stand before and behind them.
ONE_LETTER_WORDS = frozenset("aeinoruyавикоусяж")
SHORTEST_SPELLED = 3
LONGEST_SPELLED = 40

_WORD = re.compile(r"[^\W_]+")
_A_LETTER = re.compile(r"[a-z]")
_A_SIGN = re.compile(r"[0-9@$!|+(€]")
_LEET_WORD = re.compile(r"[a-z0-9@$!|+(€]+")
_LEET = {
    "0": "o", "1": "i", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "i", "+": "t", "(": "c", "€": "e",
}  # fmt: skip
_INSIDE_ONLY = frozenset("!|(")
_BROKEN = re.compile(r"(?<![^\W_])[^\W_]+(?:[-_.*~/\\|+=^:]+[^\W_]+)+")


def readings(folded: Folded) -> Iterator[Folded]:
    """The folded text, and the same with every sign read as a letter that could be meant as one."""
    yield folded
    boldly = _read_boldly(folded.text)
    if boldly != folded.text:
        yield replace(folded, text=boldly)
    if "1" in folded.native and (otherwise := _with_l_for_1(boldly, folded.native)) != boldly:
        yield replace(folded, text=otherwise)


def _read_boldly(text: str) -> str:
    if _A_SIGN.search(text):
        letters = list(text)
        for match in _LEET_WORD.finditer(text):
            if _A_LETTER.search(match[0]) and not match[0].isalpha():
                for place in _signs(match):
                    letters[place] = _LEET[text[place]]
        text = "".join(letters)
    return text if text.isascii() else text.translate({ord(letter): latin_twin(letter) for letter in set(text)})


def _signs(word: re.Match[str]) -> Iterator[int]:
    """The places of a word that has signs in it at which one may stand for a letter."""
    for place, sign in enumerate(word[0], word.start()):
        if not sign.isalpha() and (sign not in _INSIDE_ONLY or word.start() < place < word.end() - 1):
            yield place


def _with_l_for_1(text: str, native: str) -> str:
    return "".join("l" if sign == "1" and letter == "i" else letter for letter, sign in zip(text, native, strict=True))


def mended(folded: Folded) -> Iterator[Folded]:
    """The words that were pulled apart, each by itself: `fu-ck`, and the last of `what a f u c k`."""
    yield from _broken_up(folded)
    if not isinstance(folded.starts, range):
        yield from _spelled_out(folded)


def _broken_up(folded: Folded) -> Iterator[Folded]:
    """The words that have signs inside, without those."""
    for match in _BROKEN.finditer(folded.text):
        yield _only(folded, [place for place in range(*match.span()) if folded.text[place].isalnum()])


def _spelled_out(folded: Folded) -> Iterator[Folded]:
    """The words that were put together from letters apart, without the words of one letter before and behind them."""
    for match in _WORD.finditer(folded.text):
        start, end = match.span()
        if not SHORTEST_SPELLED < end - start <= LONGEST_SPELLED:
            continue
        if folded.ends[start] == folded.starts[start + 1] or not _were_apart(folded, start, end):
            continue
        before = [0, *(n for n in (1, 2, 3) if ONE_LETTER_WORDS.issuperset(match[0][:n]))]
        behind = [0, 1] if match[0][-1] in ONE_LETTER_WORDS else [0]
        for first, last in product(before, behind):
            if first + last and end - start - first - last >= SHORTEST_SPELLED:
                yield _only(folded, range(start + first, end - last))


def _were_apart(folded: Folded, start: int, end: int) -> bool:
    return all(folded.ends[place] < folded.starts[place + 1] for place in range(start, end - 1))


def _only(folded: Folded, places: Sequence[int]) -> Folded:
    return Folded(
        "".join(folded.text[place] for place in places),
        "".join(folded.native[place] for place in places),
        [folded.runs[place] for place in places],
        [folded.starts[place] for place in places],
        [folded.ends[place] for place in places],
    )
