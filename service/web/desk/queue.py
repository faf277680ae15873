"""The queue's pages: the list of a view, one card with its context. They read; `verdicts.py` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import jsonify, redirect, render_template, request, send_from_directory, url_for

from moderation import Policy, Reason
from service import review
from service.errors import NotFound
from service.review import Ask, Card, Page, Row
from service.web.context import now, parts
from service.web.desk import address, marks, pages, words
from service.web.desk.guard import bp, entry, public, staff_of

VIEW_NAMES = {
    "pending": "Pending",
    "reported": "Reported",
    "edited": "Edited since",
    "sample": "Published unread, sample",
    "escalated": "Escalated",
    "decided": "Decided",
    "mine": "Mine",
    "all": "Everything",
}
ORDER_NAMES = {"urgent": "Most urgent first", "oldest": "Oldest first", "newest": "Newest first"}
YEAR = 31_536_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with its judgement in words and its text cut where findings point."""

    card: Card
    row: Row | None
    found: Sequence[words.Said]
    clear: Sequence[str]
    pieces: Sequence[marks.Piece]
    severe: bool
    reasons: Mapping[str, Reason]
    next: str | None
    place: str


@bp.get("/")
def front() -> Any:
    """To the queue of the first site; a word for those who have none."""
    sites = review.places(parts().database, entry().staff)
    if not sites:
        return pages.message("You have no site yet", "An administrator has to give you a role on one."), 403
    return redirect(url_for("desk.queue", site=sites[0].id), 303)


@bp.get("/<site>/queue")
def queue(site: str) -> Any:
    """A view of a site's queue with one of its cards open."""
    ask = address.read_ask(site, request.args)
    page = review.queue(parts().database, staff_of(site), ask, now())
    chosen = request.args.get("card") or (page.rows[0].id if page.rows else None)
    shown = _shown(site, chosen, page, ask) if chosen else None
    return render_template(
        "desk/queue.html", **pages.frame(site, ask), page=page, shown=shown, done=_done(), batch=_batch()
    )


@bp.get("/<site>/cards/<id:comment_id>")
def card(site: str, comment_id: str) -> Any:
    """One card by itself, for the script that fetches the next one ahead."""
    ask = address.read_ask(site, request.args)
    shown = _shown(site, comment_id, Page([], None), ask)
    return render_template("desk/_pane.html", **pages.frame(site, ask, counted=False), shown=shown)


@bp.get("/<site>/rows")
def rows(site: str) -> Any:
    """Further lines of a list by themselves, for the script that appends them."""
    ask = address.read_ask(site, request.args)
    page = review.queue(parts().database, staff_of(site), ask, now())
    return render_template("desk/_rows.html", **pages.frame(site, ask, counted=False), page=page, shown=None)


@bp.get("/<site>/counts")
def counts(site: str) -> Any:
    """How many stand in each view now."""
    found = review.counts(parts().database, staff_of(site), site, now())
    return jsonify(counts=found, live=pages.live(found))


@bp.get("/static/<version>/<path:name>")
@public("style sheets and scripts, which hold nothing of anybody")
def asset(version: str, name: str) -> Any:
    """A file of the desk; its address changes with the content of all of them."""
    answer = send_from_directory(pages.STATIC, name)
    answer.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return answer


@bp.get("/<path:place>")
def nothing(place: str) -> Any:
    """Any other address below the desk: said in a page, to whoever is signed in."""
    raise NotFound("There is no such page at the desk.")


def _shown(site: str, comment_id: str, page: Page, ask: Ask) -> Shown:
    card = review.card(parts().database, staff_of(site), comment_id, now())
    policy = parts().judges.under(card.site.policy).policy
    ids = [row.id for row in page.rows]
    at = ids.index(comment_id) if comment_id in ids else None
    following = ids[at + 1 : at + 2] if at is not None else ids[:1]
    return Shown(
        card=card,
        row=page.rows[at] if at is not None else None,
        **_judged(card, policy),
        reasons=policy.reasons,
        next=following[0] if following else None,
        place=f"{at + 1} of " if at is not None and not ask.after else "",
    )


def _judged(card: Card, policy: Policy) -> dict[str, Any]:
    judged = card.judgement
    found = words.findings(judged.findings, policy) if judged else []
    spans = [(said.number, start, end) for said in found for start, end in said.spans]
    return {
        "found": found,
        "clear": words.clear(judged.scores, judged.findings) if judged else [],
        "pieces": marks.pieces(card.latest.text, spans),
        "severe": card.comment.triage.get("band") == "severe",
    }


def _batch() -> Any:
    """What was decided at once just now, for the toast."""
    batch_id = request.args.get("batch", "")
    return review.told_batch(parts().database, entry().staff, batch_id) if batch_id else None


def _done() -> Any:
    """What was decided just now, for the toast that offers to take it back."""
    decision_id = request.args.get("done", "")
    return review.told(parts().database, entry().staff, decision_id) if decision_id else None
