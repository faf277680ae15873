"""/api/v1 to moderate by: what the desk's pages show and do, for a host's own tools, by an API key with `moderate`.

The verbs are those of `service.review`; a host decides in its own name, which stands in the history.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask.views import MethodView

from service import review, sites
from service.comments import moment
from service.errors import Invalid
from service.identity.staff import MODERATOR, Staff
from service.review import Ask, Decider, Selection, Step, Verdict
from service.review.numbers import numbers
from service.web import auth
from service.web import moderation_shapes as shapes
from service.web import schemas_moderation as schemas
from service.web.blueprint import Blueprint
from service.web.context import now, parts
from service.web.schemas_host import NothingIn

bp = Blueprint("moderation", __name__, url_prefix="/api/v1", description="Hosts: moderate by API")


def _staff(scope: str = "moderate") -> Staff:
    """The host as somebody who may read and decide on its one site."""
    host = auth.host(scope)
    return Staff(host.key_id, "", host.name, {host.site_id: MODERATOR})


def _decider() -> Decider:
    host = auth.host("moderate")
    return Decider.host(host.key_id, host.name, host.site_id)


# ---- reading ----


def _ask(site_id: str, query: dict[str, Any]) -> Ask:
    """The view that filters name."""
    chosen = {field: query[name] for field, name in FILTERS.items()}
    return Ask(site_id, sections=tuple(query["section"]), codes=tuple(query["code"]), **chosen)


FILTERS = {
    "view": "view",
    "article": "article",
    "author": "author",
    "band": "band",
    "attribute": "attribute",
    "lowest": "lowest",
    "highest": "highest",
    "fingerprint": "alike",
    "writer": "writer",
    "since": "since",
    "until": "until",
    "language": "language",
    "words": "words",
}


@bp.route("/queue", methods=["GET"])
@bp.host("moderate")
@bp.arguments(schemas.QueueQuery, location="query")
@bp.response(200, schemas.QueueOut)
@bp.problems(400, 401, 403, 429, 503)
def queue(query: dict[str, Any]) -> dict[str, Any]:
    """A page of one view of the queue, as the desk orders it."""
    staff = _staff()
    ask = replace(_ask(staff.sites[0], query), order=query["order"], after=query["cursor"], limit=query["limit"])
    try:
        page = review.queue(parts().database, staff, ask, now())
    except Invalid as refused:
        if refused.pointer != "/after":
            raise
        raise Invalid("This cursor is not one that we gave.", pointer="?cursor") from None
    return {"comments": [shapes.told_waiting(row) for row in page.rows], "next": page.next}


@bp.route("/queue/counts", methods=["GET"])
@bp.host("moderate")
@bp.response(200, schemas.QueueCountsOut)
@bp.problems(401, 403, 429, 503)
def counts() -> dict[str, Any]:
    """How many stand in each view."""
    staff = _staff()
    found = review.counts(parts().database, staff, staff.sites[0], now())
    return {name: found[name] for name in schemas.QueueCountsOut().fields}


@bp.route("/queue/<id:comment_id>", methods=["GET"])
@bp.host("moderate")
@bp.response(200, schemas.CardOut)
@bp.problems(401, 403, 404, 429, 503)
def card(comment_id: str) -> dict[str, Any]:
    """One comment with its texts, findings, context, author, reports and history."""
    return shapes.told_card(review.card(parts().database, _staff(), comment_id, now()))


@bp.route("/reasons", methods=["GET"])
@bp.host("moderate")
@bp.response(200, schemas.ReasonsOut)
@bp.problems(401, 403, 429, 503)
def reasons() -> dict[str, Any]:
    """Why a comment may be rejected on this site: a tree, each with the sentence that its author reads."""
    site = sites.find_site(parts().database, auth.host("moderate").site_id)
    return {"reasons": shapes.told_reasons(parts().judges.under(site.policy).policy.reasons)}


@bp.route("/numbers", methods=["GET"])
@bp.host("moderate")
@bp.arguments(schemas.NumbersQuery, location="query")
@bp.response(200, schemas.NumbersOut)
@bp.problems(400, 401, 403, 429, 503)
def figures(query: dict[str, Any]) -> dict[str, Any]:
    """Volume, waits, decisions and scores of the last days, as the desk draws them."""
    staff = _staff()
    found = numbers(parts().database, staff, staff.sites[0], query["days"], query["attribute"], now())
    return shapes.told_numbers(found)


# ---- deciding ----


@bp.route("/comments/<id:comment_id>/decisions")
class Decisions(MethodView):
    """What was decided about a comment."""

    @bp.host("moderate")
    @bp.response(200, schemas.HistoryOut)
    @bp.problems(401, 403, 404, 429, 503)
    def get(self, comment_id: str) -> dict[str, Any]:
        """Every decision, oldest first."""
        return {
            "decisions": [shapes.told_decision(row) for row in review.past(parts().database, _decider(), comment_id)]
        }

    @bp.host("moderate")
    @bp.arguments(schemas.VerdictIn)
    @bp.response(201, schemas.DoneOut)
    @bp.problems(400, 401, 403, 404, 409, 429, 503)
    def post(self, body: dict[str, Any], comment_id: str) -> dict[str, Any]:
        """Approve or reject one version; 409 `stale-version` tells who was faster, or that the text has changed."""
        verdict = Verdict(comment_id, **body)
        return shapes.told_done(review.decide(parts().database, parts().judges, _decider(), verdict, now()))


@bp.route("/decisions/<id:decision_id>/undo", methods=["POST"])
@bp.host("moderate")
@bp.arguments(NothingIn)
@bp.response(201, schemas.DoneOut)
@bp.problems(400, 401, 403, 404, 409, 429, 503)
def undo(_body: dict[str, Any], decision_id: str) -> dict[str, Any]:
    """Take a verdict back, as long as nothing was decided after it. The history keeps both."""
    return shapes.told_done(review.undo(parts().database, _decider(), decision_id, now()))


@bp.route("/comments/<id:comment_id>/escalation", methods=["POST"])
@bp.host("moderate")
@bp.arguments(schemas.EscalationIn)
@bp.response(201, schemas.DoneOut)
@bp.problems(400, 401, 403, 404, 409, 429, 503)
def escalate(body: dict[str, Any], comment_id: str) -> dict[str, Any]:
    """Put a card before a senior colleague at the desk."""
    done = review.escalate(parts().database, _decider(), comment_id, body["version"], body["note"], now())
    return shapes.told_done(done)


# ---- many at once ----


@bp.route("/queue/preview", methods=["GET"])
@bp.host("moderate")
@bp.arguments(schemas.FiltersQuery, location="query")
@bp.response(200, schemas.PreviewOut)
@bp.problems(400, 401, 403, 429, 503)
def preview(query: dict[str, Any]) -> dict[str, Any]:
    """How many waiting comments these filters hold, some of them to read, and until when that is true."""
    staff, at = _staff(), now()
    found = review.preview(parts().database, staff, Selection(_ask(staff.sites[0], query)), at)
    return {**shapes.told_preview(found), "seen_at": moment(at)}


@bp.route("/queue/decisions", methods=["POST"])
@bp.host("moderate")
@bp.arguments(schemas.ManyIn)
@bp.response(201, schemas.BatchOut)
@bp.problems(400, 401, 403, 409, 429, 503)
def decide_many(body: dict[str, Any]) -> dict[str, Any]:
    """Decide what a preview showed, at most 5,000 at once; what was edited, decided or claimed since is left out."""
    ask = replace(_ask(auth.host("moderate").site_id, body["filters"]), until=body["seen_at"])
    verdict = Verdict("", 0, body["verdict"], reason=body["reason"], note=body["note"])
    selection = Selection(ask, tuple(body["ids"]))
    batch = review.decide_all(parts().database, parts().judges, _decider(), selection, verdict, now())
    return {"id": batch.id, "done": batch.done, "left_out": batch.left_out}


@bp.route("/batches/<id:batch_id>/undo", methods=["POST"])
@bp.host("moderate")
@bp.arguments(NothingIn)
@bp.response(201, schemas.BatchOut)
@bp.problems(400, 401, 403, 404, 409, 429, 503)
def undo_many(_body: dict[str, Any], batch_id: str) -> dict[str, Any]:
    """Take a whole batch back, but for what was decided again since; as a batch of its own."""
    batch = review.undo_all(parts().database, _decider(), batch_id, now())
    return {"id": batch.id, "done": batch.done, "left_out": batch.left_out}


# ---- featured ----


@bp.route("/comments/<id:comment_id>/feature")
class Feature(MethodView):
    """A comment's place above the thread."""

    @bp.host("moderate")
    @bp.arguments(NothingIn)
    @bp.response(204)
    @bp.problems(400, 401, 403, 404, 409, 429, 503)
    def put(self, _body: dict[str, Any], comment_id: str) -> None:
        """Feature a public comment."""
        review.feature(parts().database, _decider(), comment_id, True, now())

    @bp.host("moderate")
    @bp.response(204)
    @bp.problems(401, 403, 404, 429, 503)
    def delete(self, comment_id: str) -> None:
        """Feature it no longer."""
        review.feature(parts().database, _decider(), comment_id, False, now())


# ---- authors ----


@bp.route("/authors/<id:author_id>", methods=["GET"])
@bp.host("authors")
@bp.response(200, schemas.PersonOut)
@bp.problems(401, 403, 404, 429, 503)
def author(author_id: str) -> dict[str, Any]:
    """An author: standing, totals, last comments, and what was done about them."""
    return shapes.told_person(review.person(parts().database, _staff("authors"), author_id))


@bp.route("/authors/<id:author_id>/actions", methods=["POST"])
@bp.host("authors")
@bp.arguments(schemas.ActionIn)
@bp.response(201, schemas.PersonOut)
@bp.problems(400, 401, 403, 404, 429, 503)
def act(body: dict[str, Any], author_id: str) -> dict[str, Any]:
    """Mute, ban, trust or read somebody first, or take it back; it stands in the author's history."""
    staff = _staff("authors")
    review.act(parts().database, staff, author_id, Step(**body), now())
    return shapes.told_person(review.person(parts().database, staff, author_id))
