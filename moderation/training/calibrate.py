"""From logits to probabilities, fitted on rows that training held out and weighted to how often things happen.

Public sets hold far more abuse than the world does. Jigsaw's six labels are weighted to the share of toxic comments in
the whole set; the other attributes to shares that are assumptions, named here.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moderation.training.metrics import Numbers, calibration_error, character_f1, isotonic
from moderation.training.rows import HEADS, JIGSAW, Row

TOXIC_SHARE = 0.096
ASSUMED_SHARE = {"abuse": 0.1, "hate": 0.05, "incitement": 0.03, "dehumanisation": 0.03, "coded": 0.03, "sexism": 0.05}
TRUSTED = {
    "abuse": ("jigsaw", "wiki_debias", "synthetic", "hatemoji", "goemotions", "spans"),
    "hate": ("jigsaw", "wiki_debias", "synthetic", "hatemoji", "goemotions"),
    "incitement": ("jigsaw", "wiki_debias", "synthetic", "hatemoji", "goemotions", "edos"),
    "dehumanisation": ("jigsaw", "wiki_debias", "synthetic", "hatemoji", "goemotions"),
    "coded": ("synthetic", "goemotions"),
    "sexism": ("edos",),
}
LEAST_ROWS = 25
CEILING = 0.9995


def sample(rows: Sequence[Row], logits: Numbers, attribute: str) -> tuple[Numbers, Numbers, Numbers]:
    """Logits, labels and weights of the rows that tell of an attribute."""
    sources = ("jigsaw",) if attribute in JIGSAW else TRUSTED[attribute]
    kept = [at for at, row in enumerate(rows) if row.source in sources and attribute in row.targets]
    labels = np.array([float(rows[at].targets[attribute] >= 0.5) for at in kept])
    scores = logits[kept, HEADS.index(attribute)]
    if attribute in JIGSAW:
        toxic = np.array([rows[at].targets["toxicity"] >= 0.5 for at in kept])
        return scores, labels, to_share(toxic, TOXIC_SHARE)
    return scores, labels, to_share(labels > 0.5, ASSUMED_SHARE[attribute])


def to_share(chosen: Any, share: float) -> Numbers:
    """Weights, one a row on average, under which the chosen rows make up the share."""
    actual = chosen.mean()
    weights: Numbers = np.where(chosen, share / actual, (1 - share) / (1 - actual)).astype(np.float64)
    return weights


def fit(scores: Numbers, labels: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """A curve's knots: rising frequencies at rising logits, open towards both ends."""
    logits, chances = isotonic(scores, labels, weights, LEAST_ROWS * float(weights.min()))
    chances = np.clip(chances, 1e-4, CEILING)
    logits = np.concatenate(([logits[0] - 4.0], logits, [logits[-1] + 4.0]))
    return logits, np.concatenate(([chances[0] / 4], chances, [1 - (1 - chances[-1]) / 4]))


def crossed(scores: Numbers, labels: Numbers, weights: Numbers, folds: int = 5) -> Numbers:
    """Each row's chance by a curve that was fitted without it."""
    side = np.random.default_rng(13).permutation(len(scores)) % folds
    chances = np.empty(len(scores))
    for fold in range(folds):
        away = side != fold
        chances[side == fold] = np.interp(scores[side == fold], *fit(scores[away], labels[away], weights[away]))
    return chances


def crossed_error(scores: Numbers, labels: Numbers, weights: Numbers) -> float:
    return calibration_error(crossed(scores, labels, weights), labels, weights)


def best_mark(rows: Sequence[Row], marks: Sequence[Numbers], offsets: Sequence[Sequence[tuple[int, int]]]) -> float:
    """The token logit above which marked characters agree best with people's, on held-out comments."""

    def agreement(mark: float) -> float:
        found = [
            character_f1(characters(values, places, mark, row.text), row.marked or frozenset())
            for row, values, places in zip(rows, marks, offsets, strict=True)
        ]
        return float(np.mean(found))

    return max((float(mark) for mark in np.arange(-3.0, 2.01, 0.25)), key=agreement)


def characters(values: Numbers, places: Sequence[tuple[int, int]], mark: float, text: str) -> frozenset[int]:
    """The characters of marked tokens, and the single spaces between two of them."""
    inside = {
        at for value, (start, end) in zip(values, places, strict=True) if value >= mark for at in range(start, end)
    }
    return frozenset(inside | {at for at in range(len(text)) if at - 1 in inside and at + 1 in inside})


def write(rows: Sequence[Row], logits: Numbers, mark: float, path: Path) -> None:
    """Write the curves of every attribute that is offered."""
    attributes = {}
    for attribute in (*JIGSAW, *ASSUMED_SHARE):
        knots, chances = fit(*sample(rows, logits, attribute))
        attributes[attribute] = {
            "head": HEADS.index(attribute),
            "logits": [round(float(knot), 4) for knot in knots],
            "chances": [round(float(chance), 6) for chance in chances],
        }
    path.write_text(json.dumps({"mark": mark, "attributes": attributes}, indent=1) + "\n", encoding="utf-8")
