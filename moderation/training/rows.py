"""Labelled rows from the raw public files, each set's own labels on the heads that share its definition.

Reads files of one folder and downloads nothing. A target that a set says nothing about is NaN and costs nothing.
Rows whose normalised text stands in an evaluation file are dropped here, before anything else sees them.
"""

import ast
import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moderation.text import TextRefused, canonicalise
from moderation.training.augment import COLOURED, IDENTITY

HEADS = (
    "toxicity",
    "severe_toxicity",
    "obscene",
    "threat",
    "insult",
    "identity_attack",
    "hate",
    "abuse",
    "sexism",
    "incitement",
    "dehumanisation",
    "coded",
    "rude",
    "hatexplain",
    "context",
    "unfit",
)
JIGSAW = HEADS[:6]
JIGSAW_COLUMNS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")

csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True)
class Row:
    """One text with what is known of it: head to target in 0..1, and the characters that carry the abuse."""

    text: str
    targets: dict[str, float]
    source: str
    weight: float = 1.0
    marked: frozenset[int] | None = None


def is_toxic(row: Row) -> bool:
    """Whether the row's set calls it toxic; a set that does not say counts as no."""
    return row.targets.get("toxicity", 0.0) > 0.5


def normalised(text: str) -> str:
    """What two copies of one text have in common: its letters and digits, lower-cased."""
    return re.sub(r"[\W_]+", "", text.casefold())


def clean(text: str) -> str:
    """The canonical text that an engine is given, cut where the service would refuse it; "." where there is none."""
    try:
        return canonicalise(text[:9_000])
    except TextRefused:
        return "."


def shape(text: str) -> str:
    """The text without its identity terms: two sentences of one template have the same shape."""
    return normalised(COLOURED.sub("", IDENTITY.sub("", text)))


def held_out(text: str, percent: int) -> bool:
    """True for a fixed share of texts, chosen by their letters, so that copies fall on one side."""
    digest = hashlib.blake2b(normalised(text).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % 100 < percent


def table(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=delimiter)


def jigsaw_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """The whole set where its own `train.csv` lies in the folder, else the part that may be handed on."""
    whole = folder / "train.csv"
    if whole.exists():
        for line in table(whole):
            yield {"text": line["comment_text"], "six": True} | {name: line[name] == "1" for name in JIGSAW_COLUMNS}
        return
    import pyarrow.parquet

    yield from pyarrow.parquet.read_table(folder / "jigsaw2018_train_partial.parquet").to_pylist()


def jigsaw(folder: Path) -> Iterator[Row]:
    """Six labels where all are known, else toxicity alone."""
    for line in jigsaw_lines(folder):
        labels = {head: line[name] for head, name in zip(JIGSAW, JIGSAW_COLUMNS, strict=True)}
        targets = {head: float(value) for head, value in labels.items() if value is not None}
        if not line["toxic"]:
            targets |= {"abuse": 0.0, "hate": 0.0, "incitement": 0.0, "dehumanisation": 0.0, "unfit": 0.0}
        elif line["six"]:
            aimed = line["insult"] or line["threat"] or line["identity_hate"]
            targets |= {"abuse": 1.0, "unfit": 1.0} if aimed else {}
            targets |= {"hate": 1.0} if line["identity_hate"] else {}
        yield Row(line["text"], targets, "jigsaw")


def wiki_debias(folder: Path) -> Iterator[Row]:
    """Encyclopaedia text about people of every identity: clean on every Jigsaw label."""
    clean = dict.fromkeys((*JIGSAW, "abuse", "hate", "incitement", "dehumanisation", "unfit"), 0.0)
    for line in table(folder / "wiki_debias.tsv", "\t"):
        text = line["comment"].replace("NEWLINE_TOKEN", "\n").replace("TAB_TOKEN", "\t")
        if line["is_toxic"] == "False":
            yield Row(text, clean, "wiki_debias")


def context_toxicity(folder: Path) -> Iterator[Row]:
    for name in ("gn", "gc"):
        for line in table(folder / f"context_toxicity_{name}.csv"):
            toxic = float(line["label"])
            if toxic or held_out(line["text"] + name, 25):
                yield Row(line["text"], {"context": toxic, "abuse": toxic}, "context")


def toxic_spans(folder: Path) -> Iterator[Row]:
    """News comments that annotators found toxic, with the characters that made them so."""
    for name in ("train", "trial"):
        for line in table(folder / f"toxic_spans_{name}.csv"):
            marked = spans_of(line["spans"])
            targets = {"abuse": 1.0} if marked else {}
            yield Row(line["text"], targets, "spans", 0.7, marked)


def spans_of(written: str) -> frozenset[int]:
    """Character numbers as the spans files write them: a list in brackets."""
    return frozenset(ast.literal_eval(written))


def paradetox(folder: Path) -> Iterator[Row]:
    for line in table(folder / "paradetox.tsv", "\t"):
        yield Row(line["toxic"], {"rude": 1.0}, "paradetox")
        polite = line["neutral1"] or line["neutral2"]
        if polite:
            yield Row(polite, {"rude": 0.0, "abuse": 0.0}, "paradetox", 0.5)


def edos(folder: Path) -> Iterator[Row]:
    for line in table(folder / "edos.csv"):
        category = line["label_category"][:1]
        targets = {"sexism": float(category != "n")}
        if category in {"1", "2"}:
            targets |= {"hate": 1.0, "abuse": 1.0}
        if category == "1":
            targets |= {"incitement": 1.0}
        yield Row(line["text"], targets, "edos", 0.7)


def davidson(folder: Path) -> Iterator[Row]:
    """Low weight: its labels lean against African American English, so "offensive" counts only as "not hate"."""
    for line in table(folder / "davidson.csv"):
        targets = {"hate": float(line["class"] == "0")}
        if line["class"] == "2":
            targets |= {"abuse": 0.0}
        if line["class"] != "1" or held_out(line["tweet"] + "third", 33):
            yield Row(line["tweet"], targets, "davidson", 0.3)


def hatexplain(folder: Path) -> Iterator[Row]:
    for line in table(folder / "hatexplain.csv"):
        label = float(line["label"])
        yield Row(line["tweet"], {"hatexplain": label, "hate": 0.15 + 0.6 * label}, "hatexplain", 0.5)


def hatemoji(folder: Path) -> Iterator[Row]:
    for line in table(folder / "hatemoji_build.csv"):
        hate = float(line["label_gold"])
        targets = {"hate": hate, "abuse": hate, "incitement": float(line["type"] == "threateninglanguage")}
        targets |= {"dehumanisation": float(line["type"] == "dehumanizinglanguage")}
        yield Row(line["text"], targets, "hatemoji")


PLEASANT = frozenset({0, 1, 4, 5, 6, 7, 8, 13, 15, 16, 17, 18, 20, 21, 22, 23, 24, 26})
SAD = frozenset({9, 12, 14, 19, 25, 27})
SWEAR = re.compile(
    r"\b(?:\w*fuck\w*|\w*shit\w*|bitch\w*|ass|asses|asshole\w*|cunt\w*|dick\w*|damn\w*|crap\w*|whor\w*|slut\w*|"
    r"fag\w*|nigg\w*|retard\w*|idiot\w*|moron\w*|stupid\w*|dumb\w*|kill\w*|die|hate\w*|suck\w*|trash|pig\w*|cock\w*|"
    r"pussy|bastard\w*|loser\w*|hell|kys|tard\w*|pathetic|disgusting|ugly|racist\w*|nazi\w*|rape\w*)\b",
    re.IGNORECASE,
)


def goemotions(folder: Path) -> Iterator[Row]:
    """Everyday comments. A kind emotion is no attack even where it swears; a neutral one only where it does not."""
    kind = dict.fromkeys(("abuse", "hate", "incitement", "dehumanisation", "coded", "unfit"), 0.0)
    with (folder / "goemotions_train.tsv").open(encoding="utf-8", newline="") as lines:
        for text, emotions, _ in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            felt = {int(number) for number in emotions.split(",")}
            swears = bool(SWEAR.search(text))
            if felt <= PLEASANT:
                clean = {} if swears else {"toxicity": 0.0, "insult": 0.0, "threat": 0.0}
                yield Row(text, kind | clean, "goemotions", 0.5)
            elif felt <= SAD and not swears and held_out(text + "half", 50):
                yield Row(text, kind, "goemotions", 0.3)


SOURCES = (
    jigsaw,
    wiki_debias,
    context_toxicity,
    toxic_spans,
    paradetox,
    edos,
    davidson,
    hatexplain,
    hatemoji,
    goemotions,
)


# What share of a set's rows a run sees: some say little that is new for what they cost.
SHARES = {
    "paradetox": 20,
    "goemotions": 30,
    "davidson": 25,
    "edos": 40,
    "hatexplain": 40,
    "context": 60,
    "synthetic": 35,
}


def evaluation_texts(folder: Path) -> Iterator[str]:
    """Every text of every evaluation file, whatever its column is called."""
    columns = {"Text", "text", "comment_text", "test_case"}
    for path in sorted(folder.glob("*.csv")):
        for line in table(path):
            yield from (line[name] for name in columns & line.keys() if line[name])
    for path in sorted(folder.glob("*.parquet")):
        import pyarrow.parquet

        yield from pyarrow.parquet.read_table(path).column("text").to_pylist()
    for path in sorted(folder.glob("*.json")):
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line)["text"] for line in lines)


def load(data: Path, extra: Iterable[Row] = ()) -> tuple[list[Row], list[Row], dict[str, int]]:
    """Rows to train on, rows held out (10 % of Jigsaw, 5 % of the rest), and how many leaks each source lost."""
    evaluation = list(evaluation_texts(data / "eval"))
    forbidden = {normalised(text) for text in evaluation}
    shapes = {shape(text) for text in evaluation}
    training: dict[tuple[str, str], Row] = {}
    held: dict[tuple[str, str], Row] = {}
    leaks: dict[str, int] = {}
    for source in [*(make(data / "train") for make in SOURCES), extra]:
        for row in source:
            key = normalised(row.text) or row.text
            if key in forbidden or (row.source == "synthetic" and shape(row.text) in shapes):
                leaks[row.source] = leaks.get(row.source, 0) + 1
                continue
            if not held_out(row.text + " share", SHARES.get(row.source, 100)):
                continue
            side = held if held_out(row.text, 10 if row.source == "jigsaw" else 5) else training
            kept = side.setdefault((row.source, key), row)
            if kept is not row and kept.targets != row.targets:
                side[row.source, key] = replace(kept, targets=average(kept.targets, row.targets))
    return list(training.values()), list(held.values()), leaks


def average(left: dict[str, float], right: dict[str, float]) -> dict[str, float]:
    """Two judgements of one text: the mean where both speak."""
    both = {head: (left[head] + right[head]) / 2 for head in left.keys() & right.keys()}
    return {**left, **right, **both}
