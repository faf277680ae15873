"""The second step of a sign-in: six digits from an authenticator (RFC 6238), or one of ten recovery codes.

A code counts once: the step it belongs to is kept, and nothing at or before it passes again. These functions change
the account row that they are given; the caller stores it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime

import pyotp

from service.errors import Invalid
from service.identity.passwords import LETTERS
from service.models import Moderator

STEP_SECONDS = 30
CODES = 10
SECRET = re.compile(r"[A-Z2-7]{32}")


def new_secret() -> str:
    """A secret to put into an authenticator: 160 bits in base 32."""
    return str(pyotp.random_base32())


def address(secret: str, login: str) -> str:
    """The `otpauth:` address that an authenticator reads from a QR code."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Firstword"))


def enable(row: Moderator, secret: str, code: str, now: datetime) -> list[str]:
    """Switch the second step on when `code` proves that the authenticator works; returns the recovery codes."""
    if not SECRET.fullmatch(secret):
        raise Invalid("This is no secret of ours. Begin again.", pointer="/secret")
    digits = "".join(code.split())
    step = _step_of(secret, digits, now) if digits.isascii() and digits.isdigit() else None
    if step is None:
        raise Invalid(
            "These six digits do not belong to this secret. Is the clock of the phone right?", pointer="/code"
        )
    codes = [_new_code() for _ in range(CODES)]
    row.totp_secret, row.totp_step = secret, step
    row.recovery_hashes = [_hash(code) for code in codes]
    return codes


def passes(row: Moderator, code: str, now: datetime) -> bool:
    """Whether a code lets its owner in; spends it."""
    given = "".join(code.split())
    if row.totp_secret is None:
        return False
    if given.isascii() and given.isdigit():
        return _passes_digits(row, row.totp_secret, given, now)
    return _passes_recovery(row, given)


def _passes_digits(row: Moderator, secret: str, digits: str, now: datetime) -> bool:
    step = _step_of(secret, digits, now)
    if step is None or step <= row.totp_step:
        return False
    row.totp_step = step
    return True


def _passes_recovery(row: Moderator, code: str) -> bool:
    spent = _hash(code)
    if spent not in row.recovery_hashes:
        return False
    row.recovery_hashes = [kept for kept in row.recovery_hashes if kept != spent]
    return True


def _step_of(secret: str, digits: str, now: datetime) -> int | None:
    """The time step that six digits belong to: this one or a neighbour, so that a slow clock still gets in."""
    here = int(now.timestamp()) // STEP_SECONDS
    generator = pyotp.TOTP(secret)
    for step in (here, here - 1, here + 1):
        if secrets.compare_digest(generator.generate_otp(step), digits):
            return step
    return None


def _new_code() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(2))


def _hash(code: str) -> str:
    return hashlib.sha256(code.lower().replace("-", "").encode()).hexdigest()
