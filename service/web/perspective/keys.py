"""Whose key a call carries, and the terms that the key was given on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from service import sites
from service.errors import Forbidden, NotFound, Unauthenticated
from service.identity import api_keys
from service.identity.scoring_keys import SCOPE, Terms
from service.web.perspective import refusals

if TYPE_CHECKING:
    from service.db import Database


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


def consumer(db: Database, key: str, now: datetime) -> Consumer:
    """Who a key belongs to; raises `Refusal` where it does not hold here."""
    try:
        host = api_keys.authenticate(db, key, SCOPE, now=now)
        site = sites.find_site(db, host.site_id)
    except (Unauthenticated, Forbidden, NotFound):
        raise refusals.key_invalid() from None
    return Consumer(host.key_id, host.site_id, site.language, Terms.from_json(host.settings))
