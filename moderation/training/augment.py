"""Copies of training texts as evasive or careless writers would have typed them, and identity terms swapped.

Pure functions of a text and a random source. The forms that the evaluation measures are written independently of
these and include some that are never trained on.
"""

import random
import re
from collections.abc import Callable, Sequence

WORD = re.compile(r"[^\W\d_]{3,}")

LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "$5", "t": "7", "b": "8", "g": "9"}
LOOKALIKES = {"a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "x": "х", "i": "і", "y": "у", "s": "ѕ", "h": "һ"}

IDENTITIES: tuple[tuple[str, ...], ...] = (
    (
        "gay", "lesbian", "bisexual", "trans", "transgender", "queer", "straight", "homosexual", "heterosexual",
        "nonbinary", "lgbt", "lgbtq",
    ),
    (
        "muslim", "christian", "jewish", "catholic", "buddhist", "hindu", "sikh", "protestant", "atheist", "mormon",
        "taoist", "evangelical",
    ),
    ("muslims", "christians", "jews", "catholics", "buddhists", "hindus", "sikhs", "atheists", "mormons"),
    (
        "african", "asian", "mexican", "american", "chinese", "indian", "japanese", "arab", "european", "canadian",
        "latino", "latina", "hispanic", "pakistani", "turkish", "polish", "russian", "nigerian", "romani", "korean",
        "vietnamese", "syrian", "iranian", "israeli", "palestinian", "jamaican", "somali", "african american",
    ),
    (
        "mexicans", "americans", "chinese", "indians", "arabs", "europeans", "canadians", "latinos", "pakistanis",
        "turks", "poles", "russians", "nigerians", "koreans", "africans", "asians", "syrians", "israelis",
        "palestinians", "immigrants", "refugees", "migrants", "foreigners",
    ),
    ("women", "men", "girls", "boys", "gays", "lesbians", "transwomen"),
    ("woman", "man", "girl", "boy"),
    ("female", "male"),
    (
        "blind", "deaf", "paralyzed", "disabled", "autistic", "old", "young", "elderly", "older", "younger", "teenage",
        "millenial", "middle aged",
    ),
)  # fmt: skip
COLOURED = re.compile(
    r"\b(black|white|brown)(?=\s+(?:people|person|man|men|woman|women|guy|girl|kid|folk|community))", re.I
)
KIN = {term: kin for kin in IDENTITIES for term in kin}
IDENTITY = re.compile(r"\b(" + "|".join(sorted(KIN, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def mask_inside(word: str, chance: random.Random) -> str:
    sign = chance.choice("*#-_*.")
    count = chance.randint(1, max(1, len(word) - 2))
    return word[0] + sign * count + word[1 + count :]


def swap_two(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def drop_one(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word))
    return word[:place] + word[place + 1 :]


def stretch(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word))
    return word[:place] + word[place] * chance.randint(2, 4) + word[place + 1 :]


def put_between(word: str, chance: random.Random) -> str:
    sign = chance.choice([" ", ".", "-", "_", "*", ""])
    return sign.join(word)


def leet(word: str, chance: random.Random) -> str:
    return "".join(chance.choice(LEET[c]) if c in LEET and chance.random() < 0.7 else c for c in word.lower())


def lookalike(word: str, chance: random.Random) -> str:
    return "".join(LOOKALIKES[c] if c in LOOKALIKES and chance.random() < 0.6 else c for c in word)


def insert_mark(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word))
    return word[:place] + chance.choice(".-*' /") + word[place:]


FORMS: tuple[Callable[[str, random.Random], str], ...] = (
    mask_inside, mask_inside, swap_two, swap_two, drop_one, drop_one, stretch, put_between, leet, lookalike,
    insert_mark,
)  # fmt: skip


def disguise(text: str, targets: re.Pattern[str], chance: random.Random) -> str:
    """Some of the words that carry meaning typed otherwise: those that `targets` finds first, then any."""
    form = chance.choice(FORMS)
    loaded = [match.span() for match in targets.finditer(text)]
    words = [match.span() for match in WORD.finditer(text)]
    if not words:
        return text
    chosen = set(loaded if loaded and chance.random() < 0.85 else [])
    chosen |= set(chance.sample(words, min(len(words), chance.randint(1, 2))))
    for start, end in sorted(without_overlap(chosen), reverse=True):
        if end - start >= 3:
            text = text[:start] + form(text[start:end], chance) + text[end:]
    return text


def without_overlap(spans: set[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def carelessly(text: str, chance: random.Random) -> str:
    """Lower-cased and with its punctuation gone, as a third of one set's texts survive."""
    return re.sub(r"[^\w\s]+", " ", text.lower()) if chance.random() < 0.5 else text.lower()


def swap_identities(text: str, chance: random.Random) -> str:
    """Every identity term replaced by another of its kind, the same one throughout: the label must not move."""
    chosen: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        term = match.group(1).lower()
        kin: Sequence[str] = KIN.get(term, ("black", "white", "brown"))
        new = chosen.setdefault(term, chance.choice(kin))
        return new.capitalize() if match.group(1)[0].isupper() else new

    return COLOURED.sub(other, IDENTITY.sub(other, text))
