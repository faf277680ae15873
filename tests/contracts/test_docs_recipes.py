"""The recipes in docs/recipes.md, as they stand there, against a running service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.browser.newspaper import Quiet
from tests.contracts.snippets import code
from tests.service.conftest import FOUL, Build, Newsroom, build, clock, judges  # noqa: F401 - fixtures

HEADINGS = ("A client in Python", "Reject what your own filter knows", "A morning report")


@pytest.fixture
def room(build: Build) -> Newsroom:  # noqa: F811
    return build()


@pytest.fixture
def recipes() -> dict[str, Any]:
    """What the pieces define, in the order of the page."""
    known: dict[str, Any] = {}
    for heading in HEADINGS:
        exec(code("recipes.md", heading), known)
    return known


@pytest.fixture
def firstword(room: Newsroom, recipes: dict[str, Any]) -> Iterator[Any]:
    """The client, with the site's key."""
    server = make_server("127.0.0.1", 0, room.client.application, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield recipes["Firstword"](f"http://127.0.0.1:{server.server_port}/", room.api_key)
    server.shutdown()
    server.server_close()


def test_the_queue_is_worked_decided_and_taken_back(room: Newsroom, firstword: Any) -> None:
    ada = room.reader("Ada Berg")
    ids = []
    for number in range(3):
        room.clock.pass_(seconds=1)
        ids.append(ada.post(f"{FOUL} {number}").json["id"])
    rows = list(firstword.queue(view="pending", order="oldest", limit=2))
    assert [row["id"] for row in rows] == ids
    done = firstword.decide(rows[0], "approve")
    assert [mine["status"] for mine in ada.mine() if mine["id"] == ids[0]] == ["approved"]
    firstword.undo(done)
    assert [mine["status"] for mine in ada.mine() if mine["id"] == ids[0]] == ["pending"]
    events = [event["seq"] for event in firstword.events()]
    assert events == list(range(1, len(events) + 1))
    assert list(firstword.events(after=events[-1])) == []


def test_a_refusal_says_why(room: Newsroom, firstword: Any, recipes: dict[str, Any]) -> None:
    room.reader("Ada Berg").post(FOUL)
    [row] = firstword.queue()
    firstword.decide(row, "approve")
    with pytest.raises(recipes["Refused"]) as refused:
        firstword.decide(row, "reject", reason="spam")
    assert refused.value.code == "stale-version"
    with pytest.raises(recipes["Refused"], match="invalid"):
        firstword.decide(row, "reject", reason="no such reason")


def test_a_filter_of_ones_own_rejects_what_it_knows(room: Newsroom, firstword: Any, recipes: dict[str, Any]) -> None:
    ada = room.reader("Ada Berg")
    for text in (f"{FOUL} Buy pills.", f"{FOUL} Buy more pills.", FOUL):
        ada.post(text)
    assert len(recipes["sweep"](firstword, lambda text: "pills" in text)) == 2
    assert sorted(mine["status"] for mine in ada.mine()) == ["pending", "rejected", "rejected"]


def test_a_report_is_a_sentence(room: Newsroom, firstword: Any, recipes: dict[str, Any]) -> None:
    assert recipes["report"](firstword) == "Nobody waits."
    room.reader("Ada Berg").post(FOUL)
    assert recipes["report"](firstword).startswith("1 wait, the oldest since 2026-03-02")
