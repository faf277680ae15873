"""Passwords of staff: made, hashed with argon2id, compared. Knows no account and no database.

A login that does not exist costs what one that does exists costs: `matches` compares with a hash of nothing when there
is none to compare with. Only a few hashes run at once, so that a flood of logins cannot take the machine's memory.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.errors import Invalid

SHORTEST, LONGEST = 12, 256
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that reads like another
AT_ONCE = 2

# OWASP's second choice: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_turn = threading.BoundedSemaphore(AT_ONCE)
_of_nothing = _hasher.hash(secrets.token_hex(32))


def new_password() -> str:
    """A password to hand to somebody once: four groups of five letters, 99 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(4))


def hashed(password: str) -> str:
    """The argon2id hash of a password; raises `Invalid` when it is too short or too long to be one."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"A password has {SHORTEST} to {LONGEST} signs.", pointer="/password")
    with _turn:
        return _hasher.hash(_normal(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether a password belongs to the hash that was kept; False, in the same time, when none was."""
    with _turn:
        try:
            _hasher.verify(kept or _of_nothing, _normal(password[: LONGEST + 1]))
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def _normal(password: str) -> str:
    """The same password from every keyboard, whether it composes accents or not."""
    return unicodedata.normalize("NFC", password)
