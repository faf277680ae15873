"""The search: every term of some lists that stands in a folded text, under whatever disguise.

It takes time in proportion to the text, whatever the lists hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import ahocorasick

from moderation.model import Span
from moderation.text import Folded, fold
from moderation.words.lists import INNOCENT, SEVERITIES, Term
from moderation.words.readings import mended, readings
from moderation.words.squeezing import Squeezed, is_unspaced, squeeze

# Words struck out: the shortest, the signs, and the endings that a term with an open end is looked for with.
SHORTEST_MASKED = 4
MASKS = "*#%"
ENDINGS = ("", "s", "ed", "er", "ers", "in", "ing")

_MASKED = re.compile(r"(?<![^\W_])(?:[^\W\d_]+[*#%]+)+[^\W\d_]+(?![^\W_])")
_BETWEEN_WORDS = re.compile(r"[\s\-'’.,]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found, with the stretch of the canonical text in which it stands."""

    term: Term
    span: Span


class _Key(NamedTuple):
    """A term as it is searched for: its squeezed letters, how often each must stand at least, and its accents."""

    term: Term
    letters: str
    counts: Sequence[int]
    native: str


class Wordlists:
    """Some lists, ready to be searched."""

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
        found = [
            Hit(key.term, span)
            for reading in readings(folded)
            for key, span in (*self._standing(reading), *self._pulled_apart(reading))
            if _applies(key.term, language)
        ]
        hits = _outermost({*found, *self._masked(folded, language)})
        return tuple(hit for hit in hits if hit.term.severity != INNOCENT)

    def _add(self, term: Term) -> None:
        for form in dict.fromkeys((term.text, _BETWEEN_WORDS.sub("", term.text))):
            key = _key(term, form)
            if key.letters not in self._automaton:
                self._automaton.add_word(key.letters, [])
            self._automaton.get(key.letters).append(key)

    def _standing(self, folded: Folded) -> Iterator[tuple[_Key, Span]]:
        """Terms that stand as words of their own."""
        squeezed = squeeze(folded)
        for key, first, last in self._search(squeezed):
            yield key, folded.span(squeezed.firsts[first], squeezed.lasts[last] + 1)

    def _pulled_apart(self, folded: Folded) -> Iterator[tuple[_Key, Span]]:
        """Terms in words that were pulled apart; the pieces together must be the term, and no more."""
        for word in mended(folded):
            squeezed = squeeze(word)
            for key, first, last in self._search(squeezed):
                if first == 1 and last == len(squeezed.text) - 2:
                    yield key, word.span(0, len(word.text))

    def _search(self, squeezed: Squeezed) -> Iterator[tuple[_Key, int, int]]:
        """The keys found, each with its first and last letter in the squeezed text, whole words where it is open."""
        for last, keys in self._automaton.iter(squeezed.text):
            for key in keys:
                first = last - len(key.letters) + 1
                if _matches(key, squeezed, first):
                    yield key, *_whole_word(key, squeezed.text, first, last)

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


def _applies(term: Term, language: str) -> bool:
    return not term.here_only or term.language == language


def _masked_forms(term: Term) -> Iterator[str]:
    stem = fold(term.text.strip("*")).text
    if term.severity != INNOCENT and len(stem) >= SHORTEST_MASKED and stem.isalpha():
        yield from (stem + ending for ending in (ENDINGS if term.text.endswith("*") else ("",)))


def _unmasks(masked: str, form: str) -> bool:
    return all(sign in (letter, *MASKS) for sign, letter in zip(masked, form, strict=True))


def _whole_word(key: _Key, text: str, first: int, last: int) -> tuple[int, int]:
    first = first + 1 if text[first] == " " else first
    last = last - 1 if text[last] == " " else last
    if key.term.text.startswith("*"):
        first = text.rindex(" ", 0, first) + 1
    if key.term.text.endswith("*"):
        last = text.index(" ", last) - 1
    return first, last


def _key(term: Term, form: str) -> _Key:
    squeezed = squeeze(fold(form.strip("*")))
    opens = form.startswith("*") or is_unspaced(squeezed.text[1])
    ends = form.endswith("*") or is_unspaced(squeezed.text[-2])
    places = range(1 if opens else 0, len(squeezed.text) - (1 if ends else 0))
    letters = [squeezed.text[place] for place in places]
    return _Key(
        term,
        "".join(letters),
        tuple(squeezed.count(place) for place in places),
        "".join(squeezed.native(place) for place in places),
    )


def _matches(key: _Key, squeezed: Squeezed, first: int) -> bool:
    """Whether the letters found are doubled where the term's are, and bear the accents that it needs."""
    if any(count > 1 and squeezed.count(first + offset) < count for offset, count in enumerate(key.counts)):
        return False
    if not key.term.exact:
        return True
    return all(squeezed.native(first + offset) == letter for offset, letter in enumerate(key.native))


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
