"""Display names: what an author may be called.

A name must show something, keep its direction, and pass neither for the staff nor for anybody whose name the host has
signed. This room knows nobody: the caller says which names are protected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from moderation.policy import Policy
from moderation.text import TextRefused, canonicalise, fold, latin_twin

MAX_NAME = 50
# Offices that nobody may claim: the first in any part of a name, the second as the whole of it.
OFFICES = ("admin", "administrator", "moderator", "webmaster", "sysadmin", "superuser")
TITLES = (
    "mod",
    "mods",
    "staff",
    "support",
    "system",
    "root",
    "official",
    "editor",
    "editorial",
    "newsroom",
    "firstword",
)
DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_ADDRESS = re.compile(r"://|www\.|[^\s@]@[^\s@]+\.|\.(?:com|net|org|info|ru|cn|biz|io)\b", re.IGNORECASE)
_ALIKE = str.maketrans("01l|!3457$@", "oiiiieastsa")


@dataclass(frozen=True, slots=True)
class NameVerdict:
    """A name as it is stored, what is wrong with it (a code, or None), and what it looks like."""

    name: str
    problem: str | None
    skeleton: str


def judge_name(name: str, protected: Sequence[str] = (), policy: Policy | None = None) -> NameVerdict:
    """Whether a display name may be borne; with a policy, whether its words may stand in one."""
    try:
        shown = canonicalise(" ".join(name.split()) or " ", limit=MAX_NAME)
    except TextRefused as refused:
        return NameVerdict(name, refused.code.replace("text.", "name."), "")
    looks = skeleton(shown)
    return NameVerdict(shown, _problem(shown, looks, protected, policy), looks)


def skeleton(name: str) -> str:
    """What a name looks like: two names with one skeleton cannot be told apart at a glance."""
    letters = (latin_twin(letter) for letter in fold(name).text)
    return "".join(letter for letter in "".join(letters).translate(_ALIKE).replace("rn", "m") if letter.isalnum())


def _problem(name: str, looks: str, protected: Sequence[str], policy: Policy | None) -> str | None:
    if any(character in DIRECTIONS or unicodedata.category(character) == "Cc" for character in name):
        return "name.direction"
    if not looks:
        return "name.empty"
    if _ADDRESS.search(name):
        return "name.link"
    if _claims_an_office(name, looks):
        return "name.reserved"
    if looks in {skeleton(other) for other in protected}:
        return "name.taken"
    if policy and any(hit.term.severity != "mild" for hit in policy.words.find(fold(name), policy.language)):
        return "name.wordlist"
    return None


def _claims_an_office(name: str, looks: str) -> bool:
    offices = {skeleton(office) for office in OFFICES}
    parts = {skeleton(part) for part in re.split(r"[\W_]+", name)}
    return looks in offices | {skeleton(title) for title in TITLES} or bool(offices & parts)
