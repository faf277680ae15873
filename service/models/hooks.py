"""The host site's side: events, endpoints, deliveries and their attempts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.models.columns import document, long_text, moment, new_id, reference


class Event(SQLModel, table=True):
    """What happened, committed with what it tells of, numbered without gaps within its site."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("site_id", "seq"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site")
    seq: int
    type: str
    comment_id: str | None = Field(default=None, index=True)
    payload: dict[str, Any] = document(dict)
    created_at: datetime = moment()


class Endpoint(SQLModel, table=True):
    """An address of the host that gets events. `secrets` has one live key, two during a rotation.

    `slow` endpoints (failing, or answering late) share few of the worker's threads, so that they delay no other.
    """

    __tablename__ = "endpoint"

    id: str = Field(default_factory=new_id, primary_key=True)
    site_id: str = reference("site", index=True)
    url: str
    description: str = ""
    types: list[str] = document(list)
    full: bool = False
    secrets: list[dict[str, Any]] = document(list)
    state: str = "active"
    slow: bool = False
    resting_until: datetime | None = moment(default=None, nullable=True)
    failing_since: datetime | None = moment(default=None, nullable=True)
    disabled_reason: str | None = None
    created_at: datetime = moment()
    deleted_at: datetime | None = moment(default=None, nullable=True)


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
    site_id: str = reference("site")
    event_id: str = reference("event")
    endpoint_id: str = reference("endpoint")
    replay: int = 0
    state: str = "due"
    attempts: int = 0
    due_at: datetime = moment()
    lease: str | None = None
    delivered_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()


class Attempt(SQLModel, table=True):
    """One try of a delivery: when, how long it took, what came back."""

    __tablename__ = "attempt"

    id: str = Field(default_factory=new_id, primary_key=True)
    delivery_id: str = Field(sa_column=Column(ForeignKey("delivery.id"), nullable=False, index=True))
    number: int
    at: datetime = moment()
    latency_ms: int = 0
    status: int | None = None
    error: str | None = None
    answer: str = long_text("")
