"""A newspaper for the widget to stand in: the real service on one origin, a host's pages on another.

Both listen on loopback ports of the system's choosing. The pages carry the strictest policy that docs/widget.md gives.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

from flask import Flask
from sqlmodel import Session, select
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from config.settings import Settings, load
from moderation import Engine, read_policy
from service import sites
from service.app import create_app
from service.db import Database
from service.judges import Judges
from service.lifecycle import Actor
from service.models import Article, Author, Comment, CommentVersion, new_id
from service.review import Decider, Verdict, decide

SITE, KEY, PROMPT = "courier", "line-6", "Should the trams have Mill Street to themselves?"
FOUL = "Vance is a fucking idiot and so is everybody who voted for this bridge."
PLENTY = "author 9999/minute, network 9999/minute, site 9999/minute"


class Quiet(WSGIRequestHandler):
    """Says nothing of the requests it serves."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 -- werkzeug's name
        """Nothing."""


@dataclass
class Page:
    """One page of the host: what stands in its body, and what headers it comes with."""

    body: str
    headers: dict[str, str]


class Newspaper:
    """The service, one site on it, and the host's pages."""

    def __init__(self, database_url: str, engine: Engine | None = None, **settings: str) -> None:
        self.pages: dict[str, Page] = {}
        self._host = ThreadingHTTPServer(("127.0.0.1", 0), _serving(self.pages))
        self.origin = f"http://localhost:{self._host.server_port}"
        self._database_url, self._engine, self._settings = database_url, engine, settings
        self._tokens: dict[str, str] = {}
        self._server: BaseWSGIServer
        self.app: Flask

    def __enter__(self) -> Self:
        self._server = make_server("127.0.0.1", 0, _starting, threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        limits = {f"LIMIT_{name}": PLENTY for name in ("COMMENT", "EDIT", "REPORT", "REACTION", "ARTICLE")}
        environment = {
            "DATABASE_URL": self._database_url,
            "PUBLIC_URL": self.url,
            "SIGNING_KEYS": "a key for tests only, of 32 bytes or more".replace(" ", "-"),
            "LIMIT_TOKEN": "network 9999/minute, site 9999/minute",
            "ENGINE": "lexicon",
            "LOG_LEVEL": "ERROR",
            **limits,
            **self._settings,
        }
        settings = load(environment)
        self.app = create_app(settings, judges=self._judges(settings))
        self.app.extensions["firstword"].judges.under()  # word lists are read before anybody waits for them
        self._server.app = self.app
        sites.add_site(self.database, SITE, "The Eastmere Courier", [self.origin], now=datetime.now(UTC))
        for server in (self._server, self._host):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def _judges(self, settings: Settings) -> Judges | None:
        """Judges with the test's own engine, or None for the real one."""
        if self._engine is None:
            return None
        engines = [self._engine]
        read = partial(read_policy, settings.policy_file, settings.wordlists)
        return Judges(read, lambda: engines, settings.judge_timeout)

    def __exit__(self, *_: object) -> None:
        for server in (self._server, self._host):
            server.shutdown()
            server.server_close()
        self.database.close()

    @property
    def database(self) -> Database:
        """The service's database."""
        found: Database = self.app.extensions["firstword"].database
        return found

    @property
    def policy(self) -> str:
        """The host's content security policy: what docs/widget.md gives, and nothing else."""
        docs = (Path(__file__).parents[2] / "docs" / "widget.md").read_text(encoding="utf-8")
        given = docs.split("## Content security policy")[1].split("```")[1]
        ours = " ".join(given.split()).replace("https://comments.example", self.url)
        return f"default-src 'none'; base-uri 'none'; form-action 'none'; {ours}"

    # ---- the host's pages ----

    def article(self, path: str = "/line-6", *, lang: str = "en", **attributes: str) -> str:
        """Publish an article with the widget under it; answers its address."""
        given = {"site": SITE, "article": KEY, "url": f"{self.origin}{path}", "title": "Line 6", **attributes}
        inside = given.pop("inside", "")
        traits = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in given.items())
        widget = f"<firstword-comments {traits}>{inside}</firstword-comments>"
        return self.publish(path, f"<article><h1>Line 6</h1></article>{widget}", lang=lang)

    def publish(self, path: str, body: str, *, lang: str = "en", script: str = "") -> str:
        """Publish a page that loads the widget; answers its address."""
        html = (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>The Courier</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<script type="module" src="{self.url}/widget/embed.js"></script></head>'
            f"<body>{body}{script}</body></html>"
        )
        self.pages[path] = Page(html, {"Content-Security-Policy": self.policy})
        return f"{self.origin}{path}"

    def register(self, **change: Any) -> None:
        """Set something on the article, as the host does."""
        change.setdefault("url", f"{self.origin}/line-6")
        sites.register_article(
            self.database, SITE, KEY, sites.ArticleChange(**change), actor="host", now=datetime.now(UTC)
        )

    # ---- other readers ----

    def say(self, name: str, text: str, parent: str | None = None) -> dict[str, Any]:
        """Another reader writes, over HTTP; answers the comment or the problem."""
        article = {"key": KEY, "url": f"{self.origin}/line-6", "title": "Line 6"}
        body = {"site": SITE, "article": article, "parent": parent, "text": text}
        return self.ask("POST", "/comments", body, self.token(name))

    def token(self, name: str) -> str:
        """A reader's token."""
        if name not in self._tokens:
            self._tokens[name] = self.ask("POST", "/tokens", {"site": SITE, "name": name})["token"]
        return self._tokens[name]

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None, **query: str) -> dict[str, Any]:
        """One request to the API."""
        url = f"{self.url}/api/v1{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                found: dict[str, Any] = json.load(answer)
        except HTTPError as problem:
            found = json.load(problem)
        return found

    def thread(self) -> dict[str, Any]:
        """The article's thread as everybody sees it."""
        return self.ask("GET", "/comments", site=SITE, article=KEY)

    # ---- the newsroom ----

    def decide(self, comment_id: str, verdict: str, reason: str | None = None) -> None:
        """A moderator decides about the latest text of a comment."""
        mo = Decider(Actor("moderator", None, "Mo"), {SITE: "moderator"})
        with self.database.read() as session:
            comment = session.get(Comment, comment_id)
        assert comment is not None
        judges = self.app.extensions["firstword"].judges
        decide(self.database, judges, mo, Verdict(comment_id, comment.latest, verdict, reason), datetime.now(UTC))

    def held(self) -> list[str]:
        """The ids of the comments that wait, oldest first."""
        with self.database.read() as session:
            return list(
                session.exec(select(Comment.id).where(Comment.status == "pending").order_by(Comment.created_at))
            )

    def touch(self, act: Callable[[Session], None]) -> None:
        """Change something in the database that has no verb here yet, so that readers see it."""
        with self.database.write() as session:
            act(session)
            for article in session.exec(select(Article)):
                article.version += 1
                session.add(article)

    def multiply(self, comment_id: str, times: int) -> None:
        """Copy a public comment as many times, each a second older."""
        with self.database.write() as session:
            model = session.get(Comment, comment_id)
            assert model is not None
            text = session.exec(select(CommentVersion).where(CommentVersion.comment_id == comment_id)).one()
            article = session.get(Article, model.article_id)
            assert article is not None
            for n in range(1, times + 1):
                born = model.created_at + timedelta(seconds=n)
                fresh = Comment(
                    **{**model.model_dump(), "id": (made := new_id()), "thread_id": made, "created_at": born}
                )
                session.add(fresh)
                session.flush()
                session.add(CommentVersion(**{**text.model_dump(exclude={"id"}), "comment_id": made}))
            article.count += times
            article.version += 1
            session.add(article)

    def feature(self, comment_id: str) -> None:
        """Lift a comment above the others."""

        def act(session: Session) -> None:
            comment = session.get(Comment, comment_id)
            assert comment is not None
            comment.featured_at = datetime.now(UTC)
            session.add(comment)

        self.touch(act)

    def mute(self, name: str, until: datetime) -> None:
        """Let a reader read but not write until then."""

        def act(session: Session) -> None:
            for author in session.exec(select(Author).where(Author.name == name)):
                author.muted_until = until
                session.add(author)

        self.touch(act)


@dataclass
class Wire:
    """What a page asked for, in order."""

    urls: list[tuple[str, str]] = field(default_factory=list)

    def paths(self, method: str = "GET") -> list[str]:
        """The paths asked for with a method."""
        return [urlsplit(url).path for how, url in self.urls if how == method]


@contextmanager
def listening(page: Any) -> Iterator[Wire]:
    """Notes the requests of a page while it is open."""
    wire = Wire()

    def note(request: Any) -> None:
        wire.urls.append((request.method, request.url))

    page.on("request", note)
    yield wire
    page.remove_listener("request", note)


def _starting(_: Any, start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [])
    return [b""]


def _serving(pages: dict[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Serving(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(urlsplit(self.path).path)
            self.send_response(200 if page else 404)
            for name, value in (page.headers if page else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page.body if page else "").encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            pass

    return Serving
