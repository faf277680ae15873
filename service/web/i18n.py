"""Words in the reader's language for pages without script: the widget's own locale files, so that both say the same.

Knows files and no requests. A text without a translation is said as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).parent / "locales"
USUAL = "en"
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """One language's texts by their keys."""

    tag: str
    texts: Mapping[str, Any]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its places filled; a key that nobody translated is its own text."""
        found = self.texts.get(key, key)
        text = found["other"] if isinstance(found, dict) else found
        return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), text) if values else text


def words(*wishes: str | None) -> Words:
    """The words of the first of these language tags that we speak; English where we speak none."""
    spoken = (tag for wish in wishes if (tag := (wish or "").lower().partition("-")[0]) in _languages())
    tag = next(spoken, USUAL)
    return Words(tag, _languages()[tag])


@cache
def _languages() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(LOCALES.glob("*.json"))}
