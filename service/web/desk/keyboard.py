"""The keys of the desk: what each does, and how somebody changes them or switches them off."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from service.errors import Invalid

# Each verb with its key and its words, in the order of the help.
KEYS: dict[str, tuple[str, str]] = {
    "next": ("j", "Next"),
    "previous": ("k", "Previous"),
    "approve": ("a", "Approve"),
    "reject": ("r", "Reject, then the digit of a reason"),
    "escalate": ("e", "Escalate"),
    "spam": ("s", "Reject as spam"),
    "select": ("x", "Select"),
    "range": ("shift+x", "Select a range"),
    "undo": ("u", "Undo"),
    "context": ("c", "Context"),
    "unfold": ("b", "Unfold severe text"),
    "open": ("o", "Open the article"),
    "search": ("/", "Search"),
    "go": ("g", "Go to a view, then its digit"),
    "help": ("?", "All keys"),
}
KEY = re.compile(r"(?:shift\+)?[a-z]|[^\sA-Z0-9]")


def chosen(preferences: Mapping[str, Any]) -> dict[str, Any]:
    """Whether single keys are on, and the key of each verb, as somebody chose them."""
    own = preferences.get("keys") or {}
    return {
        "on": own.get("on", True),
        "keys": {verb: own.get("map", {}).get(verb, usual) for verb, (usual, _) in KEYS.items()},
    }


def as_json(preferences: Mapping[str, Any]) -> str:
    """The same for the page's script."""
    return json.dumps(chosen(preferences))


def shown(key: str) -> str:
    """A key as its cap shows it."""
    return key.replace("shift+", "⇧ ").upper()


def read(on: bool, given: Mapping[str, str]) -> dict[str, Any]:
    """Somebody's choice from a form; raises `Invalid` for a key that is none or does two things."""
    mapped = {verb: given.get(verb, usual).strip().lower() or usual for verb, (usual, _) in KEYS.items()}
    for verb, key in mapped.items():
        if not KEY.fullmatch(key):
            raise Invalid(f"“{KEYS[verb][1]}” needs one letter or sign, perhaps after shift+.", pointer=f"/{verb}")
    taken = list(mapped.values())
    twice = sorted({key for key in taken if taken.count(key) > 1})
    if twice:
        raise Invalid(f"{', '.join(twice)} would do two things.")
    return {"on": on, "map": {verb: key for verb, key in mapped.items() if key != KEYS[verb][0]}}
