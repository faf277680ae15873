"""Many cards at once: what it would do with a sample, then the verdict on just that, then one undo for all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from service import review
from service.errors import Invalid
from service.review import Ask, Decider, Selection, Verdict
from service.web.context import now, parts
from service.web.desk import address, pages
from service.web.desk.guard import bp, staff_of

MOST_TICKED = 200


@bp.get("/<site>/many")
def many(site: str) -> Any:
    """What deciding a whole view at once would touch."""
    return _preview(site, request.args, ())


@bp.post("/<site>/many")
def ticked(site: str) -> Any:
    """The same for the cards that were ticked."""
    ids = _ids()
    if not ids:
        raise Invalid("No card is selected.")
    return _preview(site, MultiDict(), ids)


@bp.post("/<site>/many/decisions")
def decide_many(site: str) -> Any:
    """Decide what the preview saw, as one batch."""
    form = request.form
    if form.get("read") != "yes":
        raise Invalid("Read the sample first, and say so.", pointer="/read")
    verdict = Verdict("", 0, form.get("verdict", ""), form.get("reason") or None, form.get("note", "").strip() or None)
    batch = review.decide_all(
        parts().database,
        parts().judges,
        Decider.at_desk(staff_of(site)),
        Selection(_ask(site, form), _ids()),
        verdict,
        now(),
    )
    return redirect(url_for("desk.queue", site=site, batch=batch.id, left_out=batch.left_out), 303)


@bp.post("/<site>/batches/<id:batch_id>/undo")
def undo_many(site: str, batch_id: str) -> Any:
    """Take a batch back."""
    batch = review.undo_all(parts().database, Decider.at_desk(staff_of(site)), batch_id, now())
    return redirect(url_for("desk.queue", site=site, batch=batch.id, left_out=batch.left_out), 303)


def _preview(site: str, query: MultiDict[str, str], ids: tuple[str, ...]) -> Any:
    ask = _ask(site, query)
    ask = replace(ask, until=ask.until or now())
    shown = review.preview(parts().database, staff_of(site), Selection(ask, ids), now())
    policy = parts().judges.under(pages.site_of(site).policy).policy
    return render_template("desk/many.html", **pages.frame(site, ask), preview=shown, ids=ids, reasons=policy.reasons)


def _ask(site: str, query: MultiDict[str, str]) -> Ask:
    return replace(address.read_ask(site, query), view="pending", after="")


def _ids() -> tuple[str, ...]:
    return tuple(dict.fromkeys(request.form.getlist("id")))[:MOST_TICKED]
