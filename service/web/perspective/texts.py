"""Where things stand in a text: HTML brought down to what a reader sees, and places counted as clients count them.

Clients count in UTF-16 code units, Python in code points; and what is scored of an HTML comment is its visible text,
while its spans must point into the markup that the client holds. `Source` knows the way back for both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser
from itertools import accumulate

UNSEEN = ("script", "style")
# fmt: off
BREAKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "td", "th", "tr",
    "ul",
})
# fmt: on
_PIECE = re.compile(
    r"[^&<]+|&(?:#[0-9]{1,20};?|#[xX][0-9a-fA-F]{1,20};?|[A-Za-z][A-Za-z0-9]{1,31};?)|</>|.", re.DOTALL | re.ASCII
)


class Source:
    """A text as it was sent, with the text to be scored and where each of its characters comes from."""

    def __init__(self, sent: str, *, is_html: bool = False) -> None:
        self._length = len(sent)
        self._units = None if sent.isascii() else _utf16_places(sent)
        self.text = sent
        self._starts: Sequence[int] = range(len(sent))
        self._ends: Sequence[int] = range(1, len(sent) + 1)
        if is_html:
            self.text, self._starts, self._ends = _visible(sent)

    def whole(self) -> tuple[int, int]:
        """The span of everything that was sent, in UTF-16 code units."""
        return 0, self._unit(self._length)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the scored `text[start:end]`, which must not be empty, stands in what was sent, in UTF-16 units."""
        return self._unit(self._starts[start]), self._unit(self._ends[end - 1])

    def _unit(self, place: int) -> int:
        return place if self._units is None else self._units[place]


def _utf16_places(text: str) -> list[int]:
    """For each code point, and the end, how many UTF-16 code units stand before it."""
    return [0, *accumulate(2 if ord(sign) > 0xFFFF else 1 for sign in text)]


def _visible(markup: str) -> tuple[str, list[int], list[int]]:
    reader = _Reader(markup)
    try:
        reader.feed(markup[: markup.rfind(">") + 1])
        reader.finish()
    except AssertionError:  # the parser's word for a marked section that it cannot read
        return markup, list(range(len(markup))), list(range(1, len(markup) + 1))
    return "".join(reader.signs), reader.starts, reader.ends


class _Reader(HTMLParser):
    """Collects the characters that are seen, each with the stretch of markup that it was made of.

    The parser says where each piece of text begins; it ends where the next piece of markup does. Hidden are comments
    and scripts that are closed: what stays open may be shown by whoever only strips tags, and so it is scored. Nothing
    after the last `>` can be a tag, and the parser, which looks for the end of each again and again, never sees it.
    """

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.signs: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._markup = markup
        self._lines = [0, *(match.end() for match in re.finditer("\n", markup))]
        self._text_from: int | None = None
        self._hidden: tuple[str, int] | None = None

    def finish(self) -> None:
        """Take what stands after the last tag, and what was opened to be hidden and never closed."""
        self.close()
        last = self._markup.rfind(">") + 1
        self._end_text(last)
        if self._hidden:
            (_, last), self._hidden = self._hidden, None
        self._read(last, len(self._markup))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins a new line."""
        place = self._arrive()
        if tag in UNSEEN:
            self._hidden = self._hidden or (tag, place)
        elif tag in BREAKS:
            self._add("\n", place, place + 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<br/>` is one break; a script that ends where it begins hides nothing."""
        place = self._arrive()
        if tag in BREAKS:
            self._add("\n", place, place + 1)

    def handle_endtag(self, tag: str) -> None:
        """The end of a block is the end of a line."""
        place = self._arrive()
        if self._hidden and self._hidden[0] == tag:
            self._hidden = None
        elif tag in BREAKS:
            self._add("\n", place, place + 1)

    def handle_data(self, data: str) -> None:
        """Text begins here; it is read from the markup when its end is known."""
        place = self._arrive()
        self._text_from = None if self._hidden else place

    def handle_comment(self, data: str) -> None:
        """Not seen by a reader."""
        self._arrive()

    def handle_decl(self, decl: str) -> None:
        """Not seen by a reader."""
        self._arrive()

    def handle_pi(self, data: str) -> None:
        """Not seen by a reader."""
        self._arrive()

    def unknown_decl(self, data: str) -> None:
        """Not seen by a reader."""
        self._arrive()

    def _arrive(self) -> int:
        line, column = self.getpos()
        place = self._lines[line - 1] + column
        self._end_text(place)
        return place

    def _end_text(self, place: int) -> None:
        if self._text_from is not None:
            self._read(self._text_from, place)
        self._text_from = None

    def _read(self, start: int, end: int) -> None:
        """Take the characters of a stretch of markup, with its references resolved."""
        for piece in _PIECE.finditer(self._markup, start, end):
            seen = "" if piece[0] == "</>" else unescape(piece[0])
            if seen == piece[0]:
                self.signs += seen
                self.starts += range(piece.start(), piece.end())
                self.ends += range(piece.start() + 1, piece.end() + 1)
            else:
                self._add(seen, piece.start(), piece.end())

    def _add(self, signs: str, start: int, end: int) -> None:
        if not self._hidden:
            self.signs += signs
            self.starts += [start] * len(signs)
            self.ends += [end] * len(signs)
