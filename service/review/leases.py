"""Leases: a card is one moderator's for a short while, without locks. A dead browser frees its card by doing nothing.

Every grant has a new random token. A decision carries it where a script holds one, so that a page that was left open
does not decide a card which was opened again; but the version is what protects the text. Without a token (a plain form)
a card that nobody else reads may be decided.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col, select

from service.db import Database
from service.errors import CardTaken, NotFound
from service.identity.staff import ADMIN, MODERATOR, Staff
from service.models import Comment, Lease, Moderator

LIFE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Grant:
    """A card in one's hands: the token to decide with, until when nobody else gets it, and its latest version."""

    token: str
    expires_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who reads a card now, and until when unless they go on."""

    id: str
    name: str
    until: datetime


def claim(db: Database, staff: Staff, comment_id: str, now: datetime) -> Grant:
    """Take a card that is free, run out or one's own; raises `CardTaken` with the name of who reads it."""
    with db.write() as session:
        grant = Grant(secrets.token_urlsafe(16), now + LIFE, _latest(session, staff, comment_id))
        insert = sqlite_insert if db.is_sqlite else postgres_insert
        row = {
            "comment_id": comment_id,
            "moderator_id": staff.id,
            "token": grant.token,
            "expires_at": grant.expires_at,
        }
        free = or_(col(Lease.expires_at) <= now, col(Lease.moderator_id) == staff.id)
        session.execute(
            insert(Lease).values(row).on_conflict_do_update(index_elements=["comment_id"], set_=row, where=free)
        )
        refuse_if_held(session, staff.id, comment_id, now)
    return grant


def renew(db: Database, staff: Staff, comment_id: str, token: str, now: datetime) -> Grant:
    """Keep a card for another while; raises `CardTaken` when another grant replaced this one."""
    with db.write() as session:
        grant = Grant(token, now + LIFE, _latest(session, staff, comment_id))
        renewed = session.execute(
            update(Lease).where(_mine(staff, comment_id, token)).values(expires_at=grant.expires_at)
        )
        if not renewed.rowcount:  # type: ignore[attr-defined]
            refuse_if_held(session, staff.id, comment_id, now)
            raise CardTaken("This card is open to others again.")
    return grant


def release(db: Database, staff: Staff, comment_id: str, token: str) -> None:
    """Give a card back before its time."""
    with db.write() as session:
        session.execute(delete(Lease).where(_mine(staff, comment_id, token)))


def holder(session: Session, comment_id: str, now: datetime) -> Holder | None:
    """Who reads a card now, or None."""
    found = session.exec(
        select(Lease, Moderator.name)
        .join(Moderator, col(Moderator.id) == col(Lease.moderator_id))
        .where(Lease.comment_id == comment_id, col(Lease.expires_at) > now)
    ).first()
    return Holder(found[0].moderator_id, found[1], found[0].expires_at) if found else None


def refuse_if_held(
    session: Session, moderator_id: str | None, comment_id: str, now: datetime, token: str | None = None
) -> None:
    """Raise `CardTaken` when somebody else reads this card now, or `token` is of a grant that another replaced."""
    reading = holder(session, comment_id, now)
    if token and reading is not None and reading.id == moderator_id and not _is_live(session, comment_id, token):
        raise CardTaken("You opened this card again elsewhere. Decide it there.")
    if reading is not None and reading.id != moderator_id:
        raise CardTaken(
            f"{reading.name} is reading this card.", extra={"by": reading.name, "until": reading.until.isoformat()}
        )


def _is_live(session: Session, comment_id: str, token: str) -> bool:
    found = session.exec(select(Lease.token).where(Lease.comment_id == comment_id)).first()
    return found is not None and secrets.compare_digest(found.encode(), token.encode())


def drop(session: Session, comment_ids: Sequence[str]) -> None:
    """End whatever leases cards have, in the transaction that decides them."""
    session.execute(delete(Lease).where(col(Lease.comment_id).in_(comment_ids)))


def _latest(session: Session, staff: Staff, comment_id: str) -> int:
    """The latest version of a comment that this moderator may decide."""
    found = session.exec(select(Comment.site_id, Comment.latest).where(Comment.id == comment_id)).first()
    if found is None or not staff.may_see(found[0]):
        raise NotFound("There is no such comment.")
    staff.require(found[0], ADMIN, MODERATOR)
    return found[1]


def _mine(staff: Staff, comment_id: str, token: str) -> ColumnElement[bool]:
    return and_(col(Lease.comment_id) == comment_id, col(Lease.moderator_id) == staff.id, col(Lease.token) == token)
