"""A view of the queue as an address, and an address as a view: every choice stands in the query, nothing is hidden."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from service.errors import Invalid
from service.review import Ask
from service.web.desk import words

# What a field of `Ask` is called in an address.
NAMES = {
    "view": "view",
    "order": "order",
    "codes": "code",
    "band": "band",
    "attribute": "attribute",
    "lowest": "from",
    "highest": "to",
    "sections": "section",
    "article": "article",
    "author": "author",
    "network": "network",
    "fingerprint": "alike",
    "language": "language",
    "writer": "writer",
    "since": "since",
    "until": "until",
    "words": "q",
    "after": "after",
}
CHIPS = {
    "codes": "Held for",
    "band": "Band, at least",
    "attribute": "Score",
    "sections": "Section",
    "article": "Article",
    "author": "One author",
    "network": "One network",
    "fingerprint": "Alike",
    "language": "Language",
    "writer": "Author",
    "since": "Since",
    "until": "Until",
    "words": "Search",
}
MANY = ("codes", "sections")
LONGEST = 300


def read_ask(site: str, query: MultiDict[str, str]) -> Ask:
    """The view that an address names; raises `Invalid` for what cannot be read."""
    chosen: dict[str, Any] = {}
    for field, name in NAMES.items():
        values = [value[:LONGEST] for value in query.getlist(name) if value]
        if values:
            chosen[field] = tuple(values) if field in MANY else _value(field, values[0])
    return Ask(site, **chosen)


def _value(field: str, raw: str) -> Any:
    try:
        if field in ("lowest", "highest"):
            return float(raw)
        if field in ("since", "until"):
            moment = datetime.fromisoformat(raw)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        kind = "number" if "est" in field else "time"
        raise Invalid(f"“{NAMES[field]}” cannot be read: it has to be a {kind}.") from None
    return raw


def query_of(ask: Ask, **changes: Any) -> dict[str, Any]:
    """The query of a view's address, without what is as usual; `changes` are fields of `Ask`."""
    ask = replace(ask, **changes)
    usual = Ask(ask.site)
    found: dict[str, Any] = {}
    for field in fields(Ask):
        value = getattr(ask, field.name)
        if field.name in NAMES and value != getattr(usual, field.name):
            found[NAMES[field.name]] = value.isoformat() if isinstance(value, datetime) else value
    return found


def chips(ask: Ask) -> list[tuple[str, dict[str, Any]]]:
    """Each filter in words, with the query of the same view without it."""
    usual = Ask(ask.site)
    return [
        (f"{label}{_shown(ask, field)}", query_of(ask, after="", **_without(field, usual)))
        for field, label in CHIPS.items()
        if getattr(ask, field) != getattr(usual, field)
    ]


def _without(field: str, usual: Ask) -> dict[str, Any]:
    dropped = ("attribute", "lowest", "highest") if field == "attribute" else (field,)
    return {name: getattr(usual, name) for name in dropped}


def _shown(ask: Ask, field: str) -> str:
    value = getattr(ask, field)
    if field in ("author", "network", "fingerprint"):
        return ""
    if field == "attribute":
        highest = 1 if ask.highest is None else ask.highest
        return f": {words.label(value, value).lower()} {ask.lowest or 0:.2f} to {highest:.2f}"
    if field == "codes":
        return f": {', '.join(words.label(code) for code in value)}"
    if isinstance(value, datetime):
        return f": {value:%Y-%m-%d %H:%M} UTC"
    return f": {', '.join(value) if isinstance(value, tuple) else value}"
