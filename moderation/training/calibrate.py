"""From logits to probabilities, fitted on rows that training held out and weighted to how often things happen.

Public sets hold far more abuse than the world does. Jigsaw's six labels are weighted to the share of toxic comments in
the whole set; the other attributes to shares that are assumptions, named here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moderation.evaluate import Numbers
from moderation.training.metrics import character_f1, isotonic
from moderation.training.rows import HEADS, JIGSAW, Row

TOXIC_SHARE = 0.096
ASSUMED_SHARE = {
    "unfit": 0.1,
    "abuse": 0.1,
    "hate": 0.05,
    "incitement": 0.03,
    "dehumanisation": 0.03,
    "coded": 0.03,
    "sexism": 0.05,
}
TRUSTED = {
    "unfit": ("jigsaw", "wiki_debias", "written", "goemotions"),
    "abuse": ("jigsaw", "wiki_debias", "written", "synthetic", "hatemoji", "goemotions", "spans"),
    "hate": ("jigsaw", "wiki_debias", "written", "synthetic", "hatemoji", "goemotions"),
    "incitement": ("jigsaw", "wiki_debias", "written", "synthetic", "hatemoji", "goemotions", "edos"),
    "dehumanisation": ("jigsaw", "wiki_debias", "written", "synthetic", "hatemoji", "goemotions"),
    "coded": ("written", "synthetic", "goemotions"),
    "sexism": ("edos",),
}
LEAST_ROWS = 25
CEILING = 0.9995
MOST_LINEAR = 1.0
ENOUGH = 150


@dataclass(frozen=True)
class Sample:
    """The rows that tell of one attribute: logits of both models, labels, weights."""

    encoder: Numbers
    linear: Numbers
    labels: Numbers
    weights: Numbers


def sample(rows: Sequence[Row], encoder: Numbers, linear: Numbers, attribute: str) -> Sample:
    """What an attribute's curve is fitted on. Only Jigsaw's labels are known to the linear model."""
    sources = ("jigsaw",) if attribute in JIGSAW else TRUSTED[attribute]
    kept = [at for at, row in enumerate(rows) if row.source in sources and attribute in row.targets]
    labels = np.array([float(rows[at].targets[attribute] >= 0.5) for at in kept])
    own, beside = encoder[kept, HEADS.index(attribute)], linear[kept, label_of(attribute)]
    if attribute in JIGSAW:
        toxic = np.array([rows[at].targets["toxicity"] >= 0.5 for at in kept])
        return Sample(own, beside, labels, to_share(toxic, TOXIC_SHARE))
    return Sample(own, beside, labels, to_share(labels > 0.5, ASSUMED_SHARE[attribute]))


def label_of(attribute: str) -> int:
    """The linear model's label for an attribute; the first where it has none, with no share."""
    return JIGSAW.index(attribute) if attribute in JIGSAW else 0


def shares(attribute: str, known: Sample) -> tuple[float, float]:
    """How much of each model's logit counts, the encoder's share being one; rare labels are the encoder's alone."""
    if attribute not in JIGSAW or known.labels.sum() < ENOUGH:
        return 1.0, 0.0
    weights = logistic((known.encoder, known.linear), known.labels, known.weights)
    return 1.0, float(np.clip(weights[1] / max(weights[0], 1e-6), 0.0, MOST_LINEAR))


def logistic(columns: Sequence[Numbers], labels: Numbers, weights: Numbers) -> Numbers:
    """Logistic regression by Newton's steps: a weight for each column, and the bias last."""
    features = np.column_stack((*columns, np.ones(len(labels))))
    found = np.zeros(features.shape[1])
    for _ in range(25):
        chances = 1 / (1 + np.exp(-features @ found))
        slope = features.T @ (weights * (labels - chances)) - 1e-2 * found
        bend = (features * (weights * chances * (1 - chances))[:, None]).T @ features + 1e-2 * np.eye(len(found))
        found += np.linalg.solve(bend, slope)
    return found


def to_share(chosen: Any, share: float) -> Numbers:
    """Weights, one a row on average, under which the chosen rows make up the share."""
    actual = chosen.mean()
    weights: Numbers = np.where(chosen, share / actual, (1 - share) / (1 - actual)).astype(np.float64)
    return weights


def fit(scores: Numbers, labels: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """A curve's knots: rising chances at rising logits, open towards both ends.

    Isotonic where there are positives enough to draw it, else a logistic curve, which needs two numbers only.
    """
    if labels.sum() < ENOUGH:
        slope, bias = logistic((scores,), labels, weights)
        logits = np.linspace(-12.0, 12.0, 97)
        return logits, np.clip(1 / (1 + np.exp(-(max(slope, 1e-3) * logits + bias))), 1e-6, 1 - 1e-6)
    logits, chances = isotonic(scores, labels, weights, LEAST_ROWS * float(weights.min()))
    chances = np.clip(chances, 1e-4, CEILING)
    logits = np.concatenate(([logits[0] - 4.0], logits, [logits[-1] + 4.0]))
    return logits, np.concatenate(([chances[0] / 4], chances, [1 - (1 - chances[-1]) / 4]))


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


def write(rows: Sequence[Row], encoder: Numbers, linear: Numbers, mark: float, path: Path) -> None:
    """Write the curves of every attribute that is offered."""
    attributes = {}
    for attribute in (*JIGSAW, *ASSUMED_SHARE):
        known = sample(rows, encoder, linear, attribute)
        own, beside = shares(attribute, known)
        knots, chances = fit(own * known.encoder + beside * known.linear, known.labels, known.weights)
        attributes[attribute] = {
            "head": HEADS.index(attribute),
            "label": label_of(attribute),
            "shares": [own, round(beside, 4)],
            "logits": [round(float(knot), 4) for knot in knots],
            "chances": [round(float(chance), 6) for chance in chances],
        }
    path.write_text(json.dumps({"mark": mark, "attributes": attributes}, indent=1) + "\n", encoding="utf-8")
