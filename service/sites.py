"""Sites and their articles: registration, origins, the prompt question, open or closed, pre- or post-moderated.

An article is identified by the key that the host supplies; its URL is an attribute and may change. What a reader
supplies about an article stays unconfirmed until the host registers it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sqlmodel import Session, select

from service.db import Database, add_if_absent
from service.errors import Conflict, Invalid, NotFound
from service.hosts import ascii_host
from service.lifecycle import lock
from service.models import Article, Site, SiteCounter
from service.webhooks import emit

SITE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
KEY_LIMIT, URL_LIMIT, TITLE_LIMIT, PROMPT_LIMIT = 200, 2_000, 300, 300
DEFAULT_PORTS = {"http": 80, "https": 443}
NO_HOST = (
    "The host of this address is no name that a browser looks up. Write each in full, such as https://news.example; "
    "there are no wildcards."
)
NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")  # browsers take a name that ends so for an IPv4 address


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comment is written, as the reader's page says: the article's key, its address and its title."""

    key: str
    url: str
    title: str = ""


def add_site(db: Database, site_id: str, name: str, origins: Sequence[str], *, now: datetime) -> Site:
    """Register a site with the origins that its pages are served from."""
    if not SITE_ID.fullmatch(site_id):
        raise Invalid("A site's id has 1 to 40 small letters, digits and hyphens.", pointer="/id")
    site = Site(id=site_id, name=name, origins=[origin(o) for o in origins], created_at=now)
    with db.write() as session:
        if session.get(Site, site_id) is not None:
            raise Conflict("There is already a site with this id.")
        session.add(site)
        session.flush()
        session.add(SiteCounter(site_id=site_id))
    return site


def set_origins(db: Database, site_id: str, origins: Sequence[str]) -> list[str]:
    """Set all the origins that a site's pages are served from; returns them as they are kept."""
    with db.write() as session:
        site = lock(session, Site, site_id)
        site.origins = list(dict.fromkeys(origin(o) for o in origins))
        site.version += 1
        session.add(site)
        return site.origins


def find_site(db: Database, site_id: str) -> Site:
    """A site by its public id; raises `NotFound`."""
    with db.read() as session:
        return known_site(session, site_id)


def known_site(session: Session, site_id: str) -> Site:
    """A site by its public id, in the caller's transaction; raises `NotFound`."""
    site = session.get(Site, site_id)
    if site is None:
        raise NotFound("There is no such site.")
    return site


def origin(text: str) -> str:
    """An origin in its one spelling (`https://news.example`, `http://localhost:8000`); raises `Invalid`."""
    parts = _split(text)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise Invalid("An origin is a scheme, a host and perhaps a port, nothing more.", pointer="/origins")
    return origin_of(text)


def origin_of(url: str) -> str:
    """The origin of an http(s) address, compared by scheme, host and port; raises `Invalid`."""
    parts = _split(url)
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{_host(parts)}{port}"


def _host(parts: SplitResult) -> str:
    """The host as browsers write it into `Origin`: international names as xn--…, addresses in their one short form."""
    written = parts.hostname or ""
    try:
        if "[" in parts.netloc and "%" not in written:  # a zone is this machine's, not the browser's
            return f"[{IPv6Address(written)}]"
        host = ascii_host(written)
        if host and NUMERIC.fullmatch(host.removesuffix(".").rpartition(".")[2]):
            return str(IPv4Address(host))
    except ValueError:
        host = None
    if host is None:
        raise Invalid(NO_HOST, pointer="/article/url")
    return host


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in DEFAULT_PORTS and parts.hostname and not parts.username and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() or ord(character) < 32 or character == "\\" for character in url):
        raise Invalid("This is no http(s) address.", pointer="/article/url")
    return parts


def is_origin_of(site: Site, value: str | None) -> bool:
    """Whether an `Origin` header names one of the site's registered origins, to the letter."""
    return value is not None and value in site.origins


def is_address_of(site: Site, url: str) -> bool:
    """Whether an address is on one of the site's registered origins."""
    try:
        return origin_of(url) in site.origins
    except Invalid:
        return False


def find_article(session: Session, site_id: str, key: str) -> Article | None:
    """The article with this key, or None while nobody has commented on it or registered it."""
    return session.exec(select(Article).where(Article.site_id == site_id, Article.key == key)).first()


def admit(session: Session, site: Site, place: Place, *, now: datetime) -> tuple[Article, bool]:
    """The article of a comment, and whether this made it: only where its address is on one of the site's origins.

    Who makes one calls `announce` when every lock is taken, because numbering an event takes the last one.
    """
    article = find_article(session, site.id, place.key)
    if article is not None:
        return article, False
    check_place(site, place)
    fresh = Article(site_id=site.id, key=place.key, url=place.url, title=place.title, created_at=now)
    made = add_if_absent(session, fresh)
    return session.exec(select(Article).where(Article.site_id == site.id, Article.key == place.key)).one(), made


def announce(session: Session, article: Article, *, now: datetime) -> None:
    """Tell of an article that its first comment made."""
    payload = {"article": {"key": article.key}, "actor": "author"}
    emit(session, article.site_id, "article.created", payload, now=now)


def check_place(site: Site, place: Place) -> None:
    """Raise `Invalid` for an article that this site cannot have."""
    if not place.key.strip() or len(place.key) > KEY_LIMIT:
        raise Invalid(f"An article's key has 1 to {KEY_LIMIT} characters.", pointer="/article/key")
    if len(place.url) > URL_LIMIT or origin_of(place.url) not in site.origins:
        raise Invalid("The article's address is not on one of this site's registered origins.", pointer="/article/url")


def premoderated(site: Site, article: Article | None) -> bool:
    """Whether comments on this article wait for a person whatever the judgement says."""
    if article is None or article.premoderated is None:
        return site.premoderated
    return article.premoderated


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """What a host or the desk sets on an article; None leaves a field as it is."""

    url: str | None = None
    title: str | None = None
    section: str | None = None
    prompt: str | None = None
    closed: bool | None = None
    premoderated: bool | None = None
    writers: tuple[str, ...] | None = None


def register_article(db: Database, site_id: str, key: str, change: ArticleChange, *, actor: str, now: datetime) -> bool:
    """Make or change an article as its host says; returns whether it is new."""
    with db.write() as session:
        site = known_site(session, site_id)
        fresh = find_article(session, site_id, key) is None
        if fresh or change.url is not None:
            check_place(site, Place(key, change.url or ""))
        if fresh:
            fresh = add_if_absent(session, Article(site_id=site.id, key=key, url=change.url or "", created_at=now))
        article = session.exec(
            select(Article).where(Article.site_id == site.id, Article.key == key).with_for_update(key_share=True)
        ).one()
        was_closed = article.closed
        _apply(article, change)
        session.add(article)
        session.flush()
        for type_ in _told(fresh, was_closed, article.closed):
            payload: dict[str, Any] = {"article": {"key": key}, "actor": actor}
            emit(session, site.id, type_, payload, now=now)
    return fresh


def _apply(article: Article, change: ArticleChange) -> None:
    for name in ("url", "title", "section", "prompt", "closed", "premoderated"):
        value = getattr(change, name)
        if value is not None:
            setattr(article, name, value)
    if change.writers is not None:
        article.writers = list(dict.fromkeys(change.writers))
    article.confirmed = True
    article.version += 1


def _told(fresh: bool, was_closed: bool, closed: bool) -> list[str]:
    told = ["article.created"] if fresh else []
    if closed != was_closed:
        told.append("article.closed" if closed else "article.opened")
    return told


def article_card(db: Database, site_id: str, key: str) -> dict[str, Any] | None:
    """An article as its host sees it, or None."""
    with db.read() as session:
        site, article = known_site(session, site_id), find_article(session, site_id, key)
        if article is None:
            return None
        return {
            "site": site.id,
            "key": article.key,
            "url": article.url,
            "title": article.title,
            "section": article.section,
            "prompt": article.prompt or site.prompt,
            "state": "closed" if article.closed else "open",
            "moderation": "pre" if premoderated(site, article) else "post",
            "writers": article.writers,
            "count": article.count,
            "confirmed": article.confirmed,
            "version": article.version,
        }
