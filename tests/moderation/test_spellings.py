"""Words typed past a filter are read as what they pass for, what is a word itself stays, and the map back holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation import Span
from moderation.engines.bundled.spellings import Spellings, misspelt, read
from moderation.text import fold

WORDS = ("fuck", "idiot", "bitch", "asshole", "shit", "moron", "penis")
SPELLINGS = Spellings(WORDS, frozenset({"sit", "pens", "moon"}), {"homosexual": "gay"})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("fcuk you", "fuck you"),
        ("fck you", "fuck you"),
        ("f**k you", "fuck you"),
        ("f*ck you", "fuck you"),
        ("fu-ck you", "fuck you"),
        ("f-ck you", "fuck you"),
        ("you idoit!", "you idiot!"),
        ("you id_iot", "you idiot"),
        ("B**CH", "bitch"),
        ("what an a*****e", "what an asshole"),
        ("he is homosexual", "he is gay"),
        ("well-known idoit-maker", "well-known idiot-maker"),
        ("a b*tch-ass f**k_up", "a bitch-ass fuck_up"),
        ("b-tch", "bitch"),
        ("FCUK YOU", "fuck you"),
        ("you IDOIT", "you idiot"),
    ],
)
def test_a_broken_word_is_read_as_the_one_it_passes_for(written: str, meant: str) -> None:
    assert SPELLINGS(written).text == meant


@pytest.mark.parametrize(
    "harmless",
    [
        "please sit down, the pens are by the moon",
        "a mother-in-law, a co-operative and a so-called expert",
        "2 * 3 * 4 and c*d*e",
        "the penis is an organ",
        "**bold** and *slanted*",
        "f**l play, g**d luck",
        "see https://idoit.example/fcuk and www.fcuk.example, or mail btich@idoit.example",
        "a coat by FCUK, says MRON",
        "",
    ],
)
def test_what_is_a_word_itself_or_fits_none_stays_as_it_stands(harmless: str) -> None:
    assert SPELLINGS(harmless).text == fold(harmless).text


def test_a_mended_word_covers_all_that_its_author_typed() -> None:
    text = "You F*CK, you id--iot there"
    mended = SPELLINGS(text)
    for word, typed in (("fuck", "F*CK"), ("idiot", "id--iot"), ("there", "there")):
        start = mended.text.index(word)
        span = mended.span(start, start + len(word))
        assert span == Span(text.index(typed), text.index(typed) + len(typed))


def test_no_form_that_is_left_alone_is_among_those_that_are_mended() -> None:
    assert not SPELLINGS.forms.keys() & {*SPELLINGS.innocent, *WORDS}
    assert SPELLINGS.forms["idot"] == "idiot"


def test_what_is_written_is_read_again() -> None:
    assert read(SPELLINGS.written().encode()) == SPELLINGS


def test_a_word_has_a_form_for_each_dropped_letter_and_each_two_swapped() -> None:
    assert set(misspelt("shit")) == {"sit", "sht", "shi", "hsit", "siht", "shti"}


@given(st.text(alphabet="fuckidiotbitch*-_ Fé\u200d0$", max_size=60))
def test_the_map_back_stays_inside_the_text_and_in_order(text: str) -> None:
    mended = SPELLINGS(text)
    assert len(mended.text) == len(mended.starts) == len(mended.ends) == len(mended.native) == len(mended.runs)
    assert all(0 <= start < end <= len(text) for start, end in zip(mended.starts, mended.ends, strict=True))
    assert list(mended.starts) == sorted(mended.starts)
