"""The words whose broken forms the engine mends, found in the training rows: those that stand mostly in abuse.

A broken form is left alone where it is a word of the tokenizer's own, or where harmless rows hold it. Short ones are
too often a name, an abbreviation or a word of their own (`hmo`, `kik`, `tit`): unless it is the two letters inside that
changed places, they are mended only where the rows show them in abuse. Of a few forms we know what rows are too few to
tell.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer

from moderation.engines.bundled.spellings import SHORTEST, Spellings, misspelt
from moderation.text import fold
from moderation.training.rows import Row, is_toxic

SOURCE = "jigsaw"
OURS = frozenset({"synthetic", "written"})
MOST = 300
LEAST_ROWS = 12
LEAST_SHARE = 0.75
# Words that stand in abuse but are none: nobody types them past a filter.
HARMLESS = frozenset(
    (
        "balls", "boobs", "choke", "cking", "cowards", "donkey", "dumbest", "fart", "feces", "filthy", "freaking",
        "hypocrites", "kissing", "lick", "licker", "licking", "looser", "mama", "miserable", "momma", "moms",
        "nerdy", "nosed", "poop", "puke", "sack", "shove", "smelly", "stinks", "urself", "yall", "youre",
    )
)  # fmt: skip
# Names and words of other languages that the rows do not hold.
KNOWN = frozenset(
    (
        "bastad", "bastar", "batard", "bich", "bugge", "comie", "comme", "commi", "dik", "douce", "douch", "duche",
        "fagot", "fagots", "idits", "magot", "magots", "morns", "moros", "nigers", "prics", "raist", "seemn", "suk",
        "toser", "trud",
    )
)  # fmt: skip
# Forms that are nothing else, though no row shows them or one harmless row has them.
BROKEN = frozenset(
    (
        "bitc", "btch", "cokc", "cutn", "dikc", "dubm", "fcks", "fuc", "fukc", "hsit", "idck", "idoits", "idot",
        "imbecil", "lsut", "mron", "ngga", "occk", "pnis", "prck", "pssy", "pusy", "reatrded", "shity", "sltu", "stuid",
        "sucs", "sukc", "suks", "twta", "ucnt", "udmb", "ufck", "usck", "whre", "wtat",
    )
)  # fmt: skip
SHORT = 4
SHORT_ROWS, SHORT_SHARE = 3, 0.8
# Names of a group that the heads hold against a neutral sentence, read as the everyday name, which they do not.
TERMS = {"homosexual": "gay", "homosexuals": "gays"}

_WORD = re.compile(r"[^\W\d_]+")


def learned(rows: Sequence[Row], tokenizer: Tokenizer) -> Spellings:
    """The spellings of some training rows, the words that abuse holds most often first."""
    bad = counted(row for row in rows if row.source == SOURCE and is_toxic(row))
    own = counted(row for row in rows if row.source == SOURCE and not is_toxic(row))
    fine = counted(row for row in rows if row.source not in OURS and is_clean(row))
    words = [word for word, count in bad.most_common() if is_abusive(word, count, own[word])][:MOST]
    forms = {form: word for word in reversed(words) for form in misspelt(word) if form not in words}
    innocent = {
        form
        for form, word in forms.items()
        if form in KNOWN or tokenizer.token_to_id(form) is not None or not is_broken(form, word, bad[form], fine[form])
    }
    return Spellings(tuple(words), frozenset(innocent - BROKEN), TERMS)


def is_clean(row: Row) -> bool:
    """Whether no label that the row's set knows applies."""
    return max(row.targets.values(), default=0.0) < 0.5


def counted(rows: Iterable[Row]) -> Counter[str]:
    """In how many rows each word stands."""
    return Counter(word for row in rows for word in set(_WORD.findall(fold(row.text[:6_000]).text)))


def is_abusive(word: str, bad: int, fine: int) -> bool:
    return (
        word not in HARMLESS
        and len(word) >= SHORTEST
        and word.isascii()
        and bad >= LEAST_ROWS
        and bad / (bad + fine) >= LEAST_SHARE
    )


def is_broken(form: str, word: str, bad: int, fine: int) -> bool:
    """Whether a form that so many abusive and so many clean rows hold may be read as the word."""
    if len(form) > SHORT or (len(form) == len(word) and (form[0], form[-1]) == (word[0], word[-1])):
        return fine <= bad
    return bad >= SHORT_ROWS and bad / (bad + fine) >= SHORT_SHARE
