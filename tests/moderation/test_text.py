"""What is stored and what is judged: limits, every byte kept, folding and its map, and time that stays linear."""

from __future__ import annotations

import time
import unicodedata

import pytest

from moderation import TextRefused, canonicalise, fold


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "text.empty"),
        (" \t\r\n\u00a0\u3000", "text.empty"),
        ("\u200b\u200d\ufe0f\u2060\u00ad", "text.empty"),
        ("\u3164\u2800\u115f", "text.empty"),
        ("\u0301\u0301", "text.empty"),
        ("\U000e0041\U000e0042", "text.empty"),
        ("hello\0", "text.nul"),
        ("\ud83d alone", "text.surrogate"),
        ("alone \udc00", "text.surrogate"),
        ("a" * 10_001, "text.too_long"),
        ("字" * 9_999 + "𠮷" * 5_000, "text.too_long"),
        ("𠮷" * 10_000 + "a", "text.too_long"),
        ("x" * 1_000_000, "text.too_long"),
        ("a" + "\u0301" * 65, "text.marks"),
        ("a" + "\u0301\u0316" * 10_000, "text.marks"),
    ],
)
def test_what_cannot_be_stored_or_seen_is_refused_with_a_code(raw: str, code: str) -> None:
    with pytest.raises(TextRefused) as refused:
        canonicalise(raw)
    assert refused.value.code == code
    assert raw not in refused.value.detail or raw == ""


@pytest.mark.parametrize(
    "raw",
    [
        "  two spaces, a tab\t and a line\r\nbreak  ",
        "e\u0301 becomes one, é was one",
        "می‌خواهم 👨‍👩‍👧 ❤️‍🔥 \u202eright to left\u202c",
        "z̸͉̐a̶l̷g̵o̴ is a choice",
        "a\x1bb\x7fc",
        "𠮷" * 10_000,
        "a" * 10_000,
    ],
)
def test_a_text_is_stored_in_nfc_and_otherwise_byte_for_byte(raw: str) -> None:
    assert canonicalise(raw).encode() == unicodedata.normalize("NFC", raw).encode()
    assert canonicalise(canonicalise(raw)) == canonicalise(raw)


def test_the_limit_counts_characters_as_they_are_stored() -> None:
    assert canonicalise("e\u0301" * 50, limit=50) == "é" * 50
    with pytest.raises(TextRefused):
        canonicalise("é" * 51, limit=50)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Hello, World! 100 % 1st covid19", "hello, world! 100 % 1st covid19"),
        ("ＦＵＬＬ ｗｉｄｔｈ ﬁt ①", "full width fit 1"),
        ("Crème brûlée für Ñandú", "creme brulee fur nandu"),
        ("straße ISTANBUL İstanbul", "strasse istanbul istanbul"),
        ("z\u200be\u200dr\u2060o", "zero"),
        ("s\u0336t\u0336r\u0336u\u0336c\u0336k", "struck"),
        ("dісtіоnаrу", "dictionary"),
        ("Привет, Москва! Как дела? Хорошо.", "привет, москва! как дела? хорошо."),
        ("пиzда xуй", "пизда хуй"),
        ("ѕһір ahoy", "ship ahoy"),
        ("ѕһір на лодке", "ѕһір на лодке"),
        ("w0nd3rful 4x4 b2b h2o mp3", "wonderful 4x4 b2b h2o mp3"),
        ("w o n d e r", "wonder"),
        ("w.o.n.d.e.r and w-o-n-d-e-r and w_o_n_d_e_r", "wonder and wonder and wonder"),
        ("w o n d e r   f u l", "wonder   ful"),
        ("w 0 n d 3 r", "wonder"),
        ("a b, then a a a, then 1 2 3 and B 1 2", "a b, then a a a, then 1 2 3 and b 1 2"),
        ("soooo goooood, yesss, diggger", "so god, yess, digger"),
        ("hello@example.org http://aaa.example/bbb www.x.y", "hello@example.org http://aaa.example/bbb www.x.y"),
        ("मेरी नानी और बाबाजी", "मेरी नानी और बाबाजी"),
        ("ครูสอนภาษาไทย", "ครูสอนภาษาไทย"),
        ("がぎぐ パピプ", "がぎぐ パピプ"),
        ("й and ё stay", "й and ё stay"),
        ("كتـــاب", "كتاب"),
        ("🅗🅘 🇭🇮", "hi hi"),
    ],
)
def test_folding_takes_off_disguises_and_leaves_the_rest(text: str, folded: str) -> None:
    assert fold(text).text == folded
    assert fold(folded).text == folded


@pytest.mark.parametrize(
    ("text", "part", "source"),
    [
        ("x f\u200bo\u200bo y", "foo", "f\u200bo\u200bo"),
        ("x fo\u0336o\u0336 y", "foo", "fo\u0336o\u0336"),
        ("x b.a.r y", "bar", "b.a.r"),
        ("x baaaar y", "bar", "baaaar"),
        ("x straße y", "strasse", "straße"),
        ("x ﬁt y", "fit", "ﬁt"),
        ("x b a a a r z", "bar", "b a a a r"),
    ],
)
def test_a_stretch_of_the_folded_text_leads_back_to_what_the_author_wrote(text: str, part: str, source: str) -> None:
    folded = fold(text)
    start = folded.text.index(part)
    span = folded.span(start, start + len(part))
    assert text[span.start : span.end].startswith(source)


@pytest.mark.parametrize(
    "pattern",
    [
        "a",
        "а",
        "e\u0301\u0316",
        "\u0301",
        "\u200b",
        "a ",
        "a.",
        "a_",
        "1a",
        "aаb",
        "a@a.",
        "!a",
        "aa b  ",
        "a0",
        "http://",
        *(
            "www.a",
            "aab",
            ". ",
            "f*k",
            "a-",
            "ﷺ",
            "ß",
            "死.",
            "的 ",
            "1",
            "a1",
            "@",
            "a\n",
            "😀",
            "क\u093f",
            "a\u200b ",
        ),
    ],
)
def test_time_grows_with_the_length_of_the_text_only(pattern: str) -> None:
    text = (pattern * 100_000)[:100_000]
    began = time.process_time()
    fold(text)
    assert time.process_time() - began < 10
