"""Markdown to a node tree, once, when a comment is written.

The widget and the desk build their pages from this tree and never from a string of HTML, so what cannot be said in it
cannot be shown: there is no node for raw HTML, images, headings or tables, and the one attribute is an `href` that
begins with http:// or https://. The raw text stays the truth; a tree carries the renderer's version so that it can be
made again. Pure: no database, no network, no clock. Text meant to be expensive costs its writer the formatting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import Final, Literal, NotRequired, TypedDict, get_args

import mdurl
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.token import Token

from service.hosts import ascii_host

# Raise it whenever the same text gives another tree: it stands beside each stored one. Trees of a lower version stay as
# they were made, until their comment is changed or its site is imported.
RENDERER_VERSION: Final = 2

# Over these a text is shown unformatted, or without links: no comment that somebody means comes near them.
LONGEST_TEXT: Final = 20_000
MOST_LINES: Final = 1_000
MOST_ADDRESSES: Final = 30
# In a paragraph each bracket may cost a reading of the whole: twenty links in 5,000 characters without a break pass.
MOST_BRACKET_WORK: Final = 100_000
MOST_NODES: Final = 2_000
# Markers of deeper blocks and spans stay where they are or fall away; the text under them is kept.
DEEPEST_BLOCK: Final = 8
DEEPEST_NODE: Final = 24

Tag = Literal["p", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code", "pre", "br"]
TAGS: Final[frozenset[str]] = frozenset(get_args(Tag))


class Element(TypedDict):
    """A node with a tag. `c` is always there; an `a`, and nothing else, has an `href`."""

    t: Tag
    c: list[Node]
    href: NotRequired[str]


Node = str | Element

_RULES = ("blockquote", "list", "fence", "newline", "escape", "backticks", "emphasis")
# No "image": a picture is a "!" and a link to it. Nothing is fetched because somebody reads.
_BRACKET_RULES = ("link",)
_ADDRESS_RULES = ("autolink", "linkify")
_OPENING: Final[dict[str, Tag]] = {
    "paragraph_open": "p",
    "blockquote_open": "blockquote",
    "bullet_list_open": "ul",
    "ordered_list_open": "ol",
    "list_item_open": "li",
    "em_open": "em",
    "strong_open": "strong",
}
_BLOCKS: Final = frozenset({"p", "li", "blockquote", "pre"})

_URL = re.compile(r"(https?)://([^/?#:]+)(:[0-9]{1,5})?([/?#].*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
_FIRST_ITEM = re.compile(r"1[.)](?:\s|$)|[-+*]")


def render(text: str) -> list[Node]:
    """The tree of a text in canonical form. Never raises; every text has one, if only a plain one."""
    if len(text) > LONGEST_TEXT or text.count("\n") > MOST_LINES:
        return _unformatted(text)
    nodes = _Tree(_parser(_affordable_rules(text)).parse(text)).nodes
    return nodes if _at_most(nodes, MOST_NODES) else _unformatted(text)


def plain(nodes: Iterable[Node]) -> str:
    """The text of a tree without its formatting, a line for each line or block; for mails, feeds and excerpts."""
    lines = "".join(map(_plain, nodes)).split("\n")
    return "\n".join(line for line in lines if line)


def safe_href(url: str) -> str | None:
    """An address as it may stand in a page, or None: http and https only, a host in ASCII, no user, no odd characters.

    What looks like one host to a reader and is another to a browser does not pass: the host comes out in the form in
    which browsers look it up, and nothing before it can be mistaken for it.
    """
    match = _URL.fullmatch(url)
    host = ascii_host(match[2]) if match else None
    if match is None or host is None:
        return None
    return f"{match[1].lower()}://{host}{match[3] or ''}{mdurl.encode(match[4] or '')}"


class _Markdown(MarkdownIt):
    """The library with our one answer to which links there are."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 -- the library's name
        return safe_href(url) or ""

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return bool(url)

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        """As it was typed: decoding xn-- for display is how one host dresses up as another."""
        return link


# Only what names its scheme: "example.com" may be a sentence without its space.
_FINDER = LinkifyIt(
    {"ftp:": None, "//": None, "mailto:": None}, {"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False}
)


def _affordable_rules(text: str) -> tuple[str, ...]:
    work = sum(paragraph.count("[") * len(paragraph) for paragraph in text.split("\n\n"))
    brackets = _BRACKET_RULES if work <= MOST_BRACKET_WORK else ()
    addresses = _ADDRESS_RULES if text.count("://") <= MOST_ADDRESSES else ()
    return _RULES + brackets + addresses


@cache
def _parser(rules: tuple[str, ...]) -> MarkdownIt:
    parser = _Markdown("zero", {"linkify": "linkify" in rules, "maxNesting": 2 * DEEPEST_BLOCK})
    parser.enable(rules)
    parser.block.ruler.at("blockquote", partial(_bounded, blockquote), {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.at("list", partial(_bounded, list_block), {"alt": ["paragraph", "blockquote"]})
    parser.linkify = _FINDER
    return parser


def _bounded(rule: RuleFuncBlockType, state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block rule that stops at a depth: the library's own limit would drop the text below it.

    A list begins with a bullet or a 1, for no node could carry another number: "1984. A good year." is a sentence.
    """
    if state.level >= DEEPEST_BLOCK:
        return False
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    if rule is list_block and not silent and not _FIRST_ITEM.match(line):
        return False
    return rule(state, start, end, silent)


class _Tree:
    """Folds the library's flat tokens into nodes, without recursion over what a writer can nest."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.nodes: list[Node] = []
        self._open = [self.nodes]
        self._links = 0
        self._href = ""
        self._fold(tokens)

    def _fold(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if token.type == "inline":
                self._fold(token.children or ())
            elif token.hidden:
                continue
            elif token.nesting == 1:
                self._enter(token)
            elif token.nesting == -1:
                self._leave(token)
            else:
                self._leaf(token)

    def _enter(self, token: Token) -> None:
        """Opens an element. Too deep, or a link within a link, there is none and its content joins what is open."""
        here = self._open[-1]
        inside: list[Node] = []
        if len(self._open) > DEEPEST_NODE or (token.type == "link_open" and self._links):
            inside = here
        elif token.type == "link_open":
            self._href = str(token.attrs["href"])
            here.append({"t": "a", "c": inside, "href": self._href})
        else:
            inside += _odd_number(token, place=len(here) + 1)
            here.append({"t": _OPENING[token.type], "c": inside})
        self._links += token.type == "link_open"
        self._open.append(inside)

    def _leave(self, token: Token) -> None:
        inside = self._open.pop()
        self._links -= token.type == "link_close"
        if token.type == "link_close" and not self._links and not plain(inside).strip():
            # A link without a label cannot be seen, and who clicks should know where.
            inside.append(self._href)

    def _leaf(self, token: Token) -> None:
        match token.type:
            case "softbreak" | "hardbreak":
                self._open[-1].append({"t": "br", "c": []})
            case "code_inline":
                self._open[-1].append({"t": "code", "c": [token.content]})
            case "fence":
                self._open[-1].append({"t": "pre", "c": [{"t": "code", "c": [token.content.removesuffix("\n")]}]})
            case _:
                self._text(token.content)

    def _text(self, text: str) -> None:
        here = self._open[-1]
        if here and isinstance(here[-1], str):
            here[-1] += text
        elif text:
            here.append(text)


def _odd_number(token: Token, place: int) -> list[Node]:
    """The number of a list item as it was typed, where counting would show another: "1. yes", "3. no" are answers."""
    if token.type != "list_item_open" or token.info in ("", "1", str(place)):
        return []
    return [f"{token.info}{token.markup} "]


def _at_most(nodes: Sequence[Node], limit: int) -> bool:
    waiting, seen = list(nodes), 0
    while waiting and seen <= limit:
        node = waiting.pop()
        seen += 1
        if not isinstance(node, str):
            waiting.extend(node["c"])
    return seen <= limit


def _unformatted(text: str) -> list[Node]:
    """One paragraph with the text as it was typed, its lines kept for as long as there are nodes for them."""
    lines = text.split("\n", MOST_NODES // 2 - 1)
    inside: list[Node] = []
    for line in lines[:-1]:
        inside += [line, {"t": "br", "c": []}] if line else [{"t": "br", "c": []}]
    return [{"t": "p", "c": [*inside, lines[-1]]}]


def _plain(node: Node) -> str:
    if isinstance(node, str):
        return node
    inside = "".join(map(_plain, node["c"]))
    if node["t"] == "br":
        return "\n"
    return f"\n{inside}\n" if node["t"] in _BLOCKS else inside
