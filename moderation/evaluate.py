"""A policy or an engine measured against comments that people have labelled.

For whoever changes a threshold, a rule or a word list: what would it hold, and what would it let through? Every figure
comes with its 95 % bootstrap interval. Nothing here is fitted, downloaded or kept: texts are read, judged, forgotten.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from moderation.engines import Engine
from moderation.model import AuthorFacts, Outcome, Submission
from moderation.pipeline import Judge
from moderation.text import TextRefused, canonicalise

Numbers = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

BAD = frozenset(("1", "1.0", "true", "yes", "hold", "reject", "bad", "toxic"))
FINE = frozenset(("0", "0.0", "false", "no", "publish", "approve", "fine", "ok"))
# Neither new nor trusted: measured is what the text does, not who wrote it.
SOMEBODY = AuthorFacts(approved=5)
ROUNDS = 500


@dataclass(frozen=True, slots=True)
class Labelled:
    """A comment and whether people said that it must not stand."""

    text: str
    bad: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or an area, with the interval in which it would lie for other comments of the kind; NaN if undefined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What a policy does with labelled comments. `refused` ones could not be judged and count in no figure.

    `precision`: of the held, how many are bad. `recall`: of the bad, how many are held. `approved`: of the fine, how
    many are published at once. `by_code`: for each finding that asked for more than approval, its bad and fine rows.
    """

    rows: int
    refused: int
    held: int
    precision: Figure
    recall: Figure
    approved: Figure
    by_code: Mapping[str, tuple[int, int]]


def read_labelled(path: Path, text: str = "text", label: str = "label") -> Iterator[Labelled]:
    """The rows of a CSV, TSV or JSON lines file, from two of its columns.

    Raises `ValueError` that names the row, never its text, where one has no text or no label that can be understood.
    """
    for number, row in enumerate(_rows(path), 1):
        said = str(row.get(label)).strip().lower()
        if not isinstance(row.get(text), str) or said not in BAD | FINE:
            raise ValueError(f"{path.name}, row {number}: no text in {text!r} or no yes or no in {label!r}")
        yield Labelled(row[text], said in BAD)


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        if path.suffix in (".json", ".jsonl"):
            yield from (json.loads(line) for line in lines if line.strip())
        else:
            yield from csv.DictReader(lines, delimiter="\t" if path.suffix == ".tsv" else ",")


def measure_policy(judge: Judge, rows: Iterable[Labelled], author: AuthorFacts = SOMEBODY) -> PolicyReport:
    """What a judge does with labelled comments, each as if by one author under an article of its own."""
    bad: list[bool] = []
    held: list[bool] = []
    refused = 0
    by_code: Counter[tuple[str, bool]] = Counter()
    for row in rows:
        try:
            decision = judge.decide(Submission(row.text, author=author))
        except TextRefused:
            refused += 1
            continue
        bad.append(row.bad)
        held.append(decision.outcome is not Outcome.APPROVE)
        grave = {found.code for found in decision.findings if found.outcome is not Outcome.APPROVE}
        by_code.update((code, row.bad) for code in grave)
    is_bad, is_held = np.array(bad, dtype=bool), np.array(held, dtype=bool)
    return PolicyReport(
        rows=len(bad) + refused,
        refused=refused,
        held=sum(held),
        precision=share(is_bad, among=is_held),
        recall=share(is_held, among=is_bad),
        approved=share(~is_held, among=~is_bad),
        by_code={code: (by_code[code, True], by_code[code, False]) for code in sorted({code for code, _ in by_code})},
    )


def measure_engine(engine: Engine, rows: Iterable[Labelled]) -> dict[str, Figure]:
    """For each attribute, the chance that it scores a bad comment above a fine one; what is refused is left out."""
    taken = [(text, row.bad) for row in rows if (text := _canonical(row.text)) is not None]
    texts = [text for text, _ in taken]
    labels = np.array([bad for _, bad in taken], dtype=np.float64)
    scores = [found for text in texts for found in engine.score([text])]  # by itself, as a comment is judged
    return {
        attribute: area(np.array([found[attribute] for found in scores], dtype=np.float64), labels)
        for attribute in engine.attributes
    }


def _canonical(text: str) -> str | None:
    try:
        return canonicalise(text)
    except TextRefused:
        return None


def share(of: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> Figure:
    """How many rows of some are of a kind."""

    def figure(rows: Rows) -> float:
        chosen = among[rows]
        return float(of[rows][chosen].mean()) if chosen.any() else float("nan")

    return with_interval(figure, len(of))


def area(scores: Numbers, labels: Numbers) -> Figure:
    """The area under the curve of some scores."""
    return with_interval(lambda rows: auc(scores[rows], labels[rows]), len(labels))


def with_interval(figure: Callable[[Rows], float], rows: int) -> Figure:
    """A figure that is computed from row numbers, with its interval."""
    if not rows:
        return Figure(float("nan"), float("nan"), float("nan"))
    return Figure(figure(np.arange(rows)), *interval(figure, rows))


def auc(scores: Numbers, labels: Numbers, weights: Numbers | None = None) -> float:
    """The chance that a positive row scores above a negative one, ties half; NaN where one side is empty."""
    weights = np.ones(len(scores)) if weights is None else weights
    _, place = np.unique(scores, return_inverse=True)
    positive = np.bincount(place, weights * (labels > 0.5))
    negative = np.bincount(place, weights * (labels <= 0.5))
    if not positive.sum() or not negative.sum():
        return float("nan")
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / positive.sum() / negative.sum())


def interval(figure: Callable[[Rows], float], rows: int, rounds: int = ROUNDS) -> tuple[float, float]:
    """The 95 % bootstrap interval of a figure that is computed from row numbers; the same each time."""
    chance = np.random.default_rng(11)
    found: Sequence[float] = [figure(chance.integers(0, rows, rows)) for _ in range(rounds)]
    known = [value for value in found if not np.isnan(value)]
    if not known:
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
