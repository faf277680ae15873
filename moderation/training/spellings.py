"""The words whose broken forms the engine mends, found in the training rows: those that stand mostly in abuse.

A broken form is left alone where it is a word of the tokenizer's own, or where harmless rows hold it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer

from moderation.engines.bundled.spellings import SHORTEST, Spellings, misspelt
from moderation.text import fold
from moderation.training.rows import Row

SOURCE = "jigsaw"
MOST = 300
LEAST_ROWS = 12
LEAST_SHARE = 0.75
# Mentions that the sets hold almost only in abuse, read as the word that people use of themselves.
TERMS = {"homosexual": "gay", "homosexuals": "gays"}

_WORD = re.compile(r"[^\W\d_]+")


def learned(rows: Sequence[Row], tokenizer: Tokenizer) -> Spellings:
    """The spellings of some training rows, the words that abuse holds most often first."""
    bad, fine = (counted(row for row in rows if toxic(row) is side) for side in (True, False))
    words = [word for word, rows_with in bad.most_common() if is_abusive(word, rows_with, fine[word])][:MOST]
    forms = {form for word in words for form in misspelt(word)}
    innocent = {
        form for form in forms.difference(words) if tokenizer.token_to_id(form) is not None or fine[form] > bad[form]
    }
    return Spellings(tuple(words), frozenset(innocent), TERMS)


def toxic(row: Row) -> bool | None:
    """Whether a row counts as abusive; None where it is not of the set whose words are looked at."""
    return row.targets["toxicity"] > 0.5 if row.source == SOURCE else None


def counted(rows: Iterable[Row]) -> Counter[str]:
    """In how many rows each word stands."""
    return Counter(word for row in rows for word in set(_WORD.findall(fold(row.text[:6_000]).text)))


def is_abusive(word: str, bad: int, fine: int) -> bool:
    return len(word) >= SHORTEST and word.isascii() and bad >= LEAST_ROWS and bad / (bad + fine) >= LEAST_SHARE
