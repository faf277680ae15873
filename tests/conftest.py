"""Fixtures that start the real parts, each when first asked for: databases, Redis, a browser, a webhook receiver.

A test that takes `database_url` runs on SQLite and on PostgreSQL; `pytest --databases=sqlite` is for quick work. A part
that is not installed skips its tests with the way to get it, and fails them where CI is set.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.parts import (
    CHROMIUM,
    CHROMIUM_FLAGS,
    POSTGRES,
    REDIS,
    Cluster,
    Lair,
    OwnCluster,
    Part,
    Redis,
    shared_cluster,
)
from tests.receiver import Receiver

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

DATABASES = ("sqlite", "postgresql")
BROWSER_MS = 30_000  # an upper bound for a busy machine; nothing waits longer than it has to
LAIR = pytest.StashKey[Lair]()
LAIR_PATH = "FIRSTWORD_TEST_LAIR"  # how xdist's workers learn where the session keeps its servers


# ---- options and the life of a session ----


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make` and people may ask for."""
    parser.addoption("--databases", default=",".join(DATABASES), help="sqlite, postgresql or both (default)")
    parser.addoption("--golden", action="store_true", help="write golden files anew instead of comparing with them")
    parser.addoption("--run-detoxify", action="store_true", help="collect tests/detoxify, which needs torch")


def pytest_configure(config: pytest.Config) -> None:
    """Open the session's lair, or find the one of the process that leads the workers."""
    if hasattr(config, "workerinput"):
        config.stash[LAIR] = Lair(Path(os.environ[LAIR_PATH]))
    else:
        config.stash[LAIR] = Lair.open()
        os.environ[LAIR_PATH] = str(config.stash[LAIR].path)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End everything that the session started."""
    if lair := config.stash.get(LAIR, None):
        lair.close()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests that need torch to `make test-detoxify`."""
    wanted = config.getoption("--run-detoxify") or collection_path.name != "detoxify"
    return None if wanted else True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what stands on `database_url` once for each database."""
    if "database_kind" in metafunc.fixturenames:
        kinds = metafunc.config.getoption("--databases").split(",")
        if unknown := set(kinds) - set(DATABASES):
            raise pytest.UsageError(f"--databases: no such database: {', '.join(sorted(unknown))}")
        metafunc.parametrize("database_kind", kinds, scope="session")


def need(part: Part) -> None:
    """Skip, or in CI fail, when a part of the system is not there."""
    if not part.find():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"{part.name} is not installed; `make system-parts` installs it or says how.")


@pytest.fixture(scope="session")
def lair(pytestconfig: pytest.Config) -> Lair:
    """Where this session starts servers: `lair.start(program, …)` ends them with it."""
    return pytestconfig.stash[LAIR]


# ---- databases ----


@pytest.fixture(scope="session")
def postgres(lair: Lair) -> Cluster:
    """The session's PostgreSQL, shared by all workers."""
    need(POSTGRES)
    return shared_cluster(lair)


@pytest.fixture(scope="session")
def sqlite_template(lair: Lair) -> Path:
    """A migrated SQLite file, made once a session and only ever copied."""
    from service.migrations import upgrade

    path = lair.path / "template.db"
    with lair.alone("sqlite"):
        if not path.exists():
            unfinished = path.with_suffix(".unfinished")
            upgrade(f"sqlite:///{unfinished}")
            with closing(sqlite3.connect(unfinished)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            unfinished.rename(path)
    return path


@pytest.fixture(scope="session")
def postgres_template(lair: Lair, postgres: Cluster) -> str:
    """The name of a migrated PostgreSQL database, made once a session and only ever copied."""
    from service.migrations import upgrade

    done = lair.path / "template.postgres"
    with lair.alone("template"):
        if not done.exists():
            upgrade(postgres.create("template"))
            done.touch()
    return "template"


@pytest.fixture
def sqlite_url(lair: Lair, sqlite_template: Path) -> Iterator[str]:
    """The address of a fresh migrated SQLite database."""
    directory = lair.path / f"t_{secrets.token_hex(8)}"
    directory.mkdir()
    shutil.copyfile(sqlite_template, directory / "firstword.db")
    yield f"sqlite:///{directory / 'firstword.db'}"
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: Cluster, postgres_template: str) -> Iterator[str]:
    """The address of a fresh migrated PostgreSQL database."""
    name = f"t_{secrets.token_hex(8)}"
    yield postgres.create(name, postgres_template)
    postgres.drop(name)


@pytest.fixture
def own_postgres(lair: Lair) -> Iterator[OwnCluster]:
    """A PostgreSQL of the test's own, to crash and start at will."""
    need(POSTGRES)
    own = OwnCluster(lair)
    own.start()
    yield own
    own.crash()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_kind: str) -> str:
    """The address of a fresh migrated database: every test that asks runs on each kind."""
    url: str = request.getfixturevalue("sqlite_url" if database_kind == "sqlite" else "postgres_url")
    return url


# ---- Redis ----


@pytest.fixture(scope="session")
def worker_redis(lair: Lair) -> Iterator[Redis]:
    """One Redis for each worker."""
    need(REDIS)
    redis = Redis(lair).start()
    yield redis
    redis.stop()


@pytest.fixture
def redis_url(worker_redis: Redis) -> str:
    """The address of an empty Redis."""
    worker_redis.flush()
    return worker_redis.url


@pytest.fixture
def own_redis(lair: Lair) -> Iterator[Redis]:
    """A Redis of the test's own, to stop and start at will."""
    need(REDIS)
    redis = Redis(lair).start()
    yield redis
    redis.stop()


# ---- the host site's receiver ----


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A host site's webhook receiver."""
    with Receiver() as listening:
        yield listening


# ---- time ----


@pytest.fixture
def early_in_a_minute() -> None:
    """Let a test that counts tries a minute begin early in one: a count starts anew with each minute of the clock."""
    left = 60 - time.time() % 60
    if left < 20:
        time.sleep(left)


# ---- the browser ----


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless and cut off from everything but loopback; names under `.test` are loopback too.

    It lives for one module, because Playwright's event loop runs in this thread as long as it does.
    """
    need(CHROMIUM)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=BROWSER_MS)
    with sync_playwright() as playwright:
        program = str(CHROMIUM.require())
        chromium = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens clean browser profiles: `new_context(locale="ar", viewport=…, java_script_enabled=False)`."""
    opened: list[BrowserContext] = []
    wrong: list[str] = []

    def open_context(**options: Any) -> BrowserContext:
        context = browser.new_context(**options)
        context.set_default_timeout(BROWSER_MS)
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        context.on("console", lambda line: wrong.append(line.text) if _is_breach(line.text) else None)
        opened.append(context)
        return context

    yield open_context
    for context in opened:
        for one in context.pages:
            _leave(one)
        context.close()
    assert not wrong, "the page broke its own rules: " + "; ".join(wrong)


def _leave(page: Page) -> None:
    """Empty a page before it is closed: closed on its way to another address, it can keep Chromium waiting for ever."""
    from playwright.sync_api import Error

    for _ in range(5):
        try:
            page.goto("about:blank")
        except Error as error:  # the page was on its way to another address, and came there first
            if "interrupted by another navigation" not in error.message:
                raise
        else:
            return


def _is_breach(line: str) -> bool:
    return "Content Security Policy" in line or "Trusted" in line


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    """A page in a clean profile; the test fails when a script of it raises or breaks the content security policy."""
    return new_context().new_page()
