"""What every engine promises, whichever it is: one parameter an engine.

Detoxify's is held to the same in tests/detoxify, where torch is.
"""

from __future__ import annotations

import math

import pytest

from moderation import EngineUnavailable, Outcome, Policy, Span, Submission, open_engine, score
from moderation.engines import ENGINES, Engine
from moderation.pipeline import Judge
from tests.moderation.cases import shipped

TEXTS = [
    "You are a stupid asshole",
    "Thanks for the report",
    "",
    "🙂",
    "ｙｏｕ ｉｄｉｏｔ",
    "a\u200db " * 900,
    "х" * 5_000,
]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return shipped()


@pytest.fixture(scope="module", params=["lexicon", "bundled", "spam"])
def engine(request: pytest.FixtureRequest, policy: Policy) -> Engine:
    return open_engine(request.param, policy)


def test_it_gives_each_text_a_score_from_0_to_1_for_each_of_its_attributes(engine: Engine) -> None:
    found = engine.score(TEXTS)
    assert [set(scores) for scores in found] == [set(engine.attributes)] * len(TEXTS)
    assert all(0 <= score <= 1 and math.isfinite(score) for scores in found for score in scores.values())


def test_no_texts_have_no_scores(engine: Engine) -> None:
    assert engine.score([]) == []


def test_the_same_text_scores_the_same_again(engine: Engine) -> None:
    assert engine.score([TEXTS[0]]) == engine.score([TEXTS[0]])


def test_a_text_scores_the_same_whoever_stands_beside_it(engine: Engine) -> None:
    seen = [text for text in TEXTS if text]
    assert score(seen, engine) == [engine.score([text])[0] for text in seen]


@pytest.mark.parametrize("text", TEXTS)
def test_its_spans_are_stretches_of_the_text_for_its_own_attributes(engine: Engine, text: str) -> None:
    for attribute, spans in engine.explain(text).items():
        assert attribute in engine.attributes
        assert all(isinstance(span, Span) and 0 <= span.start < span.end <= len(text) for span in spans)


def test_it_says_what_it_is(engine: Engine) -> None:
    assert engine.name
    assert engine.version
    assert engine.languages is None or engine.languages


@pytest.mark.parametrize("name", ["lexicon", "bundled"])
def test_the_shipped_policy_holds_abuse_by_its_scores(name: str, policy: Policy) -> None:
    engine = open_engine(name, policy)
    decision = Judge(policy, [engine], timeout=60).decide(Submission("You are a stupid fucking asshole, all of you"))
    assert decision.outcome is Outcome.HOLD
    assert decision.engines == {name: engine.version}


@pytest.mark.parametrize("spec", ["", "nothing", "bundled:/nowhere", "detoxify:", "detoxify:modern"])
def test_an_engine_that_is_not_there_says_so(spec: str, policy: Policy) -> None:
    with pytest.raises(EngineUnavailable):
        open_engine(spec, policy)


def test_every_engine_has_a_row_here_or_in_the_detoxify_tests() -> None:
    assert set(ENGINES) == {"lexicon", "bundled", "spam", "detoxify"}
