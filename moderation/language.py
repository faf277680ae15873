"""Which language a text is in, told offline, or that it cannot be told.

Short texts are not guessed at: a wrong language is worse than none. But letters that a language is not written in are
never taken for that language. This room knows no policy.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Languages that comments are written in. The library knows more, among them ones that it finds in any short text.
# fmt: off
LANGUAGES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk",
    "sl", "sq", "sr", "sv", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zh",
)
# fmt: on
# The writing systems of those that are not written in Latin letters, as Unicode names them.
SCRIPTS = {
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    **dict.fromkeys(("bg", "ru", "sr", "uk"), ("CYRILLIC",)),
    "bn": ("BENGALI",),
    "el": ("GREEK",),
    "he": ("HEBREW",),
    "hi": ("DEVANAGARI",),
    "ja": ("HIRAGANA", "KATAKANA", "CJK"),
    "ko": ("HANGUL",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "th": ("THAI",),
    "zh": ("CJK",),
}
UNKNOWN = "und"
SURE = 0.8
LEAST_LETTERS = 20
LEAST_BYTES = 24
LONGEST = 2_000


def detect_language(text: str) -> str | None:
    """The language of a text as an ISO 639-1 code; None where the text is too short or too mixed to tell."""
    plain = _without_addresses(text)
    letters = "".join(character for character in plain if character.isalpha())
    if len(letters) < LEAST_LETTERS and (letters.isascii() or len(letters.encode()) < LEAST_BYTES):
        return None
    language, confidence = identifier().classify(plain)
    return str(language) if confidence >= SURE else None


def language_or(text: str, assumed: str) -> str:
    """The language of a text; where it cannot be told, the assumed one if the text is written in its letters.

    Else the likeliest language that is written in the text's letters, or `und`.
    """
    found = detect_language(text)
    if found is not None:
        return found
    if is_written_in(text, assumed):
        return assumed
    possible = [name for name, _ in identifier().rank(_without_addresses(text)) if is_written_in(text, str(name))]
    return str(possible[0]) if possible else UNKNOWN


def is_written_in(text: str, language: str) -> bool:
    """Whether most letters of a text are those of a language; a text without letters is in any language."""
    plain = _without_addresses(text)
    scripts = Counter(_script(letter) for letter in plain if letter.isalpha())
    own = SCRIPTS.get(language.partition("-")[0].lower(), ("LATIN",))
    return 2 * sum(count for script, count in scripts.items() if script in own) >= scripts.total()


def _without_addresses(text: str) -> str:
    """The beginning, the middle and the end of a text in small plain letters, without addresses and mentions."""
    if len(text) > LONGEST:
        third, middle = LONGEST // 3, len(text) // 2
        text = f"{text[:third]} {text[middle : middle + third]} {text[-third:]}"
    chunks = unicodedata.normalize("NFKC", text).lower().split()
    return " ".join(chunk for chunk in chunks if "@" not in chunk and "://" not in chunk and "www." not in chunk)


@lru_cache(maxsize=16_384)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]


@cache
def identifier() -> LanguageIdentifier:
    """The library's model, read once a process: about a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(LANGUAGES)
    return found
