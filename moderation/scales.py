"""Two scorers of the same texts: a map from the one's scale to the other's that never falls, and how far to trust it.

The map is the isotonic least-squares fit (pool adjacent violators). What it is worth is measured on texts that it was
not fitted on. Numbers in, numbers out: no text, no engine, no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
FOLDS = 5
MOST_POINTS = 200
LEAST = 20


@dataclass(frozen=True, slots=True)
class Scale:
    """A map from our scores to theirs: straight lines between points, flat beyond them."""

    ours: Numbers
    theirs: Numbers

    def __call__(self, scores: Numbers) -> Numbers:
        """Our scores on their scale."""
        return np.interp(scores, self.ours, self.theirs)

    def back(self, theirs: float) -> float | None:
        """The lowest of our scores that counts as `theirs` or more; None where none does."""
        if theirs > self.theirs[-1]:
            return None
        place = int(np.searchsorted(self.theirs, theirs))
        if place == 0:
            return float(self.ours[0])
        return float(np.interp(theirs, self.theirs[place - 1 : place + 1], self.ours[place - 1 : place + 1]))


@dataclass(frozen=True, slots=True)
class Fit:
    """A map, and what it is worth on texts that it was not fitted on. Errors are mean absolute ones.

    `mapped` holds, for each text, what a map fitted on the others makes of it; `order` is the rank correlation.
    """

    scale: Scale
    rows: int
    order: float
    error_before: float
    error: float
    squared_error: float
    mapped: Numbers


def fit(ours: Numbers, theirs: Numbers, seed: int = 0) -> Fit:
    """Fit a map and measure it in cross-validation; raises ValueError for fewer than `LEAST` pairs."""
    if len(ours) != len(theirs) or len(ours) < LEAST:
        raise ValueError(f"a map needs at least {LEAST} pairs of scores")
    mapped = np.empty(len(ours))
    for inside, outside in _folds(len(ours), seed):
        mapped[outside] = isotonic(ours[inside], theirs[inside])(ours[outside])
    return Fit(
        scale=isotonic(ours, theirs),
        rows=len(ours),
        order=rank_correlation(ours, theirs),
        error_before=float(np.abs(ours - theirs).mean()),
        error=float(np.abs(mapped - theirs).mean()),
        squared_error=float(np.sqrt(((mapped - theirs) ** 2).mean())),
        mapped=mapped,
    )


def _folds(count: int, seed: int) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    order = np.random.default_rng(seed).permutation(count)
    for outside in np.array_split(order, FOLDS):
        yield np.setdiff1d(order, outside), outside


def isotonic(ours: Numbers, theirs: Numbers) -> Scale:
    """The map that never falls and lies nearest, by least squares."""
    places, index, counts = np.unique(ours, return_inverse=True, return_counts=True)
    means = np.bincount(index, weights=theirs) / counts
    values = _pooled(means, counts.astype(np.float64))
    return _thinned(places, values) if len(places) > 1 else Scale(places, values)


def _pooled(means: Numbers, weights: Numbers) -> Numbers:
    """Neighbours that fall are replaced by their mean until nothing falls."""
    blocks: list[tuple[float, float, int]] = []
    for mean, weight in zip(means.tolist(), weights.tolist(), strict=True):
        size = 1
        while blocks and blocks[-1][0] >= mean:
            before, heavy, length = blocks.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight += heavy
            size += length
        blocks.append((mean, weight, size))
    return np.repeat([mean for mean, _, _ in blocks], [size for _, _, size in blocks])


def _thinned(places: Numbers, values: Numbers) -> Scale:
    """Only the ends of each level step, and of those no more than a key may carry."""
    edges = np.ones(len(values), dtype=bool)
    edges[1:-1] = (values[1:-1] != values[:-2]) | (values[1:-1] != values[2:])
    places, values = places[edges], values[edges]
    if len(places) > MOST_POINTS:
        chosen = np.unique(np.linspace(0, len(places) - 1, MOST_POINTS).round().astype(int))
        places, values = places[chosen], values[chosen]
    if len(places) == 1:
        places, values = np.array([places[0], min(1.0, places[0] + 1e-6)]), np.repeat(values, 2)
    return Scale(places, values)


def rank_correlation(one: Numbers, other: Numbers) -> float:
    """Spearman's: how alike two orders are, 1 for the same, 0 for no relation; ties share their mean rank."""
    left, right = _ranks(one), _ranks(other)
    if left.std() == 0 or right.std() == 0:
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])


def _ranks(values: Numbers) -> Numbers:
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[index], dtype=np.float64)
