"""Whose key a call carries, and what that key is set to: strictness, quota, and the map that keeps old thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service import sites
from service.errors import Forbidden, NotFound, Unauthenticated
from service.identity import api_keys
from service.web.perspective import refusals

if TYPE_CHECKING:
    from service.db import Database

SCOPE = "perspective"
PER_MINUTE = 3_000

Curve = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who calls. `language` is their site's, for texts too short to tell; `curves` map a score to the old scale."""

    key_id: str
    site_id: str
    language: str
    strict: bool
    per_minute: int
    curves: Mapping[str, Curve]

    @property
    def name(self) -> str:
        """The consumer as an error names it."""
        return f"api_key:{self.key_id}"


def shown(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The key of a call: the query's, the header's, or the bearer token; empty where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return query.get("key") or headers.get("x-goog-api-key", "") or bearer


def consumer(db: Database, key: str, now: datetime) -> Consumer:
    """Who a key belongs to; raises `Refusal` where it does not hold here."""
    try:
        host = api_keys.authenticate(db, key, SCOPE, now=now)
        site = sites.find_site(db, host.site_id)
    except (Unauthenticated, Forbidden, NotFound):
        raise refusals.key_invalid() from None
    chosen: Mapping[str, Any] = host.settings
    return Consumer(
        key_id=host.key_id,
        site_id=host.site_id,
        language=site.language,
        strict=not chosen.get("lenient", False),
        per_minute=int(chosen.get("per_minute", PER_MINUTE)),
        curves={name: (tuple(ours), tuple(theirs)) for name, (ours, theirs) in chosen.get("curves", {}).items()},
    )
