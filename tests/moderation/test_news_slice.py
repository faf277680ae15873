"""The gate: what the shipped policy and the bundled engine make of news comments.

The floors are what was asked for; what was measured when the weights were committed is a little above, see
docs/model-card.md. A change that falls below them has made the judgement worse.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moderation import Judge, Outcome, Submission, open_engine
from tests.moderation.cases import shipped

ROOT = Path(__file__).parents[2]
FLOORS = {"publish": 0.95, "hold": 0.75}

Row = dict[str, str]


@pytest.fixture(scope="module")
def judged() -> list[tuple[Row, Outcome]]:
    policy = shipped()
    judge = Judge(policy, [open_engine("bundled", policy)], timeout=60)
    lines = (ROOT / "tests" / "data" / "news_slice_dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[Row] = [json.loads(line) for line in lines]
    return [(row, judge.decide(Submission(row["text"])).outcome) for row in rows]


@pytest.mark.parametrize("label", ["publish", "hold"])
def test_the_judgement_is_as_good_as_it_was(judged: list[tuple[Row, Outcome]], label: str) -> None:
    wanted = Outcome.APPROVE if label == "publish" else Outcome.HOLD
    right = [outcome is wanted for row, outcome in judged if row["label"] == label]
    assert sum(right) / len(right) >= FLOORS[label]


def test_nothing_is_rejected_by_a_machine(judged: list[tuple[Row, Outcome]]) -> None:
    assert [row["id"] for row, outcome in judged if outcome is Outcome.REJECT] == []
