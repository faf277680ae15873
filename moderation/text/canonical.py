"""The text as it is stored: NFC, within limits, and otherwise exactly what its author wrote.

Nothing is stripped here. What cannot be stored or shown to anybody is refused with a code, never mended.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

MAX_CHARACTERS = 10_000
MAX_BYTES = 40_000
MAX_MARKS = 64
NFC_SHRINKS_AT_MOST = 3


class TextRefused(Exception):
    """A text that cannot be taken; `code` says why in one word, `detail` in a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def canonicalise(raw: str, limit: int = MAX_CHARACTERS) -> str:
    """The text as it is stored: `raw` in NFC, of at most `limit` code points.

    Raises `TextRefused` with `text.empty`, `text.too_long`, `text.nul`, `text.surrogate` or `text.marks`.
    """
    _refuse_unstorable(raw)
    if len(raw) > limit * NFC_SHRINKS_AT_MOST:
        raise _too_long(limit)
    _refuse_piled_marks(raw)
    text = unicodedata.normalize("NFC", raw)
    if len(text) > limit or len(text.encode()) > MAX_BYTES:
        raise _too_long(limit)
    if all(map(invisible, text)):
        raise TextRefused("text.empty", "The text has nothing in it that can be seen.")
    return text


def _refuse_unstorable(raw: str) -> None:
    if "\0" in raw:
        raise TextRefused("text.nul", "The text contains a NUL character.")
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise TextRefused("text.surrogate", "The text contains half of a surrogate pair.") from None


def _too_long(limit: int) -> TextRefused:
    return TextRefused("text.too_long", f"The text is longer than {limit} characters or {MAX_BYTES} bytes.")


def _refuse_piled_marks(raw: str) -> None:
    """Refuse more marks on one letter than any writing system has: putting them in order takes quadratic time."""
    if raw.isascii():
        return
    run = 0
    for character in raw:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MAX_MARKS:
            raise TextRefused("text.marks", f"The text piles more than {MAX_MARKS} marks on one letter.")


# Letters and symbols by their category that show nothing: fillers and blanks.
BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f\U0001d159")


@lru_cache(maxsize=16_384)
def invisible(character: str) -> bool:
    """Whether a character by itself shows nothing: blanks, controls, formats, variation selectors, stray marks."""
    return character in BLANK or unicodedata.category(character) in ("Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp", "Cn")
