"""/api/v1 for the host site: its webhooks' endpoints, their delivery log, replays, and the list of events.

An API key speaks for one site, so no route here names another. Shapes only; what happens is in `service.webhooks`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask.views import MethodView

from service.comments import moment
from service.web import auth
from service.web import schemas_host as schemas
from service.web.blueprint import Blueprint
from service.web.context import now, parts
from service.webhooks import endpoints, log, payloads
from service.webhooks.sending import open_door

if TYPE_CHECKING:
    from service.models import Endpoint

bp = Blueprint("host", __name__, url_prefix="/api/v1", description="Hosts: webhooks and events")

ERRORS = (400, 401, 403, 404, 409, 429, 503)


# ---- endpoints ----


@bp.route("/webhooks")
class Endpoints(MethodView):
    """A site's endpoints."""

    @bp.host("webhooks")
    @bp.response(200, schemas.EndpointsOut)
    @bp.problems(401, 403, 429, 503)
    def get(self) -> dict[str, Any]:
        """Every endpoint of the site."""
        mine = endpoints.listed(parts().database, auth.host("webhooks").site_id)
        return {"endpoints": [_shown(endpoint) for endpoint in mine]}

    @bp.host("webhooks")
    @bp.arguments(schemas.EndpointIn)
    @bp.response(201, schemas.KeyedEndpointOut)
    @bp.problems(*ERRORS)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Register an endpoint. Its secret is in this answer and in no other."""
        site_id = auth.host("webhooks").site_id
        door = open_door(parts().settings)
        endpoint, secret = endpoints.register(parts().database, site_id, endpoints.Wish(**body), door, now=now())
        return {**_shown(endpoint), "secret": secret}


@bp.route("/webhooks/<id:endpoint_id>")
class OneEndpoint(MethodView):
    """One endpoint."""

    @bp.host("webhooks")
    @bp.response(200, schemas.EndpointOut)
    @bp.problems(401, 403, 404, 429, 503)
    def get(self, endpoint_id: str) -> dict[str, Any]:
        """An endpoint as it stands."""
        return _shown(endpoints.one(parts().database, auth.host("webhooks").site_id, endpoint_id))

    @bp.host("webhooks")
    @bp.arguments(schemas.EndpointChangeIn)
    @bp.response(200, schemas.EndpointOut)
    @bp.problems(*ERRORS)
    def patch(self, body: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
        """Change an endpoint, or take it out of service and back by `enabled`."""
        site_id, door = auth.host("webhooks").site_id, open_door(parts().settings)
        return _shown(endpoints.change(parts().database, site_id, endpoint_id, body, door, now=now()))

    @bp.host("webhooks")
    @bp.response(204)
    @bp.problems(401, 403, 404, 429, 503)
    def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint; nothing more is sent to it."""
        endpoints.delete(parts().database, auth.host("webhooks").site_id, endpoint_id, now=now())


@bp.route("/webhooks/<id:endpoint_id>/rotation", methods=["POST"])
@bp.host("webhooks")
@bp.arguments(schemas.RotationIn)
@bp.response(200, schemas.KeyedEndpointOut)
@bp.problems(*ERRORS)
def rotate(body: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
    """Give an endpoint a new key, shown in this answer only. The old one signs beside it for `overlap` seconds."""
    site_id, overlap = auth.host("webhooks").site_id, timedelta(seconds=body["overlap"])
    endpoint, secret = endpoints.rotate(
        parts().database, site_id, endpoint_id, body["scheme"], now=now(), overlap=overlap
    )
    return {**_shown(endpoint), "secret": secret}


@bp.route("/webhooks/<id:endpoint_id>/ping", methods=["POST"])
@bp.host("webhooks")
@bp.arguments(schemas.NothingIn)
@bp.response(202, schemas.EventOut)
@bp.problems(*ERRORS)
def ping(_body: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
    """Send a `ping` to this endpoint alone; the delivery log tells how it went."""
    return payloads.told(endpoints.ping(parts().database, auth.host("webhooks").site_id, endpoint_id, now=now()))


# ---- the delivery log ----


@bp.route("/webhooks/<id:endpoint_id>/deliveries", methods=["GET"])
@bp.host("webhooks")
@bp.arguments(schemas.DeliveriesQuery, location="query")
@bp.response(200, schemas.DeliveriesOut)
@bp.problems(400, 401, 403, 404, 429, 503)
def deliveries(query: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
    """What was sent, newest first: every attempt, how long it took, what came back. Kept for 30 days."""
    look = log.Look(query["cursor"], query["state"], query["limit"])
    page, onward = log.entries(parts().database, auth.host("webhooks").site_id, endpoint_id, look)
    return {"deliveries": [_entry(entry) for entry in page], "next": onward}


@bp.route("/webhooks/<id:endpoint_id>/replay", methods=["POST"])
@bp.host("webhooks")
@bp.arguments(schemas.ReplayIn)
@bp.response(202, schemas.QueuedOut)
@bp.problems(*ERRORS)
def replay(body: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
    """Send again: one event, a range, or all that failed. Each goes under its first `webhook-id`."""
    where = (parts().database, auth.host("webhooks").site_id, endpoint_id)
    if "event" in body:
        queued = log.replay_one(*where, body["event"].removeprefix("msg_"), now=now())
    elif "failed" in body:
        queued = log.replay_failed(*where, body.get("after", 0), now=now())
    else:
        queued = log.replay_range(*where, body["after"], body["until"], now=now())
    return {"queued": queued.count, "next_after": queued.next_after}


# ---- events ----


@bp.route("/events", methods=["GET"])
@bp.host("events")
@bp.arguments(schemas.EventsQuery, location="query")
@bp.response(200, schemas.EventsOut)
@bp.problems(400, 401, 403, 404, 429, 503)
def events(query: dict[str, Any]) -> dict[str, Any]:
    """Every event of the site in order, without gaps: read on from the last `seq` to have missed nothing."""
    site_id = auth.host("events", query["site"]).site_id
    found = payloads.listed(parts().database, site_id, query["after"], query["limit"], types=query["type"])
    return {"events": found}


# ---- shapes ----


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "types": endpoint.types,
        "full": endpoint.full,
        "state": endpoint.state,
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": _moment(endpoint.failing_since),
        "resting_until": _moment(endpoint.resting_until),
        "keys": endpoints.keys_shown(endpoint, now()),
        "created_at": moment(endpoint.created_at),
    }


def _entry(entry: log.Entry) -> dict[str, Any]:
    delivery = entry.delivery
    return {
        "id": delivery.id,
        "event": payloads.message_id(delivery.event_id),
        "type": entry.event.type,
        "seq": entry.event.seq,
        "replay": delivery.replay,
        "state": delivery.state,
        "due_at": moment(delivery.due_at),
        "delivered_at": _moment(delivery.delivered_at),
        "created_at": moment(delivery.created_at),
        "attempts": [
            {
                "number": attempt.number,
                "at": moment(attempt.at),
                "latency_ms": attempt.latency_ms,
                "status": attempt.status,
                "error": attempt.error,
                "answer": attempt.answer,
            }
            for attempt in entry.attempts
        ],
    }


def _moment(value: datetime | None) -> str | None:
    return moment(value) if value else None
