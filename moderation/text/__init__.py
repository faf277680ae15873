"""What is stored and what is judged: the canonical text, the folded text, and the way back.

`canonicalise` gives the text as it is stored; `fold` gives the text as it is judged, with every disguise taken off that
can be taken off without guessing, and a map back. This room knows no words, no policy and no outcome.
"""

from moderation.text.canonical import MAX_BYTES, MAX_CHARACTERS, TextRefused, canonicalise, invisible
from moderation.text.folding import Folded, addresses, fold, latin_twin, respelled

__all__ = [
    "MAX_BYTES",
    "MAX_CHARACTERS",
    "Folded",
    "TextRefused",
    "addresses",
    "canonicalise",
    "fold",
    "invisible",
    "latin_twin",
    "respelled",
]
