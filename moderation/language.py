"""Which language a text is in, told offline, or that it cannot be told.

Short texts are not guessed at: a wrong language is worse than none. This room knows no policy.
"""

from __future__ import annotations

import re
from functools import cache
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
SURE = 0.8
LEAST_LETTERS = 20
LEAST_BYTES = 24
LONGEST = 2_000

_NOISE = re.compile(r"(?:\b\w{1,10}://|www\.)\S*|@\S+|\S+@\S+")


def detect_language(text: str) -> str | None:
    """The language of a text as an ISO 639-1 code; None where the text is too short or too mixed to tell."""
    plain = _NOISE.sub(" ", text[:LONGEST])
    letters = "".join(character for character in plain if character.isalpha())
    if len(letters) < LEAST_LETTERS and (letters.isascii() or len(letters.encode()) < LEAST_BYTES):
        return None
    language, confidence = identifier().classify(plain.lower())
    return str(language) if confidence >= SURE else None


@cache
def identifier() -> LanguageIdentifier:
    """The library's model, read once a process: about a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(LANGUAGES)
    return found
