"""Comments: their texts and the decisions about them, what readers and moderators did, and what may be used only once.

Who they are stands in `people`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.models.columns import PENDING, document, long_text, moment, new_id, partial_index, reference

BY_URGENCY = ("site_id", "urgency", "id")
BY_TIME = ("site_id", "created_at", "comment_id")


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
        Index("ix_comment_weight", *BY_URGENCY),
        partial_index("ix_comment_pending", "status = 'pending'", "status"),
        partial_index("ix_comment_reported", "report_count > 0", *BY_URGENCY, "status", "report_count"),
        partial_index("ix_comment_escalated", "escalated_at IS NOT NULL", *BY_URGENCY, "status", "escalated_at"),
        partial_index("ix_comment_edited", "latest > 1", "site_id", "status", "urgency", "id", "latest"),
        partial_index("ix_comment_sampled", "sampled", "site_id", "status", "created_at", "id", "sampled"),
        Index("ix_comment_author", "author_id", "created_at", "id"),
        Index("ix_comment_network", "site_id", "network"),
        Index("ix_comment_fingerprint", "site_id", "fingerprint"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site")
    article_id: str = reference("article")
    author_id: str = reference("author")
    parent_id: str | None = reference("comment", default=None, nullable=True)
    thread_id: str
    depth: int = 0
    status: str = PENDING
    latest: int = 1
    public: int | None = None
    ever_public: bool = False
    visible_replies: int = 0
    reaction_counts: dict[str, int] = document(dict)
    score: int = 0
    report_count: int = 0
    urgency: float = 0.0
    triage: dict[str, Any] = document(dict)
    featured_at: datetime | None = moment(default=None, nullable=True)
    escalated_at: datetime | None = moment(default=None, nullable=True)
    sampled: bool = False
    language: str | None = None
    fingerprint: str = ""
    network: str = ""
    created_at: datetime = moment()
    decided_at: datetime | None = moment(default=None, nullable=True)
    gone: str | None = None
    revision: int = 0


class CommentVersion(SQLModel, table=True):
    """One text of a comment, with its status. The raw text is the truth; `nodes` is made from it and can be again."""

    __tablename__ = "comment_version"
    __table_args__ = (UniqueConstraint("comment_id", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site")
    comment_id: str = reference("comment")
    number: int
    status: str
    text: str = long_text("")
    nodes: list[Any] = document(list)
    renderer: int = 1
    created_at: datetime = moment()


class Decision(SQLModel, table=True):
    """What was concluded about one version of one text, by whom or what, from which findings. Append-only.

    `revision` numbers the decisions of one comment; `previous` is the state that an undo restores.
    """

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("comment_id", "revision"),
        Index("ix_decision_recent", "site_id", "created_at", "id"),
        Index("ix_decision_actor", "actor_id", "site_id", "created_at", "id"),
        partial_index("ix_decision_human", "actor = 'moderator'", "site_id", "created_at", "id"),
        partial_index("ix_decision_people", "actor IN ('moderator', 'host')", *BY_TIME, "actor"),
        partial_index("ix_decision_held", "revision = 1 AND after = 'pending'", *BY_TIME, "revision", "after"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site")
    comment_id: str = reference("comment")
    revision: int
    version: int
    actor: str
    actor_id: str | None = None
    actor_name: str = ""
    verb: str
    before: str | None = None
    after: str
    reason: str | None = None
    note: str | None = long_text()
    judgement: dict[str, Any] = document(dict)
    policy_digest: str | None = None
    undoes: str | None = None
    previous: dict[str, Any] = document(dict)
    batch: str | None = Field(default=None, index=True)
    created_at: datetime = moment()


class Idempotency(SQLModel, table=True):
    """An idempotency key, what was asked under it (as a hash) and which comment came of it."""

    __tablename__ = "idempotency"

    author_id: str = reference("author", primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: str
    comment_id: str = ""
    version: int = 1
    created_at: datetime = moment(index=True)


class SpentNudge(SQLModel, table=True):
    """A nudge token that was used once."""

    __tablename__ = "spent_nudge"

    hash: str = Field(primary_key=True)
    expires_at: datetime = moment(index=True)


class SpentProof(SQLModel, table=True):
    """A guest's proof of work that was used once."""

    __tablename__ = "spent_proof"

    hash: str = Field(primary_key=True)
    expires_at: datetime = moment(index=True)


class Reaction(SQLModel, table=True):
    """One reader's reaction to one comment."""

    __tablename__ = "reaction"

    comment_id: str = reference("comment", primary_key=True)
    author_id: str = reference("author", primary_key=True)
    kind: str
    created_at: datetime = moment()


class Report(SQLModel, table=True):
    """A reader's report. `door` is `rules` or `law`; the second asks which law, why and who, in good faith."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("comment_id", "author_id"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site", index=True)
    comment_id: str = reference("comment", index=True)
    author_id: str = reference("author")
    version: int
    door: str = "rules"
    reason: str
    note: str = long_text("")
    details: dict[str, Any] = document(dict)
    created_at: datetime = moment()
    resolved_at: datetime | None = moment(default=None, nullable=True)


class Lease(SQLModel, table=True):
    """A card that one moderator holds for a while; anybody may take it over when it has run out."""

    __tablename__ = "lease"

    comment_id: str = reference("comment", primary_key=True)
    moderator_id: str = reference("moderator")
    token: str
    expires_at: datetime = moment()


class Label(SQLModel, table=True):
    """What somebody said of a text: a suggested score. The stream that a site's own model learns from."""

    __tablename__ = "label"
    __table_args__ = (Index("ix_label_community", "site_id", "community", "created_at"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site")
    api_key_id: str | None = None
    community: str = ""
    client_token: str = ""
    text: str = long_text("")
    context: dict[str, Any] = document(dict)
    scores: dict[str, float] = document(dict)
    model_scores: dict[str, float] = document(dict)
    engine: str = ""
    created_at: datetime = moment()
