"""What a moderator does to a card: decide, undo, escalate, hold for a while. Plain forms; a script gets JSON."""

from __future__ import annotations

from typing import Any

from flask import jsonify, redirect, request

from service import review
from service.errors import Invalid
from service.review import Decider, Done, Grant, Verdict
from service.web.context import now, parts
from service.web.desk.guard import bp, inside, staff_of, wants_json


@bp.post("/<site>/comments/<id:comment_id>/decisions")
def decide(site: str, comment_id: str) -> Any:
    """Approve or reject the version that was read."""
    form = request.form
    verdict = Verdict(
        comment_id,
        _number("version"),
        form.get("verdict", ""),
        reason=form.get("reason") or None,
        note=form.get("note", "").strip() or None,
        revision=_number("revision") if form.get("revision") else None,
        token=form.get("token") or None,
    )
    return _told(review.decide(parts().database, parts().judges, _by(site), verdict, now()))


@bp.post("/<site>/decisions/<id:decision_id>/undo")
def undo(site: str, decision_id: str) -> Any:
    """Take a decision back by one that restores what was before it."""
    return _told(review.undo(parts().database, _by(site), decision_id, now()), undoable=False)


@bp.post("/<site>/comments/<id:comment_id>/escalation")
def escalate(site: str, comment_id: str) -> Any:
    """Put a card before a senior colleague."""
    note = request.form.get("note", "").strip() or None
    done = review.escalate(parts().database, _by(site), comment_id, _number("version"), note, now())
    return _told(done, undoable=False)


@bp.post("/<site>/comments/<id:comment_id>/lease")
def lease(site: str, comment_id: str) -> Any:
    """Take a card for 90 seconds, or keep it for another 90 with the token of the grant."""
    token = request.form.get("token", "")
    if token:
        return _granted(review.renew(parts().database, staff_of(site), comment_id, token, now()))
    return _granted(review.claim(parts().database, staff_of(site), comment_id, now()))


@bp.post("/<site>/comments/<id:comment_id>/release")
def release(site: str, comment_id: str) -> Any:
    """Give a card back before its time."""
    review.release(parts().database, staff_of(site), comment_id, request.form.get("token", ""))
    return "", 204


def _by(site: str) -> Decider:
    return Decider.at_desk(staff_of(site))


def _number(name: str) -> int:
    raw = request.form.get(name, "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10):
        raise Invalid(f"{name} is a whole number.", pointer=f"/{name}")
    return int(raw)


def _told(done: Done, undoable: bool = True) -> Any:
    """Back to where the form was sent from, with what was done, or the same as JSON."""
    if wants_json():
        return jsonify(
            decision=done.decision_id,
            comment=done.comment_id,
            status=done.status,
            revision=done.revision,
            undoable=undoable,
        )
    back = inside(request.form.get("back"))
    joint = "&" if "?" in back else "?"
    return redirect(f"{back}{joint}done={done.decision_id}", 303)


def _granted(grant: Grant) -> Any:
    seconds = (grant.expires_at - now()).total_seconds()
    return jsonify(token=grant.token, seconds=round(seconds), version=grant.version)
