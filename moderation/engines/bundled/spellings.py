"""Reads words that were typed past a filter, or in haste, as the words that they pass for: `fcuk`, `f**k`, `id-iot`.

Folding undoes what needs no knowledge of words; here some words are known, those that abuse is made of. Which of their
forms are innocent was found, and listed, when the model was made. Addresses stay as they are, and so does what looks
like an abbreviation. The map back is kept: a word that is read otherwise covers all that its author typed.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from moderation.text import Folded, addresses, fold, respelled

SHORTEST = 4
LONGEST_ABBREVIATION = 4
MASKS = "*#%-_"

_PART = re.compile(r"[^-_]+")
_CHUNK = re.compile(r"(?<![^\W_])[^\W\d_]+(?:[-_*#%~|+=^\\]+[^\W\d_]+)*(?![^\W_])")


@dataclass(frozen=True)
class Spellings:
    """Words to look for, the most frequent first; forms of them that are left alone; and terms read as another.

    `terms` are names of groups that the model holds against a neutral sentence, with the everyday name that the same
    people go by, which it does not: which of the two somebody writes must not move a score.
    """

    words: Sequence[str]
    innocent: frozenset[str]
    terms: Mapping[str, str]

    def __call__(self, text: str) -> Folded:
        """The text, folded, with its broken words read as what they pass for."""
        folded = fold(text)
        found = self.found(folded.text)
        return respelled(folded, {place: word for place, word in found if not is_abbreviation(text, folded, *place)})

    def found(self, text: str) -> Iterator[tuple[tuple[int, int], str]]:
        """Each place that is read otherwise, with its word; no two places overlap."""
        spared = addresses(text)
        for chunk in _CHUNK.finditer(text):
            start, end = chunk.span()
            nearest = bisect_right(spared, (start, len(text))) - 1
            if nearest >= 0 and start < spared[nearest][1]:
                continue
            if word := self.meant(chunk[0]):
                yield (start, end), word
            elif not chunk[0].isalpha():
                for part in _PART.finditer(text, start, end):
                    if word := self.meant(part[0]):
                        yield part.span(), word

    def meant(self, written: str) -> str | None:
        """What one word, with the signs inside it, passes for; None where it is to be read as it stands."""
        if written.isalpha():
            return self.forms.get(written)
        return self.unmasked(written) or self.joined(written)

    @cached_property
    def forms(self) -> dict[str, str]:
        """What each misspelt form is read as: one letter dropped, or two neighbours swapped; and the terms."""
        known = {*self.words, *self.innocent}
        forms = {form: word for word in reversed(self.words) for form in misspelt(word) if form not in known}
        return forms | dict(self.terms)

    @cached_property
    def _by_shape(self) -> dict[tuple[str, str, int], list[str]]:
        shapes: dict[tuple[str, str, int], list[str]] = {}
        for word in self.words:
            shapes.setdefault((word[0], word[-1], len(word)), []).append(word)
        return shapes

    def unmasked(self, written: str) -> str | None:
        """The most frequent word that fits a masked one: `f**k`."""
        fitting = self._by_shape.get((written[0], written[-1], len(written)), ())
        return next((word for word in fitting if is_masked(written, word)), None)

    def joined(self, written: str) -> str | None:
        """The word that was pulled apart by signs: `id-iot`, or `f-ck`, where one stands for a letter."""
        whole = "".join(filter(str.isalpha, written))
        return whole if whole in self._known else self.forms.get(whole)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.words)

    def written(self) -> str:
        """As `read` takes it."""
        parts = {"words": list(self.words), "innocent": sorted(self.innocent), "terms": dict(self.terms)}
        return json.dumps(parts, indent=1) + "\n"


def is_abbreviation(text: str, folded: Folded, start: int, end: int) -> bool:
    """Whether a place was typed as a few capitals, in a text that has other letters too: `IDOT`, `FCUK`."""
    origin = folded.span(start, end)
    typed = text[origin.start : origin.end]
    return len(typed) <= LONGEST_ABBREVIATION and typed.isalpha() and typed.isupper() and not text.isupper()


def is_masked(written: str, word: str) -> bool:
    """Whether a form of as many letters is the word with signs in place of some."""
    return all(sign in (letter, *MASKS) for sign, letter in zip(written, word, strict=True))


def misspelt(word: str) -> Iterable[str]:
    """The word with one letter dropped, but not its first, and with two neighbours swapped."""
    dropped = (word[:at] + word[at + 1 :] for at in range(1, len(word)))
    swapped = (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))
    return {form for form in (*dropped, *swapped) if form != word}


def read(content: bytes) -> Spellings:
    """The spellings that `written` wrote."""
    known = json.loads(content)
    return Spellings(tuple(known["words"]), frozenset(known["innocent"]), known["terms"])
