"""Keys for the Perspective-compatible endpoints: an API key with the scope `perspective`, and the terms it is given on.

Strict keys refuse a language that the engine does not know, as Perspective does; lenient ones score what can be scored
and say so. A quota counts calls a minute. Curves map a score to the scale that a site's thresholds were made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sqlmodel import Session

from service.db import Database
from service.errors import Invalid, NotFound
from service.identity import api_keys
from service.models import ApiKey

SCOPE: Final = "perspective"
PER_MINUTE: Final = 3_000
MOST_PER_MINUTE: Final = 1_000_000
MOST_POINTS: Final = 500

Curve = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a key is given on. `curves` holds by attribute our scores, rising, and what each counts as."""

    per_minute: int = PER_MINUTE
    lenient: bool = False
    curves: Mapping[str, Curve] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The terms as they are stored."""
        curves = {name: [list(ours), list(theirs)] for name, (ours, theirs) in self.curves.items()}
        return {"per_minute": self.per_minute, "lenient": self.lenient, "curves": curves}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Terms:
        """The terms that were stored; what is missing is as for a new key."""
        return cls(
            per_minute=int(stored.get("per_minute", PER_MINUTE)),
            lenient=bool(stored.get("lenient", False)),
            curves={name: (tuple(ours), tuple(theirs)) for name, (ours, theirs) in stored.get("curves", {}).items()},
        )


def create(session: Session, site_id: str, name: str, terms: Terms, *, now: datetime) -> tuple[ApiKey, str]:
    """A new key on these terms; the second value is the key itself, which can be shown this once only."""
    check(terms)
    row, shown = api_keys.create(session, site_id, name, [SCOPE], now=now)
    row.settings = terms.to_json()
    session.add(row)
    return row, shown


def change(session: Session, key_id: str, terms: Terms) -> ApiKey:
    """Put a key on other terms, from its next call on."""
    check(terms)
    row = _found(session, key_id)
    row.settings = terms.to_json()
    session.add(row)
    return row


def terms(session: Session, key_id: str) -> Terms:
    """The terms that a key is on; raises `NotFound`."""
    return Terms.from_json(_found(session, key_id).settings)


def _found(session: Session, key_id: str) -> ApiKey:
    row = session.get(ApiKey, key_id, with_for_update=True)
    if row is None or SCOPE not in row.scopes:
        raise NotFound("There is no such key for these endpoints.")
    return row


def create_for(db: Database, site_id: str, name: str, terms: Terms, *, now: datetime) -> str:
    """A new key on these terms, shown this once."""
    with db.write() as session:
        return create(session, site_id, name, terms, now=now)[1]


def change_for(db: Database, site_id: str, key_id: str, per_minute: int, lenient: bool) -> None:
    """Put a key of this site on another quota and mode; its map stays. Raises `NotFound` for another site's."""
    with db.write() as session:
        row = _found(session, key_id)
        if row.site_id != site_id:
            raise NotFound("There is no such key for these endpoints.")
        change(session, key_id, replace(Terms.from_json(row.settings), per_minute=per_minute, lenient=lenient))


def listed_for(db: Database, site_id: str) -> list[tuple[ApiKey, Terms]]:
    """A site's keys that still hold, with their terms, oldest first."""
    with db.read() as session:
        rows = api_keys.listed(session, site_id)
    return [(row, Terms.from_json(row.settings)) for row in rows if SCOPE in row.scopes and row.revoked_at is None]


def check(terms: Terms) -> None:
    """Raise `Invalid` for terms that cannot be kept."""
    if not 1 <= terms.per_minute <= MOST_PER_MINUTE:
        raise Invalid(f"A quota is between 1 and {MOST_PER_MINUTE} calls a minute.", pointer="/per_minute")
    for name, curve in terms.curves.items():
        if not _rises(curve):
            raise Invalid(f"The map of {name} is none: it must rise, between 0 and 1.", pointer=f"/curves/{name}")


def _rises(curve: Curve) -> bool:
    ours, theirs = curve
    return (
        2 <= len(ours) == len(theirs) <= MOST_POINTS
        and all(a < b for a, b in pairwise(ours))
        and all(a <= b for a, b in pairwise(theirs))
        and all(0 <= value <= 1 for value in (*ours, *theirs))
    )
