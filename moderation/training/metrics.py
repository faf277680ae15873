"""Figures from scores and labels: areas under curves, calibration, intervals by resampling. Numpy only."""

from collections.abc import Sequence

import numpy as np

from moderation.evaluate import Numbers


def isotonic(scores: Numbers, labels: Numbers, weights: Numbers, least: float) -> tuple[Numbers, Numbers]:
    """Knots of the best never-falling curve from score to frequency, each standing for at least `least` of weight.

    Pool-adjacent-violators, then neighbours too light to stand alone are joined; a knot lies at its pool's mean.
    """
    order = np.argsort(scores, kind="stable")
    pools: list[list[float]] = []
    for score, label, weight in zip(scores[order], labels[order], weights[order], strict=True):
        pools.append([score * weight, label * weight, weight])
        while len(pools) > 1 and violated(pools[-2], pools[-1], least):
            last = pools.pop()
            pools[-1] = [left + right for left, right in zip(pools[-1], last, strict=True)]
    sums = np.array(pools)
    return sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2]


def violated(left: Sequence[float], right: Sequence[float], least: float) -> bool:
    """Whether two neighbouring pools must become one: the right is not above the left, or the left is too light."""
    return right[1] * left[2] <= left[1] * right[2] or left[2] < least


def calibration_error(chances: Numbers, labels: Numbers, weights: Numbers, bins: int = 15) -> float:
    """Expected calibration error over equally wide bins."""
    place = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights * (chances - labels), minlength=bins)
    return float(np.abs(gaps).sum() / weights.sum())


def calibration_noise(chances: Numbers, weights: Numbers, rounds: int = 200) -> tuple[float, float]:
    """What an engine whose chances were exactly right would show: mean and 97.5th percentile of its error."""
    chance = np.random.default_rng(12)
    found = [
        calibration_error(chances, (chance.random(len(chances)) < chances).astype(float), weights)
        for _ in range(rounds)
    ]
    return float(np.mean(found)), float(np.percentile(found, 97.5))


def power_mean(values: Numbers, power: float = -5.0) -> float:
    """The generalised mean by which the worst values count most."""
    return float(np.mean(np.maximum(values, 1e-9) ** power) ** (1 / power))


def character_f1(found: frozenset[int], gold: frozenset[int]) -> float:
    """The F1 of two sets of characters; 1 where both are empty."""
    if not found or not gold:
        return float(found == gold)
    return 2 * len(found & gold) / (len(found) + len(gold))
