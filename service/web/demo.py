"""/demo: a newspaper page with the widget, and a small receiver of webhooks that it shows by polling.

For `make run` only: Settings refuse it outside development. The receiver checks each signature as a host would
and keeps the last few events in memory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, send_from_directory
from werkzeug.exceptions import NotFound

from service.web import schemas
from service.web.blueprint import public
from service.web.context import parts
from service.web.conversation import conversation

bp = Blueprint("demo", __name__, url_prefix="/demo")
STATIC = Path(__file__).parent / "static" / "demo"
TOLERANCE = 300
RECEIVED: deque[dict[str, Any]] = deque(maxlen=50)
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'"
)


def facts() -> dict[str, Any]:
    """What `make run` wrote about its demo."""
    path = parts().settings.data_dir / "demo.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise NotFound("There is no demo here.") from None
    return found


@bp.get("/")
@public("A demo page.")
def front() -> Any:
    """To the demo article."""
    return redirect(facts()["article_url"])


@bp.get("/article")
@public("A demo page.")
def article() -> Response:
    """The demo article with the widget under it."""
    demo = facts()
    query = schemas.ConversationQuery().load(
        {"site": demo["site"], "article": demo["article"], "url": demo["article_url"]}
    )
    html = render_template("demo/article.html", demo=demo, **conversation(query))
    answer = Response(html, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = CSP
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/states")
@public("A demo page.")
def states() -> Response:
    """Every state of the widget: the real element, fed by canned answers."""
    answer = send_from_directory(STATIC, "states.html", max_age=0)
    answer.headers["Content-Security-Policy"] = CSP
    return answer


@bp.get("/static/<name>")
@public("A demo page.")
def static_file(name: str) -> Response:
    """The demo page's own style and script."""
    return send_from_directory(STATIC, name, max_age=60)


@bp.post("/receiver")
@public("The signature is the credential.")
def receive() -> tuple[Response, int]:
    """The host's receiver: an event with a good signature is kept, anything else is refused."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not is_signed(facts()["webhook_secret"], headers, request.get_data()):
        return jsonify(error="The signature does not hold."), 401
    event = json.loads(request.get_data())
    RECEIVED.appendleft(
        {"id": headers.get("webhook-id"), "at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event}
    )
    return jsonify(ok=True), 200


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """What docs/webhooks.md tells hosts to do: recompute the signature, compare in constant time, refuse old ones."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > TOLERANCE:
        return False
    content = f"{headers.get('webhook-id')}.{stamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, sent) for sent in headers.get("webhook-signature", "").split())


@bp.get("/received")
@public("A demo page, refused outside development.")
def received() -> Response:
    """What the receiver has got, newest first."""
    return jsonify(received=list(RECEIVED))
