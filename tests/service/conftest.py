"""A newsroom to test in: one site, a clock that stands still until it is told, and the cast.

Ada is a trusted reader, Bo a new one, Mo a moderator; Eve is of another site and must never see anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import Settings, load
from service import sites
from service.app import create_app
from service.db import Database
from service.identity import api_keys, staff
from service.judges import Judges, open_judges
from tests.serving import SIGNING_KEY, UNLIMITED

KEY = SIGNING_KEY
ORIGIN = "https://courier.example"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FINE = "The new bridge saves me twenty minutes each morning. Thank you for explaining the costs."
FOUL = "You are a fucking idiot and so is everybody who voted for this bridge."


class Clock:
    """The time, which passes only when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        """Let time pass: `clock.pass_(minutes=5)`."""
        self.now += timedelta(**span)


@dataclass
class Reader:
    """Somebody who writes: their token and what renews it."""

    room: Newsroom
    id: str
    token: str
    renewal: str | None

    @property
    def headers(self) -> dict[str, str]:
        """The credentials of one request."""
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, text: str = FINE, article: str = "bridge", **more: Any) -> TestResponse:
        """Submit a comment; `key` is the idempotency key, a new one unless given."""
        key = more.pop("key", f"key-{next(self.room.numbers)}")
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {}), **more.pop("headers", {})}
        place = {"key": article, "url": f"{ORIGIN}/{article}"}
        body = {"site": self.room.site, "article": place, "text": text, **more}
        return self.room.client.post("/api/v1/comments", json=body, headers=headers)

    def edit(self, comment_id: str, text: str, version: int = 1) -> TestResponse:
        """Change one's own comment."""
        body = {"text": text, "version": version}
        return self.room.client.patch(f"/api/v1/comments/{comment_id}", json=body, headers=self.headers)

    def withdraw(self, comment_id: str) -> TestResponse:
        """Take one's own comment back."""
        return self.room.client.delete(f"/api/v1/comments/{comment_id}", headers=self.headers)

    def mine(self) -> list[dict[str, Any]]:
        """One's own comments."""
        found: list[dict[str, Any]] = self.room.client.get("/api/v1/me/comments", headers=self.headers).json["comments"]
        return found


@dataclass
class Newsroom:
    """One application on a fresh database with the site `courier`."""

    client: FlaskClient
    db: Database
    settings: Settings
    clock: Clock
    api_key: str
    site: str = "courier"

    def __post_init__(self) -> None:
        self.numbers = count()

    def reader(self, name: str, **entry: Any) -> Reader:
        """A guest with a name, or whoever an `assertion` or a `renewal` brings."""
        answer = self.client.post(
            "/api/v1/tokens", json={"site": self.site, **({"name": name} if name else {}), **entry}
        )
        assert answer.status_code == 201, answer.json
        return Reader(self, answer.json["author"]["id"], answer.json["token"], answer.json["renewal"])

    def thread(self, article: str = "bridge", **query: Any) -> dict[str, Any]:
        """What everybody sees under an article."""
        answer = self.client.get("/api/v1/comments", query_string={"site": self.site, "article": article, **query})
        assert answer.status_code == 200, answer.json
        found: dict[str, Any] = answer.json
        return found

    def host(self, method: str, path: str, **more: Any) -> TestResponse:
        """A request of the host, with its API key."""
        return self.client.open(path, method=method, headers={"Authorization": f"Bearer {self.api_key}"}, **more)

    def article(self, key: str = "bridge", **change: Any) -> TestResponse:
        """The host sets an article."""
        body = {"site": self.site, "key": key, "url": f"{ORIGIN}/{key}", **change}
        return self.host("PUT", "/api/v1/articles", json=body)


@pytest.fixture(scope="session")
def judges() -> Judges:
    """The shipped policy with the lexicon, opened once: a judge keeps nothing between judgements."""
    return open_judges(load({"SIGNING_KEYS": KEY, "ENGINE": "lexicon"}))


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


Build = Callable[..., Newsroom]


@pytest.fixture
def build(database_url: str, clock: Clock, judges: Judges, tmp_path: Any) -> Iterator[Build]:
    """Build a newsroom with settings of one's own."""
    opened: list[Database] = []

    def make(judges: Judges = judges, **settings: str) -> Newsroom:
        environ = {
            "DATABASE_URL": database_url,
            "DATA_DIR": str(tmp_path),
            "SIGNING_KEYS": KEY,
            "LOG_LEVEL": "CRITICAL",
        }
        app = create_app(load({**environ, **UNLIMITED, **settings}), clock=clock, judges=judges)
        parts = app.extensions["firstword"]
        opened.append(parts.database)
        sites.add_site(parts.database, "courier", "The Courier", [ORIGIN], now=clock())
        sites.add_site(parts.database, "other", "Another", ["https://other.example"], now=clock())
        with parts.database.write() as session:
            _, key = api_keys.create(session, "courier", "host", api_keys.SCOPES, now=clock())
        return Newsroom(app.test_client(), parts.database, parts.settings, clock, key)

    yield make
    for database in opened:
        database.close()


@pytest.fixture
def room(build: Build) -> Newsroom:
    """A newsroom with limits out of the way."""
    return build()


@pytest.fixture
def ada(room: Newsroom) -> Reader:
    """Ada, a reader."""
    return room.reader("Ada Berg")


@pytest.fixture
def bo(room: Newsroom) -> Reader:
    """Bo, another."""
    return room.reader("Bo Lund")


@pytest.fixture
def mo(room: Newsroom) -> str:
    """Mo, a moderator of the site; their id."""
    return staff.add_moderator(
        room.db, "mo@courier.example", "Mo Vance", "correct horse battery", {"courier": "admin"}, room.clock()
    )
