"""What every engine keeps to. A new engine is one more parameter here."""

from __future__ import annotations

import math
import threading

import pytest

from moderation import Engine, EngineUnavailable, open_engine
from tests.moderation.cases import INNOCENT, shipped

ENGINES = ["lexicon"]
TEXTS = ["You motherfucking idiot", "x", "👍", "word " * 2_000, "fuck you " + "word " * 2_000, "a" * 10_000]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return open_engine(request.param, shipped())


def test_an_engine_says_what_it_is(engine: Engine) -> None:
    assert engine.name
    assert engine.version
    assert len(set(engine.attributes)) == len(engine.attributes) > 0
    assert engine.languages is None or "en" in engine.languages


def test_every_text_gets_every_attribute_as_a_number_from_0_to_1(engine: Engine) -> None:
    texts = [*TEXTS, *(text for group in INNOCENT.values() for text in group)]
    given = engine.score(texts)
    assert len(given) == len(texts)
    for scores in given:
        assert tuple(scores) == engine.attributes
        assert all(math.isfinite(score) and 0 <= score <= 1 for score in scores.values())


def test_no_texts_get_no_scores(engine: Engine) -> None:
    assert engine.score([]) == []


def test_a_text_is_scored_alone_as_among_others(engine: Engine) -> None:
    together = engine.score(TEXTS)
    for text, scores in zip(TEXTS, together, strict=True):
        (alone,) = engine.score([text])
        assert alone == pytest.approx(scores, abs=0.02)


def test_foul_words_at_the_end_of_a_long_text_are_not_overlooked(engine: Engine) -> None:
    foul = "you motherfucking piece of shit, fuck you"
    (scores,) = engine.score(["The weather is fine today and we go for a walk. " * 150 + foul])
    assert scores["toxicity"] >= 0.5


def test_spans_lie_in_the_text_and_cover_what_is_foul(engine: Engine) -> None:
    text = "A fine day, said the m.o.t.h.e.r.f.u.c.k.e.r, and left."
    spans = engine.explain(text)["toxicity"]
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert any(text[span.start : span.end].startswith("m.o.t.h.e.r") for span in spans)


def test_an_engine_may_be_asked_from_many_threads(engine: Engine) -> None:
    expected = engine.score(TEXTS[:1])
    given: list[object] = []
    threads = [threading.Thread(target=lambda: given.append(engine.score(TEXTS[:1]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert given == [expected] * 8


def test_an_engine_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(EngineUnavailable, match=r"no engine 'oracle'.*lexicon"):
        open_engine("oracle:delphi", shipped())
