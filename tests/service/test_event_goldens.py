"""What each event says, told by the service itself and compared with a golden file.

Ids are replaced by labels in the order in which they appear, so that a golden shows which ones are the same. To change
a payload on purpose, run with `--golden` and read the difference before it is committed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from service.webhooks import EVENTS, endpoints
from service.webhooks.endpoints import Wish
from service.webhooks.sending import open_door
from tests.service.conftest import FINE, FOUL, Newsroom, Reader

GOLDENS = Path(__file__).parent / "events"
ID = re.compile(r"[0-9a-f]{24}")


def told(room: Newsroom) -> list[dict[str, Any]]:
    """Every event of the site, read through the API, with labels for ids."""
    text = json.dumps(room.host("GET", "/api/v1/events?limit=1000").json["events"], sort_keys=True)
    labels: dict[str, str] = {}
    found: list[dict[str, Any]] = json.loads(
        ID.sub(lambda id_: labels.setdefault(id_[0], f"id-{len(labels) + 1}"), text)
    )
    return found


def a_day(room: Newsroom, ada: Reader, bo: Reader) -> str:
    """A day in which everything happens that readers and the host can make happen; a comment that waits."""
    room.article()
    first = ada.post(FINE).json["id"]
    ada.edit(first, FINE + " Truly.")
    held: str = bo.post(FOUL).json["id"]
    body = {"reason": "abuse", "kind": "rules", "note": "not told to the host"}
    assert bo.room.client.post(f"/api/v1/comments/{first}/reports", json=body, headers=bo.headers).status_code == 201
    ada.withdraw(first)
    path = f"/api/v1/comments/{first}/restoration"
    assert room.client.post(path, headers=ada.headers).status_code == 200
    room.article(state="closed")
    room.article(state="open")
    door = open_door(room.settings)
    made, _ = endpoints.register(room.db, room.site, Wish("https://courier.example/hook"), door, now=room.clock())
    endpoints.ping(room.db, room.site, made.id, now=room.clock())
    endpoints.change(room.db, room.site, made.id, {"enabled": False}, door, now=room.clock())
    return held


def an_evening(room: Newsroom, held: str, author: str) -> None:
    """What staff does after it."""
    decisions = f"/api/v1/comments/{held}/decisions"
    refused = room.host("POST", decisions, json={"verdict": "reject", "version": 1, "reason": "?"}).json["detail"]
    reason = refused.split(": ")[1].split(",")[0]
    done = room.host("POST", decisions, json={"verdict": "reject", "version": 1, "reason": reason}).json
    assert room.host("POST", f"/api/v1/decisions/{done['id']}/undo").status_code == 201
    verdict = {"verdict": "approve", "version": 1}
    assert room.host("POST", decisions, json=verdict).status_code == 201
    assert room.host("PUT", f"/api/v1/comments/{held}/feature").status_code == 204
    for step in ({"verb": "mute", "days": 2}, {"verb": "ban"}, {"verb": "trust"}):
        body = {"reason": "not told to the host", **step}
        assert room.host("POST", f"/api/v1/authors/{author}/actions", json=body).status_code == 201


def test_every_event_says_what_its_golden_says(
    room: Newsroom, ada: Reader, bo: Reader, pytestconfig: pytest.Config
) -> None:
    an_evening(room, a_day(room, ada, bo), bo.id)
    first = {event["type"]: event for event in reversed(told(room))}
    assert set(first) == set(EVENTS)
    for type_, event in first.items():
        path = GOLDENS / f"{type_}.json"
        text = json.dumps(event, indent=2, ensure_ascii=False) + "\n"
        if pytestconfig.getoption("--golden"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")
    assert {path.stem for path in GOLDENS.glob("*.json")} == set(EVENTS)


def test_no_event_carries_words_or_names(room: Newsroom, ada: Reader, bo: Reader) -> None:
    an_evening(room, a_day(room, ada, bo), bo.id)
    everything = json.dumps(told(room))
    for secret in ("bridge saves", "idiot", "Ada Berg", "Bo Lund", "not told to the host"):
        assert secret not in everything
