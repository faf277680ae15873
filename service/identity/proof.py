"""A speed bump for guests: proof of work by ALTCHA's protocol (version 1, SHA-256), of our own making and checking.

Off unless an operator asks for it. Nothing is kept until a proof is used, nothing is asked of another service, and a
proof says nothing about who made it. It slows down scripts by the cost of their processors; it keeps nobody out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from service.db import add_if_absent
from service.errors import ProofNeeded
from service.identity import tokens
from service.models import SpentProof

ALGORITHM: Final = "SHA-256"
LIFE: Final = timedelta(minutes=20)
# The `&` ends the salt: without it, digits of the number could be moved into it, and one proof used under many times.
SALT: Final = re.compile(r"[0-9a-f]{24}\?expires=([0-9]{10})&")
NUMBER: Final = re.compile(r"[0-9]{1,9}")
HASH: Final = re.compile(r"[0-9a-f]{64}")


def challenge(keys: Sequence[str], most: int, *, now: datetime) -> dict[str, Any]:
    """A hash and a salt; whoever finds the number from 0 to `most` that makes the one of the other has proved work."""
    salt = f"{secrets.token_hex(12)}?expires={int((now + LIFE).timestamp())}&"
    wanted = _hash(salt, secrets.randbelow(most + 1))
    signature = _signature(keys[0], wanted)
    return {"algorithm": ALGORITHM, "challenge": wanted, "maxnumber": most, "salt": salt, "signature": signature}


def accept(session: Session, keys: Sequence[str], shown: str, *, now: datetime) -> None:
    """Use up a proof, in the caller's transaction; raises `ProofNeeded` for one that does not hold or was used."""
    wanted, salt, number, signature = _read(shown)
    expires = SALT.fullmatch(salt)
    if expires is None or int(expires[1]) <= now.timestamp():
        raise ProofNeeded("This proof of work has ended.")
    if not any(hmac.compare_digest(_signature(key, wanted), signature) for key in keys):
        raise ProofNeeded("This proof of work is for no challenge of ours.")
    if not hmac.compare_digest(_hash(salt, number), wanted):
        raise ProofNeeded("This proof of work does not hold.")
    spent = SpentProof(hash=tokens.hash_secret(wanted), expires_at=datetime.fromtimestamp(int(expires[1]), UTC))
    if not add_if_absent(session, spent):
        raise ProofNeeded("This proof of work was used already.")


def _read(shown: str) -> tuple[str, str, int, str]:
    """The parts of a proof as ALTCHA's clients write it: base64 of a JSON object."""
    try:
        told = json.loads(base64.b64decode(shown, validate=True))
        wanted, salt, number, signature = (told[name] for name in ("challenge", "salt", "number", "signature"))
        is_whole = type(number) is int and bool(NUMBER.fullmatch(str(number)))
        if not is_whole or not HASH.fullmatch(wanted) or not HASH.fullmatch(signature) or not SALT.fullmatch(salt):
            raise ValueError("not a proof")
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise ProofNeeded("This is no proof of work.") from None
    return wanted, salt, number, signature


def _hash(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _signature(key: str, wanted: str) -> str:
    return hmac.new(f"{key}:proof".encode(), wanted.encode(), hashlib.sha256).hexdigest()
