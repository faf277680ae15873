"""What the templates show of one article's conversation: for the fragment, the plain page and the demo alike.

One function gives every value, so that no page forgets one. Knows no request: it takes what a loaded
`schemas.ConversationQuery` holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from service import comments, sites
from service.comments import Ask
from service.web import feeds, i18n
from service.web.context import parts

SHOWN = 50


def conversation(query: Mapping[str, Any]) -> dict[str, Any]:
    """The thread, or one comment's replies, where it belongs, and the words of the reader's language."""
    site = sites.find_site(parts().database, query["site"])
    ask = Ask(site.id, query["article"], "newest", SHOWN, query["cursor"])
    if query["below"]:
        ask = replace(ask, cursor=None)
    thread = comments.as_plain(comments.thread(parts().database, ask))
    if query["below"]:
        thread |= comments.as_plain(comments.replies(parts().database, query["below"], query["cursor"], SHOWN))
    url = thread["article"]["url"] or (query["url"] if sites.is_address_of(site, query["url"]) else "")
    names = {"site": site.id, "article": query["article"], "url": url, "lang": query["lang"]}
    return {
        "thread": thread,
        "linked": feeds.linked_data(thread, url),
        "site": site.id,
        "url": url,
        "parent": query["parent"],
        "below": query["below"],
        "receipt": query["receipt"],
        "guests": site.guests,
        "t": i18n.words(query["lang"], site.language),
        "service": parts().settings.public_url,
        "query": {name: value for name, value in names.items() if value},
    }
