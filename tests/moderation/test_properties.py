"""What holds for every text, every policy order and every score."""

from __future__ import annotations

import json
import random
import unicodedata
from copy import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation import (
    AuthorFacts,
    Decision,
    Judge,
    Submission,
    TextRefused,
    canonicalise,
    fold,
    load_policy,
)
from tests.moderation.cases import DISGUISES, INNOCENT, SIX, Fake, shipped

calm = settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))

PIECES = [
    *("fuck", "a", "i", "ss", "k", "1", "0", "3", "@", "$", "!", "+", "*", ".", " ", "  ", "-", "_", "\n", "\u200b"),
    *(
        "\u0301",
        "\u0336",
        "а",
        "о",
        "с",
        "ж",
        "й",
        "ν",
        "Ν",
        "α",
        "ß",
        "ﬁ",
        "İ",
        "ı",
        "Ａ",
        "𝓯",
        "🇩",
        "👩‍🚒",
        "死",
        "の",
    ),
    *("क", "ा", "ا", "ـ", "www.", "http://", "a@b.c", "aaa", "ооо", "111", "№", "ø", "þ", "Ⳑ", "٣", "०"),
]
texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    st.sampled_from([text for group in INNOCENT.values() for text in group]),
    st.builds(
        lambda disguise, word: f"so {disguise(word)}", st.sampled_from(list(DISGUISES.values())), st.sampled_from(SIX)
    ),
)
scores = st.fixed_dictionaries({attribute: st.floats(0, 1) for attribute in SIX})
authors = st.builds(
    AuthorFacts,
    standing=st.sampled_from(["normal", "trusted", "premoderated"]),
    approved=st.integers(0, 100),
    rejected=st.integers(0, 100),
)


ENGINE = Fake()
JUDGE = Judge(shipped("[engines.any.threat]\nreject = 0.95"), [ENGINE], timeout=60)
# Another judge, of the policy as it would be read back from where it was stored, and without an engine.
READER = Judge(load_policy(JUDGE.policy.source), [])


def decided(text: str, author: AuthorFacts, answer: object) -> Decision:
    """The decision on a text that an engine gave some scores."""
    ENGINE.answer = [answer]
    return JUDGE.decide(Submission(text, "Ada", author))


def canonical(text: str) -> str | None:
    try:
        return canonicalise(text)
    except TextRefused:
        return None


@calm
@given(texts)
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text).text
    assert fold(once).text == once


@calm
@given(texts, st.data())
def test_every_folded_stretch_lies_in_the_original_and_covers_its_source(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    length = len(folded.text)
    assert length == len(folded.native) == len(folded.runs) == len(folded.starts) == len(folded.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts)
    assert list(folded.ends) == sorted(folded.ends)
    if length:
        start = data.draw(st.integers(0, length - 1))
        end = data.draw(st.integers(start + 1, length))
        span = folded.span(start, end)
        assert all(span.start <= folded.starts[i] and folded.ends[i] <= span.end for i in range(start, end))


@calm
@given(texts)
def test_a_canonical_text_is_the_nfc_of_what_was_written(text: str) -> None:
    stored = canonical(text)
    assert stored is None or stored.encode() == unicodedata.normalize("NFC", text).encode()


@calm
@given(texts.filter(canonical), authors, scores, st.randoms(use_true_random=False))
def test_the_order_of_rules_changes_nothing(
    text: str, author: AuthorFacts, given_scores: dict[str, float], chance: random.Random
) -> None:
    decision = decided(text, author, given_scores)
    shuffled = copy(JUDGE)
    rules = list(JUDGE._rules.items())
    chance.shuffle(rules)
    shuffled._rules = dict(rules)
    assert shuffled.replay(decision.text, decision.facts, decision.scores) == decision


@calm
@given(texts.filter(canonical), authors, scores, st.sampled_from(SIX), st.floats(0, 1))
def test_raising_a_score_never_softens_a_judgement(
    text: str, author: AuthorFacts, given_scores: dict[str, float], attribute: str, other: float
) -> None:
    decision = decided(text, author, given_scores)
    raised = {"fake": given_scores | {attribute: max(other, given_scores[attribute])}}
    assert JUDGE.replay(decision.text, decision.facts, raised).outcome.gravity >= decision.outcome.gravity


@calm
@given(texts.filter(canonical), authors, st.one_of(scores, st.just({"toxicity": float("nan")})))
def test_a_stored_decision_replays_to_itself(text: str, author: AuthorFacts, answer: dict[str, float]) -> None:
    decision = decided(text, author, answer)
    stored = json.loads(json.dumps(decision.to_json(), allow_nan=False))
    assert Decision.from_json(stored, decision.text) == decision
    assert READER.replay(decision.text, stored["facts"], stored["scores"]) == decision


@calm
@given(texts)
def test_spans_lie_in_the_text_they_are_about(text: str) -> None:
    stored = canonical(text)
    if stored is None:
        return
    for hit in shipped().words.find(fold(stored), "en"):
        assert 0 <= hit.span.start < hit.span.end <= len(stored)
