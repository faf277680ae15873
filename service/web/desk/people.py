"""Authors: their record, what staff wrote about them, and what can be done, with what it would touch."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from service import review
from service.errors import Invalid
from service.review import Step
from service.web.context import now, parts
from service.web.desk import pages
from service.web.desk.guard import bp, staff_of


@bp.get("/<site>/authors/<id:author_id>")
def author(site: str, author_id: str) -> Any:
    """One author."""
    person = review.person(parts().database, staff_of(site), author_id)
    return render_template("desk/author.html", **pages.frame(site), person=person)


@bp.post("/<site>/authors/<id:author_id>/steps")
def act(site: str, author_id: str) -> Any:
    """Warn, mute, ban, read first, trust, mark for readers, or write a note."""
    form = request.form
    step = Step(
        form.get("verb", ""),
        reason=form.get("reason", "").strip(),
        note=form.get("note", "").strip(),
        days=_days(form.get("days", "")),
    )
    review.act(parts().database, staff_of(site), author_id, step, now())
    return redirect(url_for("desk.author", site=site, author_id=author_id), 303)


def _days(raw: str) -> int | None:
    if not raw.strip():
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) < 6):
        raise Invalid("An end is a whole number of days.", pointer="/days")
    return int(raw)
