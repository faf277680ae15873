"""A newspaper of its own for each test: a service on a fresh database, and a host's pages on a foreign origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.frontdesk import FrontDesk
from tests.browser.newspaper import Newspaper

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext


expect.set_options(timeout=15_000)


@pytest.fixture
def open_newspaper(sqlite_url: str) -> Iterator[Callable[..., Newspaper]]:
    """Opens a newspaper with settings of the test's choosing."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Newspaper(sqlite_url, **settings))


@pytest.fixture
def newspaper(open_newspaper: Callable[..., Newspaper]) -> Newspaper:
    """A newspaper as it comes."""
    return open_newspaper()


@pytest.fixture
def desk(sqlite_url: str, new_context: Callable[..., BrowserContext]) -> Iterator[FrontDesk]:
    """The desk with a newsroom behind it."""
    with FrontDesk(sqlite_url, new_context) as open_desk:
        yield open_desk
