"""The rules, as tables: what each notices, and what it leaves alone."""

from __future__ import annotations

import pytest

from moderation import ArticleFacts, AuthorFacts, Judge, Outcome, Submission
from tests.moderation.cases import Fake, codes, lexicon_judge, shipped

FINE = "What a fine article about the trains of my childhood."
KNOWN = AuthorFacts(approved=5)
TRUSTED = AuthorFacts(standing="trusted")
LINK = "see https://example.org/a "


def judged(text: str, author: AuthorFacts = KNOWN, override: str | None = None, **facts: object) -> set[str]:
    judge = Judge(shipped(override), [Fake()], timeout=30)
    return codes(judge.decide(Submission(text, author=author, **facts)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "author", "found"),
    [
        (FINE, KNOWN, set()),
        ("word " * 1_000, KNOWN, set()),
        ("word " * 1_001, KNOWN, {"length.too_long"}),
        (LINK, AuthorFacts(), set()),
        (LINK * 2, AuthorFacts(), {"links.too_many"}),
        (LINK * 3, KNOWN, set()),
        (LINK * 4, KNOWN, {"links.too_many"}),
        (LINK * 10, TRUSTED, set()),
        (LINK * 11, TRUSTED, {"links.too_many"}),
        ("(www.example.org) [a](HTTPS://b.example) <http://c.example>", AuthorFacts(), {"links.too_many"}),
        ("The http protocol, www and the web.", AuthorFacts(), set()),
        ("THIS IS AN OUTRAGE AND THE WHOLE COUNCIL MUST RESIGN TODAY", KNOWN, {"shouting.capitals"}),
        ("The BBC, the NHS, the EU, NATO and the UN all say so.", KNOWN, set()),
        ("OUTRAGEOUS!!! I AM SO ANGRY", KNOWN, set()),
        ("日本語には大文字がありません。" * 5, KNOWN, set()),
        ("What a motherfucker he is", KNOWN, set()),
        ("What a faggot he is", KNOWN, {"wordlist.severe"}),
        ("I will find you and kill yourself", KNOWN, {"wordlist.threat"}),
        ("shit, that idiot moron scum", KNOWN, set()),
        ("shit, that idiot moron scum, the bastard", KNOWN, {"wordlist.mild"}),
        ("shit shit shit shit shit shit", KNOWN, set()),
        (FINE, AuthorFacts(standing="premoderated", approved=99), {"trust.premoderated"}),
    ],
)
def test_a_rule_notices_what_it_is_for(text: str, author: AuthorFacts, found: set[str]) -> None:
    assert judged(text, author) == found


def test_the_same_text_again_is_noticed_under_any_disguise_but_not_in_an_edit() -> None:
    mark = lexicon_judge().decide(Submission(FINE)).fingerprint
    again = AuthorFacts(approved=5, recent=("other", mark))
    assert judged(FINE.upper().replace(" ", "  "), again) == {"repeats.same_text", "shouting.capitals"}
    assert judged(FINE + "!", again) == {"repeats.same_text"}
    assert judged(FINE, again, kind="edit") == set()
    assert judged(FINE + " Really.", again) == set()


def test_short_texts_may_be_said_again() -> None:
    mark = lexicon_judge().decide(Submission("Well said!")).fingerprint
    assert judged("Well said!", AuthorFacts(approved=5, recent=(mark,) * 3)) == set()


def test_texts_without_letters_differ_by_what_they_show() -> None:
    marks = [lexicon_judge().decide(Submission(text)).fingerprint for text in ("👍", "👎", "👍")]
    assert marks[0] == marks[2] != marks[1]


def test_a_premoderated_article_holds_whoever_writes() -> None:
    assert judged(FINE, TRUSTED, article=ArticleFacts(premoderated=True)) == {"article.premoderated"}


def test_a_foul_name_is_noticed_with_every_comment_under_it() -> None:
    assert judged(FINE, name="M0therfucker") == {"wordlist.name"}
    assert judged(FINE, name="Dick Smith") == set()


def test_a_policy_may_hold_every_first_comment() -> None:
    assert judged(FINE, AuthorFacts(), '[rules.trust]\nnew = "hold"') == {"trust.new_author"}
    assert judged(FINE, KNOWN, '[rules.trust]\nnew = "hold"') == set()


def test_a_rule_can_be_switched_off() -> None:
    assert judged(LINK * 9, override="[rules.links]\non = false") == set()


def test_a_policy_may_reject_what_it_would_hold() -> None:
    policy = shipped('[rules.wordlist]\nsevere = "reject"')
    assert Judge(policy, [Fake()]).decide(Submission("You faggot")).outcome is Outcome.REJECT


@pytest.mark.parametrize(
    ("text", "tone_only"),
    [
        (FINE, False),
        ("shit, that idiot moron scum, the bastard", True),
        ("THIS IS AN OUTRAGE AND THE WHOLE COUNCIL MUST RESIGN TODAY", True),
        ("What a faggot he is", False),
        ("What a motherfucking faggot he is", False),
        ("Kill yourself, motherfucker", False),
        ("What a motherfucker " + LINK * 4, False),
    ],
)
def test_only_tone_can_be_mended_by_its_author(text: str, tone_only: bool) -> None:
    decision = Judge(shipped(), [Fake()], timeout=30).decide(Submission(text, author=KNOWN))
    assert decision.tone_only is tone_only


def test_an_engine_that_fails_is_never_a_matter_of_tone() -> None:
    decision = Judge(shipped(), [Fake(float("nan"))]).decide(Submission("What a motherfucker he is"))
    assert not decision.tone_only


def test_every_code_has_a_sentence_of_its_own() -> None:
    policy = shipped()
    spoken = set(policy.sentences) - {"default", "engine"}
    for code in spoken:
        assert policy.sentence(code) != policy.sentences["default"] or code == "default"
    for attribute in Fake.attributes:
        assert f"engine.{attribute}" in spoken
