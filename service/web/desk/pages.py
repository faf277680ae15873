"""What every page of the desk needs: its frame, its words for templates, its errors said in a page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from flask import Response, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from service import health, review
from service.errors import FirstwordError, StaleVersion
from service.review import Ask
from service.web import problems
from service.web.context import now, parts
from service.web.desk import address, keyboard, words
from service.web.desk.guard import bp, entry, inside, nonce, staff_of, wants_json

STATIC = Path(__file__).resolve().parent.parent / "static" / "desk"


def frame(site: str, ask: Ask | None = None, *, counted: bool = True) -> dict[str, Any]:
    """What the bar and the views of a page show; a fragment without them needs nothing counted.

    Without an ask the page is none of the views, and none is marked.
    """
    who, here = entry().staff, staff_of(site)
    sites = review.places(parts().database, who)
    row = next(one for one in sites if one.id == site)
    current, ask = ask.view if ask else None, ask or Ask(site)
    return {
        "site": row,
        "sites": sites,
        "who": who,
        "role": here.roles[site],
        "csrf": entry().csrf,
        "ask": ask,
        "current": current,
        "views": [view for view in filters_of(entry().preferences) if view["site"] == site],
        "keys": keyboard.chosen(entry().preferences),
        "keys_json": keyboard.as_json(entry().preferences),
        "counts": review.counts(parts().database, here, site, now()) if counted else {},
        "chips": address.chips(ask),
        "query": urlencode(address.query_of(ask, after=""), doseq=True),
        "degraded": health.judging(parts().judges, [(site, row.policy)]),
        "now": now(),
        "live": live,
    }


def filters_of(preferences: Mapping[str, Any]) -> list[dict[str, str]]:
    """The views that somebody saved."""
    return list(preferences.get("views") or [])


def site_of(site: str) -> Any:
    """The row of a site that is theirs."""
    staff_of(site)
    return next(row for row in review.places(parts().database, entry().staff) if row.id == site)


def live(counts: Mapping[str, int]) -> str:
    """How many wait and the longest of their waits, in the bar."""
    oldest = counts["oldest"]
    if not oldest:
        return f"{counts['pending']} waiting"
    return f"{counts['pending']} waiting, oldest {words.span(oldest)}"


def message(title: str, sentence: str) -> str:
    """A page that says one thing."""
    return render_template("desk/message.html", title=title, sentence=sentence, back="")


@bp.app_template_global("desk_asset")
def asset_url(name: str) -> str:
    """The address of a file of the desk, which changes with its content."""
    return url_for("desk.asset", version=_version(), name=name)


@cache
def _version() -> str:
    """One digest of all files, so that scripts which name each other change their addresses together."""
    files = sorted(path for path in STATIC.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


@bp.context_processor
def vocabulary() -> dict[str, Any]:
    """The words and small functions that templates may use."""
    from service.web.desk.queue import ORDER_NAMES, VIEW_NAMES

    return {
        "nonce": nonce(),
        "words": words,
        "query_of": address.query_of,
        "keyboard": keyboard,
        "VIEW_NAMES": VIEW_NAMES,
        "ORDER_NAMES": ORDER_NAMES,
    }


@bp.errorhandler(FirstwordError)
def refused(error: FirstwordError) -> Response:
    """What a use case raised: a page for people, a problem for scripts."""
    if wants_json():
        return problems.from_use_case(error)
    template = "desk/stale.html" if isinstance(error, StaleVersion) else "desk/message.html"
    title = problems.TITLES.get(error.code, "That did not work")
    return _answer(template, problems.status_of(error), title=title, sentence=error.detail, error=error)


@bp.errorhandler(HTTPException)
def refused_by_flask(error: HTTPException) -> Response:
    """What Flask or Werkzeug raised, in the same way; a redirect is none."""
    if error.response is not None:
        return cast("Response", error.response)
    if wants_json():
        return problems.from_http(error)
    return _answer(
        "desk/message.html", error.code or 500, title=error.name, sentence=error.description or "", error=error
    )


@bp.errorhandler(Exception)
def mistaken(error: Exception) -> Response:
    """A mistake of ours: noted by the one table that knows how, said in a page."""
    problem = problems.from_mistake(error)
    if wants_json():
        return problem
    sentence = "The mistake is ours. It was noted, and nothing of what you did was lost silently."
    return _answer("desk/message.html", problem.status_code, title="We made a mistake", sentence=sentence, error=error)


def _answer(template: str, status: int, **what: Any) -> Response:
    html = render_template(template, back=_back(), **what)
    return Response(html, status, content_type="text/html; charset=utf-8")


def _back() -> str:
    """Where the form says that it came from; one that could not be read says nothing."""
    try:
        return inside(request.form.get("back"))
    except HTTPException:
        return ""
