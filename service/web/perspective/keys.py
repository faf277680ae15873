"""Whose key a call carries, and the terms that the key was given on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from service import sites
from service.errors import Forbidden, NotFound, Unauthenticated
from service.identity import api_keys
from service.identity.scoring_keys import SCOPE, Terms
from service.web.perspective import refusals

if TYPE_CHECKING:
    from service.db import Database


REMEMBERED = timedelta(seconds=1)
MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who calls, and on which terms. `language` is their site's, for texts too short to tell."""

    key_id: str
    site_id: str
    language: str
    terms: Terms

    @property
    def name(self) -> str:
        """The consumer as an error names it."""
        return f"api_key:{self.key_id}"


def shown(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The key of a call: the query's, the header's, or the bearer token; empty where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return query.get("key") or headers.get("x-goog-api-key", "") or bearer


class Keys:
    """Looks keys up, and remembers one that held for a second: a busy client's key is read once, not at each call.

    So a key that is revoked or put on other terms is so within a second. `remembered` asks nobody.
    """

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock
        self._held: dict[str, tuple[Consumer, datetime]] = {}

    def consumer(self, key: str) -> Consumer:
        """Who a key belongs to; raises `Refusal` where it does not hold here."""
        now = self._clock()
        held = self._held.get(key)
        if held and timedelta(0) <= now - held[1] < REMEMBERED:
            return held[0]
        self._held.pop(key, None)
        found = self._found(key, now)
        if len(self._held) >= MOST_REMEMBERED:
            self._held.clear()
        self._held[key] = (found, now)
        return found

    def remembered(self, key: str) -> Consumer | None:
        """Who a key belonged to when it was last looked up, for an answer that grants nothing."""
        held = self._held.get(key)
        return held[0] if held else None

    def _found(self, key: str, now: datetime) -> Consumer:
        try:
            host = api_keys.authenticate(self._db, key, SCOPE, now=now)
            site = sites.find_site(self._db, host.site_id)
        except (Unauthenticated, Forbidden, NotFound):
            raise refusals.key_invalid() from None
        return Consumer(host.key_id, host.site_id, site.language, Terms.from_json(host.settings))
