"""A host's API keys: random, shown once, kept as a hash, each with the scopes that it was given.

A key has 256 random bits, so a plain SHA-256 is enough, and looking it up by its hash tells nothing by its time.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from service.db import Database
from service.errors import Forbidden, Invalid, NotFound, Unauthenticated
from service.models import ApiKey, Site

PREFIX: Final = "fwk_"
SCOPES: Final = ("articles", "authors", "events", "moderate", "perspective", "webhooks")
TOUCH_EVERY: Final = timedelta(hours=1)

_FORM = re.compile(r"fwk_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Host:
    """Who a key speaks for, and what it may do there."""

    key_id: str
    site_id: str
    name: str
    scopes: frozenset[str]
    settings: dict[str, Any] = field(default_factory=dict)


def create(session: Session, site_id: str, name: str, scopes: Iterable[str], *, now: datetime) -> tuple[ApiKey, str]:
    """A new key; the second value is the key itself, which is not kept and can be shown this once only."""
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise Invalid(f"No such scope: {', '.join(unknown)}. There are: {', '.join(SCOPES)}.", pointer="/scopes")
    if not wanted:
        raise Invalid("A key without scopes can do nothing; name at least one.", pointer="/scopes")
    if session.get(Site, site_id) is None:
        raise NotFound("There is no such site.")
    shown = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(site_id=site_id, name=name, hash=hash_key(shown), hint=shown[-4:], scopes=wanted, created_at=now)
    session.add(row)
    session.flush()
    return row, shown


def listed(session: Session, site_id: str) -> list[ApiKey]:
    """Every key of a site, oldest first, revoked ones too."""
    return list(session.exec(select(ApiKey).where(ApiKey.site_id == site_id).order_by(col(ApiKey.created_at))))


def revoke(session: Session, key_id: str, *, now: datetime) -> ApiKey:
    """End a key at once."""
    row = session.get(ApiKey, key_id, with_for_update=True)
    if row is None:
        raise NotFound("There is no such key.")
    row.revoked_at = row.revoked_at or now
    session.add(row)
    return row


def create_for(db: Database, site_id: str, name: str, scopes: Iterable[str], *, now: datetime) -> str:
    """`create` in a transaction of its own; returns the key itself."""
    with db.write() as session:
        return create(session, site_id, name, scopes, now=now)[1]


def listed_for(db: Database, site_id: str) -> list[ApiKey]:
    """`listed` in a transaction of its own."""
    with db.read() as session:
        return listed(session, site_id)


def revoke_of(db: Database, site_id: str, key_id: str, *, now: datetime) -> None:
    """End a key of one site; another site's is not there."""
    with db.write() as session:
        row = session.get(ApiKey, key_id)
        if row is None or row.site_id != site_id:
            raise NotFound("There is no such key.")
        revoke(session, key_id, now=now)


def authenticate(db: Database, shown: str, scope: str, *, site_id: str | None = None, now: datetime) -> Host:
    """The host that a key speaks for, when the key lives, carries `scope` and belongs to `site_id` (if given).

    Raises `Unauthenticated`, `Forbidden` for a missing scope, and `NotFound` for another site's affairs, which look
    like those of a site that does not exist.
    """
    row = _find(db, shown)
    if row is None or row.revoked_at is not None:
        raise Unauthenticated("This API key does not hold.")
    if scope not in row.scopes:
        raise Forbidden(f"This API key does not have the scope {scope}.")
    if site_id is not None and site_id != row.site_id:
        raise NotFound("There is no such site.")
    _touch(db, row, now)
    return Host(row.id, row.site_id, row.name, frozenset(row.scopes), dict(row.settings))


def _find(db: Database, shown: str) -> ApiKey | None:
    if not _FORM.fullmatch(shown):
        return None
    with db.read() as session:
        return session.exec(select(ApiKey).where(ApiKey.hash == hash_key(shown))).first()


def _touch(db: Database, row: ApiKey, now: datetime) -> None:
    """Remember that a key is in use, once an hour and not at every request."""
    if row.last_used_at is not None and now - row.last_used_at < TOUCH_EVERY:
        return
    with db.write() as session:
        session.get_one(ApiKey, row.id).last_used_at = now


def hash_key(shown: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(shown.encode()).hexdigest()
