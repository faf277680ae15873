"""/api/v1 for the widget and for anybody who reads: tokens, threads, comments, counts, reactions, reports.

Authenticated, throttled, loaded, handed to a use case, shaped; no judgement and no query stands here.
"""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response, request
from flask.views import MethodView

from service import comments, engagement, sites
from service.comments import Ask, Draft, Edit, Mine, Written
from service.errors import CommentRejected, Invalid
from service.identity import readers
from service.web import auth, schemas
from service.web.auth import reader_terms
from service.web.blueprint import Blueprint
from service.web.context import client_network, now, parts

bp = Blueprint("api", __name__, url_prefix="/api/v1", description="Readers: tokens, threads and comments")

STATUS_CODE = {"approved": 201, "pending": 202}


def render_json(view: msgspec.Struct, status: int = 200) -> Response:
    """A view as the bytes that msgspec writes."""
    return Response(msgspec.json.encode(view), status, content_type="application/json")


# ---- readers ------------------------------------------------------------------------------------------------------


@bp.route("/tokens", methods=["POST"])
@bp.public("A guest's name, a host's assertion or a renewal secret is the credential.")
@bp.arguments(schemas.TokenIn)
@bp.response(201, schemas.TokenOut)
@bp.problems(400, 401, 403, 404, 429)
def enter(body: dict[str, Any]) -> dict[str, Any]:
    """Get a commenter token for a guest's name, a host-signed assertion or a renewal secret."""
    network = client_network()
    parts().throttle.count("token", network=network, site=body["site"])
    auth.check_origin(body["site"])
    terms = reader_terms()
    brought = {name: body.get(name) for name in ("name", "assertion", "renewal")}
    entry = readers.Entry(body["site"], **brought, network=network, proof=body.get("altcha"))
    issued = readers.enter(parts().database, entry, terms, now=now())
    author = issued.author
    return {
        "token": issued.token,
        "expires_at": comments.moment(issued.expires_at),
        "renewal": issued.renewal,
        "author": {"id": author.id, "name": author.name, "verified": author.verified, "badge": author.badge},
    }


# ---- threads ------------------------------------------------------------------------------------------------------


@bp.route("/comments")
class Comments(MethodView):
    """An article's thread, and new comments for it."""

    @bp.public("Public comments are public.")
    @bp.arguments(schemas.ThreadQuery, location="query")
    @bp.response(200, schemas.ThreadOut)
    @bp.problems(400, 404, 429)
    def get(self, query: dict[str, Any]) -> Response:
        """One page of a thread, with an ETag that changes when anything in it does."""
        ask = Ask(query["site"], query["article"], query["sort"], query["limit"], query["cursor"])
        shows = comments.thread_version(parts().database, ask.site_id, ask.key)
        request.environ["firstword.thread"] = (ask.site_id, ask.key, shows)
        answer = render_json(comments.thread(parts().database, ask))
        answer.headers["Cache-Control"] = "public, no-cache"
        return answer

    @bp.reader
    @bp.arguments(schemas.IdempotencyHeaders, location="headers")
    @bp.arguments(schemas.CommentIn)
    @bp.response(201, schemas.MineOut)
    @bp.alt_response(202, schema=schemas.MineOut, description="Stored; a person will read it first")
    @bp.problems(400, 401, 403, 404, 409, 422, 429, 503)
    def post(self, headers: dict[str, Any], body: dict[str, Any]) -> Response:
        """Submit a comment: 201 published, 202 waiting for a person, 422 rejected; each has its id and reasons."""
        reader, network = auth.reader(), client_network()
        if body["site"] != reader.site_id:
            raise Invalid("The token is for another site.", pointer="/site")
        who = {"author": reader.author_id, "network": network, "site": reader.site_id}
        parts().throttle.count("comment", **who)
        place = sites.Place(body["article"]["key"], body["article"]["url"], body["article"]["title"])
        draft = Draft(
            reader=reader,
            place=place,
            text=body["text"],
            parent=body["parent"],
            key=headers["key"],
            nudge=body["nudge"],
            nudge_token=body["nudge_token"],
            network=network,
        )
        written = comments.submit(
            parts().database,
            parts().judges,
            draft,
            keys=parts().settings.signing_keys,
            now=now(),
            before_new_article=lambda: parts().throttle.count("article", **who),
        )
        return _told(written)


def _told(written: Written, *, fresh: bool = True) -> Response:
    """The author's view of what came of a text; a rejection is a problem with its id and reasons."""
    mine = _mine(written.comment_id)
    if written.status == "rejected":
        extra = {"id": mine.id, "version": written.version, "reasons": msgspec.to_builtins(mine.reasons)}
        raise CommentRejected("The comment was not accepted; see `reasons`.", extra=extra)
    answer = render_json(mine, STATUS_CODE.get(written.status, 200) if fresh else 200)
    answer.headers["Location"] = f"/api/v1/comments/{written.comment_id}"
    return answer


def _mine(comment_id: str) -> Mine:
    reader, settings = auth.reader(), parts().settings
    return comments.one_of_mine(parts().database, parts().judges, reader, comment_id, window=settings.edit_window)


@bp.route("/comments/<id:comment_id>")
class OneComment(MethodView):
    """One comment: permalink, edit, withdraw."""

    @bp.public("Public comments are public.")
    @bp.response(200, schemas.PermalinkOut)
    @bp.problems(404, 429)
    def get(self, comment_id: str) -> Response:
        """A public comment (or its placeholder) with the chain that it answers."""
        return render_json(comments.permalink_view(parts().database, comment_id))

    @bp.reader
    @bp.arguments(schemas.EditIn)
    @bp.response(200, schemas.MineOut)
    @bp.problems(400, 401, 403, 404, 409, 422, 429, 503)
    def patch(self, body: dict[str, Any], comment_id: str) -> Response:
        """Change one's own comment within the window; it is judged again."""
        reader = auth.reader()
        parts().throttle.count("edit", author=reader.author_id, network=client_network(), site=reader.site_id)
        change = Edit(reader, comment_id, body["version"], body["text"])
        window = parts().settings.edit_window
        written = comments.edit(parts().database, parts().judges, change, window=window, now=now())
        return _told(written, fresh=False)

    @bp.reader
    @bp.response(200, schemas.MineOut)
    @bp.problems(401, 403, 404, 409, 429, 503)
    def delete(self, comment_id: str) -> Response:
        """Withdraw one's own comment; repeating it is harmless."""
        reader = auth.reader()
        parts().throttle.count("edit", author=reader.author_id, network=client_network(), site=reader.site_id)
        return _told(comments.withdraw(parts().database, reader, comment_id, now=now()), fresh=False)


@bp.route("/comments/<id:comment_id>/restoration", methods=["POST"])
@bp.reader
@bp.response(200, schemas.MineOut)
@bp.problems(401, 403, 404, 409, 429, 503)
def restore(comment_id: str) -> Response:
    """Undo one's own withdrawal within ten minutes."""
    reader = auth.reader()
    parts().throttle.count("edit", author=reader.author_id, network=client_network(), site=reader.site_id)
    return _told(comments.restore(parts().database, reader, comment_id, now=now()), fresh=False)


@bp.route("/comments/<id:comment_id>/replies")
@bp.public("Public comments are public.")
@bp.arguments(schemas.PageQuery, location="query")
@bp.response(200, schemas.RepliesPageOut)
@bp.problems(400, 404, 429)
def replies(query: dict[str, Any], comment_id: str) -> Response:
    """The next replies to one comment, oldest first."""
    return render_json(comments.replies(parts().database, comment_id, query["cursor"], query["limit"]))


@bp.route("/counts")
@bp.public("Public counts are public.")
@bp.arguments(schemas.CountsQuery, location="query")
@bp.response(200, schemas.CountsOut)
@bp.problems(400, 404, 429)
def counts(query: dict[str, Any]) -> dict[str, Any]:
    """How many public comments up to a hundred articles have."""
    return {"counts": comments.counts(parts().database, query["site"], query["article"])}


@bp.route("/discussed")
@bp.public("Public counts are public.")
@bp.arguments(schemas.DiscussedQuery, location="query")
@bp.response(200, schemas.DiscussedOut)
@bp.problems(400, 404, 429)
def discussed(query: dict[str, Any]) -> dict[str, Any]:
    """The site's most discussed articles of the last days."""
    found = comments.discussed(parts().database, query["site"], query["days"], query["limit"], now=now())
    return {"articles": found}


# ---- my comments, taking part -------------------------------------------------------------------------------------


@bp.route("/me/comments")
@bp.reader
@bp.arguments(schemas.MineQuery, location="query")
@bp.response(200, schemas.MyCommentsOut)
@bp.problems(400, 401, 403, 429)
def mine(query: dict[str, Any]) -> Response:
    """My comments with their status and why, newest first."""
    ask = comments.MyAsk(query["article"], query["cursor"], query["limit"])
    page = comments.own(parts().database, parts().judges, auth.reader(), ask, window=parts().settings.edit_window)
    return render_json(page)


@bp.route("/comments/<id:comment_id>/reactions/<kind>")
class Reactions(MethodView):
    """One reaction per person and comment, undoable."""

    @bp.reader
    @bp.response(200, schemas.ReactionsOut)
    @bp.problems(400, 401, 403, 404, 429, 503)
    def put(self, comment_id: str, kind: str) -> dict[str, Any]:
        """React, or change one's reaction."""
        return self._set(comment_id, kind, on=True)

    @bp.reader
    @bp.response(200, schemas.ReactionsOut)
    @bp.problems(400, 401, 403, 404, 429, 503)
    def delete(self, comment_id: str, kind: str) -> dict[str, Any]:
        """Take one's reaction back."""
        return self._set(comment_id, kind, on=False)

    def _set(self, comment_id: str, kind: str, *, on: bool) -> dict[str, Any]:
        reader = auth.reader()
        parts().throttle.count("reaction", author=reader.author_id, network=client_network(), site=reader.site_id)
        totals, own = engagement.react(parts().database, reader, comment_id, kind, on=on, now=now())
        return {"reactions": totals, "mine": own}


@bp.route("/comments/<id:comment_id>/reports", methods=["POST"])
@bp.reader
@bp.arguments(schemas.ReportIn)
@bp.response(201, schemas.ReportOut)
@bp.problems(400, 401, 403, 404, 409, 429, 503)
def report(body: dict[str, Any], comment_id: str) -> dict[str, Any]:
    """Report a comment to the moderators, by the house rules or by law."""
    reader = auth.reader()
    parts().throttle.count("report", author=reader.author_id, network=client_network(), site=reader.site_id)
    complaint = engagement.Complaint(body["kind"], body["reason"], body["note"], body["details"])
    return {"id": engagement.report(parts().database, reader, comment_id, complaint, now=now())}
