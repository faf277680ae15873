"""A service that speaks Perspective: an engine whose scores a test can foresee, keys, and a real server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from config.settings import Settings, load
from moderation import Span
from service import sites
from service.app import create_app
from service.db import Database
from service.identity import api_keys
from service.judges import Judges, open_judges
from service.models import ApiKey

SIGNING_KEY = "a-signing-key-for-tests-only-of-32-bytes-or-more"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANALYZE = "/v1alpha1/comments:analyze"
SUGGEST = "/v1alpha1/comments:suggestscore"
ENGLISH = "What a fine and friendly morning it is for everybody in this town."
GERMAN = "Was für ein schöner und freundlicher Morgen für alle Leute in dieser Stadt."


@dataclass
class WordEngine:
    """A hand-written engine: `idiot` is an insult, `kill` a threat; one word of two makes 0.5, all of them 1.0."""

    name: str = "words"
    version: str = "1"
    attributes: tuple[str, ...] = ("toxicity", "insult", "threat", "obscene", "severe_toxicity", "identity_attack")
    languages: frozenset[str] | None = frozenset({"en"})
    seen: list[str] = field(default_factory=list)
    fault: Callable[[Sequence[str]], list[dict[str, float]] | None] | None = None

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """By the share of words."""
        self.seen += texts
        if self.fault and (instead := self.fault(texts)) is not None:
            return instead
        return [self._one(text.lower().split()) for text in texts]

    def _one(self, words: list[str]) -> dict[str, float]:
        insult = _share(words, "idiot")
        threat = _share(words, "kill")
        quiet = dict.fromkeys(self.attributes, 0.0)
        return {**quiet, "toxicity": max(insult, threat), "insult": insult, "threat": threat, "obscene": 0.25}

    def explain(self, text: str) -> Mapping[str, Sequence[Span]]:
        """Nothing."""
        return {}


def _share(words: list[str], wanted: str) -> float:
    return sum(wanted in word for word in words) / len(words) if words else 0.0


class Clock:
    """The time, which passes only when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


@dataclass
class Service:
    """One application on a fresh database, with the site `courier` and a key for it."""

    app: Flask
    db: Database
    engine: WordEngine
    clock: Clock
    key: str
    settings: Settings

    def post(self, path: str, body: Any, key: str | None = None, **more: Any) -> TestResponse:
        """A call with the service's key, or another; `body` is made JSON unless it is bytes."""
        query = {"key": self.key if key is None else key}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        options = {"data": raw, "content_type": "application/json", "query_string": query, **more}
        return self.app.test_client().post(path, **options)

    def analyze(self, text: str, *names: str, **more: Any) -> TestResponse:
        """Score a text: TOXICITY unless other attributes are named."""
        wanted = {name: {} for name in names or ("TOXICITY",)}
        return self.post(ANALYZE, {"comment": {"text": text}, "requestedAttributes": wanted, **more})

    def add_key(self, **chosen: Any) -> str:
        """Another key of the site, with settings of its own."""
        with self.db.write() as session:
            row, shown = api_keys.create(session, "courier", "a key", ["perspective"], now=self.clock())
            session.get_one(ApiKey, row.id).settings = chosen
        return shown


Build = Callable[..., Service]


@pytest.fixture
def build(database_url: str, tmp_path: Path) -> Iterator[Build]:
    """Build a service with an engine or settings of one's own."""
    opened: list[Database] = []

    def make(engine: WordEngine | None = None, **settings: str) -> Service:
        environ = {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "SIGNING_KEYS": SIGNING_KEY}
        loaded = load({**environ, "LOG_LEVEL": "CRITICAL", **settings})
        used, clock = engine or WordEngine(), Clock()
        app = create_app(loaded, clock=clock, judges=judges_with(used, loaded))
        db = app.extensions["firstword"].database
        opened.append(db)
        sites.add_site(db, "courier", "The Courier", ["https://courier.example"], now=clock())
        service = Service(app, db, used, clock, "", loaded)
        service.key = service.add_key()
        return service

    yield make
    for database in opened:
        database.close()


def judges_with(engine: WordEngine, settings: Settings) -> Judges:
    """Judges that ask this engine."""
    shipped = open_judges(settings)
    return Judges(shipped._read, lambda: [engine], settings.judge_timeout)


@pytest.fixture
def service(build: Build) -> Service:
    """A service with the engine of words."""
    return build()


@pytest.fixture
def address(service: Service) -> Iterator[str]:
    """The service on loopback, with threads; the address ends without a slash."""
    with serving(service.app) as found:
        yield found


class serving:  # noqa: N801 - used as a word: `with serving(app) as address`
    """An application behind a real server on a port that the system chose."""

    def __init__(self, app: Any, ssl_context: Any = None) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=ssl_context)
        self._scheme = "https" if ssl_context else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
