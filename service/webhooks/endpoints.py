"""The host's endpoints: registered, changed, given new keys, taken out of service and back, tested, deleted.

A site sees its own endpoints and no others. A secret is shown when it is made and never again; the public key of a
`v1a` endpoint may be seen at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from service.errors import Conflict, Invalid, NotFound
from service.models import Endpoint, Event, Site, new_id
from service.outbound import Door, OutboundRefused
from service.webhooks import signing
from service.webhooks.deliveries import ACTIVE, NO_KEY_LOCK, disable, give_up
from service.webhooks.events import EVENTS, emit_to

MOST_ENDPOINTS: Final = 20
OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=7)
SCHEMES: Final = ("v1", "v1a")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a host wants of a new endpoint; no `types` means all of them."""

    url: str
    description: str = ""
    types: Sequence[str] = ()
    full: bool = False
    scheme: str = "v1"


def register(session: Session, site_id: str, wish: Wish, door: Door, *, now: datetime) -> tuple[Endpoint, str]:
    """A new endpoint and what its receiver verifies with: the shared secret, to be shown this once, or a public key."""
    if session.get(Site, site_id, with_for_update=NO_KEY_LOCK) is None:
        raise NotFound("There is no such site.")
    if len(listed(session, site_id)) >= MOST_ENDPOINTS:
        raise Conflict(f"A site has {MOST_ENDPOINTS} endpoints at most; delete one first.")
    secret, shown = _new_secret(wish.scheme)
    endpoint = Endpoint(
        site_id=site_id,
        url=_checked_url(wish.url, door),
        description=wish.description,
        types=_checked_types(wish.types),
        full=wish.full,
        secrets=[secret],
        created_at=now,
    )
    session.add(endpoint)
    session.flush()
    return endpoint, shown


def listed(session: Session, site_id: str) -> list[Endpoint]:
    """A site's endpoints, oldest first, without those it deleted."""
    mine = select(Endpoint).where(Endpoint.site_id == site_id, col(Endpoint.deleted_at).is_(None))
    return list(session.exec(mine.order_by(col(Endpoint.created_at), col(Endpoint.id))))


def get(session: Session, site_id: str, id_: str, *, lock: bool = False) -> Endpoint:
    """One of a site's endpoints; `NotFound` for what is not there and for what is another site's."""
    endpoint = session.get(Endpoint, id_, with_for_update=NO_KEY_LOCK if lock else None)
    if endpoint is None or endpoint.site_id != site_id or endpoint.deleted_at is not None:
        raise NotFound("There is no such endpoint.")
    return endpoint


def change(
    session: Session, site_id: str, id_: str, changes: Mapping[str, Any], door: Door, *, now: datetime
) -> Endpoint:
    """Change `url`, `description`, `types` or `full`, and put it in or out of service by `enabled`."""
    endpoint = get(session, site_id, id_, lock=True)
    if "url" in changes:
        endpoint.url = _checked_url(changes["url"], door)
    if "types" in changes:
        endpoint.types = _checked_types(changes["types"])
    endpoint.description = changes.get("description", endpoint.description)
    endpoint.full = changes.get("full", endpoint.full)
    session.add(endpoint)
    if changes.get("enabled") is True:
        _enable(session, endpoint)
    elif changes.get("enabled") is False:
        disable(session, endpoint, "by-hand", now=now)
    return endpoint


def _enable(session: Session, endpoint: Endpoint) -> None:
    """Back in service with a clean slate; what was missed meanwhile is for a replay."""
    endpoint.state, endpoint.disabled_reason = ACTIVE, None
    endpoint.failing_since = endpoint.resting_until = None
    session.add(endpoint)


def rotate(
    session: Session, site_id: str, id_: str, scheme: str, *, now: datetime, overlap: timedelta = OVERLAP
) -> tuple[Endpoint, str]:
    """Give an endpoint a new key, shown this once; the newest of the old ones signs beside it until `overlap` ends."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid(f"Two keys may sign together for {LONGEST_OVERLAP.days} days at most.", pointer="/overlap")
    endpoint = get(session, site_id, id_, lock=True)
    secret, shown = _new_secret(scheme)
    kept = [{**old, "until": _sooner(old["until"], now + overlap)} for old in endpoint.secrets[:1]]
    endpoint.secrets = [secret, *kept] if overlap else [secret]
    session.add(endpoint)
    return endpoint, shown


def delete(session: Session, site_id: str, id_: str, *, now: datetime) -> None:
    """Forget an endpoint and its keys; nothing more is sent to it."""
    endpoint = get(session, site_id, id_, lock=True)
    endpoint.deleted_at, endpoint.secrets = now, []
    session.add(endpoint)
    session.flush()
    give_up(session, endpoint.id)


def ping(session: Session, site_id: str, id_: str, *, now: datetime) -> Event:
    """The test button: one `ping`, to this endpoint alone; the delivery log tells how it went."""
    endpoint = get(session, site_id, id_)
    if endpoint.state != ACTIVE:
        raise Conflict("This endpoint is disabled; enable it first.")
    payload = {"endpoint": {"id": endpoint.id}}
    return emit_to(session, endpoint, "ping", payload, now=now)


def keys_shown(endpoint: Endpoint, now: datetime) -> list[dict[str, Any]]:
    """The live keys without what is secret in them: id, scheme, until when, and the public key of a `v1a`."""
    return [
        {
            "id": key["id"],
            "scheme": key["scheme"],
            "until": key["until"],
            "public_key": signing.public_key(key["key"]) if key["scheme"] == "v1a" else None,
        }
        for key in endpoint.secrets
        if key["until"] is None or datetime.fromisoformat(key["until"]) > now
    ]


def _new_secret(scheme: str) -> tuple[dict[str, Any], str]:
    """A key as it is kept, and what of it the receiver gets."""
    if scheme not in SCHEMES:
        raise Invalid(f"The scheme must be one of {', '.join(SCHEMES)}.", pointer="/scheme")
    if scheme == "v1":
        kept = shown = signing.new_secret()
    else:
        kept, shown = signing.new_keypair()
    return {"id": new_id(), "scheme": scheme, "key": kept, "until": None}, shown


def _sooner(until: str | None, other: datetime) -> str:
    return min(datetime.fromisoformat(until), other).isoformat() if until else other.isoformat()


def _checked_url(url: str, door: Door) -> str:
    try:
        return door.check_url(url)
    except OutboundRefused as refusal:
        raise OutboundRefused(refusal.detail, pointer="/url") from None


def _checked_types(types: Sequence[str]) -> list[str]:
    if unknown := sorted(set(types) - set(EVENTS)):
        raise Invalid(f"No such event: {', '.join(unknown)[:200]}.", pointer="/types")
    return sorted(set(types))
