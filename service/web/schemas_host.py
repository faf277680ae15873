"""The host side's shapes at the edge: endpoints, deliveries, events. No queries, no current user."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from service.web.schemas import PageQuery
from service.web.strict_fields import (
    SITE_ID,
    Pattern,
    PlainQuery,
    QueryInteger,
    StrictBoolean,
    StrictInteger,
    StrictSchema,
)

TYPE = validate.Length(min=1, max=60)
NUMBER = validate.Range(0, 2**53)
STATES = ("due", "sending", "delivered", "failed")
SCHEMES = ("v1", "v1a")
EVENT_ID = Pattern("^msg_[0-9a-f]{24}$", error="Not the id of an event.")

SAMPLE_EVENT = {
    "id": "msg_6c1f3a5de2b4c7908f1a2b3c",
    "type": "comment.approved",
    "timestamp": "2026-05-04T12:00:00.123Z",
    "site": "gazette",
    "seq": 1042,
    "data": {
        "comment": {
            "id": "0f5c1d2e3b4a59687786a5b4",
            "parent": None,
            "version": 1,
            "revision": 1,
            "status": "approved",
            "public_version": 1,
        },
        "article": {"key": "2026/05/trams", "count": 12},
        "author": {"id": "9a8b7c6d5e4f30211203f4e5"},
        "actor": "engine",
        "reason": None,
    },
}


# ---- what hosts send ----------------------------------------------------------------------------------------------


class _EndpointFields(StrictSchema):
    """What a new and a changed endpoint have in common."""

    description = fields.String(validate=validate.Length(max=200))
    types = fields.List(
        fields.String(validate=TYPE),
        validate=validate.Length(max=50),
        metadata={"description": "Only these types of event; an empty list means all."},
    )
    full = StrictBoolean(metadata={"description": "With texts and names, read at the moment of delivery."})


class EndpointIn(_EndpointFields):
    """A new endpoint."""

    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=2_048),
        metadata={"example": "https://gazette.example/hooks/comments"},
    )
    scheme = fields.String(
        load_default="v1",
        validate=validate.OneOf(SCHEMES),
        metadata={"description": "v1: a shared secret (HMAC-SHA256). v1a: ed25519; you hold the public key only."},
    )


class EndpointChangeIn(_EndpointFields):
    """What is to change; what is left out stays."""

    url = fields.String(validate=validate.Length(min=1, max=2_048))
    enabled = StrictBoolean()


class RotationIn(StrictSchema):
    """A new key, and for how many seconds the old one signs beside it; 0 ends a leaked one at once."""

    scheme = fields.String(load_default="v1", validate=validate.OneOf(SCHEMES))
    overlap = StrictInteger(load_default=86_400, validate=validate.Range(0, 7 * 86_400))


class NothingIn(StrictSchema):
    """A body that may be left out and holds nothing."""


class ReplayIn(StrictSchema):
    """One of three: one `event`; the range above `after` up to `until`; all that `failed` (above `after`, if given)."""

    event = fields.String(validate=EVENT_ID, metadata={"example": SAMPLE_EVENT["id"]})
    after = StrictInteger(validate=NUMBER)
    until = StrictInteger(validate=NUMBER)
    failed = StrictBoolean()

    SHAPES: ClassVar = ({"event"}, {"after", "until"}, {"failed"}, {"failed", "after"})

    @validates_schema
    def one_of_three(self, given: dict[str, Any], **_: Any) -> None:
        """Refuse mixtures, whose meaning would be a guess."""
        if set(given) not in self.SHAPES or given.get("failed") is False:
            raise ValidationError("Give `event`, or `after` and `until`, or `failed: true` with or without `after`.")


class DeliveriesQuery(PageQuery):
    """Which part of the delivery log."""

    state = PlainQuery(load_default=None, validate=validate.OneOf(STATES))


class EventsQuery(Schema):
    """Which events: those numbered above `after`, of one type or of all."""

    site = PlainQuery(load_default=None, validate=SITE_ID)
    after = QueryInteger(load_default=0, validate=validate.Range(0))
    limit = QueryInteger(load_default=100, validate=validate.Range(1, 1_000))
    type = fields.List(PlainQuery(validate=TYPE), load_default=list, validate=validate.Length(max=20))


# ---- what hosts get -----------------------------------------------------------------------------------------------


class KeyOut(StrictSchema):
    """A live key of an endpoint, without what is secret in it."""

    id = fields.String(required=True)
    scheme = fields.String(required=True)
    until = fields.String(required=True, allow_none=True)
    public_key = fields.String(required=True, allow_none=True)


class EndpointOut(StrictSchema):
    """An endpoint as its host sees it."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    description = fields.String(required=True)
    types = fields.List(fields.String(), required=True)
    full = fields.Boolean(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("active", "disabled")))
    disabled_reason = fields.String(required=True, allow_none=True)
    failing_since = fields.String(required=True, allow_none=True)
    resting_until = fields.String(required=True, allow_none=True)
    keys = fields.List(fields.Nested(KeyOut), required=True)
    created_at = fields.String(required=True)


class KeyedEndpointOut(EndpointOut):
    """An endpoint with its new key: the shared secret, shown this once, or the public key."""

    secret = fields.String(required=True, metadata={"example": "whsec_…"})


class EndpointsOut(StrictSchema):
    """A site's endpoints."""

    endpoints = fields.List(fields.Nested(EndpointOut), required=True)


class EventOut(StrictSchema):
    """An event, as in a webhook's body. `seq` counts a site's events without gaps."""

    id = fields.String(required=True)
    type = fields.String(required=True)
    timestamp = fields.String(required=True)
    site = fields.String(required=True)
    seq = fields.Integer(required=True)
    data = fields.Dict(required=True)


class EventsOut(StrictSchema):
    """Events in order. Ask again with `after` = the last `seq` until the list is empty."""

    events = fields.List(fields.Nested(EventOut), required=True, metadata={"example": [SAMPLE_EVENT]})


class AttemptOut(StrictSchema):
    """One try: a status, or an error where none came; and the first 512 bytes of the answer."""

    number = fields.Integer(required=True)
    at = fields.String(required=True)
    latency_ms = fields.Integer(required=True)
    status = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    answer = fields.String(required=True)


class DeliveryOut(StrictSchema):
    """One event on its way to one endpoint."""

    id = fields.String(required=True)
    event = fields.String(required=True)
    type = fields.String(required=True)
    seq = fields.Integer(required=True)
    replay = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    due_at = fields.String(required=True)
    delivered_at = fields.String(required=True, allow_none=True)
    created_at = fields.String(required=True)
    attempts = fields.List(fields.Nested(AttemptOut), required=True)


class DeliveriesOut(StrictSchema):
    """A page of the delivery log, newest first."""

    deliveries = fields.List(fields.Nested(DeliveryOut), required=True)
    next = fields.String(required=True, allow_none=True)


class QueuedOut(StrictSchema):
    """How many events will be sent again; `next_after` is where to go on when there are more."""

    queued = fields.Integer(required=True)
    next_after = fields.Integer(required=True, allow_none=True)
