"""A policy or an engine measured against labelled comments."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from moderation import Judge
from moderation.evaluate import Labelled, area, auc, measure_engine, measure_policy, read_labelled, share
from tests.moderation.cases import Fake, shipped

ROWS = [
    Labelled("What a faggot he is", True),
    Labelled("Kill yourself, nobody will miss you", True),
    Labelled("They have no families, they have litters", True),
    Labelled("What a lovely day it is", False),
    Labelled("The word kike is a slur, take it down", False),
    Labelled("I disagree with every word of this", False),
    Labelled("", False),
]


def test_a_policy_is_measured_by_what_it_holds_and_lets_through() -> None:
    report = measure_policy(Judge(shipped(), [Fake()], timeout=30), ROWS)
    assert (report.rows, report.refused, report.held) == (7, 1, 3)
    figures = (report.precision.value, report.recall.value, report.approved.value)
    assert figures == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert report.by_code == {"wordlist.severe": (1, 1), "wordlist.threat": (1, 0)}


def test_every_figure_lies_in_its_interval_and_is_the_same_each_time() -> None:
    first, again = (measure_policy(Judge(shipped(), [Fake()], timeout=30), ROWS * 5) for _ in range(2))
    assert first == again
    for figure in (first.precision, first.recall, first.approved):
        assert 0 <= figure.low <= figure.value <= figure.high <= 1


def test_more_comments_give_a_narrower_interval() -> None:
    chance = np.random.default_rng(1)
    widths = []
    for rows in (50, 5_000):
        figure = share(chance.random(rows) < 0.3, among=np.ones(rows, dtype=bool))
        widths.append(figure.high - figure.low)
    assert widths[1] < widths[0] / 4


def test_an_engine_is_measured_by_how_well_it_orders() -> None:
    class Lengths(Fake):
        def score(self, texts: object) -> list[dict[str, float]]:
            return [dict.fromkeys(self.attributes, len(text) / 100) for text in texts]  # type: ignore[attr-defined]

    rows = [Labelled("x" * length, length > 20) for length in range(1, 41)]
    areas = measure_engine(Lengths(), rows)
    assert set(areas) == set(Fake.attributes)
    assert areas["toxicity"].value == 1.0


@pytest.mark.parametrize(
    ("scores", "labels", "found"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 0.5),
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
    ],
)
def test_the_area_is_the_chance_to_order_two_rightly(scores: list[float], labels: list[float], found: float) -> None:
    assert auc(np.array(scores), np.array(labels)) == pytest.approx(found)


def test_what_cannot_be_said_is_not_a_number() -> None:
    assert math.isnan(area(np.array([0.1, 0.2]), np.array([1.0, 1.0])).value)
    assert math.isnan(area(np.array([]), np.array([])).low)
    assert math.isnan(share(np.array([True]), among=np.array([False])).value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'text,label\n"one, two",1\nthree,0\n'),
        ("a.tsv", "text\tlabel\none, two\ttrue\nthree\tfalse\n"),
        ("a.jsonl", '{"text": "one, two", "label": "hold"}\n\n{"text": "three", "label": "publish"}\n'),
        ("a.json", '{"text": "one, two", "label": true}\n{"text": "three", "label": 0}\n'),
    ],
)
def test_labelled_comments_are_read_from_the_usual_files(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert list(read_labelled(path)) == [Labelled("one, two", True), Labelled("three", False)]


def test_a_row_that_cannot_be_understood_is_named_without_its_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "a secret", "label": "perhaps"}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.jsonl, row 1") as refused:
        list(read_labelled(path))
    assert "secret" not in str(refused.value)
