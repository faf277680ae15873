"""Places: whatever a text is made of, a span counts UTF-16 code units and points at what was scored."""

from __future__ import annotations

import random
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation import sentences
from service.web.perspective.texts import Source
from tests.service.perspective.conftest import ANALYZE, Service

PIECES = [
    *"abc xyz.!?\n\t é 中文。 ß ﬁ Å Å Ω ａ １ ​\u200d\u0301\u0323\ufe0f",
    *(
        "😀",
        "👩‍👩‍👧‍👦",
        "🇩🇪",
        "👍🏽",
        "e\u0301\u0323",
        "\U0001d11e",
        "हिन्दी",
        "مرحبا",
        "\r\n",
        "\0",
        "idiot",
        ". ",
        "! ",
    ),
]


def units(text: str, begin: int, end: int) -> str:
    """A stretch of a text in UTF-16 units, as JavaScript's `slice` takes it."""
    return text.encode("utf-16-le")[2 * begin : 2 * end].decode("utf-16-le")


def test_ten_thousand_random_texts_are_cut_where_they_should_be() -> None:
    chance = random.Random(7)
    for _ in range(10_000):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 40)))
        source = Source(text)
        assert units(text, *source.whole()) == text
        start = chance.randrange(len(text))
        end = chance.randint(start + 1, len(text))
        assert units(text, *source.span(start, end)) == text[start:end]
        for span in sentences(text):
            assert units(text, *source.span(span.start, span.end)) == text[span.start : span.end].strip()


def test_the_sentences_of_random_texts_stand_in_order_and_leave_nothing_visible_out() -> None:
    chance = random.Random(8)
    for _ in range(2_000):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 60)))
        found = sentences(text)
        assert all(a.end <= b.start for a, b in pairwise(found))
        starts, ends = [*(span.start for span in found), len(text)], [0, *(span.end for span in found)]
        between = "".join(text[end:start] for end, start in zip(ends, starts, strict=True))
        assert not re.search(r"\w", between.replace("_", ""))


def test_random_texts_come_back_right_over_the_wire(service: Service) -> None:
    chance = random.Random(9)
    for _ in range(200):
        text = "idiot " + "".join(chance.choices(PIECES, k=chance.randint(1, 30)))
        body = {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]}
        answer = service.post(ANALYZE, {**body, "spanAnnotations": True})
        assert answer.status_code == 200, (text, answer.text)
        found = [units(text, s["begin"], s["end"]) for s in answer.json["attributeScores"]["TOXICITY"]["spanScores"]]
        assert found == [text[span.start : span.end] for span in sentences(text)]


MARKUP = st.lists(
    st.sampled_from(
        [
            *(
                "<p>",
                "</p>",
                "<b>",
                "</b>",
                "<br>",
                "<br/>",
                "<a href='x>y'>",
                "</a>",
                "<!--",
                "-->",
                "<!-- c -->",
                "<",
                ">",
            ),
            *(
                "<script>",
                "</script>",
                "<style>x</style>",
                "&amp;",
                "&eacute;",
                "&#233;",
                "&#x1F600;",
                "&notit;",
                "&",
                ";",
            ),
            *(
                "&#",
                "</",
                "</>",
                "<![",
                "<![CDATA[x]]>",
                "<?x?>",
                "<!DOCTYPE html>",
                "a",
                " ",
                "\n",
                "😀",
                "é",
                "'",
                '"',
            ),
        ]
    )
    | st.text(max_size=5),
    max_size=30,
).map("".join)


@given(MARKUP)
@settings(max_examples=2_000, deadline=None)
def test_every_character_read_from_markup_comes_from_a_place_in_it(markup: str) -> None:
    source = Source(markup, is_html=True)
    last = 0
    for place in range(len(source.text)):
        begin, end = source.span(place, place + 1)
        assert 0 <= begin < end <= source.whole()[1]
        assert begin >= last - 9, "places go forward; what one reference stands for shares its place"
        last = begin
        cut = units(markup, begin, end) if source.text[place] != "\n" else ""
        assert source.text[place] in (cut, "\n") or cut.startswith("&")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain &lt; &amp; &quot;simple&quot; &copy 2026", 'plain < & "simple" © 2026'),
        ("fu<b>ck</b>", "fuck"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("a<script>if (a < b) '<p>'</script>b", "ab"),
        ("a<script>never closed, shown by who strips tags", "a<script>never closed, shown by who strips tags"),
        ("a <!-- hidden --> b", "a  b"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("&#0; &#xD800; &#99999999;", "\ufffd \ufffd \ufffd"),
    ],
)
def test_markup_reads_as_a_page_shows_it(markup: str, text: str) -> None:
    assert Source(markup, is_html=True).text == text


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!", "<![", "<?", "</", "&", "&#", "<!--", "<a b='", "<script>", "]]", "a. ", "!"]
)
def test_no_text_takes_long_to_read(piece: str) -> None:
    began = time.process_time()
    for tail in ("", ">", "'>", "-->"):
        source = Source((piece * 20_480)[:20_400] + tail, is_html=True)
        sentences(source.text)
    assert time.process_time() - began < 2
