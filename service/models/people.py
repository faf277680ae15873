"""Readers, hosts and staff: authors and what proves who they are, API keys, moderators, their roles and sessions.

Secrets that we only have to recognise are kept as hashes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.models.columns import document, long_text, moment, new_id, reference


class Author(SQLModel, table=True):
    """A reader who writes. `issuer` is `guest` or the host key's issuer; `subject` is that issuer's name for them."""

    __tablename__ = "author"
    __table_args__ = (
        UniqueConstraint("site_id", "issuer", "subject"),
        Index("ix_author_skeleton", "site_id", "skeleton"),
        Index("ix_author_network", "site_id", "network"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site")
    issuer: str
    subject: str
    name: str
    skeleton: str = ""
    verified: bool = False
    badge: str | None = None
    standing: str = "normal"
    muted_until: datetime | None = moment(default=None, nullable=True)
    banned_at: datetime | None = moment(default=None, nullable=True)
    standing_ends_at: datetime | None = moment(default=None, nullable=True)
    approved: int = 0
    rejected: int = 0
    names: list[str] = document(list)
    network: str = ""
    erased_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()


class AuthorNote(SQLModel, table=True):
    """What staff did to or wrote about an author: standing changes with their reason and end, and plain notes."""

    __tablename__ = "author_note"

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site")
    author_id: str = reference("author", index=True)
    moderator_id: str | None = None
    verb: str
    reason: str = ""
    note: str = long_text("")
    ends_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()


class Renewal(SQLModel, table=True):
    """The secret that lets a guest's widget come back as the same author; only its hash is kept."""

    __tablename__ = "renewal"

    hash: str = Field(primary_key=True)
    author_id: str = reference("author", index=True)
    created_at: datetime = moment()
    expires_at: datetime = moment()
    revoked_at: datetime | None = moment(default=None, nullable=True)


class HostKey(SQLModel, table=True):
    """A key by which a host signs who its readers are. HS256 keeps `secret`; the asymmetric ones keep `public_key`."""

    __tablename__ = "host_key"
    __table_args__ = (UniqueConstraint("site_id", "kid"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site")
    kid: str
    algorithm: str = "HS256"
    issuer: str
    secret: str | None = None
    public_key: str | None = long_text()
    created_at: datetime = moment()
    retired_at: datetime | None = moment(default=None, nullable=True)


class SpentAssertion(SQLModel, table=True):
    """A `jti` that was exchanged once; kept until the assertion would have ended."""

    __tablename__ = "spent_assertion"

    site_id: str = reference("site", primary_key=True)
    issuer: str = Field(primary_key=True)
    jti: str = Field(primary_key=True)
    expires_at: datetime = moment(index=True)


class ApiKey(SQLModel, table=True):
    """A host's key: shown once, kept as a hash, with scopes. `settings` holds a Perspective key's mode and quota."""

    __tablename__ = "api_key"

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site", index=True)
    name: str
    hash: str = Field(unique=True)
    hint: str = ""
    scopes: list[str] = document(list)
    settings: dict[str, Any] = document(dict)
    created_at: datetime = moment()
    last_used_at: datetime | None = moment(default=None, nullable=True)
    revoked_at: datetime | None = moment(default=None, nullable=True)


class Moderator(SQLModel, table=True):
    """A member of staff. Powers come from roles, never from a reader's token."""

    __tablename__ = "moderator"

    id: str = Field(default_factory=new_id, primary_key=True)
    login: str = Field(unique=True)
    name: str
    skeleton: str = ""
    password_hash: str
    totp_secret: str | None = None
    totp_step: int = 0
    recovery_hashes: list[str] = document(list)
    preferences: dict[str, Any] = document(dict)
    created_at: datetime = moment()
    disabled_at: datetime | None = moment(default=None, nullable=True)


class Role(SQLModel, table=True):
    """What a moderator may do on one site: `admin`, `moderator` or `analyst`."""

    __tablename__ = "role"

    moderator_id: str = reference("moderator", primary_key=True)
    site_id: str = reference("site", primary_key=True)
    role: str


class StaffSession(SQLModel, table=True):
    """One signed-in browser of a moderator; only the cookie's hash is kept."""

    __tablename__ = "staff_session"

    hash: str = Field(primary_key=True)
    moderator_id: str = reference("moderator", index=True)
    csrf: str
    stage: str = "full"
    agent: str = ""
    created_at: datetime = moment()
    last_seen_at: datetime = moment()
    expires_at: datetime = moment()
