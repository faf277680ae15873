"""Comments as feeds: Atom (RFC 4287, with replies by RFC 4685) and JSON Feed 1.1, and as linked data for crawlers.

Shapes only: no request, no query. Markup is built as elements from the node tree, never as a string, so that what a
reader wrote stays text here as everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from service.comments import CommentView, Latest
from service.markup import plain

ATOM, XHTML, THREAD = (
    "http://www.w3.org/2005/Atom",
    "http://www.w3.org/1999/xhtml",
    "http://purl.org/syndication/thread/1.0",
)
TAGS = frozenset({"p", "em", "strong", "ul", "ol", "li", "blockquote", "code", "pre", "br"})
EXCERPT = 80
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = ElementTree.Element


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the feed itself is, and the service, whose ids are its addresses."""

    feed: str
    service: str

    def of(self, comment_id: str) -> str:
        """A comment's own id for ever, wherever its article moves."""
        return f"{self.service}/api/v1/comments/{comment_id}"


def atom(latest: Latest, at: Addresses) -> bytes:
    """The latest comments as an Atom feed."""
    feed = _element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": latest.language})
    _add(feed, "id", at.feed)
    _add(feed, "title", _title(latest))
    _add(feed, "updated", latest.updated)
    _add(feed, "link", rel="self", type="application/atom+xml", href=at.feed)
    if latest.home:
        _add(feed, "link", rel="alternate", type="text/html", href=latest.home)
    for comment in latest.comments:
        feed.append(_entry(comment, latest, at))
    for prefix, space in (("", ATOM), ("thr", THREAD)):
        ElementTree.register_namespace(prefix, space)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _entry(comment: CommentView, latest: Latest, at: Addresses) -> Element:
    entry = _element(f"{{{ATOM}}}entry")
    _add(entry, "id", at.of(comment.id))
    _add(entry, "title", _heading(comment, latest))
    _add(entry, "published", comment.created_at)
    _add(entry, "updated", comment.edited_at or comment.created_at)
    _add(entry, "link", rel="alternate", type="text/html", href=comment.permalink)
    _add(_add(entry, "author"), "name", comment.author.name if comment.author else "")
    if comment.parent:
        entry.append(_element(f"{{{THREAD}}}in-reply-to", {"ref": at.of(comment.parent)}))
    content = _add(entry, "content", type="xhtml")
    content.append(_markup(_nodes(comment), f"{{{XHTML}}}"))
    return entry


def json_feed(latest: Latest, at: Addresses) -> bytes:
    """The latest comments as a JSON Feed."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(latest),
        "home_page_url": latest.home or None,
        "feed_url": at.feed,
        "language": latest.language,
        "items": [_item(comment, latest, at) for comment in latest.comments],
    }
    return json.dumps({name: value for name, value in feed.items() if value is not None}, ensure_ascii=False).encode()


def _item(comment: CommentView, latest: Latest, at: Addresses) -> dict[str, Any]:
    nodes = _nodes(comment)
    item = {
        "id": at.of(comment.id),
        "url": comment.permalink,
        "title": _heading(comment, latest),
        "content_html": ElementTree.tostring(_markup(nodes), encoding="unicode", method="html"),
        "content_text": plain(nodes),
        "date_published": comment.created_at,
        "authors": [{"name": comment.author.name if comment.author else ""}],
    }
    changed = {"date_modified": comment.edited_at} if comment.edited_at else {}
    above = {"_firstword": {"in_reply_to": at.of(comment.parent)}} if comment.parent else {}
    return item | changed | above


def linked_data(thread: Mapping[str, Any], url: str) -> dict[str, Any]:
    """A thread as schema.org comments of the article at this address, for the same node that the host describes."""
    article = thread["article"]
    return {
        "@context": "https://schema.org",
        "@type": "Article",
        "@id": url,
        "url": url,
        **({"headline": article["title"]} if article["title"] else {}),
        "commentCount": article["count"],
        "comment": _linked(thread["comments"]),
    }


def _linked(comments: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Comments with their replies; a placeholder says nothing, so its replies stand in its place."""
    found: list[dict[str, Any]] = []
    for comment in comments:
        below = _linked(comment["replies"]["comments"])
        found.extend(below if comment["gone"] else [_linked_comment(comment, below)])
    return found


def _linked_comment(comment: Mapping[str, Any], below: list[dict[str, Any]]) -> dict[str, Any]:
    likes = comment["reactions"].get("like", 0)
    return {
        "@type": "Comment",
        "@id": comment["permalink"],
        "url": comment["permalink"],
        "text": plain(comment["nodes"]),
        "dateCreated": comment["created_at"],
        "author": {"@type": "Person", "name": comment["author"]["name"]},
        **({"dateModified": comment["edited_at"]} if comment["edited_at"] else {}),
        **({"upvoteCount": likes} if likes else {}),
        **({"comment": below} if below else {}),
    }


# ---- shared --------------------------------------------------------------------------------------------------------


def _title(latest: Latest) -> str:
    return f"{latest.title or latest.site}: comments"


def _heading(comment: CommentView, latest: Latest) -> str:
    """A line to know a comment by: who, and under which article, or the beginning of what they say."""
    name = comment.author.name if comment.author else ""
    about = latest.articles.get(comment.article, "") if not latest.title else ""
    words = " ".join((about or plain(_nodes(comment))).split())
    return f"{name}: {words if len(words) <= EXCERPT else words[: EXCERPT - 1].rstrip() + '…'}"


def _nodes(comment: CommentView) -> list[Any]:
    nodes: list[Any] = json.loads(bytes(comment.nodes))
    return nodes


def _markup(nodes: Iterable[Any], space: str = "") -> Element:
    return _fill(_element(f"{space}div"), nodes, space)


def _fill(element: Element, nodes: Iterable[Any], space: str) -> Element:
    """Put nodes into an element; a tag that we do not know leaves what is in it."""
    last: Element | None = None
    for node in nodes:
        if isinstance(node, str):
            text = _NOT_XML.sub("", node)
            if last is None:
                element.text = (element.text or "") + text
            else:
                last.tail = (last.tail or "") + text
            continue
        href = node.get("href") if node["t"] == "a" else None
        tag = node["t"] if node["t"] in TAGS else "a" if href else "span"
        last = _element(f"{space}{tag}", {"href": href, "rel": "nofollow ugc noopener"} if href else {})
        element.append(_fill(last, node.get("c", ()), space))
    return element


def _add(parent: Element, name: str, text: str = "", **attributes: str) -> Element:
    child = _element(f"{{{ATOM}}}{name}", attributes)
    child.text = _NOT_XML.sub("", text) or None
    parent.append(child)
    return child


def _element(tag: str, attributes: Mapping[str, str] | None = None) -> Element:
    return Element(tag, {name: _NOT_XML.sub("", value) for name, value in (attributes or {}).items()})
