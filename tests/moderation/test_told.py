"""A listed word that is told of is let pass where an engine finds no abuse in the text; one that is said never is."""

from __future__ import annotations

import pytest

from moderation import Judge, Outcome, Policy, PolicyError, Submission, load_policy, open_engine
from tests.moderation.cases import Fake, codes, shipped

CLEAR = "[engines.fake.toxicity]\nclear = 0.05\n"
TOLD = 'Somebody shouted "faggot" at the bus driver this morning, and nobody said a word.'
THREAT = 'The letter ended with "kill yourself", and the police did nothing about it.'


def found(text: str, override: str = CLEAR, *engines: object) -> tuple[Outcome, set[str]]:
    """What becomes of a text, and the codes of all findings."""
    judge = Judge(shipped(override), list(engines) or [Fake(0.01)], timeout=30)  # type: ignore[arg-type]
    decision = judge.decide(Submission(text))
    return decision.outcome, {finding.code for finding in decision.findings if finding.source == "wordlist"}


def test_what_an_engine_finds_nothing_in_is_told_of() -> None:
    assert found(TOLD) == (Outcome.APPROVE, {"wordlist.severe_told"})
    assert found(THREAT) == (Outcome.APPROVE, {"wordlist.threat_told"})


@pytest.mark.parametrize(
    ("override", "engines"),
    [
        (CLEAR, [Fake(0.06)]),
        (CLEAR, [Fake(RuntimeError("gone"))]),
        (CLEAR, [Fake(0.01, frozenset({"de"}))]),
        ("", [Fake(0.01)]),
        (CLEAR + '[rules.wordlist]\nwhen_clear = "hold"\n', [Fake(0.01)]),
        (CLEAR + '[rules.wordlist]\nwhen_clear = "reject"\n', [Fake(0.01)]),
    ],
    ids=["above", "failed", "other language", "no bound", "policy holds", "policy rejects"],
)
def test_else_the_list_stands(override: str, engines: list[object]) -> None:
    assert found(TOLD, override, *engines) == (Outcome.HOLD, {"wordlist.severe"})


def test_all_engines_that_know_the_language_must_agree() -> None:
    two = CLEAR + "[engines.other.toxicity]\nclear = 0.05\n"
    other = Fake(0.5)
    other.name = "other"
    assert found(TOLD, two, Fake(0.01), other) == (Outcome.HOLD, {"wordlist.severe"})


def test_a_rejected_word_is_told_of_too() -> None:
    severe = CLEAR + '[rules.wordlist]\nsevere = "reject"\n'
    assert found(TOLD, severe)[0] is Outcome.APPROVE
    assert found(TOLD, severe, Fake(0.5))[0] is Outcome.REJECT


def test_a_sites_own_word_always_counts() -> None:
    own = CLEAR + '[words.site.severe]\nidentity_attack = ["marrowbone"]\n'
    assert found("They shouted marrowbone at the bus driver this morning.", own) == (
        Outcome.HOLD,
        {"wordlist.severe"},
    )


def test_a_word_of_another_languages_list_counts() -> None:
    mixed = f"{TOLD} And then a man in a grey coat called her a Drecksjude as she left the bus."
    assert found(mixed) == (Outcome.HOLD, {"wordlist.severe"})


def test_the_same_is_found_when_a_decision_is_replayed() -> None:
    judge = Judge(shipped(CLEAR), [Fake(0.01)], timeout=30)
    decision = judge.decide(Submission(TOLD))
    again = judge.replay(TOLD, decision.facts, decision.scores)
    assert (again.outcome, again.findings) == (decision.outcome, decision.findings)


def test_a_policy_from_before_there_was_such_a_thing_judges_as_it_did() -> None:
    source = "\n".join(line for line in shipped().source.splitlines() if "clear" not in line)
    old: Policy = load_policy(source)
    decision = Judge(old, [Fake(0.0)], timeout=30).decide(Submission(TOLD))
    assert codes(decision) == {"wordlist.severe"}


def test_a_bound_that_is_no_number_is_said() -> None:
    with pytest.raises(PolicyError, match=r"engines\.fake\.toxicity\.clear must be a number"):
        shipped('[engines.fake.toxicity]\nclear = "low"\n')


@pytest.mark.parametrize("word", ["faggot", "paki", "tranny", "gyppo"])
def test_the_shipped_model_tells_a_word_that_is_told_of_from_one_that_is_said(word: str) -> None:
    engine = open_engine("bundled", shipped())
    told = f'My grandfather was spat at and called a "{word}" in the street in 1962.'
    assert found(told, "", engine)[0] is Outcome.APPROVE
    assert found(f"They are all {word}s, the lot of them.", "", engine)[0] is Outcome.HOLD
