"""What people said of texts: the stream that a site's own model learns from.

A label is somebody's score for a text, sent by a system that moderates elsewhere, per community. It is kept with what
the model said of the same text, so that the two can be counted against each other, exported, and erased. This room
judges nothing; whether a text may be kept at all its caller has made sure of.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select

from service.db import Database
from service.errors import Invalid
from service.models import Label

PAGE = 500
HALF = 0.5
# What Coral calls a moderator's decision. Both are counted against toxicity, which is not all that a moderator goes by.
CORAL = {"DELETED": 1.0, "REJECTED": 1.0, "APPROVED": 0.0, "ACCEPTED": 0.0, "HIGHLIGHTED": 0.0}
CORAL_FIELDS = {"url": "url", "reply_to_id_Coral_comment_id": "parent", "Coral_comment_id": "comment"}
AGAINST = "TOXICITY"
COUNTS = ("labels", "compared", "agreed", "both", "people_only", "model_only")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text with what somebody said of it, and what the model did. Stretches carry their places in UTF-16 units."""

    site_id: str
    text: str
    scores: Mapping[str, float]
    api_key_id: str | None = None
    community: str = ""
    client_token: str = ""
    entries: tuple[str, ...] = ()
    stretches: tuple[Mapping[str, Any], ...] = ()
    languages: tuple[str, ...] = ()
    model_scores: Mapping[str, float] = field(default_factory=dict)
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One name that labels were given under, counted against the model at one half."""

    community: str
    name: str
    labels: int
    compared: int
    agreed: int
    both: int
    people_only: int
    model_only: int

    @property
    def share(self) -> float | None:
        """How often both said the same; None where the model said nothing."""
        return self.agreed / self.compared if self.compared else None


def suggest(db: Database, suggestion: Suggestion, *, now: datetime) -> str:
    """Keep a label; returns its id."""
    label = Label(
        site_id=suggestion.site_id,
        api_key_id=suggestion.api_key_id,
        community=storable(suggestion.community),
        client_token=storable(suggestion.client_token),
        text=storable(suggestion.text),
        context=_context(suggestion),
        scores={storable(name): value for name, value in suggestion.scores.items()},
        model_scores=dict(suggestion.model_scores),
        engine=suggestion.engine,
        created_at=now,
    )
    with db.write() as session:
        session.add(label)
        return label.id


def storable(text: str) -> str:
    """A text as every database takes it: without NUL."""
    return text.replace("\0", "\ufffd")


def _context(suggestion: Suggestion) -> dict[str, Any]:
    """What is kept of the context: Coral's fields where they are Coral's, other entries by their length alone."""
    context: dict[str, Any] = {}
    other = []
    for entry in suggestion.entries:
        coral = coral_fields(entry)
        context.update(coral)
        if not coral:
            other.append(len(entry))
    if other:
        context["entries"] = other
    if suggestion.stretches:
        context["stretches"] = [dict(stretch) for stretch in suggestion.stretches]
    if suggestion.languages:
        context["languages"] = [storable(tag) for tag in suggestion.languages]
    return context


def coral_fields(entry: str) -> dict[str, str]:
    """Comment, parent and address as Coral writes them into a context entry; empty where it is something else."""
    if not entry.startswith("{") or len(entry) > 8_192:
        return {}
    try:
        found = json.loads(entry)
    except (ValueError, RecursionError):
        return {}
    fields = {ours: found.get(theirs) for theirs, ours in CORAL_FIELDS.items()}
    return {name: storable(value)[:2_048] for name, value in fields.items() if isinstance(value, str)}


def agreement(db: Database, site_id: str, community: str | None = None) -> list[Agreement]:
    """For each community and name: how often people and model said the same of a text, at one half."""
    counted: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for label in listed(db, site_id, community):
        for name, value in label.scores.items():
            count = counted[label.community, name]
            count["labels"] += 1
            theirs, ours = _compared(name, value, label.model_scores)
            if ours is not None:
                count["compared"] += 1
                count["agreed"] += theirs == ours
                count["both"] += theirs and ours
                count["people_only"] += theirs and not ours
                count["model_only"] += ours and not theirs
    found = sorted(counted.items())
    return [Agreement(community, name, *(count[what] for what in COUNTS)) for (community, name), count in found]


def _compared(name: str, value: float, model: Mapping[str, float]) -> tuple[bool, bool | None]:
    """What people said, and what the model said: each whether it is at least one half."""
    plain = name.partition("@")[0]
    against = AGAINST if plain in CORAL else plain
    theirs = CORAL[plain] * value if plain in CORAL else value
    return theirs >= HALF, model[against] >= HALF if against in model else None


def listed(db: Database, site_id: str, community: str | None = None) -> Iterator[Label]:
    """Every label of a site, or of one community, oldest first, read a page at a time."""
    after: tuple[datetime, str] | None = None
    while True:
        with db.read() as session:
            query = select(Label).where(Label.site_id == site_id)
            if community is not None:
                query = query.where(Label.community == community)
            if after is not None:
                at, last = after
                query = query.where(
                    (col(Label.created_at) > at) | ((col(Label.created_at) == at) & (col(Label.id) > last))
                )
            page = session.exec(query.order_by(col(Label.created_at), col(Label.id)).limit(PAGE)).all()
        yield from page
        if len(page) < PAGE:
            return
        after = (page[-1].created_at, page[-1].id)


def exported(label: Label) -> dict[str, Any]:
    """A label as a line of an export: everything that is kept of it."""
    return {
        "id": label.id,
        "at": label.created_at.isoformat(),
        "community": label.community,
        "client_token": label.client_token,
        "text": label.text,
        "context": label.context,
        "scores": label.scores,
        "model_scores": label.model_scores,
        "engine": label.engine,
    }


@dataclass(frozen=True, slots=True)
class Which:
    """Labels to be erased: all conditions that are given must hold, and at least one is."""

    community: str | None = None
    client_token: str | None = None
    before: datetime | None = None
    everything: bool = False


def erase(db: Database, site_id: str, which: Which) -> int:
    """Remove labels for good; returns how many. Raises `Invalid` where nothing says which."""
    conditions = []
    if which.community is not None:
        conditions.append(col(Label.community) == which.community)
    if which.client_token is not None:
        conditions.append(col(Label.client_token) == which.client_token)
    if which.before is not None:
        conditions.append(col(Label.created_at) < which.before)
    if not conditions and not which.everything:
        raise Invalid("Say which labels: a community, a client token, a time before which, or everything.")
    with db.write() as session:
        gone = session.execute(delete(Label).where(col(Label.site_id) == site_id, *conditions))
        return int(gone.rowcount)  # type: ignore[attr-defined]
