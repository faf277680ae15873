"""What a page includes: the widget's files, the HTML fragment for readers without JavaScript, a plain form, and feeds.

The fragment is for the host's own server to put inside the element: published comments, first page, links `nofollow
ugc`. The plain page is the same conversation with a form that works without any script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, send_from_directory
from marshmallow import Schema
from werkzeug.exceptions import NotFound

from service import comments, sites
from service.comments import Draft, Latest, Mine
from service.errors import FirstwordError, OriginRefused, Unauthenticated
from service.errors import NotFound as Missing
from service.identity import readers, tokens
from service.web import feeds, schemas
from service.web.assets import Assets, assets
from service.web.auth import reader_terms
from service.web.blueprint import public
from service.web.context import client_network, now, parts
from service.web.conversation import conversation
from service.web.problems import status_of
from service.web.strict_json import StrictParser

bp = Blueprint("embed", __name__)
HTML = "text/html; charset=utf-8"
FOREVER, A_WHILE = "public, max-age=31536000, immutable", "public, max-age=300"
PAGE_CSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
FEEDS: dict[str, tuple[Callable[[Latest, feeds.Addresses], bytes], str]] = {
    "atom": (feeds.atom, "application/atom+xml; charset=utf-8"),
    "json": (feeds.json_feed, "application/feed+json; charset=utf-8"),
}


@bp.get("/widget/<any('embed.js', 'counter.js'):name>")
@public("The widget is for every page.")
def widget(name: str) -> Response:
    """What a page names: leads to the version of today, and with it to everything else."""
    query = f"?{request.query_string.decode('ascii', 'ignore')}" if request.query_string else ""
    return _for_every_page(redirect(f"/widget/{_assets().version}/{name}{query}"), A_WHILE)  # type: ignore[arg-type]


@bp.get("/widget/<version>/<path:name>")
@public("The widget is for every page.")
def widget_file(version: str, name: str) -> Response:
    """One file of the widget, for a page of any origin, to keep for ever under its version."""
    current = _assets()
    asset = current.files.get(name)
    if asset is None:
        raise NotFound("There is no such file.")
    coding = request.accept_encodings.best_match(("br", "gzip")) or ""
    answer = Response(asset.bodies[coding], content_type=asset.kind)
    answer.headers["Vary"] = "Accept-Encoding"
    if coding:
        answer.headers["Content-Encoding"] = coding
    return _for_every_page(answer, FOREVER if version == current.version else A_WHILE)


def _assets() -> Assets:
    return assets(watched=parts().settings.development)


def _for_every_page(answer: Response, how_long: str) -> Response:
    answer.headers["Cache-Control"] = how_long
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@bp.get("/embed/plain.css")
@public("A style sheet.")
def plain_style() -> Response:
    """The plain page's style."""
    return send_from_directory(Path(__file__).parent / "static" / "embed", "plain.css", max_age=300)


@bp.get("/embed/fragment")
@public("Public comments are public.")
def fragment() -> Response:
    """The published comments of an article as HTML for its host to include; an ETag tells whether they changed."""
    return conditional(render_template("embed/fragment.html", **_conversation()).encode(), HTML)


@bp.get("/feeds/comments.<any('atom', 'json'):form>")
@public("Public comments are public.")
def feed(form: str) -> Response:
    """The latest comments of a site, or of one article, as an Atom or a JSON feed."""
    query = _asked(schemas.FeedQuery())
    latest = comments.latest(parts().database, query["site"], query["article"])
    service = parts().settings.public_url
    named = {name: value for name, value in query.items() if value is not None}
    write, kind = FEEDS[form]
    at = feeds.Addresses(f"{service}/feeds/comments.{form}?{urlencode(named)}", service)
    return conditional(write(latest, at), kind)


@bp.get("/embed/comments")
@public("Public comments are public.")
def plain_page() -> Response:
    """The conversation as a page with a plain form; with a receipt, what came of the comment it was given for."""
    view = _conversation()
    mine = _received(view)
    return _page(view, said=_said(mine) if mine else None, draft=_again(mine))


@bp.post("/embed/comments")
@public("A guest's name is the credential, as in the API; foreign forms are refused.")
def plain_submit() -> Response:
    """Take a comment from the plain form, once however often it is sent, and lead to what came of it."""
    refuse_foreign_form()
    view = _conversation()
    draft: dict[str, str] = StrictParser().parse(schemas.PlainFormIn(), request, location="form")
    draft["once"] = draft["once"] or tokens.new_secret()
    try:
        receipt = _take(view, draft)
    except FirstwordError as error:
        said = {"status": "refused", "reasons": [error.detail]}
        return _page(view, said=said, draft=draft, status=status_of(error))
    query = urlencode({**view["query"], "receipt": receipt})
    return redirect(f"/embed/comments?{query}", 303)  # type: ignore[return-value]


def _page(view: dict[str, Any], *, said: dict[str, Any] | None, draft: dict[str, str], status: int = 200) -> Response:
    once = draft["once"] or tokens.new_secret()
    return page(render_template("embed/page.html", **view, said=said, draft=draft, once=once), status)


def _received(view: dict[str, Any]) -> Mine | None:
    """The comment that a receipt was given for, as its author sees it; nothing where the receipt does not hold."""
    settings, receipt = parts().settings, view["receipt"]
    try:
        reader, comment_id = tokens.read_receipt(settings.signing_keys, receipt or "", now=now())
        return comments.one_of_mine(parts().database, parts().judges, reader, comment_id, window=settings.edit_window)
    except (Unauthenticated, Missing):
        return None


def _said(mine: Mine) -> dict[str, Any]:
    return {"status": mine.status, "reasons": [reason.sentence for reason in mine.reasons]}


def _again(mine: Mine | None) -> dict[str, str]:
    """A rejected comment as a draft to mend; after any other, an empty one."""
    if mine is None or mine.status != "rejected":
        return {"name": "", "text": "", "parent": "", "once": ""}
    name = mine.author.name if mine.author else ""
    return {"name": name, "text": mine.text, "parent": mine.parent or "", "once": ""}


def refuse_foreign_form() -> None:
    """A form is taken from our own pages only; browsers say where a form stood."""
    origin, fetched = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if (origin not in (None, parts().settings.public_url) and fetched != "same-origin") or fetched == "cross-site":
        raise OriginRefused("This form was sent from another site.")


def _asked(schema: Schema) -> dict[str, Any]:
    found: dict[str, Any] = StrictParser().parse(schema, request, location="query")
    return found


def _conversation() -> dict[str, Any]:
    return conversation(_asked(schemas.ConversationQuery()))


def _take(view: dict[str, Any], draft: dict[str, str]) -> str:
    """Enter as the guest of this form and submit; a receipt for what came of it."""
    settings, network, site_id = parts().settings, client_network(), view["site"]
    parts().throttle.count("token", network=network, site=site_id)
    entry = readers.Entry(site_id, name=draft["name"], network=network, form=draft["once"])
    issued = readers.enter(parts().database, entry, reader_terms(), now=now())
    reader = tokens.Reader(issued.author.id, site_id)
    who = {"author": reader.author_id, "network": network, "site": site_id}
    parts().throttle.count("comment", **who)
    place = sites.Place(view["thread"]["article"]["key"], view["url"], view["thread"]["article"]["title"])
    written = comments.submit(
        parts().database,
        parts().judges,
        Draft(reader, place, draft["text"], parent=draft["parent"] or None, key=_key(draft), network=network),
        keys=settings.signing_keys,
        now=now(),
        before_new_article=lambda: parts().throttle.count("article", **who),
    )
    return tokens.mint_receipt(settings.signing_keys, reader, written.comment_id, now=now())


def _key(draft: dict[str, str]) -> str:
    """The idempotency key of a form: the same text again is the same comment, another text is another."""
    return tokens.hash_secret("\n".join((draft["once"], draft["parent"], draft["text"])))


def conditional(body: bytes, kind: str) -> Response:
    """Something for anybody to include or to follow, with an ETag."""
    answer = Response(body, content_type=kind)
    answer.set_etag(hashlib.sha256(body).hexdigest()[:24], weak=True)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "public, no-cache"
    answer.make_conditional(request)
    return answer


def page(html: str, status: int = 200) -> Response:
    """A page of ours without script."""
    answer = Response(html, status, content_type=HTML)
    answer.headers["Content-Security-Policy"] = PAGE_CSP
    answer.headers["Cache-Control"] = "no-store"
    return answer
