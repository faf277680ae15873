"""The policy: read, merged, validated as a whole, known by its digest."""

from __future__ import annotations

import pytest

from moderation import AuthorFacts, Outcome, PolicyError, load_policy
from tests.moderation.cases import CONFIG, shipped

SMALL = '[sentences]\ndefault = "Wait."\n'


def test_the_source_of_a_policy_is_that_policy() -> None:
    again = load_policy(shipped().source)
    assert (again.source, again.digest) == (shipped().source, shipped().digest)
    assert again == shipped()


def test_two_spellings_of_one_policy_have_one_digest() -> None:
    one = load_policy(SMALL + '[rules.length]\nmost = 10\noutcome = "hold"\n# a comment\n')
    other = load_policy('rules = { length = { outcome = "hold", most = 10 } }\nsentences.default = "Wait."')
    assert one.digest == other.digest


@pytest.mark.parametrize(
    "override",
    ["[rules.length]\nmost = 4999", '[words.ours.strong]\ninsult = ["numpty"]', "[engines.any.threat]\nhold = 0.51"],
)
def test_whatever_could_change_a_judgement_changes_the_digest(override: str) -> None:
    assert shipped(override).digest != shipped().digest


def test_a_sites_override_replaces_values_and_keeps_the_rest() -> None:
    policy = shipped('[rules.length]\nmost = 7\n[words.ours.strong]\ninsult = ["numpty"]')
    assert policy.rules["length"] == {"outcome": "hold", "most": 7}
    assert policy.rules["links"] == shipped().rules["links"]
    assert len(policy.terms) == len(shipped().terms) + 1


def test_everything_that_is_wrong_with_a_policy_is_said_at_once() -> None:
    wrong = """
        language = 3
        colour = "red"
        [languages]
        default = "ignore"
        [trust]
        new_below_approved = 1.5
        trusted_up_to_rejected = 2
        mood = 1
        [engines.any]
        toxicity = { hold = 0.9, reject = 0.8 }
        insult = { hold = nan }
        threat = { hold = true, tone = "yes", drop = 1 }
        [reasons.abuse]
        key = 1
        [reasons.spam]
        key = "1"
        label = "Spam"
        sentence = ""
        [words.en]
        gentle = {}
    """
    with pytest.raises(PolicyError) as refused:
        load_policy(wrong)
    assert len(refused.value.problems) >= 15


def test_text_that_is_no_toml_is_refused_with_its_place() -> None:
    with pytest.raises(PolicyError, match=r"override is not TOML.*line 1"):
        load_policy(SMALL, "this is = = not toml")


def test_a_finding_has_the_sentence_of_its_code_or_of_what_stands_above_it() -> None:
    policy = shipped()
    assert policy.sentence("engine.threat") != policy.sentence("engine.sarcasm") == policy.sentences["engine"]
    assert policy.sentence("nothing.of.the.kind") == policy.sentences["default"]


def test_a_reason_is_found_by_its_dotted_code() -> None:
    reason = shipped().reason("abuse.threat")
    assert reason is not None
    assert (reason.key, reason.label) == ("3", "Threat")
    assert shipped().reason("abuse.nothing") is None


def test_every_level_of_the_moderators_reasons_has_a_key_for_each() -> None:
    levels = [shipped().reasons, *(reason.children for reason in shipped().reasons.values() if reason.children)]
    for level in levels:
        keys = [reason.key for reason in level.values()]
        assert sorted(set(keys)) == sorted(keys)
        assert set(keys) <= set("123456789")


@pytest.mark.parametrize(
    ("author", "level"),
    [
        (AuthorFacts(), "new"),
        (AuthorFacts(approved=1), "normal"),
        (AuthorFacts(approved=49), "normal"),
        (AuthorFacts(approved=50), "trusted"),
        (AuthorFacts(approved=50, rejected=1), "trusted"),
        (AuthorFacts(approved=50, rejected=2), "normal"),
        (AuthorFacts(standing="trusted"), "trusted"),
        (AuthorFacts(standing="premoderated", approved=500), "premoderated"),
    ],
)
def test_trust_is_what_a_moderator_said_or_what_the_record_says(author: AuthorFacts, level: str) -> None:
    assert shipped().trust.level(author) == level


def test_an_engines_own_thresholds_stand_before_those_for_any() -> None:
    policy = shipped("[engines.bundled.threat]\nhold = 0.1\n[engines.'detoxify:original'.threat]\nhold = 0.2")
    assert policy.thresholds("bundled")["threat"].outcome(0.15) is Outcome.HOLD
    assert policy.thresholds("detoxify:original")["threat"].outcome(0.15) is Outcome.APPROVE
    assert policy.thresholds("detoxify:original")["threat"].outcome(0.2) is Outcome.HOLD
    assert policy.thresholds("lexicon")["threat"] == policy.thresholds("any other")["threat"]


def test_every_shipped_value_is_explained() -> None:
    text = (CONFIG / "policy.toml").read_text(encoding="utf-8")
    assert text.count("#") >= 15
