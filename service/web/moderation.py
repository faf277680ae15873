"""/api/v1 to moderate by: what the desk's pages show and do, for a host's own tools, by an API key with `moderate`.

The verbs are those of `service.review`; a host decides in its own name, which stands in the history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask.views import MethodView

from service import review
from service.comments import moment
from service.errors import Invalid
from service.identity.staff import MODERATOR, Staff
from service.review import Ask, Card, Decider, Row, Verdict
from service.web import auth
from service.web import schemas_moderation as schemas
from service.web.blueprint import Blueprint
from service.web.context import now, parts
from service.web.schemas_host import NothingIn

if TYPE_CHECKING:
    from service.identity.api_keys import Host
    from service.models import Decision
    from service.review.card import Said

bp = Blueprint("moderation", __name__, url_prefix="/api/v1", description="Hosts: moderate by API")


def _host() -> Host:
    return auth.host("moderate")


def _staff() -> Staff:
    """The host as somebody who may read and decide on its one site."""
    host = _host()
    return Staff(host.key_id, "", host.name, {host.site_id: MODERATOR})


def _decider() -> Decider:
    host = _host()
    return Decider.host(host.key_id, host.name, host.site_id)


# ---- reading ----


@bp.route("/queue", methods=["GET"])
@bp.host("moderate")
@bp.arguments(schemas.QueueQuery, location="query")
@bp.response(200, schemas.QueueOut)
@bp.problems(400, 401, 403, 429, 503)
def queue(query: dict[str, Any]) -> dict[str, Any]:
    """A page of one view of the queue, as the desk orders it."""
    staff = _staff()
    ask = Ask(
        site=staff.sites[0],
        view=query["view"],
        order=query["order"],
        article=query["article"],
        sections=tuple(query["section"]),
        author=query["author"],
        codes=tuple(query["code"]),
        language=query["language"],
        after=query["cursor"],
        limit=query["limit"],
    )
    try:
        page = review.queue(parts().database, staff, ask, now())
    except Invalid as refused:
        raise Invalid("This cursor is not one that we gave.", pointer="?cursor") from refused
    return {"comments": [_waiting(row) for row in page.rows], "next": page.next}


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
    return _card(review.card(parts().database, _staff(), comment_id, now()))


# ---- deciding ----


@bp.route("/comments/<id:comment_id>/decisions")
class Decisions(MethodView):
    """What was decided about a comment."""

    @bp.host("moderate")
    @bp.response(200, schemas.HistoryOut)
    @bp.problems(401, 403, 404, 429, 503)
    def get(self, comment_id: str) -> dict[str, Any]:
        """Every decision, oldest first."""
        return {"decisions": [_decision(row) for row in review.past(parts().database, _decider(), comment_id)]}

    @bp.host("moderate")
    @bp.arguments(schemas.VerdictIn)
    @bp.response(201, schemas.DoneOut)
    @bp.problems(400, 401, 403, 404, 409, 429, 503)
    def post(self, body: dict[str, Any], comment_id: str) -> dict[str, Any]:
        """Approve or reject one version; 409 `stale-version` tells who was faster, or that the text has changed."""
        verdict = Verdict(comment_id, **body)
        return _done(review.decide(parts().database, parts().judges, _decider(), verdict, now()))


@bp.route("/decisions/<id:decision_id>/undo", methods=["POST"])
@bp.host("moderate")
@bp.arguments(NothingIn)
@bp.response(201, schemas.DoneOut)
@bp.problems(400, 401, 403, 404, 409, 429, 503)
def undo(_body: dict[str, Any], decision_id: str) -> dict[str, Any]:
    """Take a verdict back, as long as nothing was decided after it. The history keeps both."""
    return _done(review.undo(parts().database, _decider(), decision_id, now()))


# ---- shapes ----


def _waiting(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "revision": row.revision,
        "status": row.status,
        "public": row.public,
        "author": {"id": row.author_id, "name": row.author},
        "new_author": row.new_author,
        "excerpt": row.excerpt,
        "article": {"key": row.article_key, "title": row.article, "section": row.section},
        "written_at": moment(row.written),
        "codes": row.triage.get("codes", []),
        "band": row.triage.get("band", "low"),
        "top": row.triage.get("top"),
        "scores": row.triage.get("scores", {}),
        "reports": row.reports,
        "escalated": row.escalated,
        "reader": row.reader,
    }


def _card(found: Card) -> dict[str, Any]:
    comment, article = found.comment, found.article
    judgement = found.judgement.to_json() if found.judgement else {"findings": [], "scores": {}}
    return {
        "id": comment.id,
        "version": comment.latest,
        "revision": comment.revision,
        "status": comment.status,
        "public_version": comment.public,
        "article": {"key": article.key, "title": article.title, "url": article.url, "section": article.section},
        "versions": [
            {"number": row.number, "status": row.status, "text": row.text, "written_at": moment(row.created_at)}
            for row in found.versions
        ],
        "findings": [{name: finding.get(name) for name in FINDING} for finding in judgement["findings"]],
        "scores": judgement["scores"],
        "chain": [_said(said) for said in found.chain],
        "around": [_said(said) for said in found.around],
        "author": _record(found),
        "reports": [
            {
                "kind": report.door,
                "reason": report.reason,
                "note": report.note,
                "at": moment(report.at),
                "right": report.right,
                "judged": report.judged,
            }
            for report in found.reports
        ],
        "decisions": [_decision(row) for row in found.decisions],
    }


FINDING = tuple(schemas.FindingOut().fields)


def _said(said: Said) -> dict[str, Any]:
    return {
        "id": said.id,
        "author": said.author,
        "text": said.text,
        "status": said.status,
        "written_at": moment(said.written),
    }


def _record(found: Card) -> dict[str, Any]:
    author = found.record.author
    return {
        "id": author.id,
        "name": author.name,
        "verified": author.verified,
        "standing": author.standing,
        "approved": author.approved,
        "rejected": author.rejected,
        "waiting": found.record.waiting,
        "last": list(found.record.last),
        "since": moment(author.created_at),
    }


def _decision(row: Decision) -> dict[str, Any]:
    return {
        "id": row.id,
        "revision": row.revision,
        "version": row.version,
        "actor": row.actor,
        "actor_name": row.actor_name,
        "verb": row.verb,
        "before": row.before,
        "after": row.after,
        "reason": row.reason,
        "note": row.note,
        "at": moment(row.created_at),
    }


def _done(done: review.Done) -> dict[str, Any]:
    return {
        "id": done.decision_id,
        "comment": done.comment_id,
        "version": done.version,
        "status": done.status,
        "revision": done.revision,
    }
