"""Seeing the service run: request ids, one structured line a request, metrics, health.

A log line names the route, never the address it came from, a query, a body, a token or a comment's text.
"""

from __future__ import annotations

import re
import secrets
import time

import structlog
from flask import Blueprint, Flask, Response, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from service import health
from service.web.blueprint import public
from service.web.context import now, parts

bp = Blueprint("observe", __name__)
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Metrics:
    """The counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "firstword_requests_total", "Answers by route and status", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "firstword_request_seconds",
            "Seconds from the first byte read to the answer",
            ["route"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=self.registry,
        )
        self.judged = Counter("firstword_judged_total", "Judgements by outcome", ["outcome"], registry=self.registry)
        self.limited = Counter("firstword_limited_total", "Refusals by action", ["action"], registry=self.registry)
        self.limits_degraded = Gauge(
            "firstword_limits_degraded", "1 while limits are counted in this process alone", registry=self.registry
        )
        self.pending = Gauge("firstword_pending_comments", "Comments that wait for a person", registry=self.registry)
        self.due = Gauge("firstword_due_deliveries", "Deliveries that are due or under way", registry=self.registry)


def register(app: Flask) -> None:
    """Give every request an id, a log line and a place in the metrics."""
    app.before_request(_begin)
    app.after_request(_end)
    app.register_blueprint(bp)


def _begin() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(answer: Response) -> Response:
    if "began" not in g:
        return answer
    seconds = time.perf_counter() - g.began
    route = request.url_rule.rule if request.url_rule else "none"
    metrics: Metrics = parts().metrics
    metrics.requests.labels(route, str(answer.status_code)).inc()
    metrics.seconds.labels(route).observe(seconds)
    structlog.get_logger().info(
        "request", method=request.method, route=route, status=answer.status_code, ms=round(seconds * 1000, 1)
    )
    answer.headers["X-Request-Id"] = g.request_id
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    return answer


@bp.get("/healthz")
@public("For load balancers.")
def alive() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public("For load balancers; names no secret.")
def ready() -> tuple[Response, int]:
    """The service can take a comment; where it cannot, each reason is named."""
    wrong = health.problems(parts().database, parts().judges)
    return jsonify(status="unready" if wrong.blocking else "ready", problems=wrong.blocking, degraded=wrong.degraded), (
        503 if wrong.blocking else 200
    )


@bp.get("/metrics")
@public("For the operator; a proxy keeps it inside.")
def metrics() -> Response:
    """Prometheus metrics of this process; queue lengths are read when asked."""
    counted: Metrics = parts().metrics
    lengths = health.queue_lengths(parts().database, now=now())
    counted.pending.set(lengths.pending)
    counted.due.set(lengths.due)
    return Response(generate_latest(counted.registry), content_type=CONTENT_TYPE_LATEST)
