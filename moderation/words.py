"""Word lists, and finding their words in a folded text.

A list is a TOML table: `severe`, `strong` and `mild` hold terms by what they are (the attributes of an engine), and
`innocent` the phrases inside which a term means no harm. A term is a word or a phrase; `*` at its end stands for any
ending. Terms are found by Aho-Corasick, never by a regular expression, so that no list can make the search explode.
This room knows what stands where, not what follows from it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, NamedTuple

import ahocorasick

from moderation.model import Span
from moderation.text import Folded, fold, latin_twin

SEVERITIES = ("mild", "strong", "severe")
KINDS = ("identity_attack", "insult", "obscene", "threat")
INNOCENT = "innocent"
MAX_TERM = 80
# Words struck out: the shortest, the signs, and the endings that a term with an open end is looked for with.
SHORTEST_MASKED = 4
MASKS = "*#%"
ENDINGS = ("", "s", "ed", "er", "ers", "in", "ing")
_MASKED = re.compile(r"(?<![^\W_])(?:[^\W\d_]+[*#%]+)+[^\W\d_]+(?![^\W_])")
# Words spelled out letter by letter: what may stand before and behind them.
ONE_LETTER_WORDS = frozenset("aeinoruyавикоусяж")
SHORTEST_SPELLED = 3
LONGEST_SPELLED = 40
_WORD = re.compile(r"[^\W_]+")
# Writing systems that put no space between words.
_PULLED_APART = frozenset(" .*-_~·・|/+#")
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a list. `here_only` terms mean no harm in other languages; `exact` ones need their accents."""

    text: str
    severity: str
    kind: str = ""
    language: str = ""
    here_only: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found, with the stretch of the canonical text in which it stands."""

    term: Term
    span: Span


class WordlistError(ValueError):
    """A list that cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def read_wordlist(language: str, table: Mapping[str, Any]) -> tuple[Term, ...]:
    """The terms of one list; raises `WordlistError` with everything that is wrong."""
    problems: list[str] = []
    here_only = _names(table, "here_only", problems)
    exact = _names(table, "exact", problems)
    terms = tuple(
        Term(text, severity, kind, language, text in here_only, text in exact)
        for severity, kind, text in _entries(table, problems)
    )
    known = {term.text for term in terms}
    problems += [f"{name!r} is set apart but in no list" for name in sorted((here_only | exact) - known)]
    problems += [f"{key!r} is no severity" for key in table if key not in (*SEVERITIES, INNOCENT, "here_only", "exact")]
    if problems:
        raise WordlistError([f"words.{language}: {problem}" for problem in problems])
    return terms


def _names(table: Mapping[str, Any], key: str, problems: list[str]) -> set[str]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        problems.append(f"{key} must be a list of strings")
        return set()
    return set(names)


def _entries(table: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(_names(table, INNOCENT, problems)):
        yield from _entry(INNOCENT, "", name, problems)
    for severity in SEVERITIES:
        kinds = table.get(severity, {})
        if not isinstance(kinds, dict):
            problems.append(f"{severity} must be a table of lists, by kind")
            continue
        for kind in kinds:
            if kind not in KINDS:
                problems.append(f"{severity}.{kind} is none of {', '.join(KINDS)}")
            for name in sorted(_names(kinds, kind, problems)):
                yield from _entry(severity, kind, name, problems)


def _entry(severity: str, kind: str, name: str, problems: list[str]) -> Iterator[tuple[str, str, str]]:
    if len(name) > MAX_TERM:
        problems.append(f"a term is longer than {MAX_TERM} characters")
    elif not _squeezed(fold(name.strip("*"))).text.strip():
        problems.append(f"{name!r} has no letter in it")
    else:
        yield severity, kind, name


class Squeezed(NamedTuple):
    """A folded text with runs of one letter made one and everything that is no letter or digit made one space.

    `counts` says how long each run was; `firsts` and `lasts` where it stands in the folded text.
    """

    text: str
    counts: Sequence[int]
    firsts: Sequence[int]
    lasts: Sequence[int]


def _squeezed(folded: Folded) -> Squeezed:
    """The text between two spaces, so that every word has one on either side."""
    letters: list[str] = [" "]
    counts: list[int] = [1]
    firsts: list[int] = [0]
    lasts: list[int] = [0]
    last = " "
    for index, (character, run) in enumerate(zip(folded.text, folded.runs, strict=True)):
        letter = character if character.isalnum() or _is_vowel_sign(character) else " "
        if letter == last:
            counts[-1] += run
            lasts[-1] = index
            continue
        if last == " " and _bridges(folded.text, letters, index):
            for column in (letters, counts, firsts, lasts):
                column.pop()
        letters.append(letter)
        counts.append(run)
        firsts.append(index)
        lasts.append(index)
        last = letter
    if last != " ":
        letters.append(" ")
        counts.append(1)
        firsts.append(len(folded.text))
        lasts.append(len(folded.text))
    return Squeezed("".join(letters), counts, firsts, lasts)


def _is_vowel_sign(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character)[0] == "M"


def _bridges(text: str, letters: Sequence[str], index: int) -> bool:
    """Whether the gap before a letter only pulls apart a word of a script that has no spaces: `操.你.妈`."""
    if text[index].isascii() or len(letters) < 2 or not (_unspaced(text[index]) and _unspaced(letters[-2])):
        return False
    return text[index - 1] in _PULLED_APART and (text[index - 2] in _PULLED_APART or text[index - 2] == letters[-2])


class _Key(NamedTuple):
    """A term as it is searched for: its squeezed letters, how often each must stand at least, and its accents."""

    term: Term
    letters: str
    counts: Sequence[int]
    native: str


class Wordlists:
    """Some lists, ready to be searched. Searching takes time in proportion to the text, whatever the lists hold."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms = tuple(terms)
        self._automaton = ahocorasick.Automaton()
        for term in self.terms:
            self._add(term)
        if self.terms:
            self._automaton.make_automaton()

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages that have a list of their own."""
        return frozenset(term.language for term in self.terms if term.severity != INNOCENT)

    def find(self, folded: Folded, language: str) -> tuple[Hit, ...]:
        """Every term that stands in a text of this language, in the order of the text, the innocent ones left out."""
        if not self.terms:
            return ()
        hits = {
            (span.start, span.end, key.term): Hit(key.term, span)
            for reading in _readings(folded)
            for key, span in (*self._standing(reading), *self._broken(reading))
            if _applies(key.term, language)
        }
        hits |= {(hit.span.start, hit.span.end, hit.term): hit for hit in self._masked(folded, language)}
        return tuple(hit for hit in _outermost(hits.values()) if hit.term.severity != INNOCENT)

    def _add(self, term: Term) -> None:
        key = _key(term)
        for form in dict.fromkeys((key, _solid(key))):
            if form.letters not in self._automaton:
                self._automaton.add_word(form.letters, [])
            self._automaton.get(form.letters).append(form)

    def _standing(self, folded: Folded) -> Iterator[tuple[_Key, Span]]:
        """Terms that stand as words of their own."""
        squeezed = _squeezed(folded)
        for key, first, last in self._search(folded, squeezed):
            yield key, folded.span(squeezed.firsts[first], squeezed.lasts[last] + 1)

    def _broken(self, folded: Folded) -> Iterator[tuple[_Key, Span]]:
        """Words pulled apart: `fu-ck`, `what a f u c k`. The pieces together must be the term, and no more."""
        for word in (*_broken_up(folded), *_spelled_out(folded)):
            squeezed = _squeezed(word)
            for key, first, last in self._search(word, squeezed):
                if first == 1 and last == len(squeezed.text) - 2:
                    yield key, word.span(0, len(word.text))

    def _masked(self, folded: Folded, language: str) -> Iterator[Hit]:
        """Words with some letters struck out: `f**k`, `c*nt`. Where several terms fit, the mildest is meant."""
        for match in _MASKED.finditer(folded.text):
            terms = [
                term
                for form, term in self._forms.get((match[0][0], len(match[0])), ())
                if _applies(term, language) and _unmasks(match[0], form)
            ]
            if terms:
                yield Hit(min(terms, key=lambda term: SEVERITIES.index(term.severity)), folded.span(*match.span()))

    @cached_property
    def _forms(self) -> dict[tuple[str, int], list[tuple[str, Term]]]:
        """The words that may be struck out, by their first letter and their length."""
        forms: dict[tuple[str, int], list[tuple[str, Term]]] = {}
        for term in self.terms:
            for form in _masked_forms(term):
                forms.setdefault((form[0], len(form)), []).append((form, term))
        return forms

    def _search(self, folded: Folded, squeezed: Squeezed) -> Iterator[tuple[_Key, int, int]]:
        """The keys found, each with its first and last letter in the squeezed text, whole words where it is open."""
        for last, keys in self._automaton.iter(squeezed.text):
            for key in keys:
                first = last - len(key.letters) + 1
                if _matches(key, folded, squeezed, first):
                    yield key, *_whole_word(key, squeezed.text, first, last)


def _applies(term: Term, language: str) -> bool:
    return not term.here_only or term.language == language


def _masked_forms(term: Term) -> Iterator[str]:
    stem = fold(term.text.strip("*")).text
    if term.severity != INNOCENT and len(stem) >= SHORTEST_MASKED and stem.isalpha():
        yield from (stem + ending for ending in (ENDINGS if term.text.endswith("*") else ("",)))


def _unmasks(masked: str, form: str) -> bool:
    return all(sign in (letter, *MASKS) for sign, letter in zip(masked, form, strict=True))


def _broken_up(folded: Folded) -> Iterator[Folded]:
    """The words that have signs inside, without those."""
    for match in _BROKEN.finditer(folded.text):
        yield _only(folded, [place for place in range(*match.span()) if folded.text[place].isalnum()])


def _spelled_out(folded: Folded) -> Iterator[Folded]:
    """The words that were put together from letters apart, without the words of one letter before and behind them."""
    if isinstance(folded.starts, range):
        return
    for match in _WORD.finditer(folded.text):
        start, end = match.span()
        if end - start > LONGEST_SPELLED or not _were_apart(folded, start, end):
            continue
        before = [0, *(n for n in (1, 2, 3) if set(match[0][:n]) <= ONE_LETTER_WORDS)]
        behind = [0, *(n for n in (1,) if set(match[0][-n:]) <= ONE_LETTER_WORDS)]
        for first, last in product(before, behind):
            if first + last and end - start - first - last >= SHORTEST_SPELLED:
                yield _only(folded, range(start + first, end - last))


def _were_apart(folded: Folded, start: int, end: int) -> bool:
    return end - start > SHORTEST_SPELLED and all(
        folded.ends[place] < folded.starts[place + 1] for place in range(start, end - 1)
    )


def _only(folded: Folded, places: Sequence[int]) -> Folded:
    return Folded(
        "".join(folded.text[place] for place in places),
        "".join(folded.native[place] for place in places),
        [folded.runs[place] for place in places],
        [folded.starts[place] for place in places],
        [folded.ends[place] for place in places],
    )


def _whole_word(key: _Key, text: str, first: int, last: int) -> tuple[int, int]:
    first = first + 1 if text[first] == " " else first
    last = last - 1 if text[last] == " " else last
    if key.term.text.startswith("*"):
        first = text.rindex(" ", 0, first) + 1
    if key.term.text.endswith("*"):
        last = text.index(" ", last) - 1
    return first, last


def _key(term: Term) -> _Key:
    folded = fold(term.text.strip("*"))
    squeezed = _squeezed(folded)
    first, last = 0, len(squeezed.text)
    if term.text.startswith("*") or _unspaced(squeezed.text[1]):
        first = 1
    if term.text.endswith("*") or _unspaced(squeezed.text[-2]):
        last -= 1
    return _Key(
        term, squeezed.text[first:last], tuple(squeezed.counts[first:last]), _accents(folded, squeezed)[first:last]
    )


def _solid(key: _Key) -> _Key:
    """A phrase written as one word."""
    kept = [0, *(place for place, letter in enumerate(key.letters) if letter != " "), len(key.letters) - 1]
    kept = sorted(set(kept))
    return key._replace(
        letters="".join(key.letters[place] for place in kept),
        counts=tuple(key.counts[place] for place in kept),
        native="".join(key.native[place] for place in kept),
    )


def _accents(folded: Folded, squeezed: Squeezed) -> str:
    return "".join(
        folded.native[first] if letter != " " else " "
        for letter, first in zip(squeezed.text, squeezed.firsts, strict=True)
    )


@lru_cache(maxsize=16_384)
def _unspaced(letter: str) -> bool:
    return not letter.isascii() and unicodedata.name(letter, "").startswith(UNSPACED)


def _matches(key: _Key, folded: Folded, squeezed: Squeezed, first: int) -> bool:
    """Whether the letters found are doubled where the term's are, and bear the accents that it needs."""
    for offset, count in enumerate(key.counts):
        if squeezed.counts[first + offset] < count and key.letters[offset] != " ":
            return False
    if not key.term.exact:
        return True
    return all(
        letter == " " or folded.native[squeezed.firsts[first + offset]] == letter
        for offset, letter in enumerate(key.native)
    )


def _outermost(hits: Iterable[Hit]) -> list[Hit]:
    """The hits in the order of the text, without those inside an innocent or a longer one that is as grave."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.span.start, -hit.span.end, -_rank(hit), hit.term.text)):
        if not kept or not _covers(kept[-1], hit):
            kept.append(hit)
    return kept


def _rank(hit: Hit) -> int:
    return len(SEVERITIES) if hit.term.severity == INNOCENT else SEVERITIES.index(hit.term.severity)


def _covers(outer: Hit, inner: Hit) -> bool:
    if inner.span.end > outer.span.end or _rank(inner) > _rank(outer):
        return False
    return outer.span != inner.span or _rank(inner) < _rank(outer)


_LEET_WORD = re.compile(r"[a-z0-9@$!|+(€]+")
_LEET = {
    "0": "o", "1": "i", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "i", "+": "t", "(": "c", "€": "e",
}  # fmt: skip
_INSIDE_ONLY = frozenset("!|(")
_BROKEN = re.compile(r"(?<![^\W_])[^\W_]+(?:[-_.*~/\\|+=^:]+[^\W_]+)+")


def _readings(folded: Folded) -> Iterator[Folded]:
    """The folded text, and the same with every sign read as a letter that could be meant as one."""
    yield folded
    boldly = _read_boldly(folded)
    if boldly != folded.text:
        yield replace(folded, text=boldly)
    if "1" in folded.native:
        yield replace(folded, text=_with_l_for_1(boldly, folded.native))


def _read_boldly(folded: Folded) -> str:
    letters = list(folded.text)
    for match in _LEET_WORD.finditer(folded.text):
        if match[0].isalpha() or not any(sign.isalpha() for sign in match[0]):
            continue
        for place in range(*match.span()):
            if _stands_for_a_letter(folded.text, place, match.span()):
                letters[place] = _LEET[folded.text[place]]
    if not folded.text.isascii():
        letters = [latin_twin(letter) for letter in letters]
    return "".join(letters)


def _with_l_for_1(text: str, native: str) -> str:
    return "".join("l" if sign == "1" and letter == "i" else letter for letter, sign in zip(text, native, strict=True))


def _stands_for_a_letter(text: str, place: int, word: tuple[int, int]) -> bool:
    sign = text[place]
    if sign.isalpha():
        return False
    return sign not in _INSIDE_ONLY or word[0] < place < word[1] - 1
