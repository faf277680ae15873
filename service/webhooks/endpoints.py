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

from service.db import Database
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


def register(db: Database, site_id: str, wish: Wish, door: Door, *, now: datetime) -> tuple[Endpoint, str]:
    """A new endpoint and what its receiver verifies with: the shared secret, to be shown this once, or a public key."""
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
    with db.write() as session:
        if session.get(Site, site_id, with_for_update=NO_KEY_LOCK) is None:
            raise NotFound("There is no such site.")
        if len(_of_site(session, site_id)) >= MOST_ENDPOINTS:
            raise Conflict(f"A site has {MOST_ENDPOINTS} endpoints at most; delete one first.")
        session.add(endpoint)
    return endpoint, shown


def listed(db: Database, site_id: str) -> list[Endpoint]:
    """A site's endpoints, oldest first, without those it deleted."""
    with db.read() as session:
        return _of_site(session, site_id)


def one(db: Database, site_id: str, id_: str) -> Endpoint:
    """One of a site's endpoints; `NotFound` for what is not there and for what is another site's."""
    with db.read() as session:
        return find(session, site_id, id_)


def change(db: Database, site_id: str, id_: str, changes: Mapping[str, Any], door: Door, *, now: datetime) -> Endpoint:
    """Change `url`, `description`, `types` or `full`, and put it in or out of service by `enabled`."""
    checked = dict(changes)
    if "url" in changes:
        checked["url"] = _checked_url(changes["url"], door)
    if "types" in changes:
        checked["types"] = _checked_types(changes["types"])
    enabled = checked.pop("enabled", None)
    with db.write() as session:
        endpoint = find(session, site_id, id_, lock=True)
        for name in ("url", "description", "types", "full"):
            setattr(endpoint, name, checked.get(name, getattr(endpoint, name)))
        session.add(endpoint)
        if enabled is True:
            _enable(session, endpoint)
        elif enabled is False:
            disable(session, endpoint, "by-hand", now=now)
    return endpoint


def rotate(
    db: Database, site_id: str, id_: str, scheme: str, *, now: datetime, overlap: timedelta = OVERLAP
) -> tuple[Endpoint, str]:
    """Give an endpoint a new key, shown this once; the newest of the old ones signs beside it until `overlap` ends."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid(f"Two keys may sign together for {LONGEST_OVERLAP.days} days at most.", pointer="/overlap")
    secret, shown = _new_secret(scheme)
    with db.write() as session:
        endpoint = find(session, site_id, id_, lock=True)
        kept = [{**old, "until": _sooner(old["until"], now + overlap)} for old in endpoint.secrets[:1]]
        endpoint.secrets = [secret, *kept] if overlap else [secret]
        session.add(endpoint)
    return endpoint, shown


def delete(db: Database, site_id: str, id_: str, *, now: datetime) -> None:
    """Forget an endpoint and its keys; nothing more is sent to it."""
    with db.write() as session:
        endpoint = find(session, site_id, id_, lock=True)
        endpoint.deleted_at, endpoint.secrets = now, []
        session.add(endpoint)
        session.flush()
        give_up(session, endpoint.id)


def ping(db: Database, site_id: str, id_: str, *, now: datetime) -> Event:
    """The test button: one `ping`, to this endpoint alone; the delivery log tells how it went."""
    with db.write() as session:
        endpoint = in_service(session, site_id, id_)
        return emit_to(session, endpoint, "ping", {"endpoint": {"id": endpoint.id}}, now=now)


def find(session: Session, site_id: str, id_: str, *, lock: bool = False) -> Endpoint:
    """One of a site's endpoints, for the caller's transaction."""
    endpoint = session.get(Endpoint, id_, with_for_update=NO_KEY_LOCK if lock else None)
    if endpoint is None or endpoint.site_id != site_id or endpoint.deleted_at is not None:
        raise NotFound("There is no such endpoint.")
    return endpoint


def in_service(session: Session, site_id: str, id_: str) -> Endpoint:
    """One of a site's endpoints, locked, to which something is to be sent; raises `Conflict` for a disabled one."""
    endpoint = find(session, site_id, id_, lock=True)
    if endpoint.state != ACTIVE:
        raise Conflict("This endpoint is disabled; enable it first.")
    return endpoint


def _of_site(session: Session, site_id: str) -> list[Endpoint]:
    mine = select(Endpoint).where(Endpoint.site_id == site_id, col(Endpoint.deleted_at).is_(None))
    return list(session.exec(mine.order_by(col(Endpoint.created_at), col(Endpoint.id))))


def _enable(session: Session, endpoint: Endpoint) -> None:
    """Back in service with a clean slate; what was missed meanwhile is for a replay."""
    endpoint.state, endpoint.disabled_reason = ACTIVE, None
    endpoint.failing_since = endpoint.resting_until = None
    session.add(endpoint)


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
