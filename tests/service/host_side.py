"""What tests of the host site's side begin with: a site, an endpoint, an event, a comment as bare rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from service import webhooks
from service.db import Database
from service.models import (
    Article,
    Attempt,
    Author,
    Comment,
    CommentVersion,
    Delivery,
    Endpoint,
    Event,
    Site,
    SiteCounter,
    new_id,
)
from service.webhooks import signing

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SITE = "gazette"


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A database that is closed again."""
    db = Database(url)
    try:
        yield db
    finally:
        db.close()


def rng() -> random.Random:
    """Chance that is the same in every run."""
    return random.Random(7)


def add_site(db: Database, site: str = SITE) -> str:
    """A site and its counter."""
    with db.write() as session:
        session.add(Site(id=site, name=site.title(), origins=[f"https://{site}.example"], created_at=NOON))
        session.flush()
        session.add(SiteCounter(site_id=site))
    return site


def add_endpoint(db: Database, url: str, site: str = SITE, **fields: Any) -> str:
    """An endpoint with one live secret."""
    secret = {"id": "s1", "scheme": "v1", "key": signing.new_secret(), "until": None}
    with db.write() as session:
        endpoint = Endpoint(**{"site_id": site, "url": url, "secrets": [secret], "created_at": NOON, **fields})
        session.add(endpoint)
        return endpoint.id


def emit(db: Database, type_: str = "ping", site: str = SITE, at: datetime = NOON, **payload: Any) -> str:
    """One event, fanned out; returns its id."""
    with db.write() as session:
        return webhooks.emit(session, site, type_, payload, now=at).id


def add_comment(session: Session, text: str, site: str = SITE) -> str:
    """A comment with one approved version by Ada, as bare rows."""
    article = Article(site_id=site, key=new_id(), url=f"https://{site}.example/1", title="A title", created_at=NOON)
    author = Author(site_id=site, issuer="guest", subject=new_id(), name="Ada", created_at=NOON)
    session.add_all((article, author))
    session.flush()
    id_ = new_id()
    owner = {"site_id": site, "article_id": article.id, "author_id": author.id}
    session.add(Comment(id=id_, thread_id=id_, status="approved", public=1, created_at=NOON, **owner))
    session.flush()
    session.add(CommentVersion(site_id=site, comment_id=id_, number=1, status="approved", text=text, created_at=NOON))
    return id_


def deliveries(db: Database) -> list[Delivery]:
    """Every delivery, oldest event first."""
    with db.read() as session:
        query = select(Delivery).join(Event, col(Event.id) == col(Delivery.event_id))
        return list(session.exec(query.order_by(col(Event.seq), col(Delivery.replay))))


def attempts(db: Database) -> list[Attempt]:
    """Every attempt in the order of time."""
    with db.read() as session:
        return list(session.exec(select(Attempt).order_by(col(Attempt.at), col(Attempt.number))))


def endpoint(db: Database, id_: str) -> Endpoint:
    """An endpoint as it is now."""
    with db.read() as session:
        return session.get_one(Endpoint, id_)


def events(db: Database, type_: str) -> list[Event]:
    """Events of one type in order."""
    with db.read() as session:
        return list(session.exec(select(Event).where(Event.type == type_).order_by(col(Event.seq))))


class Clock:
    """Time that moves when told."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **step: float) -> datetime:
        """Move on by so many seconds, minutes, hours or days."""
        self.at += timedelta(**step)
        return self.at
