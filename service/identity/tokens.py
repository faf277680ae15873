"""Commenter tokens: short-lived, signed by the service, good for one site and nothing but reading and commenting.

Signed with the newest signing key, accepted under either live one, so that keys can be changed without signing
anybody out. Secrets that the service hands out (renewals, sessions, API keys) are random and stored as hashes.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt

from service.errors import Unauthenticated

ALGORITHM = "HS256"
MAX_TOKEN = 2_048


@dataclass(frozen=True, slots=True)
class Reader:
    """Who a commenter token speaks for: one author of one site."""

    author_id: str
    site_id: str


def mint(keys: Sequence[str], reader: Reader, *, now: datetime, life: int) -> tuple[str, datetime]:
    """A token for a reader that holds for `life` seconds, and when it ends."""
    expires = now + timedelta(seconds=life)
    return _encode(keys, {"sub": reader.author_id, "aud": reader.site_id, "use": "comment"}, expires), expires


def read(keys: Sequence[str], token: str, *, now: datetime) -> Reader:
    """The reader a commenter token speaks for; raises `Unauthenticated`."""
    claims = _decode(keys, token, now)
    if claims.get("use") != "comment":
        raise Unauthenticated("This token is for something else.")
    return Reader(author_id=str(claims["sub"]), site_id=str(claims["aud"]))


def mint_nudge(keys: Sequence[str], reader: Reader, fingerprint: str, *, now: datetime, life: int = 3_600) -> str:
    """A one-use token that lets exactly this text of this reader past the nudge."""
    claims = {"sub": reader.author_id, "aud": reader.site_id, "use": "nudge", "txt": fingerprint, "jti": new_secret()}
    return _encode(keys, claims, now + timedelta(seconds=life))


def reads_nudge(keys: Sequence[str], token: str, reader: Reader, fingerprint: str, *, now: datetime) -> bool:
    """Whether a nudge token holds for this reader and this text."""
    try:
        claims = _decode(keys, token, now)
    except Unauthenticated:
        return False
    wanted = {"sub": reader.author_id, "aud": reader.site_id, "use": "nudge", "txt": fingerprint}
    return all(claims.get(name) == value for name, value in wanted.items())


def mint_receipt(keys: Sequence[str], reader: Reader, comment_id: str, *, now: datetime, life: int = 3_600) -> str:
    """A token that lets its bearer read what came of one comment, and do nothing."""
    claims = {"sub": reader.author_id, "aud": reader.site_id, "use": "receipt", "cid": comment_id}
    return _encode(keys, claims, now + timedelta(seconds=life))


def read_receipt(keys: Sequence[str], token: str, *, now: datetime) -> tuple[Reader, str]:
    """Whose comment a receipt is for, and which; raises `Unauthenticated`."""
    claims = _decode(keys, token, now)
    if claims.get("use") != "receipt":
        raise Unauthenticated("This token is for something else.")
    return Reader(author_id=str(claims["sub"]), site_id=str(claims["aud"])), str(claims["cid"])


def new_secret() -> str:
    """A random secret of 192 bits, safe in a URL."""
    return secrets.token_urlsafe(24)


def hash_secret(secret: str) -> str:
    """How a random secret is stored: SHA-256, hex. Only for secrets with full entropy, never for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _encode(keys: Sequence[str], claims: dict[str, Any], expires: datetime) -> str:
    return jwt.encode({**claims, "exp": int(expires.timestamp())}, keys[0], algorithm=ALGORITHM)


def _decode(keys: Sequence[str], token: str, now: datetime) -> dict[str, Any]:
    if len(token) > MAX_TOKEN or not token.isascii():
        raise Unauthenticated("This token does not hold.")
    options: Any = {"require": ["exp", "sub", "aud"], "verify_aud": False, "verify_exp": False}
    for key in keys:
        try:
            claims: dict[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM], options=options)
        except jwt.InvalidTokenError:
            continue
        if int(claims["exp"]) <= now.timestamp():
            raise Unauthenticated("This token has ended; get a new one.")
        return claims
    raise Unauthenticated("This token does not hold.")
