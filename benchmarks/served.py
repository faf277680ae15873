"""The service with the plain route beside it, so that both are measured in one process."""

from __future__ import annotations

from benchmarks.plain import plain
from service.web.blueprint import public
from wsgi import application

application.add_url_rule(
    "/plain", view_func=public("A plain route to measure against.")(plain), methods=["GET", "POST"]
)

__all__ = ["application"]
