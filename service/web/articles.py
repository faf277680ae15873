"""/api/v1/articles: the host registers its articles and says how they are discussed."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask.views import MethodView

from service import sites
from service.errors import NotFound
from service.web import auth, schemas
from service.web.blueprint import Blueprint
from service.web.context import now, parts

bp = Blueprint("articles", __name__, url_prefix="/api/v1", description="Hosts: articles")


@bp.route("/articles")
class Articles(MethodView):
    """One article, by the key that its host gave it."""

    @bp.host("articles")
    @bp.arguments(schemas.ArticleQuery, location="query")
    @bp.response(200, schemas.ArticleOut)
    @bp.problems(400, 401, 403, 404, 429)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """An article as it stands."""
        auth.host("articles", query["site"])
        found = sites.article_card(parts().database, query["site"], query["key"])
        if found is None:
            raise NotFound("There is no such article.")
        return found

    @bp.host("articles")
    @bp.arguments(schemas.ArticleIn)
    @bp.response(200, schemas.ArticleOut)
    @bp.alt_response(201, schema=schemas.ArticleOut, description="The article is new")
    @bp.problems(400, 401, 403, 404, 409, 429, 503)
    def put(self, body: dict[str, Any]) -> tuple[Response, int]:
        """Register an article or change it: address, title, section, question, state, moderation, writers."""
        auth.host("articles", body["site"])
        change = sites.ArticleChange(
            url=body.get("url"),
            title=body.get("title"),
            section=body.get("section"),
            prompt=body.get("prompt"),
            closed=None if "state" not in body else body["state"] == "closed",
            premoderated=None if "moderation" not in body else body["moderation"] == "pre",
            writers=tuple(body["writers"]) if "writers" in body else None,
        )
        fresh = sites.register_article(parts().database, body["site"], body["key"], change, actor="host", now=now())
        card = sites.article_card(parts().database, body["site"], body["key"])
        return jsonify(card), 201 if fresh else 200
