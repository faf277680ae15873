"""The peer: a Flask application with one route, served as the service is."""

from __future__ import annotations

from flask import Flask, Response

application = Flask(__name__)
BODY = b"x" * 2_000


@application.route("/plain", methods=["GET", "POST"])
def plain() -> Response:
    """Two kilobytes, whatever was asked."""
    return Response(BODY, content_type="application/json")
