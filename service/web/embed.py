"""What a page includes: the widget's files, the HTML fragment for readers without JavaScript, and a plain form.

The fragment is for the host's own server to put inside the element: published comments, first page, links `nofollow
ugc`. The plain page is the same conversation with a form that works without any script.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, send_from_directory
from werkzeug.exceptions import NotFound

from service import comments, sites
from service.comments import Ask, Draft
from service.errors import FirstwordError, Nudge, OriginRefused
from service.identity import readers, tokens
from service.web.assets import Assets, assets
from service.web.auth import reader_terms
from service.web.blueprint import public
from service.web.context import client_network, now, parts
from service.web.problems import TITLES, status_of

bp = Blueprint("embed", __name__)
FOREVER, A_WHILE = "public, max-age=31536000, immutable", "public, max-age=300"
PAGE_CSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


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
    return conditional(render_template("embed/fragment.html", **_conversation()))


@bp.get("/embed/comments")
@public("Public comments are public.")
def plain_page() -> Response:
    """The conversation as a page with a plain form."""
    return page(render_template("embed/page.html", **_conversation(), said=None, draft={}))


@bp.post("/embed/comments")
@public("A guest's name is the credential, as in the API; foreign forms are refused.")
def plain_submit() -> Response:
    """Take a comment from the plain form: a guest's name, a text, and one answer page."""
    refuse_foreign_form()
    conversation = _conversation()
    draft = {name: request.form.get(name, "") for name in ("name", "text", "parent")}
    try:
        said: dict[str, Any] = {"status": _take(conversation["thread"]["article"], draft)}
    except FirstwordError as error:
        if isinstance(error, Nudge):
            raise
        said = {"status": "refused", "title": TITLES.get(error.code, ""), "detail": error.detail}
        return page(render_template("embed/page.html", **conversation, said=said, draft=draft), status_of(error))
    return page(render_template("embed/page.html", **_conversation(), said=said, draft={}))


def refuse_foreign_form() -> None:
    """A form is taken from our own pages only; browsers say where a form stood."""
    origin, fetched = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if (origin not in (None, parts().settings.public_url) and fetched != "same-origin") or fetched == "cross-site":
        raise OriginRefused("This form was sent from another site.")


def _conversation() -> dict[str, Any]:
    site_id, key = request.args.get("site", ""), request.args.get("article", "")
    view = comments.as_plain(comments.thread(parts().database, Ask(site_id, key, "newest", 50)))
    if not key:
        raise NotFound("There is no such article.")
    url = view["article"]["url"] or request.args.get("url", "")
    return {"thread": view, "site": site_id, "url": url, "public_url": parts().settings.public_url}


def _take(article: dict[str, Any], draft: dict[str, str]) -> str:
    settings, network = parts().settings, client_network()
    site_id = request.args.get("site", "")
    parts().throttle.count("token", network=network, site=site_id)
    entry = readers.Entry(site_id, name=draft["name"], network=network)
    issued = readers.enter(parts().database, entry, reader_terms(), now=now())
    reader = tokens.Reader(issued.author.id, site_id)
    who = {"author": reader.author_id, "network": network, "site": site_id}
    parts().throttle.count("comment", **who)
    place = sites.Place(article["key"], article["url"] or request.args.get("url", ""), article["title"])
    written = comments.submit(
        parts().database,
        parts().judges,
        Draft(reader, place, draft["text"], parent=draft["parent"] or None, network=network),
        keys=settings.signing_keys,
        now=now(),
        before_new_article=lambda: parts().throttle.count("article", **who),
    )
    return written.status


def conditional(html: str) -> Response:
    """HTML for anybody to include, with an ETag."""
    answer = Response(html, content_type="text/html; charset=utf-8")
    answer.set_etag(hashlib.sha256(html.encode()).hexdigest()[:24], weak=True)
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "public, no-cache"
    answer.make_conditional(request)
    return answer


def page(html: str, status: int = 200) -> Response:
    """A page of ours without script."""
    answer = Response(html, status, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = PAGE_CSP
    answer.headers["Cache-Control"] = "no-store"
    return answer
