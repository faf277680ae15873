"""Markdown to trees: what is formatted, what is not, what can never be in a tree, and what it may cost."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import markup
from service.markup import TAGS, Node, plain, render, safe_href

BR: Node = {"t": "br", "c": []}


def el(tag: Any, *children: Node) -> Node:
    return {"t": tag, "c": list(children)}


def p(*children: Node) -> Node:
    return el("p", *children)


def a(href: str, *children: Node) -> Node:
    return {"t": "a", "c": list(children), "href": href}


def elements(nodes: list[Node], depth: int = 1) -> Iterator[tuple[dict[str, Any], int]]:
    for node in nodes:
        if not isinstance(node, str):
            yield dict(node), depth
            yield from elements(node["c"], depth + 1)


def hrefs(nodes: list[Node]) -> list[str]:
    return [element["href"] for element, _ in elements(nodes) if "href" in element]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", []),
        ("Just words.", [p("Just words.")]),
        ("One\nline, two\n\nA paragraph", [p("One", BR, "line, two"), p("A paragraph")]),
        ("two spaces  \nor a \\\nbackslash", [p("two spaces", BR, "or a ", BR, "backslash")]),
        ("*em* _em_ **strong** __strong__", [p(el("em", "em"), " ", el("em", "em"), " ", el("strong", "strong"), " ",
                                               el("strong", "strong"))]),
        ("***both***", [p(el("em", el("strong", "both")))]),
        ("snake_case_name 2*3*4", [p("snake_case_name 2", el("em", "3"), "4")]),
        ("~~no~~ ^no^ ==no== $no$", [p("~~no~~ ^no^ ==no== $no$")]),
        ("\\*plain\\* \\[plain\\]", [p("*plain* [plain]")]),
        ("`code *x* <b>` and `` ` ``", [p(el("code", "code *x* <b>"), " and ", el("code", "`"))]),
        ("```python\nif x:\n    y\n\nz\n```", [el("pre", el("code", "if x:\n    y\n\nz"))]),
        ("~~~\nnever closed", [el("pre", el("code", "never closed"))]),
        ("    four spaces are no code", [p("four spaces are no code")]),
        ("- one\n- two\n  - three", [el("ul", el("li", "one"), el("li", "two", el("ul", el("li", "three"))))]),
        ("* a\n\n* b", [el("ul", el("li", p("a")), el("li", p("b")))]),
        ("1. one\n2. two", [el("ol", el("li", "one"), el("li", "two"))]),
        ("1) one\n1) two", [el("ol", el("li", "one"), el("li", "two"))]),
        ("1. yes\n3. no", [el("ol", el("li", "yes"), el("li", "3. no"))]),
        ("1984. A good year.", [p("1984. A good year.")]),
        ("5. five\n6. six", [p("5. five", BR, "6. six")]),
        ("> quoted\nstill quoted\n\nanswer", [el("blockquote", p("quoted", BR, "still quoted")), p("answer")]),
        ("> one\n> > two", [el("blockquote", p("one"), el("blockquote", p("two")))]),
        ("> - a\n> - b", [el("blockquote", el("ul", el("li", "a"), el("li", "b")))]),
        ("> [!NOTE]\n> text", [el("blockquote", p("[!NOTE]", BR, "text"))]),
        ("# not a heading", [p("# not a heading")]),
        ("not one\n=======", [p("not one", BR, "=======")]),
        ("---", [p("---")]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", [p("| a | b |", BR, "|---|---|", BR, "| 1 | 2 |")]),
        ("<b>bold</b> <!-- x --> <br>", [p("<b>bold</b> <!-- x --> <br>")]),
        ("<div>\n*em*\n</div>", [p("<div>", BR, el("em", "em"), BR, "</div>")]),
        ("&lt;b&gt; &amp; &#106; &copy;", [p("&lt;b&gt; &amp; &#106; &copy;")]),
        ("[site](https://a.example/x)", [p(a("https://a.example/x", "site"))]),
        ('[site](http://a.example "title")', [p(a("http://a.example", "site"))]),
        ("[*em* `code`](https://a.example)", [p(a("https://a.example", el("em", "em"), " ", el("code", "code")))]),
        ("[](https://a.example)", [p(a("https://a.example", "https://a.example"))]),
        ("[ ](https://a.example)", [p(a("https://a.example", " ", "https://a.example"))]),
        ("[a][ref]\n\n[ref]: https://a.example", [p("[a][ref]"), p("[ref]: ", a("https://a.example", "https://a.example"))]),
        ("<https://a.example/?q=1&r=2>", [p(a("https://a.example/?q=1&r=2", "https://a.example/?q=1&r=2"))]),
        ("see https://a.example/b_(c)_d.",
         [p("see ", a("https://a.example/b_(c)_d", "https://a.example/b_(c)_d"), ".")]),
        ("(https://a.example)", [p("(", a("https://a.example", "https://a.example"), ")")]),
        ("HTTPS://A.Example/Path", [p(a("https://a.example/Path", "HTTPS://A.Example/Path"))]),
        ("**https://a.example**", [p(el("strong", a("https://a.example", "https://a.example")))]),
        ("`https://a.example`", [p(el("code", "https://a.example"))]),
        ("www.a.example a.example x@a.example ftp://a.example //a.example",
         [p("www.a.example a.example x@a.example ftp://a.example //a.example")]),
        ("<x@a.example> <mailto:x@a.example>", [p("<x@a.example> <mailto:x@a.example>")]),
        ("[a](mailto:x@a.example) [b](/path) [c](#x) [d](a.example)",
         [p("[a](mailto:x@a.example) [b](/path) [c](#x) [d](a.example)")]),
        ("![a *cat*](https://a.example/c.png)", [p("!", a("https://a.example/c.png", "a ", el("em", "cat")))]),
        ("[a [b](https://b.example) c](https://a.example)",
         [p("[a ", a("https://b.example", "b"), " c](", a("https://a.example", "https://a.example"), ")")]),
        ("[x <https://b.example> y](https://a.example)",
         [p(a("https://a.example", "x https://b.example y"))]),
        ("https://müller.example/straße",
         [p(a("https://xn--mller-kva.example/stra%C3%9Fe", "https://müller.example/straße"))]),
        ("https://xn--pple-43d.example", [p(a("https://xn--pple-43d.example", "https://xn--pple-43d.example"))]),
        ("¡Olé! 👩‍👩‍👧 ¯\\_(ツ)_/¯", [p("¡Olé! 👩‍👩‍👧 ¯_(ツ)_/¯")]),
    ],
)  # fmt: skip
def test_texts_become_these_trees(text: str, tree: list[Node]) -> None:
    assert render(text) == tree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a *b* `c` [d](https://e.example)", "a b c d"),
        ("one\ntwo\n\nthree", "one\ntwo\nthree"),
        ("> q\n\n- x\n  - y\n1. z\n\n```\ncode\n```", "q\nx\ny\nz\ncode"),
    ],
)
def test_plain_gives_the_text_a_line_for_each_line_or_block(text: str, expected: str) -> None:
    assert plain(render(text)) == expected


HOSTILE_ADDRESSES = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "\tjavascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "java\x00script:alert(1)",
    "java\u00adscript:alert(1)",
    "java\u200bscript:alert(1)",
    "\u2028javascript:alert(1)",
    "\x01javascript:alert(1)",
    "\x1fjavascript:alert(1)",
    "\ufeffjavascript:alert(1)",
    "ｊａｖａｓｃｒｉｐｔ:alert(1)",
    "javascript\uff1aalert(1)",
    "javaſcript:alert(1)",
    "javascript&colon;alert(1)",
    "javascript&#58;alert(1)",
    "javascript&#x3a;alert(1)",
    "&#106;avascript:alert(1)",
    "&#0000106&#0000097vascript:alert(1)",
    "&#x6A;avascript&#x3A;alert(1)",
    "jav&#x09;ascript:alert(1)",
    "jav&Tab;ascript:alert(1)",
    "jav&NewLine;ascript:alert(1)",
    "%6aavascript:alert(1)",
    "javascript%3aalert(1)",
    "javascript\\:alert(1)",
    "\\javascript:alert(1)",
    "javascript://a.example/%0aalert(1)",
    "javascript:https://a.example/",
    "javascript:/*https://a.example*/alert(1)",
    "vbscript:msgbox(1)",
    "VBScript:msgbox(1)",
    "vbs&#99;ript:msgbox(1)",
    "livescript:alert(1)",
    "mocha:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "DATA:text/html,x",
    "data:image/png;base64,AAAA",
    "data:image/svg+xml;base64,AAAA",
    "file:///etc/passwd",
    "file://a.example/x",
    "blob:https://a.example/1",
    "filesystem:https://a.example/x",
    "about:blank",
    "view-source:https://a.example",
    "feed:https://a.example",
    "jar:https://a.example!/x",
    "ws://a.example",
    "ftp://a.example",
    "tel:112",
    "sms:112",
    "mailto:x@a.example",
    "intent://a.example#Intent;end",
    "//a.example",
    "///a.example",
    "\\\\a.example",
    "/\\a.example",
    "https:a.example",
    "https:/a.example",
    "https:///a.example",
    "https:\\\\a.example",
    "https://",
    "https://?x",
    "https://.",
    "https://user@a.example",
    "https://user:password@a.example",
    "https://a.example@evil.example",
    "https://a.example:80@evil.example",
    "https://a.example%40evil.example@evil.example",
    "https://a.example\\@evil.example",
    "https://a.example\\.evil.example",
    "https://a.example&#64;evil.example",
    "https://a.example&#x5c;@evil.example",
    "https://a.example\x00.evil.example",
    "https://a.example\u2028.evil.example",
    "https://a.exa mple",
    "https://a.example:port",
    "https://a.example:",
    "https://a.example:999999",
    "https://a_<b>.example",
    'https://a.example"onclick=alert(1)',
    "https://a.example'onclick=alert(1)",
    "https://a..example",
    f"https://{'a' * 64}.example",
    f"https://{'a.' * 130}example",
    "https://%61.example",
    "https://a.example%2fevil.example",
    "https://[::1]/",
    "https://a\u200cb.example",
    "https://xn--ß.example",
    "https://\u0301a.example",
    "https://אa.example",
    "https\u017f://a.example",
    "httpſ://a.example",
    "ht\u200btps://a.example",
]


def test_the_list_of_hostile_addresses_is_long_and_says_nothing_twice() -> None:
    assert len(HOSTILE_ADDRESSES) >= 80
    assert len(HOSTILE_ADDRESSES) - len(set(HOSTILE_ADDRESSES)) <= 1  # one of them twice, as escape and as letter


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_a_hostile_address_is_no_href_by_any_road(address: str) -> None:
    assert safe_href(address) is None
    for template in ("[x]({})", "[x](<{}>)", '[x]({} "t")', "![x]({})", "<{}>", "[![x]({})]({})", "[x][y]\n\n[y]: {}"):
        for href in hrefs(render(template.replace("{}", address))):
            assert_harmless(href)


def assert_harmless(href: str) -> None:
    assert re.fullmatch(r"https?://[a-z0-9_.-]+(:[0-9]{1,5})?([/?#][!-~]*)?", href, re.ASCII), href
    assert not set("<>\"'\\`") & set(href.replace("'", "")), href


HOSTILE_MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{x:expression(alert(1))}</style>",
    "<math><mi xlink:href='javascript:alert(1)'>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "```<script>\n</script>\n```",
    "`<script>`",
    "[<script>alert(1)</script>](https://a.example)",
    "[x](https://a.example '\"><script>alert(1)</script>')",
    "![\"onerror=alert(1)](https://a.example/x.png)",
    "[x](https://a.example/\"onmouseover=\"alert(1))",
    "[x](https://a.example/<script>)",
    "[x](https://a.example/`x`)",
    "https://a.example/\"onmouseover=\"alert(1)",
    "https://a.example/<script>alert(1)</script>",
    "<https://a.example/\"><script>alert(1)</script>>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE_MARKUP)
def test_hostile_markup_is_text(text: str) -> None:
    nodes = render(text)
    for element, _ in elements(nodes):
        assert element["t"] in TAGS
        assert element.keys() <= {"t", "c", "href"}
    for href in hrefs(nodes):
        assert_harmless(href)
    if text.startswith(("<s", "<i", "<m", "<!", "<?", "&", "{", "$")):
        assert nodes == [p(text)]


@pytest.mark.parametrize(
    ("address", "href"),
    [
        ("https://a.example", "https://a.example"),
        ("HTTP://A.EXAMPLE:8080", "http://a.example:8080"),
        ("https://a.example/ü?ö#ß", "https://a.example/%C3%BC?%C3%B6#%C3%9F"),
        ("https://a.example/%C3%BC%", "https://a.example/%C3%BC%25"),
        ('https://a.example/"<>`\\ \n', "https://a.example/%22%3C%3E%60%5C%20%0A"),
        ("https://MÜNCHEN.example", "https://xn--mnchen-3ya.example"),
        ("https://１２７.０.０.１/", "https://127.0.0.1/"),
        ("https://a。example/", "https://a.example/"),
        ("https://аpple.example", "https://xn--pple-43d.example"),
        ("https://a_b.example", "https://a_b.example"),
        ("https://straße.example/x", "https://xn--strae-oqa.example/x"),
        ("https://βόλος.example", "https://xn--nxasmm1c.example"),
        ("https://نامه\u200cای.example", "https://xn--mgba3gch31f060k.example"),
        ("https://r3---sn-a.example", "https://r3---sn-a.example"),
        ("https://XN--strae-oqa.example.", "https://xn--strae-oqa.example."),
    ],
)
def test_an_address_comes_out_as_browsers_look_it_up(address: str, href: str) -> None:
    assert safe_href(address) == href
    assert_harmless(href)


def repeated(piece: str, length: int = 10_000) -> str:
    return (piece * (length // len(piece) + 1))[:length]


BOMBS = {
    "brackets": "[" * 10_000,
    "open links": repeated("[a]("),
    "pictures": repeated("!["),
    "nested quotes": ">" * 10_000,
    "spaced quotes": repeated("> "),
    "quotes of lists": repeated("> - "),
    "deep quotes in many lines": repeated("> " * 8 + "a\n"),
    "a deep quote with lazy lines": "> " * 10 + repeated("a\n"),
    "a deep quote with fewer lazy lines": "> " * 10 + repeated("aaaaaaaaa\n"),
    "two thousand quotes": "> \n" * 2_000,
    "quotes in paragraphs": repeated("> a\n\n"),
    "div": repeated("<div>"),
    "angles": "<" * 10_000,
    "open emphasis": repeated("*a "),
    "stars": "*" * 10_000,
    "underscores": repeated("_a"),
    "mixed emphasis": repeated("a*_b**__"),
    "crossed emphasis": repeated("*_"),
    "punctuated emphasis": repeated("*.*_"),
    "deep emphasis": "*" * 4_999 + "a" + "*" * 4_999,
    "backticks": "`" * 10_000,
    "growing backticks": " ".join("`" * n for n in range(1, 140)),
    "fences": repeated("```\n"),
    "backslashes": "\\" * 10_000,
    "entities": repeated("&#106;"),
    "list on a line": repeated("- "),
    "long list": repeated("- a\n"),
    "loose list": repeated("- a\n\n"),
    "stairs": "\n".join("  " * n + "- a" for n in range(99)),
    "numbers": repeated("1. "),
    "nested brackets": "[" * 5_000 + "]" * 5_000,
    "nested links": "[" * 2_500 + "](x)" * 1_800,
    "nested pictures": "![" * 2_000 + "](x)" * 1_500,
    "as many brackets as are read": "[" * 10 + repeated("*.*_", 9_990),
    "as many brackets as are read, all over": repeated("[" + "*_" * 500),
    "as many brackets as are read, in paragraphs": repeated("[" * 15 + "*.*_" * 150 + "\n\n"),
    "as many pictures as are read": repeated("![" + "_a" * 500),
    "nested links around emphasis": "[" * 10 + repeated("*_", 9_790) + "](https://a.example)" * 10,
    "addresses": repeated("https://a.example "),
    "bare schemes": repeated("https://"),
    "as many addresses as are read": repeated("https://a.example/" + "(" * 320),
    "one address": "https://a.example/" + repeated("a_*"),
    "autolinks": repeated("<https://a"),
    "open destinations": repeated("[x](<"),
    "open titles": repeated('[a](b "'),
    "lines": "\n" * 10_000,
    "short lines": repeated("a\n"),
    "paragraphs": repeated("a\n\n"),
    "spaces": " " * 10_000,
    "tabs": "\t" * 10_000,
    "families": repeated("👨‍👩‍👧*"),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_costs_less_than_300_ms(bomb: str) -> None:
    # The least of three: what the text costs, without what the neighbours on the machine do to the caches.
    spent = min(thread_seconds(bomb) for _ in range(3))
    assert spent < 0.3, f"{spent * 1000:.0f} ms"
    assert_bounded(render(bomb))


def thread_seconds(text: str) -> float:
    started = time.thread_time()
    render(text)
    return time.thread_time() - started


def assert_bounded(nodes: list[Node]) -> None:
    found = list(elements(nodes))
    assert len(found) <= markup.MOST_NODES
    assert max((depth for _, depth in found), default=0) <= markup.DEEPEST_NODE + 2
    json.dumps(nodes)


def test_depth_is_capped_and_the_text_below_it_stays() -> None:
    quoted = render("> " * 50 + "far down")
    assert "far down" in plain(quoted)
    assert_bounded(quoted)
    assert max(depth for element, depth in elements(quoted) if element["t"] == "blockquote") == markup.DEEPEST_BLOCK
    stressed = render("*" * 999 + "loud" + "*" * 999)
    assert "loud" in plain(stressed)
    assert_bounded(stressed)


def test_a_text_with_more_links_than_anybody_means_has_none() -> None:
    assert len(hrefs(render("[x](https://a.example) " * 30))) == 30
    assert len(hrefs(render("https://a.example " * 30))) == 30
    assert hrefs(render("https://a.example " * 31)) == []
    many = render("[x](https://a.example) " * 100)
    assert hrefs(many) == []
    assert plain(many).count("https://a.example") == 100


def test_links_in_paragraphs_of_an_ordinary_length_stay_links() -> None:
    paragraph = "As [the report](https://a.example) says, " + "and so on " * 60
    assert json.dumps(render("\n\n".join([paragraph] * 15))).count('"c": ["the report"]') == 15


def test_addresses_stay_links_in_a_text_with_too_many_brackets() -> None:
    assert hrefs(render("https://a.example " + "[" * 5_000)) == ["https://a.example"]


@pytest.mark.parametrize(
    "text", ["*a*\n" * (markup.MOST_LINES + 1), "*a* " * 700 + "x", "*a* " + "b" * markup.LONGEST_TEXT, "\n" * 30_000]
)
def test_a_text_over_a_limit_is_shown_as_it_was_typed(text: str) -> None:
    nodes = render(text)
    assert_bounded(nodes)
    assert {element["t"] for element, _ in elements(nodes)} <= {"p", "br"}
    assert "".join(plain(nodes).split()) == "".join(text.split())


@given(st.text())
@settings(max_examples=300)
def test_every_text_has_a_tree_of_allowed_nodes(text: str) -> None:
    assert_sound(render(text))


@given(st.text(alphabet="ab \n\t*_`[]()!<>-+1.)#\\&:/\"'~=|;@https", max_size=120))
@settings(max_examples=500)
def test_every_heap_of_markup_has_a_tree_of_allowed_nodes(text: str) -> None:
    assert_sound(render(text))


def assert_sound(nodes: list[Node]) -> None:
    for element, _ in elements(nodes):
        assert element["t"] in TAGS
        assert set(element) == ({"t", "c", "href"} if element["t"] == "a" else {"t", "c"})
        assert "" not in element["c"] or element["t"] == "code"
        assert not any(
            isinstance(x, str) and isinstance(y, str) for x, y in zip(element["c"], element["c"][1:], strict=False)
        )
    for href in hrefs(nodes):
        assert_harmless(href)
    assert all(not hrefs(element["c"]) for element, _ in elements(nodes) if element["t"] == "a")
    assert_bounded(nodes)


@given(st.text(alphabet="abc \n*_>-+1.)#\\<&!=|:\"'", max_size=200))
@settings(max_examples=500)
def test_formatting_loses_no_letter(text: str) -> None:
    letters = re.compile("[abc]")
    assert letters.findall(plain(render(text))) == letters.findall(text)


@given(st.text(alphabet="ab \n*_>-`[](https://.example)", max_size=100))
def test_the_same_text_gives_the_same_tree(text: str) -> None:
    assert render(text) == render(text)


def test_threads_do_not_see_each_others_texts() -> None:
    texts = [f"*{n}* https://host{n}.example/{'x' * n} [l{n}](https://link{n}.example) " * 8 for n in range(40)]
    expected = [render(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            assert list(threads.map(render, texts)) == expected
