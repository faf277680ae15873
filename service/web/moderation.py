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
from service.review import Ask, Card, Decider, Person, Record, Row, Step, Verdict
from service.web import auth
from service.web import schemas_moderation as schemas
from service.web.blueprint import Blueprint
from service.web.context import now, parts
from service.web.schemas_host import NothingIn

if TYPE_CHECKING:
    from service.models import Decision
    from service.review.card import Said

bp = Blueprint("moderation", __name__, url_prefix="/api/v1", description="Hosts: moderate by API")


def _staff(scope: str = "moderate") -> Staff:
    """The host as somebody who may read and decide on its one site."""
    host = auth.host(scope)
    return Staff(host.key_id, "", host.name, {host.site_id: MODERATOR})


def _decider() -> Decider:
    host = auth.host("moderate")
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
        words=query["words"],
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
    return _person(review.person(parts().database, _staff("authors"), author_id))


@bp.route("/authors/<id:author_id>/actions", methods=["POST"])
@bp.host("authors")
@bp.arguments(schemas.ActionIn)
@bp.response(201, schemas.PersonOut)
@bp.problems(400, 401, 403, 404, 429, 503)
def act(body: dict[str, Any], author_id: str) -> dict[str, Any]:
    """Mute, ban, trust or read somebody first, or take it back; it stands in the author's history."""
    staff = _staff("authors")
    review.act(parts().database, staff, author_id, Step(**body), now())
    return _person(review.person(parts().database, staff, author_id))


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
        "author": _record(found.record),
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


def _record(record: Record) -> dict[str, Any]:
    author = record.author
    return {
        "id": author.id,
        "name": author.name,
        "verified": author.verified,
        "standing": author.standing,
        "approved": author.approved,
        "rejected": author.rejected,
        "waiting": record.waiting,
        "last": list(record.last),
        "since": moment(author.created_at),
    }


def _person(person: Person) -> dict[str, Any]:
    author = person.record.author
    return {
        **_record(person.record),
        "muted_until": moment(author.muted_until) if author.muted_until else None,
        "banned": author.banned_at is not None,
        "public": person.public,
        "comments": [_said(said) for said in person.comments],
        "notes": [
            {
                "verb": note.verb,
                "reason": note.reason,
                "note": note.note,
                "by": name,
                "until": moment(note.ends_at) if note.ends_at else None,
                "at": moment(note.created_at),
            }
            for note, name in person.record.notes
        ],
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
