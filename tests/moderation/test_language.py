"""Which language a text is in: told where it can be, never guessed, and never one whose letters are not there."""

from __future__ import annotations

import time

import pytest

from moderation import Judge, Outcome, Submission, detect_language
from moderation.language import language_or
from tests.moderation.cases import Fake, codes, shipped

ENGLISH_ONLY = frozenset({"en"})


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The council has closed the library without asking anybody.", "en"),
        ("Le conseil a fermé la bibliothèque sans demander à personne.", "fr"),
        ("Der Rat hat die Bibliothek geschlossen, ohne jemanden zu fragen.", "de"),
        ("Совет закрыл библиотеку, никого не спросив об этом.", "ru"),
        ("市議会は誰にも聞かずに図書館を閉鎖しました。", "ja"),
        ("议会没有征求任何人的意见就关闭了图书馆。", "zh"),
        ("THE COUNCIL HAS CLOSED THE LIBRARY WITHOUT ASKING ANYBODY.", "en"),
        ("See https://example.org/der/die/das and @der_die_das, the council has closed the library.", "en"),
        ("Tak!", None),
        ("lol", None),
        ("👍👍👍", None),
        ("", None),
    ],
)
def test_a_language_is_told_where_it_can_be(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Tak!", "en"),
        ("👍 100 %", "en"),
        ("https://example.org/привет", "en"),
        ("Ｗｅｌｌ ｓａｉｄ", "en"),
        ("Ευχαριστώ", "el"),
        ("תודה", "he"),
        ("ขอบคุณ", "th"),
        ("死ね", "ja"),
        ("개새끼", "ko"),
        ("ᏣᎳᎩ", "und"),
    ],
)
def test_a_short_text_is_in_the_assumed_language_only_if_it_is_written_in_its_letters(text: str, language: str) -> None:
    assert language_or(text, "en") == language


@pytest.mark.parametrize("text", ["Привет", "Γειά", "مرحبا", "去死吧", "ѕһіт", "ᏣᎳᎩ"])
def test_a_short_text_in_other_letters_is_not_approved_by_an_engine_that_cannot_read_them(text: str) -> None:
    decision = Judge(shipped(), [Fake(0.0, ENGLISH_ONLY)], timeout=30).decide(Submission(text))
    assert decision.outcome is Outcome.HOLD
    assert "language.unfit" in codes(decision)


@pytest.mark.parametrize("pattern", ["a", "a@", "a ", "://", "я", "的"])
def test_telling_takes_no_longer_for_a_long_text(pattern: str) -> None:
    began = time.process_time()
    language_or((pattern * 100_000)[:100_000], "en")
    assert time.process_time() - began < 10
