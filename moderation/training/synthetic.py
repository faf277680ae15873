"""Training rows written by us: the phrases of `synthetic.toml`, put together at random and labelled by their kind.

They teach what no public set at hand carries well: threats, incitement, dehumanisation and coded hate on one side, and
on the other what must not be mistaken for them: harsh criticism, sarcasm, quoting, counter-speech, harmless
profanity, neutral mentions of who people are. Both sides share openers, closers and context, so that only the phrase
itself can tell them apart. Never fed from an evaluation file.
"""

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from moderation.training.rows import JIGSAW, Row

PHRASES = Path(__file__).with_name("synthetic.toml")
SLOT = re.compile(r"\{(\w+)\}")
OURS = ("abuse", "hate", "incitement", "dehumanisation", "coded", "unfit")

NOTHING = dict.fromkeys(OURS, 0.0)
ATTACK = {"abuse": 1.0, "unfit": 1.0}
ON_GROUP = ATTACK | {"hate": 1.0}
KINDS: dict[str, dict[str, float]] = {
    "clean": NOTHING,
    "neutral": NOTHING | dict.fromkeys(JIGSAW, 0.0),
    "profane": NOTHING,
    "insult": NOTHING | ATTACK,
    "threat": NOTHING | ATTACK | {"incitement": 1.0},
    "group_threat": ON_GROUP | {"incitement": 1.0, "coded": 0.0},
    "incitement": ATTACK | {"incitement": 1.0, "dehumanisation": 0.0, "coded": 0.0},
    "dehumanise_group": ON_GROUP | {"dehumanisation": 1.0, "coded": 0.0},
    "dehumanise_other": NOTHING | ATTACK | {"dehumanisation": 1.0},
    "hate": ON_GROUP | {"incitement": 0.0, "coded": 0.0},
    "coded": ATTACK | {"coded": 1.0, "hate": 0.85},
}


def generate(seed: int = 20) -> Iterator[Row]:
    """Every category's rows, the same for the same seed; a text is never made twice."""
    chance = random.Random(seed)
    phrases = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for category in phrases["category"]:
        for text in texts(category, phrases["slots"], chance, seen):
            yield Row(text, KINDS[category["kind"]], "synthetic")


def texts(
    category: Mapping[str, object], slots: Mapping[str, Sequence[str]], chance: random.Random, seen: set[str]
) -> Iterator[str]:
    templates, wanted = category["templates"], category["rows"]
    assert isinstance(templates, list)
    assert isinstance(wanted, int)
    for turn in range(wanted):
        for _ in range(5):
            text = dressed(filled(templates[turn % len(templates)], slots, chance), slots, chance)
            if text not in seen:
                seen.add(text)
                yield text
                break


def filled(template: str, slots: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    while SLOT.search(template):
        template = SLOT.sub(lambda slot: chance.choice(slots[slot.group(1)]), template)
    return re.sub(r"\b([Aa]) (?=[aeiouAEIO])", r"\1n ", template)


def dressed(core: str, slots: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    """The phrase with what people write around it."""
    opener, closer = chance.choice(slots["opener"]), chance.choice(slots["closer"])
    if chance.random() < 0.35:
        opener = closer = ""
    start = core[:1].upper() if not opener and chance.random() < 0.7 else core[:1]
    text = opener + (start.lower() if opener and not core.startswith("I") else start) + core[1:] + closer
    if chance.random() < 0.3:
        text = in_context(text, slots["context"], chance)
    return text


def in_context(text: str, sentences: Sequence[str], chance: random.Random) -> str:
    """One to four everyday sentences before and after: in a long comment the attack is a small part."""
    before = chance.sample(sentences, chance.choice((0, 1, 1, 2)))
    after = chance.sample(sentences, chance.choice((0, 0, 1, 2)))
    end = "" if text.endswith((".", "!", "?")) else "."
    return " ".join([*before, text + (end if after else ""), *after])
