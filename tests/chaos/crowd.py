"""The crowd: readers who write, edit and take back, and a host that moderates, over HTTP, whatever breaks under them.

A reader whose request was not answered asks again under the same idempotency key, at any web process. What was
acknowledged is noted, and the audit holds the service to it.
"""

from __future__ import annotations

import http.client
import json
import random
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

ORIGIN = "https://gazette.example"
ARTICLES = 5
PATIENCE = 300  # tries of one request: a minute, and more than a web process takes to start
FINE, FOUL = "The trams are a good idea", "You are a fucking idiot"
SITE = "gazette"


@dataclass
class Posted:
    """One comment that somebody wanted to post: the marker in its text, and the id it was acknowledged with."""

    author: int
    key: str
    marker: str
    body: dict[str, Any]
    comment_id: str | None = None


@dataclass
class Ledger:
    """What the crowd was told."""

    posted: list[Posted] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def complain(self, about: str) -> None:
        """Note a promise that was not kept."""
        with self.lock:
            self.complaints.append(about)

    def count(self, what: str) -> None:
        """Count one answer by its status, or one request that got none."""
        with self.lock:
            self.answers[what] = self.answers.get(what, 0) + 1


class Client:
    """Somebody with a credential who speaks to any web process and asks again when nobody answers."""

    def __init__(self, ports: list[int], ledger: Ledger, chance: random.Random, credential: str = "") -> None:
        self._ports, self._ledger, self._chance = ports, ledger, chance
        self.credential = credential

    def ask(self, method: str, path: str, body: Any = None, key: str = "", tries: int = PATIENCE) -> tuple[int, Any]:
        """The first answer that is not a 5xx; (0, None) when nobody answered in all those tries."""
        for _ in range(tries):
            status, answer = self._once(method, path, body, key)
            self._ledger.count(str(status or "none"))
            if 0 < status < 500:
                return status, answer
            threading.Event().wait(self._chance.uniform(0.05, 0.4))
        return 0, None

    def _once(self, method: str, path: str, body: Any, key: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self._chance.choice(self._ports), timeout=15)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"Authorization": f"Bearer {self.credential}"} if self.credential else {}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()


def write(number: int, client: Client, ledger: Ledger, stop: threading.Event, chance: random.Random) -> None:
    """One reader: posts, repeats, edits, takes back, until told to stop."""
    name = f"Reader {number} {secrets.token_hex(3)}"
    status, entry = client.ask("POST", "/tokens", {"site": SITE, "name": name})
    if status != 201:
        raise RuntimeError(f"no token for a reader: {status} {entry}")
    client.credential = entry["token"]
    mine: list[Posted] = []
    while not stop.is_set():
        done = [posted for posted in mine if posted.comment_id]
        what = chance.random()
        if what < 0.65 or not done:
            mine.append(_post(number, client, ledger, chance))
        elif what < 0.75:
            _send(chance.choice(done), client, ledger)
        elif what < 0.92:
            _edit(chance.choice(done[-3:]), client, chance)
        else:
            client.ask("DELETE", f"/comments/{chance.choice(done[-3:]).comment_id}")
        stop.wait(chance.uniform(0, 0.1))


def _post(author: int, client: Client, ledger: Ledger, chance: random.Random) -> Posted:
    marker = f"m{secrets.token_hex(8)}"
    place = {"key": f"a{chance.randrange(ARTICLES)}"}
    place["url"] = f"{ORIGIN}/{place['key']}"
    with ledger.lock:
        near = [other for other in ledger.posted[-30:] if other.comment_id and other.body["article"] == place]
        parent = chance.choice(near).comment_id if near and chance.random() < 0.3 else None
        body = {"site": SITE, "article": place, "parent": parent, "text": _text(marker, chance)}
        posted = Posted(author, f"key-{secrets.token_hex(8)}", marker, body)
        ledger.posted.append(posted)
    _send(posted, client, ledger)
    return posted


def _text(marker: str, chance: random.Random) -> str:
    return f"{FOUL if chance.random() < 0.3 else FINE}, says {marker}."


def _send(posted: Posted, client: Client, ledger: Ledger) -> None:
    """Post, or post again under the same key: whatever is acknowledged must be one and the same comment."""
    status, answer = client.ask("POST", "/comments", posted.body, posted.key)
    if status in (404, 409) and posted.body["parent"]:
        return  # the parent is not public any more; nothing was stored
    if status and "id" not in answer:
        ledger.complain(f"a comment was answered with {status} {answer.get('code')}: {answer.get('detail')}")
    elif status and posted.comment_id not in (None, answer["id"]):
        ledger.complain(f"the key of {posted.comment_id} gave {answer['id']}")
    elif status:
        posted.comment_id = answer["id"]


def _edit(posted: Posted, client: Client, chance: random.Random) -> None:
    """Change the text once; a later one of two edits meets a stale version, and that is right."""
    text = f"{_text(posted.marker, chance)} Edited."
    client.ask("PATCH", f"/comments/{posted.comment_id}", {"text": text, "version": 1})


def moderate(client: Client, ledger: Ledger, stop: threading.Event, chance: random.Random) -> None:
    """A host that works the queue off by its API key, and now and then takes a verdict back."""
    reason = None
    while not stop.is_set():
        status, page = client.ask("GET", "/queue?limit=10")
        waiting = page["comments"] if status == 200 else []
        if waiting:
            row = chance.choice(waiting)
            reason = reason or _a_reason(client, row)
            verdict = {"verdict": chance.choice(("approve", "reject")), "version": row["version"], "reason": reason}
            status, done = client.ask("POST", f"/comments/{row['id']}/decisions", verdict)
            if status == 201 and chance.random() < 0.2:
                client.ask("POST", f"/decisions/{done['id']}/undo")
        stop.wait(chance.uniform(0.02, 0.2))


def _a_reason(client: Client, row: dict[str, Any]) -> str | None:
    """A rejection's reason, as the refusal of a wrong one lists them."""
    wrong = {"verdict": "reject", "version": row["version"], "reason": "?"}
    status, refused = client.ask("POST", f"/comments/{row['id']}/decisions", wrong)
    return str(refused["detail"].split(": ")[1].split(",")[0]) if status == 400 else None
