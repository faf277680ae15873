"""One error shape for everybody: RFC 9457 problems. The table here is the only place where an error meets a status.

Every code has a heading in docs/problems.md. A problem never repeats what was sent.
"""

from __future__ import annotations

import http
from typing import Any, Final, cast

import structlog
from flask import Flask, Response, g, json, request
from werkzeug.exceptions import HTTPException

from service import errors

TYPE_ROOT = "https://firstword.example/problems/"

STATUS: Final[dict[type[errors.FirstwordError], int]] = {
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.OriginRefused: 403,
    errors.ProofNeeded: 403,
    errors.AuthorBarred: 403,
    errors.Unauthenticated: 401,
    errors.AssertionRefused: 401,
    errors.BadCredentials: 401,
    errors.Invalid: 400,
    errors.TextUnfit: 400,
    errors.NameUnfit: 400,
    errors.Conflict: 409,
    errors.StaleVersion: 409,
    errors.CardTaken: 409,
    errors.ArticleClosed: 409,
    errors.EditWindowOver: 409,
    errors.KeyReused: 409,
    errors.CommentRejected: 422,
    errors.Nudge: 409,
    errors.Limited: 429,
    errors.Unavailable: 503,
}

TITLES: Final[dict[str, str]] = {
    "not-found": "There is no such thing",
    "forbidden": "You may not do this",
    "origin-refused": "This page may not write here",
    "proof-needed": "A little work is asked first",
    "author-barred": "You cannot write at the moment",
    "unauthenticated": "Please sign in",
    "assertion-refused": "The host's token was not accepted",
    "bad-credentials": "Login and password do not match",
    "invalid": "Something in the request does not fit",
    "text-unfit": "This text cannot be a comment",
    "name-unfit": "This name cannot be used",
    "conflict": "That has changed meanwhile",
    "stale-version": "Somebody was faster",
    "card-taken": "Somebody else is reading this card",
    "article-closed": "The discussion is closed",
    "edit-window-over": "The time to change it has passed",
    "idempotency-key-reused": "This key was used for something else",
    "comment-rejected": "The comment was not accepted",
    "nudge": "Would you like to rephrase?",
    "limited": "Too many requests",
    "unavailable": "Something we need does not answer",
    "method-not-allowed": "That cannot be done here",
    "too-slow": "The request came too slowly",
    "too-large": "The request is too large",
    "unsupported-media-type": "This kind of body is not accepted",
    "not-acceptable": "No such form of answer",
    "bad-request": "The request could not be read",
    "internal": "We made a mistake",
}

_HTTP_CODES: Final[dict[int, str]] = {
    400: "bad-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "too-slow",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "limited",
    503: "unavailable",
}


def problem(
    status: int, code: str, detail: str, *, extra: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> Response:
    """One problem document with its headers."""
    body: dict[str, Any] = {
        "type": TYPE_ROOT + code,
        "title": TITLES.get(code, http.HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(g, "request_id", ""),
        **(extra or {}),
    }
    answer = Response(json.dumps(body), status=status, content_type="application/problem+json")
    answer.headers.update(headers or {})
    if "retry_after" in body:
        answer.headers["Retry-After"] = str(body["retry_after"])
    if status == http.HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="firstword"'
    return answer


def register(app: Flask) -> None:
    """Answer every error of this application as a problem."""
    app.register_error_handler(errors.FirstwordError, from_use_case)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(Exception, from_mistake)


def status_of(error: errors.FirstwordError) -> int:
    """The status that an error answers with: its own row, or its nearest ancestor's."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def from_use_case(error: errors.FirstwordError) -> Response:
    """What a use case raised."""
    extra = dict(error.extra)
    if error.pointer is not None:
        extra["errors"] = [{"pointer": error.pointer, "detail": error.detail}]
    if isinstance(error, errors.Unavailable):
        extra.setdefault("retry_after", 5)
        structlog.get_logger().warning("unavailable", cause=type(error.__cause__).__name__)
    return problem(status_of(error), error.code, error.detail, extra=extra)


def from_http(error: HTTPException) -> Response:
    """What Flask, Werkzeug or webargs raised."""
    status = error.code or 500
    if error.response is not None and status < http.HTTPStatus.BAD_REQUEST:
        return cast("Response", error.response)
    messages = getattr(error, "data", {}).get("messages") if hasattr(error, "data") else None
    if messages:
        return problem(400, "invalid", "The request does not fit; see `errors`.", extra={"errors": _pointers(messages)})
    headers = {"Allow": ", ".join(sorted(error.valid_methods or []))} if status == 405 else {}  # type: ignore[attr-defined]
    return problem(status, _HTTP_CODES.get(status, "bad-request"), error.description or "", headers=headers)


def _pointers(messages: Any, prefix: str = "") -> list[dict[str, str]]:
    """Marshmallow's nested messages as JSON pointers into the body, or `?name` for the query."""
    if isinstance(messages, dict):
        found: list[dict[str, str]] = []
        for key, inner in messages.items():
            if not prefix and key in ("json", "query", "headers", "files", "form") and isinstance(inner, dict):
                found += _pointers(inner, "?" if key == "query" else ("!" if key == "headers" else ""))
            else:
                found += _pointers(inner, _join(prefix, str(key)))
        return found
    details = messages if isinstance(messages, list) else [messages]
    return [{"pointer": prefix if prefix != "?" else "", "detail": str(detail)} for detail in details]


def _join(prefix: str, key: str) -> str:
    if prefix in ("?", "!"):
        return f"{prefix}{key}"
    if key == "_schema":
        return prefix
    return f"{prefix}/{key.replace('~', '~0').replace('/', '~1')}"


def from_mistake(error: Exception) -> Response:
    """A mistake of ours: logged by its type and place, never by its words, which may hold what was sent."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{place.tb_lineno}" if place else ""
    structlog.get_logger().error("mistake", kind=type(error).__name__, where=where, route=str(request.url_rule))
    return problem(500, "internal", "The mistake is ours. It was noted under the request id.")
