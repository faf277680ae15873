"""Folding and fairness: a disguised word is judged like the plain one, and what means no harm is left alone."""

from __future__ import annotations

import unicodedata

import pytest

from moderation import Outcome, Submission, canonicalise, fold
from tests.moderation.cases import DISGUISES, INNOCENT, codes, lexicon_judge, shipped

WORDS = ("motherfucker", "faggot", "nigger", "shithead", "wetback", "slut", "dickhead", "retard", "whores", "cunt")
OTHER_LANGUAGES_ARE_FINE = '[languages]\ndefault = "approve"'


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_word_is_judged_like_the_plain_one(disguise: str, word: str) -> None:
    judge = lexicon_judge()
    plain = judge.decide(Submission(f"You are a {word} and everybody here knows it."))
    disguised = judge.decide(Submission(f"You are a {DISGUISES[disguise](word)} and everybody here knows it."))
    assert plain.outcome is Outcome.HOLD
    assert (disguised.outcome, codes(disguised)) == (plain.outcome, codes(plain))


@pytest.mark.parametrize("disguise", DISGUISES)
def test_the_spans_show_the_disguised_word_and_nothing_else(disguise: str) -> None:
    shown = canonicalise(DISGUISES[disguise]("motherfucker"))
    decision = lexicon_judge().decide(Submission(f"You are a {shown} and everybody here knows it."))
    spans = {decision.text[span.start : span.end] for finding in decision.findings for span in finding.spans}
    assert spans == {shown}


@pytest.mark.parametrize(
    "text",
    [
        "k1ll y0urs3lf",
        "ki11 yourse1f",
        "KILL      YOURSELF",
        "k.i.l.l y.o.u.r.s.e.l.f",
        "k i l l   y o u r s e l f",
        "kіll уоursеlf",
        "kill\nyourself",
        "kill-yourself",
        "you c*nt",
        "you c**t",
        "m*therf**ker",
        "what a f a g g o t",
        "сунт is not, but сunt is",
        "5lut",
        "s1ut",
        "操.你.妈",
        "操 你 妈 啊",
        "пи3дa и xуй, иди нaхуй",
        "मा\u200bदर\u200bचोद",
        "씨\u200b발놈",
    ],
)
def test_disguises_as_people_write_them_are_held(text: str) -> None:
    assert lexicon_judge(OTHER_LANGUAGES_ARE_FINE).decide(Submission(text)).outcome is Outcome.HOLD


@pytest.mark.parametrize(("language", "text"), [(name, text) for name, texts in INNOCENT.items() for text in texts])
def test_innocent_text_is_stored_as_it_is_and_not_held(language: str, text: str) -> None:
    decision = lexicon_judge(OTHER_LANGUAGES_ARE_FINE).decide(Submission(text))
    assert decision.text.encode() == unicodedata.normalize("NFC", text).encode()
    assert (decision.outcome, codes(decision)) == (Outcome.APPROVE, set()), language


@pytest.mark.parametrize(("language", "text"), [(name, text) for name, texts in INNOCENT.items() for text in texts])
def test_innocent_text_has_no_grave_word_of_another_language_in_it(language: str, text: str) -> None:
    hits = shipped().words.find(fold(canonicalise(text)), "a language without a list")
    assert [hit.term.text for hit in hits if hit.term.severity != "mild"] == [], language


def test_there_are_at_least_twelve_languages_and_fourteen_disguises() -> None:
    assert len(INNOCENT) >= 14
    assert len(DISGUISES) >= 14
