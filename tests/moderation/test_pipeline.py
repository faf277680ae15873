"""From a submission to a decision: every finding, the gravest outcome, and a human wherever an engine fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from moderation import (
    ArticleFacts,
    AuthorFacts,
    Decision,
    Judge,
    Outcome,
    Policy,
    PolicyError,
    Span,
    Submission,
    load_policy,
    open_engine,
)
from tests.moderation.cases import Fake, codes, shipped

FINE = "What a fine article about the trains of my childhood."


@pytest.fixture(scope="session")
def policy() -> Policy:
    return shipped()


class Hanging(Fake):
    """An engine that does not answer until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.let_go = threading.Event()

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        self.calls += 1
        self.let_go.wait(30)
        return super().score(texts)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    engine = Hanging()
    yield engine
    engine.let_go.set()


def test_a_fine_comment_is_approved_at_once(policy: Policy) -> None:
    decision = Judge(policy, [open_engine("lexicon", policy)]).decide(Submission(FINE))
    assert (decision.outcome, codes(decision)) == (Outcome.APPROVE, set())


def test_a_foul_comment_waits_and_its_spans_show_the_words(policy: Policy) -> None:
    decision = Judge(policy, [open_engine("lexicon", policy)]).decide(Submission("Oh, f.u.c.k off, all of you here"))
    assert decision.outcome is Outcome.HOLD
    assert decision.tone_only
    spans = {decision.text[span.start : span.end] for finding in decision.findings for span in finding.spans}
    assert spans == {"f.u.c.k off"}


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("broken"),
        MemoryError(),
        SystemExit(),
        float("nan"),
        float("inf"),
        -0.1,
        1.1,
        [],
        None,
        [{"toxicity": 0.0}],
        [dict.fromkeys(Fake.attributes, "high")],
        [dict.fromkeys(Fake.attributes, None)],
        [dict.fromkeys(Fake.attributes, 0.0)] * 2,
    ],
)
def test_an_engine_that_gives_no_scores_holds_whoever_the_author_is(policy: Policy, answer: object) -> None:
    author = AuthorFacts(standing="trusted", approved=1000)
    decision = Judge(policy, [Fake(answer)]).decide(Submission(FINE, author=author))
    assert (decision.outcome, codes(decision)) == (Outcome.HOLD, {"engine.failed"})


def test_an_engine_that_hangs_holds_and_does_not_use_up_the_judge(policy: Policy, hanging: Hanging) -> None:
    judge = Judge(policy, [hanging], timeout=0.05, threads=2)
    decisions = [judge.decide(Submission(FINE)) for _ in range(6)]
    assert [codes(decision) for decision in decisions] == [{"engine.late"}] * 6
    assert hanging.calls == 2


def test_an_engine_that_comes_back_is_asked_again(policy: Policy, hanging: Hanging) -> None:
    late = Judge(policy, [hanging], timeout=0.05, threads=1)
    assert codes(late.decide(Submission(FINE))) == {"engine.late"}
    hanging.let_go.set()
    deadline = time.monotonic() + 30
    while late.decide(Submission(FINE)).outcome is not Outcome.APPROVE:
        assert time.monotonic() < deadline


def test_one_engine_that_hangs_leaves_the_others_findings_standing(policy: Policy, hanging: Hanging) -> None:
    judge = Judge(policy, [hanging, open_engine("lexicon", policy)], timeout=0.2)
    assert codes(judge.decide(Submission("Go away and kill yourself"))) >= {"engine.late", "wordlist.threat"}


def test_spans_outside_the_text_are_dropped(policy: Policy) -> None:
    decision = Judge(policy, [Fake(0.9)]).decide(Submission(FINE))
    assert {finding.attribute: finding.spans for finding in decision.findings if finding.attribute == "threat"} == {
        "threat": (Span(0, 4),)
    }


@pytest.mark.parametrize(
    ("setting", "standing", "outcome"),
    [
        ("hold", "trusted", Outcome.HOLD),
        ("trusted", "trusted", Outcome.APPROVE),
        ("trusted", "normal", Outcome.HOLD),
        ("approve", "normal", Outcome.APPROVE),
    ],
)
def test_the_policy_says_what_becomes_of_a_language_that_no_engine_knows(
    setting: str, standing: str, outcome: Outcome
) -> None:
    policy = shipped(f'[languages]\nda = "{setting}"')
    judge = Judge(policy, [Fake(0.0, frozenset({"en"}))])
    danish = "Det er en rigtig god artikel om togene i min barndom, tak for den."
    decision = judge.decide(Submission(danish, author=AuthorFacts(standing=standing, approved=5)))
    assert (decision.language, decision.outcome) == ("da", outcome)


def test_a_short_text_counts_as_the_articles_language(policy: Policy) -> None:
    judge = Judge(policy, [Fake(0.0, frozenset({"en"}))])
    assert judge.decide(Submission("Tak!")).outcome is Outcome.APPROVE
    in_danish = judge.decide(Submission("Tak!", article=ArticleFacts(language="da")))
    assert (in_danish.language, codes(in_danish)) == ("da", {"language.unfit"})


@pytest.mark.parametrize(
    "text", [FINE, "You fucking idiot, go away now", "Bonjour à tous, quel bel article sur les trains"]
)
@pytest.mark.parametrize("answer", [0.3, 0.99, float("nan")])
def test_a_stored_decision_replays_to_itself_without_engines(policy: Policy, text: str, answer: float) -> None:
    author = AuthorFacts(approved=2, recent=("a", "b"))
    decision = Judge(policy, [Fake(answer, frozenset({"en"}))]).decide(Submission(text, "Ada", author))
    stored = json.loads(json.dumps(decision.to_json()))
    assert text not in json.dumps(stored)
    assert Decision.from_json(stored, decision.text) == decision
    assert Judge(policy, []).replay(decision.text, stored["facts"], stored["scores"]) == decision


def test_a_policy_that_names_what_does_not_exist_is_refused_with_everything_that_is_wrong(policy: Policy) -> None:
    wrong = load_policy(
        policy.source,
        '[rules.horoscope]\nsign = 1\n[rules.links]\nmost = 3\n[rules.length]\nouctome = "hold"\n'
        "[engines.any.charm]\nhold = 0.5\n[engines.fake.wit]\nhold = 0.5\n[engines.other.grace]\nhold = 0.5",
    )
    with pytest.raises(PolicyError) as refused:
        Judge(wrong, [Fake()])
    assert len(refused.value.problems) == 5
