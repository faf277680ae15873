"""The desk as a moderator meets it: the real service on loopback, a newsroom with its staff, and browsers at it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import make_server

from config.settings import load
from service.app import create_app
from service.db import Database
from tests.browser.newspaper import Quiet
from tests.service.newsroom import PASSWORD, Newsroom, author, finding, judgement, open_newsroom, write

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

DEADLINE = 30_000


class FrontDesk:
    """The service with a newsroom in it."""

    def __init__(self, database_url: str, new_context: Callable[..., BrowserContext], **settings: str) -> None:
        self._url, self._new_context, self._settings = database_url, new_context, settings

    def __enter__(self) -> Self:
        plenty = "author 9999/minute, network 9999/minute"
        settings = {"DATABASE_URL": self._url, "SIGNING_KEYS": "k" * 40, "LOG_LEVEL": "ERROR", "LIMIT_LOGIN": plenty}
        self.app = create_app(load({**settings, **self._settings}))
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True, request_handler=Quiet)
        self.url = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.room: Newsroom = open_newsroom(self.database)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.database.close()

    @property
    def database(self) -> Database:
        """The service's database."""
        found: Database = self.app.extensions["firstword"].database
        return found

    def hold(self, text: str, minutes: int = 30, **what: Any) -> str:
        """A comment that waits, written so many minutes ago."""
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        held = judgement(finding("engine.insult", attribute="insult", score=0.81), scores={"insult": 0.81})
        who = what.pop("author", None) or self.room.bo
        return write(self.database, text, author=who, judged=what.pop("judged", held), at=at, **what)

    def reader(self, name: str) -> str:
        """Somebody who writes."""
        return author(self.database, name)

    def sign_in(self, login: str = "mo", **options: Any) -> Page:
        """A clean browser with somebody at the desk."""
        page = self._new_context(**options).new_page()
        page.set_default_timeout(DEADLINE)
        page.goto(f"{self.url}/desk/login")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("text=Sign in", no_wait_after=True)
        page.wait_for_url("**/queue*")
        return page

    def statuses(self, ids: list[str]) -> list[str]:
        """What became of some comments."""
        return [self.room.state(one).status for one in ids]
