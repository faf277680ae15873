"""The publisher's side: sites, their articles, and the policies that once decided something."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.models.columns import document, long_text, moment, new_id, reference


class Site(SQLModel, table=True):
    """A publisher's site. `id` is the public name that the widget's `site` attribute carries."""

    __tablename__ = "site"

    id: str = Field(primary_key=True)
    name: str
    origins: list[str] = document(list)
    prompt: str = "What is your opinion on this topic?"
    language: str = "en"
    premoderated: bool = False
    guests: bool = True
    reactions: list[str] = document(lambda: ["like"])
    policy: str = long_text("")
    version: int = 1
    created_at: datetime = moment()


class SiteCounter(SQLModel, table=True):
    """The row a writer locks to number an event: one a site, so that numbers have no gaps and commit in order."""

    __tablename__ = "site_counter"

    site_id: str = reference("site", primary_key=True)
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
    site_id: str = reference("site")
    key: str
    url: str
    title: str = ""
    section: str = ""
    prompt: str | None = None
    confirmed: bool = False
    closed: bool = False
    premoderated: bool | None = None
    writers: list[str] = document(list)
    version: int = 1
    count: int = 0
    last_comment_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()


class PolicyText(SQLModel, table=True):
    """A policy that once decided something, kept by its digest."""

    __tablename__ = "policy_text"

    digest: str = Field(primary_key=True)
    source: str = long_text("")
    created_at: datetime = moment()
