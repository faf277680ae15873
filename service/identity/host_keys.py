"""A site's keys for assertions: at most two live ones, so that a host can change its key without a gap.

Shared secrets are made here and shown once; of the other algorithms only public keys are ever taken.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from sqlmodel import Session, col, select

from service.errors import Conflict, Invalid, NotFound
from service.models import HostKey, Site

ALGORITHMS: Final = ("HS256", "RS256", "ES256", "EdDSA")
MOST_LIVE: Final = 2
SMALLEST_RSA: Final = 2_048
SMALLEST_SECRET: Final = 32
RESERVED_ISSUER: Final = "guest"

_PLAIN = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Offer:
    """A key that a host wants to sign with; `secret` may be its own for HS256, else one is made."""

    kid: str
    issuer: str
    algorithm: str = "HS256"
    secret: str | None = None
    public_key: str | None = None


def add(session: Session, site_id: str, offer: Offer, *, now: datetime) -> HostKey:
    """Register a key; an HS256 key's secret stands in the returned row and is to be shown this once."""
    if session.get(Site, site_id, with_for_update={"key_share": True}) is None:
        raise NotFound("There is no such site.")
    _check_names(offer)
    if len([key for key in listed(session, site_id) if key.retired_at is None]) >= MOST_LIVE:
        raise Conflict("Two keys are live already; retire one first.")
    if any(key.kid == offer.kid for key in listed(session, site_id)):
        raise Conflict("There is a key with this kid, live or retired; choose another.")
    key = HostKey(
        site_id=site_id,
        kid=offer.kid,
        algorithm=offer.algorithm,
        issuer=offer.issuer,
        secret=_secret(offer) if offer.algorithm == "HS256" else None,
        public_key=_public_key(offer) if offer.algorithm != "HS256" else None,
        created_at=now,
    )
    session.add(key)
    session.flush()
    return key


def listed(session: Session, site_id: str) -> list[HostKey]:
    """Every key of a site, oldest first."""
    return list(session.exec(select(HostKey).where(HostKey.site_id == site_id).order_by(col(HostKey.created_at))))


def retire(session: Session, site_id: str, kid: str, *, now: datetime) -> HostKey:
    """End a key at once: what it signed is refused from now on."""
    key = session.exec(select(HostKey).where(HostKey.site_id == site_id, HostKey.kid == kid).with_for_update()).first()
    if key is None:
        raise NotFound("This site has no key with that kid.")
    key.retired_at = key.retired_at or now
    key.secret = None
    session.add(key)
    return key


def _check_names(offer: Offer) -> None:
    if offer.algorithm not in ALGORITHMS:
        raise Invalid(f"The algorithm must be one of {', '.join(ALGORITHMS)}.", pointer="/algorithm")
    if not _PLAIN.fullmatch(offer.kid):
        raise Invalid("A kid has 1 to 128 printable ASCII characters and no space.", pointer="/kid")
    if not _PLAIN.fullmatch(offer.issuer) or offer.issuer == RESERVED_ISSUER:
        raise Invalid("An issuer has 1 to 128 printable ASCII characters, no space, and is not `guest`.")
    if (offer.secret is not None) + (offer.public_key is not None) > 1:
        raise Invalid("A key is a secret or a public key, not both.")


def _secret(offer: Offer) -> str:
    if offer.public_key is not None:
        raise Invalid("HS256 takes a shared secret, no public key.", pointer="/public_key")
    if offer.secret is None:
        return secrets.token_urlsafe(48)
    if len(offer.secret.encode()) < SMALLEST_SECRET:
        raise Invalid(f"An HS256 secret needs at least {SMALLEST_SECRET} bytes.", pointer="/secret")
    if "-----BEGIN" in offer.secret or offer.secret.startswith("ssh-"):
        raise Invalid("That is a key in PEM or SSH form, not a shared secret.", pointer="/secret")
    return offer.secret


def _public_key(offer: Offer) -> str:
    """The key in its plain PEM form; raises `Invalid` for what is private, weak or of another algorithm."""
    pem = offer.public_key or ""
    if "PRIVATE KEY" in pem:
        raise Invalid("That is a private key. It must not leave the host: give the public one.", pointer="/public_key")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise Invalid("That is not a public key in PEM form.", pointer="/public_key") from None
    if not _fits(key, offer.algorithm):
        raise Invalid(_NEEDS[offer.algorithm], pointer="/public_key")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


_NEEDS: Final = {
    "RS256": f"RS256 needs an RSA key of at least {SMALLEST_RSA} bits.",
    "ES256": "ES256 needs an elliptic curve key on P-256.",
    "EdDSA": "EdDSA needs an Ed25519 key.",
}


def _fits(key: PublicKeyTypes, algorithm: str) -> bool:
    match algorithm:
        case "RS256":
            return isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA
        case "ES256":
            return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
        case _:
            return isinstance(key, ed25519.Ed25519PublicKey)
