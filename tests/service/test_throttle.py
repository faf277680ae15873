"""Limits on Redis, and without it: never unlimited, never an error, and back by themselves."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from config.settings import SettingsRefused, load
from service.errors import Limited
from service.web import throttle
from service.web.throttle import Throttle, parse_rates
from tests.parts import Redis
from tests.service.conftest import KEY, Build, Newsroom


@pytest.fixture(autouse=True)
def _request_context(request: pytest.FixtureRequest) -> Iterator[None]:
    """A throttle announces what is left on the request."""
    from flask import Flask

    with Flask("test").app_context():
        yield


def limited(url: str = "") -> Throttle:
    """Two comments an hour and author."""
    return Throttle(load({"SIGNING_KEYS": KEY, "REDIS_URL": url, "LIMIT_COMMENT": "author 2/hour"}))


def accepted(throttle: Throttle, tries: int, author: str = "ada") -> int:
    """How many of some tries are accepted."""
    found = 0
    for _ in range(tries):
        try:
            throttle.count("comment", author=author)
            found += 1
        except Limited:
            continue
    return found


def test_processes_that_share_a_redis_share_their_counts(redis_url: str) -> None:
    first, second = limited(redis_url), limited(redis_url)
    assert accepted(first, 1) + accepted(second, 5) == 2
    assert accepted(first, 5) == 0


def test_without_redis_each_process_counts_alone_and_comes_back(
    own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "RETRY_SECONDS", 0.0)
    shared = limited(own_redis.url)
    assert accepted(shared, 1, "before") == 1
    own_redis.stop()
    assert accepted(shared, 10, "during") == 2
    own_redis.start()
    assert accepted(shared, 10, "after") == 2
    assert accepted(limited(own_redis.url), 10, "after") == 0


def test_a_black_hole_costs_one_short_wait_not_one_each() -> None:
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        shared = limited(f"redis://127.0.0.1:{hole.getsockname()[1]}/0")
        began = time.monotonic()
        assert accepted(shared, 50) == 2
        assert time.monotonic() - began < 50 * throttle.REDIS_SECONDS / 2


def test_a_dead_redis_is_no_500_and_shows_in_the_metrics(build: Build) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        room: Newsroom = build(REDIS_URL=f"redis://127.0.0.1:{free.getsockname()[1]}/0", LIMIT_COMMENT="author 2/hour")
    ada = room.reader("Ada Berg")
    assert [ada.post(f"Opinion {n} on the bridge.").status_code for n in range(3)] == [201, 201, 429]
    assert "firstword_limits_degraded 1.0" in room.client.get("/metrics").text


def test_rotating_forwarded_headers_dodge_nothing(build: Build) -> None:
    room = build(LIMIT_TOKEN="network 3/hour")
    statuses = []
    for number in range(6):
        headers = dict.fromkeys(("X-Forwarded-For", "Client-IP", "X-Real-IP", "True-Client-IP"), f"203.0.113.{number}")
        headers["Forwarded"] = f"for=203.0.113.{number}"
        answer = room.client.post(
            "/api/v1/tokens", json={"site": "courier", "name": f"Reader {number}"}, headers=headers
        )
        statuses.append(answer.status_code)
    assert statuses == [201, 201, 201, 429, 429, 429]


@pytest.mark.parametrize(
    ("forwarded", "same"),
    [
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"], True),
        (["2001:db8:1:2::1", "2001:db8:1:3::1"], False),
        (["198.51.100.7", "198.51.100.8"], False),
        (["6.6.6.6, 198.51.100.7", "7.7.7.7, 198.51.100.7"], True),
        (["198.51.100.7, 127.0.0.9", "198.51.100.8, 127.0.0.9"], False),
    ],
)
def test_behind_a_configured_proxy_the_nearest_untrusted_address_counts(
    build: Build, forwarded: list[str], same: bool
) -> None:
    room = build(TRUSTED_PROXIES="127.0.0.0/8", LIMIT_TOKEN="network 1/hour")
    answers = [
        room.client.post(
            "/api/v1/tokens", json={"site": "courier", "name": f"Reader {n}"}, headers={"X-Forwarded-For": address}
        ).status_code
        for n, address in enumerate(forwarded)
    ]
    assert answers == [201, 429 if same else 201]


def test_a_host_with_its_key_has_a_limit_of_its_own_whatever_readers_have_used_up(build: Build) -> None:
    room = build(LIMIT_ARTICLE="author 1/hour, network 1/hour, site 1/hour", LIMIT_HOST="author 4/hour")
    ada = room.reader("Ada Berg")
    assert [ada.post(article=f"page-{n}").status_code for n in range(2)] == [201, 429]
    statuses = [room.article(f"story-{n}").status_code for n in range(3)]
    assert statuses == [201, 201, 201]
    assert room.host("GET", "/api/v1/queue").status_code == 200
    refused = room.host("GET", "/api/v1/queue")
    assert (refused.status_code, refused.json["code"]) == (429, "limited")
    assert refused.headers["RateLimit-Policy"] == '"host";q=4;w=3600'
    assert room.article("story-9").status_code == 429


def test_by_default_a_host_registers_a_whole_archive_at_once(build: Build) -> None:
    room = build(LIMIT_HOST="")
    assert {room.article(f"story-{n}").status_code for n in range(60)} == {201}


@pytest.mark.parametrize("text", ["author", "everybody 4/minute", "author 4/fortnight", "author nonsense"])
def test_a_limit_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_rates(text)


def test_settings_refuse_several_processes_with_limits_in_memory() -> None:
    environ = {"SIGNING_KEYS": KEY, "DATABASE_URL": "postgresql+psycopg://x/y", "WEB_PROCESSES": "3"}
    with pytest.raises(SettingsRefused) as refused:
        load(environ)
    assert any("REDIS_URL" in problem for problem in refused.value.problems)
    load({**environ, "REDIS_URL": "redis://localhost"})


@pytest.mark.parametrize("url", ["https://[x", "//[", "https://x:99999", "https://x:y", "ftp://x", "https://x/y"])
def test_settings_refuse_a_public_address_that_is_none(url: str) -> None:
    with pytest.raises(SettingsRefused, match="PUBLIC_URL"):
        load({"SIGNING_KEYS": KEY, "PUBLIC_URL": url})
