"""Assertions: a host's signed word on who its reader is, read once and exchanged for a commenter token.

PyJWT checks the signature with the site's own key and the key's own algorithm; nothing in the token chooses either.
The claims are judged here, strictly and against `now`. Claims about staff, roles or scopes are not read at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn

import jwt
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from service.errors import AssertionRefused
from service.models import HostKey, Site, SpentAssertion

LONGEST: Final = 4_096
LIFE: Final = timedelta(hours=1)
MOST_SECONDS: Final = 1e11  # since 1970: a year that calendars here still have
LEEWAY: Final = timedelta(seconds=60)  # what two clocks may differ by
LONGEST_CLAIM: Final = 255

# A key comes from the site's settings. A token that brings its own, or asks for rules that we do not know, is refused.
_FOREIGN_HEADERS: Final = ("crit", "jku", "jwk", "x5u", "x5c", "b64")
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a host vouches for: `subject` is its own name for the reader, unique within `issuer`."""

    issuer: str
    subject: str
    name: str
    expires_at: datetime
    jti: str | None = None


def exchange(session: Session, site: Site, assertion: str, now: datetime) -> Claims:
    """The claims of an assertion for this site; one with a `jti` is spent by it. Raises `AssertionRefused`."""
    key, payload = _verified(session, site, assertion)
    claims = _judged(payload, key, site, now)
    if claims.jti is not None:
        _spend(session, site, claims)
    return claims


# ---- the signature ----


def _verified(session: Session, site: Site, assertion: str) -> tuple[HostKey, Mapping[str, Any]]:
    if len(assertion) > LONGEST:
        _refuse(f"it is longer than {LONGEST} bytes.")
    if not _SHAPE.fullmatch(assertion):
        _refuse("it is not a signed token of three parts.")
    header = _header(assertion)
    key = _key(session, site, header)
    try:
        opened = jwt.PyJWS().decode_complete(assertion, _material(key), algorithms=[key.algorithm])
    except jwt.PyJWTError:
        raise AssertionRefused("The assertion is refused: its signature does not hold.") from None
    return key, _object(opened["payload"])


def _header(assertion: str) -> Mapping[str, Any]:
    try:
        header = jwt.PyJWS().get_unverified_header(assertion)
    except (jwt.PyJWTError, RecursionError, ValueError):
        _refuse("its header cannot be read.")
    foreign = [name for name in _FOREIGN_HEADERS if name in header]
    if foreign:
        _refuse(f"its header has {foreign[0]}, which is not accepted here.")
    return header


def _key(session: Session, site: Site, header: Mapping[str, Any]) -> HostKey:
    """The site's live key that the header names, by equality; without a `kid`, the site's only one."""
    live = session.exec(select(HostKey).where(HostKey.site_id == site.id, col(HostKey.retired_at).is_(None))).all()
    kid = header.get("kid")
    if kid is None and len(live) > 1:
        _refuse("its header needs a kid, because this site has two keys.")
    named = [key for key in live if kid is None or key.kid == kid]
    if not named:
        _refuse("no live key of this site has that kid." if live else "this site has no key for assertions.")
    if header.get("alg") != named[0].algorithm:
        _refuse(f"its alg is not {named[0].algorithm}, as this key was registered.")
    return named[0]


def _material(key: HostKey) -> str:
    material = key.secret if key.algorithm == "HS256" else key.public_key
    if material is None:
        raise LookupError(f"host key {key.id} has no material for {key.algorithm}")
    return material


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        claims = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse("its claims are not plain JSON.")
    if not isinstance(claims, dict):
        _refuse("its claims are not an object.")
    return claims


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


# ---- the claims ----


def _judged(payload: Mapping[str, Any], key: HostKey, site: Site, now: datetime) -> Claims:
    expires = _times(payload, now)
    if _text(payload, "iss") != key.issuer:
        _refuse("iss is not the issuer that this key was registered for.")
    audience = payload.get("aud")
    if site.id not in (audience if isinstance(audience, list) else [audience]):
        _refuse("aud is not this site.")
    jti = _text(payload, "jti") if "jti" in payload else None
    return Claims(key.issuer, _text(payload, "sub"), _text(payload, "name"), expires, jti)


def _times(payload: Mapping[str, Any], now: datetime) -> datetime:
    """The end of the assertion's life, which must not be over, not have begun in the future, and be short."""
    issued, expires = _number(payload, "iat"), _number(payload, "exp")
    begins = _number(payload, "nbf") if "nbf" in payload else issued
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    if expires <= at - leeway:
        _refuse("exp has passed.")
    if max(issued, begins) > at + leeway:
        _refuse("iat or nbf lies in the future.")
    if not 0 < expires - issued <= LIFE.total_seconds():
        _refuse("exp must come after iat, by one hour at most.")
    return datetime.fromtimestamp(expires, UTC)


def _number(payload: Mapping[str, Any], claim: str) -> float:
    value = payload.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST_SECONDS:  # nor NaN
        _refuse(f"{claim} must be there, as a number of seconds.")
    return value


def _text(payload: Mapping[str, Any], claim: str) -> str:
    """A claim that the database can keep: printable in UTF-8, not empty, not endless."""
    value = payload.get(claim)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_CLAIM:
        _refuse(f"{claim} must be there, as a string of at most {LONGEST_CLAIM} characters.")
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value):
        _refuse(f"{claim} has characters that no text has.")
    return value


def _spend(session: Session, site: Site, claims: Claims) -> None:
    """Remember the `jti` for as long as the assertion could be shown; the second to show it is refused."""
    row = {
        "site_id": site.id,
        "issuer": claims.issuer,
        "jti": claims.jti,
        "expires_at": claims.expires_at + LEEWAY,
    }
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    fresh = dialect.insert(SpentAssertion).values(row).on_conflict_do_nothing().returning(col(SpentAssertion.jti))
    if session.execute(fresh).first() is None:
        _refuse("its jti was used before.")


def _refuse(why: str) -> NoReturn:
    raise AssertionRefused(f"The assertion is refused: {why}")
