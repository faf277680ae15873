"""A newspaper of its own for each test: a service on a fresh database, and a host's pages on a foreign origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.browser.newspaper import Newspaper


@pytest.fixture
def open_newspaper(sqlite_url: str) -> Iterator[Callable[..., Newspaper]]:
    """Opens a newspaper with settings of the test's choosing."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Newspaper(sqlite_url, **settings))


@pytest.fixture
def newspaper(open_newspaper: Callable[..., Newspaper]) -> Newspaper:
    """A newspaper as it comes."""
    return open_newspaper()
