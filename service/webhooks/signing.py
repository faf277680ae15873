"""Standard Webhooks 1.0: keys, ids, signatures and the retry schedule, as pure functions.

Knows no database and no network, and reads no clock: `now` and the source of chance are parameters. Both schemes of
the standard are here, `v1` (HMAC-SHA256, one shared secret) and `v1a` (ed25519, the receiver holds only a public key).
Keys are credentials: they must never reach a log or an error message, and nothing here puts them there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import random
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_PREFIX = "whsec_"  # noqa: S105 -- the prefix is public, what follows it is not
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"

# The waits before each attempt, first attempt included, that the standard gives as its example: 75 h 35 min in all.
SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.1
LONGEST_RETRY_AFTER = timedelta(hours=24)

_MESSAGE_ID = re.compile(r"msg_[A-Za-z0-9]{1,64}")
_SECRET_BYTES = range(24, 65)
_SEED_BYTES = 32


def new_secret() -> str:
    """A fresh shared secret for `v1`, as it is shown to the receiver: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + _b64(secrets.token_bytes(32))


def new_keypair() -> tuple[str, str]:
    """A fresh ed25519 pair for `v1a`: the private `whsk_…` that stays here, the public `whpk_…` for the receiver.

    The private key is written as seed and public half, 64 bytes, the form that other senders exchange.
    """
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    return PRIVATE_PREFIX + _b64(key.private_bytes_raw() + public), PUBLIC_PREFIX + _b64(public)


def public_key(private: str) -> str:
    """The `whpk_…` that belongs to a `whsk_…`; raises ValueError when that is not one."""
    return PUBLIC_PREFIX + _b64(_ed25519(private).public_key().public_bytes_raw())


def headers(keys: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt at `at`: the id stays over retries, the timestamp does not."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(keys, message_id, timestamp, body),
    }


def sign(keys: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of exactly these bytes: one signature a live key, in the order given, by spaces.

    `keys` are `whsec_…` or `whsk_…`; during a rotation the old one and the new one. `timestamp` is in whole seconds.
    Raises ValueError for no key, a malformed key, or an id that could shift the borders of what is signed.
    """
    if not keys:
        raise ValueError("a webhook needs at least one live key")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("a message id is msg_ and letters or digits")
    content = f"{message_id}.{timestamp:d}.".encode() + body
    return " ".join(_signature(key, content) for key in keys)


def next_attempt(
    attempts: int, now: datetime, rng: random.Random, retry_after: timedelta | None = None
) -> datetime | None:
    """When to try again after `attempts` attempts, or None when the schedule is used up.

    Each wait is spread by ten percent, so that what failed together does not come back together. A receiver's wish
    (`retry_after`) can only lengthen the wait, and by a day at most.
    """
    if attempts >= len(SCHEDULE):
        return None
    wait = SCHEDULE[attempts] * rng.uniform(1 - JITTER, 1 + JITTER)
    if retry_after is not None:
        wait = max(wait, min(retry_after, LONGEST_RETRY_AFTER) * rng.uniform(1, 1 + JITTER))
    return now + wait


def read_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The wait that a `Retry-After` header asks for, in either of its forms; None when absent, past or nonsense."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return min(wait, LONGEST_RETRY_AFTER) if wait > timedelta(0) else None


def _signature(key: str, content: bytes) -> str:
    if key.startswith(PRIVATE_PREFIX):
        return "v1a," + _b64(_ed25519(key).sign(content))
    return "v1," + _b64(hmac.digest(_shared_secret(key), content, hashlib.sha256))


def _shared_secret(key: str) -> bytes:
    raw = _unprefixed(key, SECRET_PREFIX)
    if len(raw) not in _SECRET_BYTES:
        raise ValueError("a whsec_ secret has 24 to 64 bytes")
    return raw


def _ed25519(key: str) -> Ed25519PrivateKey:
    """Seed alone or seed and public half: both are in use; halves that do not belong together are refused."""
    raw = _unprefixed(key, PRIVATE_PREFIX)
    if len(raw) not in (_SEED_BYTES, 2 * _SEED_BYTES):
        raise ValueError("a whsk_ key has 32 or 64 bytes")
    private = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
    if raw[_SEED_BYTES:] not in (b"", private.public_key().public_bytes_raw()):
        raise ValueError("the halves of a whsk_ key do not belong together")
    return private


def _unprefixed(key: str, prefix: str) -> bytes:
    if not key.startswith(prefix):
        raise ValueError(f"a key of this kind starts with {prefix}")
    try:
        return base64.b64decode(key.removeprefix(prefix), validate=True)
    except binascii.Error:
        # From None: the library's message must not be able to carry the key.
        raise ValueError(f"what follows {prefix} is not base64") from None


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
