"""Scales: the map between two scorers rises, is the least-squares fit, and is measured on what it has not seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation import fit_scale
from moderation.scales import isotonic, rank_correlation

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=25)


def columns(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs as two arrays."""
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


@given(PAIRS)
def test_a_map_never_falls_and_stays_within_what_it_saw(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = columns(pairs)
    scale = isotonic(ours, theirs)
    mapped = scale(np.linspace(0, 1, 101))
    assert (np.diff(mapped) >= -1e-12).all()
    assert theirs.min() - 1e-9 <= mapped.min()
    assert mapped.max() <= theirs.max() + 1e-9
    assert (np.diff(scale.ours) > 0).all()


@given(PAIRS)
def test_a_map_is_the_least_squares_one(pairs: list[tuple[float, float]]) -> None:
    """By its other definition: at each place the highest, over all starts, of the lowest mean over all ends."""
    ours, theirs = columns(pairs)
    places = np.unique(ours)
    groups = [theirs[ours == place] for place in places]

    def mean(start: int, end: int) -> float:
        return float(np.concatenate(groups[start : end + 1]).mean())

    last = len(places) - 1
    expected = [
        max(min(mean(start, end) for end in range(place, last + 1)) for start in range(place + 1))
        for place in range(last + 1)
    ]
    assert np.allclose(isotonic(ours, theirs)(places), expected, atol=1e-7)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 2, 3], [10, 20, 90], 1.0),
        ([1, 2, 3], [3, 2, 1], -1.0),
        ([1, 1, 1], [1, 2, 3], 0.0),
        ([1, 2, 2, 3], [1, 2, 3, 4], 0.9486833),
    ],
)
def test_rank_correlation(one: list[float], other: list[float], expected: float) -> None:
    assert rank_correlation(np.array(one, float), np.array(other, float)) == pytest.approx(expected)


def test_a_distorted_copy_is_mapped_back_on_texts_that_the_map_has_not_seen() -> None:
    chance = np.random.default_rng(1)
    ours = chance.random(1_000)
    theirs = ours**3
    fitted = fit_scale(ours, theirs)
    assert fitted.rows == 1_000
    assert fitted.order == pytest.approx(1)
    assert fitted.error_before > 0.2
    assert fitted.error < 0.01
    threshold = fitted.scale.back(0.5)
    assert threshold == pytest.approx(0.5 ** (1 / 3), abs=0.02)
    assert fitted.scale.back(1.1) is None


def test_what_is_unrelated_is_not_made_related_by_fitting() -> None:
    chance = np.random.default_rng(2)
    fitted = fit_scale(chance.random(500), chance.random(500))
    assert abs(fitted.order) < 0.15
    assert fitted.error > 0.2


def test_a_handful_of_pairs_is_no_base_for_a_map() -> None:
    with pytest.raises(ValueError, match="20 pairs"):
        fit_scale(np.zeros(5), np.zeros(5))
