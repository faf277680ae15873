"""The text as it is judged: disguises taken off, in lower case, with a map back to what the author wrote.

Only what cannot be innocent is undone. A Cyrillic word stays Cyrillic, a number stays a number, an address stays as it
is; a Latin word with a Cyrillic letter in it becomes a Latin word. Folding knows no words: whether what comes out means
anything is for others to say. Folding twice is folding once, and the work grows with the length of the text only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from moderation.model import Span
from moderation.text.lookalikes import CYRILLIC_TWINS, LOOKALIKES, LOOSE

LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}
SPACED_LEET = LEET | {"8": "b", "!": "i"}
LONGEST_EXPANSION = 4
MOST_PASSES = 6
MASKS = "*#%"

# One letter (or the same letter again and again), or one sign that passes for a letter; and what may stand between two:
# spaces, punctuation, symbols, but no vowel sign, which is part of a word.
_UNIT = r"([^\W\d_]|[0134578@$!])\{group}*+"
_GAP = (
    r"[ \t\"#%-/:-?\[-^`{-~\u00a0-\u00a9\u00ab-\u00b1\u00b4-\u00b8\u00bb-\u00bf"
    r"\u2000-\u206f\u2190-\u2bff\u3000-\u303f\U0001f300-\U0001faff]"
)
_SPACED = re.compile(
    r"(?<![^\W_])(?<![@$!])"
    + _UNIT.replace("{group}", "1")
    + r"(?P<gap>"
    + _GAP
    + r"{1,3}|_)"
    + _UNIT.replace("{group}", "3")
    + r"(?:(?P=gap)"
    + _UNIT.replace("{group}", "4")
    + r")+(?![^\W_])"
)
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(r"[^\W_]+")
_CHUNK = re.compile(r"\S+")
_LATIN = re.compile(r"[A-Za-z]")
_LEET_INSIDE = re.compile(r"[a-z][013457@$]+[a-z]")
_LEET_WORD = re.compile(r"[a-z0-9@$]+")
_ADDRESS = re.compile(r"://|\bwww\.|[^\s@]@[^\s@]+\.[^\s@]")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text and the way back.

    `native` has the same length as `text` and keeps each letter's own accent; `runs` says how many equal letters of
    the original each folded letter stands for; `starts` and `ends` where those stand in the original.
    """

    text: str
    native: str
    runs: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> Span:
        """Where `text[start:end]`, which must not be empty, came from."""
        return Span(self.starts[start], self.ends[end - 1])


class _Piece(NamedTuple):
    """What one folded letter is made of: the drafted letters from `first` up to `last`, exclusive."""

    letter: str
    native: str
    first: int
    last: int


class _Edit(NamedTuple):
    """Drafted letters from `start` up to `end` give way to some pieces."""

    start: int
    end: int
    pieces: Sequence[_Piece]


def fold(text: str) -> Folded:
    """The canonical text as it is judged. `fold(fold(t).text).text == fold(t).text` for every `t`."""
    draft = _in_lower_case(text)
    for _ in range(MOST_PASSES):
        before = draft.text
        places = addresses(before)
        draft = _edited(draft, _join_spaced_letters(draft, places))
        draft = _rewritten(draft, _one_script_a_word(draft.text))
        draft = _rewritten(draft, _read_leet(draft.text))
        draft = _edited(draft, _shorten_stretches(draft, addresses(draft.text)))
        if draft.text == before:
            break
    return draft


def respelled(folded: Folded, words: Mapping[tuple[int, int], str]) -> Folded:
    """The folded text with some stretches, which must not overlap, read as other words.

    Every letter of such a word stands for its whole stretch.
    """
    edits = (
        _Edit(start, end, [_Piece(letter, letter, start, end) for letter in word])
        for (start, end), word in sorted(words.items())
    )
    return _edited(folded, edits)


def _in_lower_case(text: str) -> Folded:
    """Each character in lower case, in its plain form, without accents and without what cannot be seen."""
    if text.isascii():
        lower = text.lower()
        length = len(lower)
        return Folded(lower, lower, (1,) * length, range(length), range(1, length + 1))
    forms = {character: _plain(character) for character in set(text)}
    if all(len(plain) == 1 for plain, _ in forms.values()):
        letters, natives = ("".join(column) for column in zip(*map(forms.__getitem__, text), strict=True))
        return Folded(letters, natives, (1,) * len(text), range(len(text)), range(1, len(text) + 1))
    return _in_pieces(text)


def _in_pieces(text: str) -> Folded:
    """A text of which some characters fold to several letters or to none."""
    letters: list[str] = []
    natives: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for index, character in enumerate(text):
        plain, native = _plain(character)
        if not plain:
            _lengthen_last(starts, ends, index + 1)
            continue
        letters.extend(plain)
        natives.extend(native)
        starts.extend([index] * len(plain))
        ends.extend([index + 1] * len(plain))
    return Folded("".join(letters), "".join(natives), [1] * len(starts), starts, ends)


def _lengthen_last(starts: list[int], ends: list[int], end: int) -> None:
    """Let the last character, all its pieces, cover a mark that was dropped behind it."""
    piece = len(starts) - 1
    while piece >= 0 and starts[piece] == starts[-1]:
        ends[piece] = end
        piece -= 1


@lru_cache(maxsize=16_384)
def _plain(character: str) -> tuple[str, str]:
    """What a character folds to and the same with its accents: two strings of one length, empty if it goes."""
    if _vanishes(character):
        return "", ""
    native = _REGIONAL.get(character) or _compatible(_compatible(character).casefold())
    pairs = [(_without_accent(letter), letter) for letter in native if not _vanishes(letter)]
    return "".join(plain for plain, _ in pairs), "".join(letter for _, letter in pairs)


def _compatible(text: str) -> str:
    """Compatibility forms as the letters they stand for, but no ligature of a whole sentence."""
    compatible = unicodedata.normalize("NFKC", text)
    return compatible if len(compatible) <= LONGEST_EXPANSION else text


def _without_accent(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() else letter


def _vanishes(character: str) -> bool:
    """Whether a character shows nothing by itself or only decorates the letter before it."""
    code = ord(character)
    if code < 0x80:
        return False
    category = unicodedata.category(character)
    return category == "Cf" or code in _FILLERS or (category in ("Mn", "Me") and _decorates(code))


def _decorates(code: int) -> bool:
    """Whether a mark belongs to no script of its own, unlike the vowel signs of Hindi, Thai or Arabic."""
    return any(first <= code <= last for first, last in _DECORATIONS)


_DECORATIONS = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x180B, 0x180F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xE0100, 0xE01EF),
)
_FILLERS = frozenset((0x0640, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0))
_REGIONAL = {chr(0x1F1E6 + index): chr(ord("a") + index) for index in range(26)} | {
    chr(first + index): chr(ord("a") + index) for first in (0x1F150, 0x1F170) for index in range(26)
}


def _edited(draft: Folded, edits: Iterable[_Edit]) -> Folded:
    """The draft with some stretches replaced, its map kept."""
    edits = list(edits)
    if not edits:
        return draft
    letters: list[str] = []
    natives: list[str] = []
    runs: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for edit in [*edits, _Edit(len(draft.text), len(draft.text), ())]:
        kept = slice(at, edit.start)
        letters.append(draft.text[kept])
        natives.append(draft.native[kept])
        runs.extend(draft.runs[kept])
        starts.extend(draft.starts[kept])
        ends.extend(draft.ends[kept])
        for piece in edit.pieces:
            letters.append(piece.letter)
            natives.append(piece.native)
            runs.append(sum(draft.runs[piece.first : piece.last]))
            starts.append(draft.starts[piece.first])
            ends.append(draft.ends[piece.last - 1])
        at = edit.end
    return Folded("".join(letters), "".join(natives), runs, starts, ends)


def _rewritten(draft: Folded, changes: dict[int, str]) -> Folded:
    """The draft with some letters read as others, one for one; Latin letters and signs keep what they natively are."""
    if not changes:
        return draft
    letters = list(draft.text)
    natives = list(draft.native)
    for index, letter in changes.items():
        if letters[index].isalpha() and _script(letters[index]) != "LATIN":
            natives[index] = letter
        letters[index] = letter
    return Folded("".join(letters), "".join(natives), draft.runs, draft.starts, draft.ends)


def addresses(text: str) -> list[tuple[int, int]]:
    """Where web and mail addresses stand: their letters mean what they say."""
    if "://" not in text and "www." not in text and "@" not in text:
        return []
    return [chunk.span() for chunk in _CHUNK.finditer(text) if _ADDRESS.search(chunk[0])]


def _within(start: int, spans: Iterator[tuple[int, int]], current: list[tuple[int, int]]) -> bool:
    """Whether a place is inside one of the spans; asked with rising places, it walks the spans once."""
    while current and current[0][1] <= start:
        current[:] = [span for span in [next(spans, None)] if span]
    return bool(current) and current[0][0] <= start


def _outside(matches: Iterable[re.Match[str]], spans: list[tuple[int, int]]) -> Iterator[re.Match[str]]:
    rest = iter(spans)
    current = [span for span in [next(rest, None)] if span]
    return (match for match in matches if not _within(match.start(), rest, current))


def _join_spaced_letters(draft: Folded, addresses: list[tuple[int, int]]) -> Iterator[_Edit]:
    """`f u c k`, `f.u.c.k`, `f_u_c_k`: three or more letters, each by itself, all the same distance apart."""
    for match in _outside(_SPACED.finditer(draft.text), addresses):
        if _spells_a_word(match[0].split(match["gap"]), match["gap"]):
            places = (place for place in range(*match.span()) if _is_unit(draft.text[place]))
            yield _Edit(*match.span(), [_joined(draft, place) for place in places])


def _spells_a_word(units: list[str], gap: str) -> bool:
    """Whether letters apart are meant together: not `a a a`, not `B 1 2`, not `f*gg*t`, where a sign is a letter."""
    letters = sum(unit[0].isalpha() for unit in units)
    fewest = 4 if gap in MASKS or letters < len(units) else 3
    return len(units) >= fewest and letters >= 2 and len({unit[0] for unit in units}) > 1


def _is_unit(character: str) -> bool:
    return character.isalpha() or character in SPACED_LEET


def _joined(draft: Folded, place: int) -> _Piece:
    letter = SPACED_LEET.get(draft.text[place], draft.text[place])
    return _Piece(letter, draft.native[place], place, place + 1)


def _one_script_a_word(text: str) -> dict[int, str]:
    """Letters of one script that stand in a word of another, read as what they pass for."""
    if text.isascii():
        return {}
    words = [match for match in _WORD.finditer(text) if not match[0].isascii()]
    pure = set("".join(match[0] for match in words if not _has_latin(match[0])))
    written = {_script(letter) for letter in pure if letter not in LOOKALIKES and letter.isalpha()}
    changes: dict[int, str] = {}
    for match in words:
        if _script(match[0][0]) not in written or _has_latin(match[0]):
            twins = _twins(match[0], written)
            changes |= {match.start() + index: twin for index, twin in twins.items()}
    return changes


def _twins(word: str, written: set[str]) -> dict[int, str]:
    """What to read differently in one word; `written` are the scripts that the text is really written in."""
    foreign = {index: letter for index, letter in enumerate(word) if not letter.isascii()}
    latin = {index: letter for index, letter in enumerate(word) if letter.isascii() and letter.isalpha()}
    alike = all(letter in LOOKALIKES for letter in foreign.values())
    if not latin:
        alike = alike and all(_script(letter) not in written for letter in foreign.values())
    elif not alike and len(latin) < len(foreign):
        return _cyrillic_twins(latin, foreign)
    elif not alike:
        alike = all(letter in LOOKALIKES or letter in LOOSE for letter in foreign.values())
    return {index: latin_twin(letter) for index, letter in foreign.items()} if alike else {}


def _cyrillic_twins(latin: dict[int, str], foreign: dict[int, str]) -> dict[int, str]:
    """Latin letters that hide in a Cyrillic word."""
    if not all(_script(letter) == "CYRILLIC" for letter in foreign.values()):
        return {}
    if not all(letter in CYRILLIC_TWINS for letter in latin.values()):
        return {}
    return {index: CYRILLIC_TWINS[letter] for index, letter in latin.items()}


def latin_twin(letter: str) -> str:
    """The Latin letter that a letter passes for, or the letter itself."""
    return LOOKALIKES.get(letter) or LOOSE.get(letter) or letter


def _has_latin(word: str) -> bool:
    return _LATIN.search(word) is not None


@lru_cache(maxsize=16_384)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "NONE").split(" ", 1)[0].split("-", 1)[0]


def _read_leet(text: str) -> dict[int, str]:
    """Digits and signs that stand for letters inside a word; `covid19`, `1st` and `mp3` are left alone."""
    if not _LEET_INSIDE.search(text):
        return {}
    changes: dict[int, str] = {}
    for match in _outside(_LEET_WORD.finditer(text), addresses(text)):
        signs = {match.start() + i: LEET.get(sign, "") for i, sign in enumerate(match[0]) if not sign.isalpha()}
        if all(signs.values()) and _LEET_INSIDE.search(match[0]):
            changes |= signs
    return changes


def _shorten_stretches(draft: Folded, addresses: list[tuple[int, int]]) -> Iterator[_Edit]:
    """Three or more of a letter become one, or two where English doubles it: `niggger`, `asss`."""
    for match in _outside(_STRETCHED.finditer(draft.text), addresses):
        start, end = match.span()
        middle = start + 1 if _doubles(match[1], draft.text[end : end + 1]) else end
        halves = [(start, middle), (middle, end)] if middle < end else [(start, end)]
        yield _Edit(start, end, [_Piece(match[1], draft.native[first], first, last) for first, last in halves])


def _doubles(letter: str, following: str) -> bool:
    if following.isalpha():
        return letter in "bdfglmnprstz" and following in "aeiouy"
    return letter in "lsfz"
