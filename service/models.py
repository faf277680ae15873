"""The tables. No behaviour stands here: what may change, and when, is `lifecycle.py` and the use cases.

Ids are opaque and unguessable (24 hex digits). Times are UTC. A status belongs to a version: a comment points at its
public version (or none) and at its latest. `Comment.status` repeats the latest version's, for the queue's index.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any, TypeGuard

from sqlalchemy import JSON, Column, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from service.db import UtcTime

Json = JSON().with_variant(JSONB(), "postgresql")

PENDING, APPROVED, REJECTED, DELETED = "pending", "approved", "rejected", "deleted"
STATUSES = (PENDING, APPROVED, REJECTED, DELETED)
ID = re.compile(r"[0-9a-f]{24}")


def new_id() -> str:
    """An opaque, unguessable id: 96 random bits as 24 hex digits."""
    return secrets.token_hex(12)


def is_id(value: object) -> TypeGuard[str]:
    """Whether a value has the form of an id: what comes back from outside may be anything."""
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _key(table: str, **options: Any) -> Any:
    return Field(foreign_key=f"{table}.id", **options)


def _time(**options: Any) -> Any:
    return Field(sa_type=UtcTime, **options)


def _json(default: Any) -> Any:
    return Field(default_factory=default, sa_type=Json)


def _text(default: str | None = None) -> Any:
    return Field(default=default, sa_type=Text)


def _partial(name: str, condition: str, *columns: str) -> Index:
    """An index of the few rows that a view of the queue shows, so that it stays small beside the whole archive."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


# ---- the publisher's side: sites and articles ---------------------------------------------------------------------


class Site(SQLModel, table=True):
    """A publisher's site. `id` is the public name that the widget's `site` attribute carries."""

    __tablename__ = "site"

    id: str = Field(primary_key=True)
    name: str
    origins: list[str] = _json(list)
    prompt: str = "What is your opinion on this topic?"
    language: str = "en"
    premoderated: bool = False
    guests: bool = True
    reactions: list[str] = _json(lambda: ["like"])
    policy: str = _text("")
    version: int = 1
    created_at: datetime = _time()


class SiteCounter(SQLModel, table=True):
    """The row a writer locks to number an event: one a site, so that numbers have no gaps and commit in order."""

    __tablename__ = "site_counter"

    site_id: str = _key("site", primary_key=True)
    event_seq: int = 0


class Article(SQLModel, table=True):
    """Identified by the key that the host supplies; its address is an attribute and may change.

    `writers` are those who wrote it, by the `sub` of the tokens that the host signs for them.
    """

    __tablename__ = "article"
    __table_args__ = (
        UniqueConstraint("site_id", "key"),
        Index("ix_article_discussed", "site_id", "last_comment_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    key: str
    url: str
    title: str = ""
    section: str = ""
    prompt: str | None = None
    confirmed: bool = False
    closed: bool = False
    premoderated: bool | None = None
    writers: list[str] = _json(list)
    version: int = 1
    count: int = 0
    last_comment_at: datetime | None = _time(default=None, nullable=True)
    created_at: datetime = _time()


class PolicyText(SQLModel, table=True):
    """A policy that once decided something, kept by its digest."""

    __tablename__ = "policy_text"

    digest: str = Field(primary_key=True)
    source: str = _text("")
    created_at: datetime = _time()


# ---- people -------------------------------------------------------------------------------------------------------


class Author(SQLModel, table=True):
    """A reader who writes. `issuer` is `guest` or the host key's issuer; `subject` is that issuer's name for them."""

    __tablename__ = "author"
    __table_args__ = (
        UniqueConstraint("site_id", "issuer", "subject"),
        Index("ix_author_skeleton", "site_id", "skeleton"),
        Index("ix_author_network", "site_id", "network"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    issuer: str
    subject: str
    name: str
    skeleton: str = ""
    verified: bool = False
    badge: str | None = None
    standing: str = "normal"
    muted_until: datetime | None = _time(default=None, nullable=True)
    banned_at: datetime | None = _time(default=None, nullable=True)
    standing_ends_at: datetime | None = _time(default=None, nullable=True)
    approved: int = 0
    rejected: int = 0
    names: list[str] = _json(list)
    network: str = ""
    erased_at: datetime | None = _time(default=None, nullable=True)
    created_at: datetime = _time()


class Renewal(SQLModel, table=True):
    """The secret that lets a guest's widget come back as the same author; only its hash is kept."""

    __tablename__ = "renewal"

    hash: str = Field(primary_key=True)
    author_id: str = _key("author", index=True)
    created_at: datetime = _time()
    expires_at: datetime = _time()
    revoked_at: datetime | None = _time(default=None, nullable=True)


class HostKey(SQLModel, table=True):
    """A key by which a host signs who its readers are. HS256 keeps `secret`; the asymmetric ones keep `public_key`."""

    __tablename__ = "host_key"
    __table_args__ = (UniqueConstraint("site_id", "kid"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    kid: str
    algorithm: str = "HS256"
    issuer: str
    secret: str | None = None
    public_key: str | None = _text()
    created_at: datetime = _time()
    retired_at: datetime | None = _time(default=None, nullable=True)


class SpentAssertion(SQLModel, table=True):
    """A `jti` that was exchanged once; kept until the assertion would have ended."""

    __tablename__ = "spent_assertion"

    site_id: str = _key("site", primary_key=True)
    issuer: str = Field(primary_key=True)
    jti: str = Field(primary_key=True)
    expires_at: datetime = _time(index=True)


class ApiKey(SQLModel, table=True):
    """A host's key: shown once, kept as a hash, with scopes. `settings` holds a Perspective key's mode and quota."""

    __tablename__ = "api_key"

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site", index=True)
    name: str
    hash: str = Field(unique=True)
    hint: str = ""
    scopes: list[str] = _json(list)
    settings: dict[str, Any] = _json(dict)
    created_at: datetime = _time()
    last_used_at: datetime | None = _time(default=None, nullable=True)
    revoked_at: datetime | None = _time(default=None, nullable=True)


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
    recovery_hashes: list[str] = _json(list)
    preferences: dict[str, Any] = _json(dict)
    created_at: datetime = _time()
    disabled_at: datetime | None = _time(default=None, nullable=True)


class Role(SQLModel, table=True):
    """What a moderator may do on one site: `admin`, `moderator` or `analyst`."""

    __tablename__ = "role"

    moderator_id: str = _key("moderator", primary_key=True)
    site_id: str = _key("site", primary_key=True)
    role: str


class StaffSession(SQLModel, table=True):
    """One signed-in browser of a moderator; only the cookie's hash is kept."""

    __tablename__ = "staff_session"

    hash: str = Field(primary_key=True)
    moderator_id: str = _key("moderator", index=True)
    csrf: str
    stage: str = "full"
    agent: str = ""
    created_at: datetime = _time()
    last_seen_at: datetime = _time()
    expires_at: datetime = _time()


# ---- comments -----------------------------------------------------------------------------------------------------


class Comment(SQLModel, table=True):
    """One comment; its texts are in `comment_version`. `thread_id` is its top-level ancestor (itself at the top).

    `triage` repeats, of the latest judgement, what the queue lists and filters by; `urgency` is what it sorts by.
    """

    __tablename__ = "comment"
    __table_args__ = (
        Index("ix_comment_thread", "article_id", "parent_id", "created_at", "id"),
        Index("ix_comment_replies", "thread_id", "parent_id", "created_at", "id"),
        Index("ix_comment_queue", "site_id", "status", "created_at", "id"),
        Index("ix_comment_site", "site_id", "created_at", "id"),
        Index("ix_comment_urgent", "site_id", "status", "urgency", "id"),
        _partial("ix_comment_pending", "status = 'pending'", "status"),
        _partial("ix_comment_reported", "report_count > 0", "site_id", "urgency", "id"),
        _partial("ix_comment_escalated", "escalated_at IS NOT NULL", "site_id", "urgency", "id"),
        _partial("ix_comment_sampled", "sampled", "site_id", "created_at", "id"),
        Index("ix_comment_author", "author_id", "created_at", "id"),
        Index("ix_comment_network", "site_id", "network"),
        Index("ix_comment_fingerprint", "site_id", "fingerprint"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    article_id: str = _key("article")
    author_id: str = _key("author")
    parent_id: str | None = _key("comment", default=None, nullable=True)
    thread_id: str
    depth: int = 0
    status: str = PENDING
    latest: int = 1
    public: int | None = None
    ever_public: bool = False
    visible_replies: int = 0
    reaction_counts: dict[str, int] = _json(dict)
    score: int = 0
    report_count: int = 0
    urgency: float = 0.0
    triage: dict[str, Any] = _json(dict)
    featured_at: datetime | None = _time(default=None, nullable=True)
    escalated_at: datetime | None = _time(default=None, nullable=True)
    sampled: bool = False
    language: str | None = None
    fingerprint: str = ""
    network: str = ""
    created_at: datetime = _time()
    decided_at: datetime | None = _time(default=None, nullable=True)
    gone: str | None = None
    revision: int = 0


class CommentVersion(SQLModel, table=True):
    """One text of a comment, with its status. The raw text is the truth; `nodes` is made from it and can be again."""

    __tablename__ = "comment_version"
    __table_args__ = (UniqueConstraint("comment_id", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    comment_id: str = _key("comment")
    number: int
    status: str
    text: str = _text("")
    nodes: list[Any] = _json(list)
    renderer: int = 1
    created_at: datetime = _time()


class Decision(SQLModel, table=True):
    """What was concluded about one version of one text, by whom or what, from which findings. Append-only.

    `revision` numbers the decisions of one comment; `previous` is the state that an undo restores.
    """

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("comment_id", "revision"),
        Index("ix_decision_recent", "site_id", "created_at", "id"),
        Index("ix_decision_actor", "actor_id", "created_at"),
        _partial("ix_decision_human", "actor = 'moderator'", "site_id", "created_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    comment_id: str = _key("comment")
    revision: int
    version: int
    actor: str
    actor_id: str | None = None
    actor_name: str = ""
    verb: str
    before: str | None = None
    after: str
    reason: str | None = None
    note: str | None = _text()
    judgement: dict[str, Any] = _json(dict)
    policy_digest: str | None = None
    undoes: str | None = None
    previous: dict[str, Any] = _json(dict)
    batch: str | None = Field(default=None, index=True)
    created_at: datetime = _time()


class Idempotency(SQLModel, table=True):
    """An idempotency key, what was asked under it (as a hash) and which comment came of it."""

    __tablename__ = "idempotency"

    author_id: str = _key("author", primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: str
    comment_id: str = ""
    version: int = 1
    created_at: datetime = _time(index=True)


class SpentNudge(SQLModel, table=True):
    """A nudge token that was used once."""

    __tablename__ = "spent_nudge"

    hash: str = Field(primary_key=True)
    expires_at: datetime = _time(index=True)


class SpentProof(SQLModel, table=True):
    """A guest's proof of work that was used once."""

    __tablename__ = "spent_proof"

    hash: str = Field(primary_key=True)
    expires_at: datetime = _time(index=True)


class Reaction(SQLModel, table=True):
    """One reader's reaction to one comment."""

    __tablename__ = "reaction"

    comment_id: str = _key("comment", primary_key=True)
    author_id: str = _key("author", primary_key=True)
    kind: str
    created_at: datetime = _time()


class Report(SQLModel, table=True):
    """A reader's report. `door` is `rules` or `law`; the second asks which law, why and who, in good faith."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("comment_id", "author_id"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site", index=True)
    comment_id: str = _key("comment", index=True)
    author_id: str = _key("author")
    version: int
    door: str = "rules"
    reason: str
    note: str = _text("")
    details: dict[str, Any] = _json(dict)
    created_at: datetime = _time()
    resolved_at: datetime | None = _time(default=None, nullable=True)


class Lease(SQLModel, table=True):
    """A card that one moderator holds for a while; anybody may take it over when it has run out."""

    __tablename__ = "lease"

    comment_id: str = _key("comment", primary_key=True)
    moderator_id: str = _key("moderator")
    token: str
    expires_at: datetime = _time()


class AuthorNote(SQLModel, table=True):
    """What staff did to or wrote about an author: standing changes with their reason and end, and plain notes."""

    __tablename__ = "author_note"

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    author_id: str = _key("author", index=True)
    moderator_id: str | None = None
    verb: str
    reason: str = ""
    note: str = _text("")
    ends_at: datetime | None = _time(default=None, nullable=True)
    created_at: datetime = _time()


class Label(SQLModel, table=True):
    """What somebody said of a text: a suggested score. The stream that a site's own model learns from."""

    __tablename__ = "label"
    __table_args__ = (Index("ix_label_community", "site_id", "community", "created_at"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    api_key_id: str | None = None
    community: str = ""
    client_token: str = ""
    text: str = _text("")
    context: dict[str, Any] = _json(dict)
    scores: dict[str, float] = _json(dict)
    model_scores: dict[str, float] = _json(dict)
    engine: str = ""
    created_at: datetime = _time()


# ---- the host site's side: events, endpoints, deliveries -----------------------------------------------------------


class Event(SQLModel, table=True):
    """What happened, committed with what it tells of, numbered without gaps within its site."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("site_id", "seq"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    seq: int
    type: str
    comment_id: str | None = Field(default=None, index=True)
    payload: dict[str, Any] = _json(dict)
    created_at: datetime = _time()


class Endpoint(SQLModel, table=True):
    """An address of the host that gets events. `secrets` has one live key, two during a rotation.

    `slow` endpoints (failing, or answering late) share few of the worker's threads, so that they delay no other.
    """

    __tablename__ = "endpoint"

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site", index=True)
    url: str
    description: str = ""
    types: list[str] = _json(list)
    full: bool = False
    secrets: list[dict[str, Any]] = _json(list)
    state: str = "active"
    slow: bool = False
    resting_until: datetime | None = _time(default=None, nullable=True)
    failing_since: datetime | None = _time(default=None, nullable=True)
    disabled_reason: str | None = None
    created_at: datetime = _time()
    deleted_at: datetime | None = _time(default=None, nullable=True)


class Delivery(SQLModel, table=True):
    """One event on its way to one endpoint: `due`, `sending`, `delivered` or `failed`.

    `due_at` is when somebody may next take it up: for one that is being sent, when its lease ends. `attempts` counts
    the starts, so that a try which killed its worker counts too.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("event_id", "endpoint_id", "replay"),
        Index("ix_delivery_due", "state", "due_at"),
        Index("ix_delivery_ready", "endpoint_id", "state", "due_at"),
        Index("ix_delivery_log", "endpoint_id", "created_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = _key("site")
    event_id: str = _key("event")
    endpoint_id: str = _key("endpoint")
    replay: int = 0
    state: str = "due"
    attempts: int = 0
    due_at: datetime = _time()
    lease: str | None = None
    delivered_at: datetime | None = _time(default=None, nullable=True)
    created_at: datetime = _time()


class Attempt(SQLModel, table=True):
    """One try of a delivery: when, how long it took, what came back."""

    __tablename__ = "attempt"

    id: str = Field(default_factory=new_id, primary_key=True)
    delivery_id: str = Field(sa_column=Column(ForeignKey("delivery.id"), nullable=False, index=True))
    number: int
    at: datetime = _time()
    latency_ms: int = 0
    status: int | None = None
    error: str | None = None
    answer: str = _text("")
