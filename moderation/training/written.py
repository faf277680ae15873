"""Training rows written by us: whole comments in many voices, each for one category of what moderators see.

They teach what neither public sets nor phrases put together carry: abuse without a bad word, and harsh, grieving,
swearing or quoting comments that nobody should hold. `written.tsv` has a category and a text a line. Its writers had
seen neither the news slice nor any other evaluation file, only the categories' names.
"""

from collections.abc import Iterator
from pathlib import Path

from moderation.training.rows import JIGSAW, Row
from moderation.training.synthetic import ATTACK, NOTHING

COMMENTS = Path(__file__).with_name("written.tsv")

NO_CODE = {"coded": 0.0}
CATEGORIES: dict[str, dict[str, float]] = {
    "insult": NOTHING | ATTACK,
    "threat": NOTHING | ATTACK | {"incitement": 1.0},
    "intimidation": ATTACK | NO_CODE | {"hate": 0.0, "dehumanisation": 0.0},
    "dehumanisation": ATTACK | NO_CODE | {"dehumanisation": 1.0, "hate": 0.85},
    "identity_attack": ATTACK | {"hate": 1.0, "incitement": 0.0},
    "incitement": ATTACK | NO_CODE | {"incitement": 1.0},
    "dog_whistle": ATTACK | {"coded": 1.0, "hate": 0.85, "incitement": 0.0},
    "sexual_harassment": ATTACK | NO_CODE | {"incitement": 0.0},
    "obfuscated": ATTACK | NO_CODE,
    **dict.fromkeys(
        ("criticism", "disagreement", "counter_speech", "quoting", "sarcasm", "joke", "profanity", "grief_anger"),
        NOTHING,
    ),
    "violence_report": NOTHING | {"identity_attack": 0.0, "insult": 0.0},
    "identity_mention": NOTHING | dict.fromkeys(JIGSAW, 0.0),
}


def comments() -> Iterator[Row]:
    """Every comment, in the order of the file."""
    for line in COMMENTS.read_text(encoding="utf-8").splitlines():
        category, text = line.split("\t")
        yield Row(text, CATEGORIES[category], "written")
