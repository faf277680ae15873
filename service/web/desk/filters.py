"""Choosing what a view shows, and keeping the choice. Every choice is an address; a saved view is a name for one."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from service import review
from service.errors import Invalid, NotFound
from service.identity import staff
from service.web.context import now, parts
from service.web.desk import address, pages
from service.web.desk.guard import bp, entry, staff_of

MOST_VIEWS, NAME_LIMIT = 12, 40


@bp.get("/<site>/filter")
def choose(site: str) -> Any:
    """The choices of a view with how many each would leave; a plain form that leads to the view."""
    ask = address.read_ask(site, request.args)
    choices = review.facets(parts().database, staff_of(site), ask, now())
    return render_template("desk/filter.html", **pages.frame(site, ask), choices=choices)


@bp.post("/<site>/views")
def keep(site: str) -> Any:
    """Keep the choice of an address under a name, for oneself."""
    staff_of(site)
    name = " ".join(request.form.get("name", "").split())
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise Invalid(f"A view's name has 1 to {NAME_LIMIT} signs.", pointer="/name")
    query = MultiDict(parse_qsl(request.form.get("query", "")[:2_000]))
    kept = urlencode(address.query_of(address.read_ask(site, query), after=""), doseq=True)
    views = saved()
    if len(views) >= MOST_VIEWS:
        raise Invalid(f"There is room for {MOST_VIEWS} views. Remove one first.")
    views.append({"id": secrets.token_hex(4), "site": site, "name": name, "query": kept})
    staff.set_preferences(parts().database, entry().staff.id, {"views": views})
    return redirect(f"{url_for('desk.queue', site=site)}?{kept}", 303)


@bp.post("/<site>/views/<view_id>/removal")
def drop(site: str, view_id: str) -> Any:
    """Forget a saved view of one's own."""
    staff_of(site)
    views = saved()
    rest = [view for view in views if view["id"] != view_id]
    if len(rest) == len(views):
        raise NotFound("There is no such view.")
    staff.set_preferences(parts().database, entry().staff.id, {"views": rest})
    return redirect(url_for("desk.queue", site=site), 303)


def saved() -> list[dict[str, str]]:
    """One's own saved views."""
    return pages.filters_of(entry().preferences)
