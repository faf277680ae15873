"""What people wrote, where they came from and what they sign in with is in no log, no metric, and no answer to others.

A real service with `LOG_LEVEL=DEBUG` plays a scenario in which every secret is a word of its own, through errors of
all kinds; then those words are looked for in everything that came out.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from sqlalchemy import text
from sqlmodel import SQLModel, select

from service import review, sites
from service.db import Database
from service.identity import api_keys, host_keys, staff
from service.judges import Judges
from service.lifecycle import Actor
from service.models import ApiKey, Author, Comment, Decision, Idempotency, Renewal
from service.outbound import Door
from service.review import Decider, Verdict
from service.webhooks import endpoints
from tests.receiver import Answer as Reply
from tests.receiver import Receiver
from tests.service.conftest import FINE, FOUL, ORIGIN, START, Newsroom, Reader
from tests.serving import Answer, Served

ADDRESS = "203.0.113.77"
SIX = "2001:db8:77:77::77"


@dataclass
class Play:
    """A service, what was said to it, and what it said."""

    served: Served
    db: Database
    secrets: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, Answer]] = field(default_factory=list)

    def secret(self, what: str, word: str | None = None) -> str:
        """A word that occurs nowhere else, or one that the service made."""
        self.secrets[what] = word or f"{what.replace(' ', '')[:12]}{secrets.token_hex(6)}"
        return self.secrets[what]

    def ask(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        """A request from a reader's address, through a proxy that says so, with a word in every header."""
        sent = {"X-Forwarded-For": ADDRESS, "User-Agent": self.secrets["agent"], "Referer": self.secrets["referer"]}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.served.ask(method, path, body, sent | {k.replace("_", "-"): v for k, v in headers.items()})
        self.answers.append((f"{method} {path.split('?')[0]}", answer))
        return answer

    def post(self, words: str, token: str, **more: Any) -> Answer:
        """Submit a comment."""
        place = {"key": "bridge", "url": f"{ORIGIN}/bridge"}
        key = more.pop("key", secrets.token_hex(8))
        body = {"site": "courier", "article": place, "text": words, **more}
        return self.ask("POST", "/api/v1/comments", body, token, Idempotency_Key=key)

    def found_in(self, output: str, *but: str) -> list[str]:
        """Which secrets occur in some output."""
        return [what for what, word in self.secrets.items() if what not in but and word in output]


@pytest.fixture
def play(database_url: str, tmp_path: Path, receiver: Receiver) -> Iterator[Play]:
    """A service with a site, a host, a moderator and an endpoint that answers with an error."""
    db, now = Database(database_url), datetime.now(UTC)
    receiver.otherwise = Reply(500, body=b"the host's own trouble")
    sites.add_site(db, "courier", "The Courier", [ORIGIN], now=now)
    settings = {
        "LOG_LEVEL": "DEBUG",
        "TRUSTED_PROXIES": "127.0.0.0/8",
        "DEVELOPMENT": "1",
        "OUTBOUND_ALLOW": receiver.host_port,
    }
    application = "tests.service.blabbing"
    with Served(database_url, tmp_path, worker=True, application=application, **settings) as served:
        play = Play(served, db)
        for what in ("agent", "referer"):
            play.secret(what)
        play.secret("address", ADDRESS)
        play.secret("other address", SIX)
        play.secret("signing key", served.environment["SIGNING_KEYS"])
        _cast(play, receiver, now)
        yield play
    db.close()


def _cast(play: Play, receiver: Receiver, now: datetime) -> None:
    """A moderator, an API key, a key to vouch with, an endpoint."""
    login, password = f"{play.secret('login')}@courier.example", play.secret("password")
    staff.add_moderator(play.db, login, "Mo Vance", password, {"courier": "admin"}, now)
    with play.db.write() as session:
        play.secret("api key", api_keys.create(session, "courier", "host", api_keys.SCOPES, now=now)[1])
        offer = host_keys.Offer(kid="k1", issuer="https://courier.example")
        play.secret("host secret", host_keys.add(session, "courier", offer, now=now).secret)
    door = Door(allow=frozenset({("127.0.0.1", receiver.port)}), require_https=False)
    wish = endpoints.Wish(receiver.url, full=True)
    play.secret("webhook secret", endpoints.register(play.db, "courier", wish, door, now=now)[1])


# ---- the scenario ----


def _readers(play: Play) -> tuple[str, str]:
    """A guest and somebody whom the host vouches for; their tokens."""
    name = f"Ada {play.secret('name', 'Quillon' + secrets.token_hex(4))}"
    entry = play.ask("POST", "/api/v1/tokens", {"site": "courier", "name": name}).json
    play.secret("token", entry["token"])
    play.secret("renewal", entry["renewal"])
    again = {"site": "courier", "renewal": entry["renewal"]}
    assert play.ask("POST", "/api/v1/tokens", again, X_Forwarded_For=SIX).status == 201
    claims = {"iss": "https://courier.example", "aud": "courier", "sub": play.secret("subject"), "name": "Bo Lund"}
    claims |= {
        "exp": int(datetime.now(UTC).timestamp()) + 60,
        "jti": secrets.token_hex(8),
        "email": play.secret("mail"),
    }
    claims |= {"iat": int(datetime.now(UTC).timestamp())}
    assertion = jwt.encode(claims, play.secrets["host secret"], algorithm="HS256", headers={"kid": "k1"})
    play.secret("assertion", assertion)
    vouched = play.ask("POST", "/api/v1/tokens", {"site": "courier", "assertion": assertion})
    assert vouched.status == 201, vouched.text
    assert play.ask("POST", "/api/v1/tokens", {"site": "courier", "assertion": assertion}).status == 401
    assert play.ask("POST", "/api/v1/tokens", {"site": "courier", "assertion": assertion[:-9]}).status == 401
    return entry["token"], play.secret("other token", vouched.json["token"])


def _comments(play: Play, ada: str, bo: str) -> dict[str, str]:
    """Published, held, rejected, withdrawn, edited away, exploding in the engine: their ids."""
    ids = {}
    for what, begins in (
        ("published", FINE),
        ("held", FOUL),
        ("exploding", "Let it explode."),
        ("unclear", FOUL + " unclear"),
    ):
        answer = play.post(f"{begins} {play.secret(what)}", ada)
        assert answer.status == (201 if what == "published" else 202), answer.text
        ids[what] = answer.json["id"]
    for what in ("rejected", "withdrawn", "edited"):
        ids[what] = play.post(f"Another opinion on it. {play.secret(what)}", bo).json["id"]
    reject = {"verdict": "reject", "version": 1, "reason": "abuse.insult", "note": play.secret("note")}
    decided = play.ask("POST", f"/api/v1/comments/{ids['rejected']}/decisions", reject, play.secrets["api key"])
    assert decided.status == 201, decided.text
    assert play.ask("DELETE", f"/api/v1/comments/{ids['withdrawn']}", None, bo).status == 200
    edit = {"text": "I would rather say it like this.", "version": 1}
    assert play.ask("PATCH", f"/api/v1/comments/{ids['edited']}", edit, bo).status == 200
    nudged = play.post(f"Only a fucking idiot builds there. {play.secret('nudged')}", bo, nudge=True)
    play.secret("nudge token", nudged.json["nudge_token"])
    report = {"reason": "abuse", "note": play.secret("report"), "details": {"mail": play.secret("reporter")}}
    assert play.ask("POST", f"/api/v1/comments/{ids['published']}/reports", report, bo).status == 201
    return ids


def _mistakes(play: Play, ada: str) -> None:
    """Requests that are refused, with a secret in every place."""
    key, word = play.secret("idempotency key"), play.secret("mistake")
    play.post("One text that anybody may read.", ada, key=key)
    assert play.post(f"Another text. {word}", ada, key=key).status == 409
    for body in (
        f'{{"text": "{word}"'.encode(),
        f'{{"site": "courier", "text": ["{word}"]}}'.encode(),
        f'"{word}"'.encode(),
        f'{{"text": "{word}", "text": "{word}"}}'.encode(),
        f'{{"text": "{word}\\ud800"}}'.encode(),
        f'{{"site": "courier", "text": "{word}", "article": {{"key": "k", "url": "{word}"}}}}'.encode(),
    ):
        answer = play.ask("POST", "/api/v1/comments", body, ada, Content_Type="application/json")
        assert answer.status == 400, answer.text
        assert word not in answer.text
    assert play.post("x" * 20_000 + word, ada).status in (400, 413)
    for path in (
        f"/api/v1/comments?site={word}&article={word}&sort={word}",
        f"/{word}",
        f"/api/v1/counts?{word}={word}",
    ):
        assert play.ask("GET", path).status in (400, 404)
    assert play.ask("GET", "/api/v1/me/comments", None, play.secret("bad token")).status == 401
    assert play.ask("GET", "/api/v1/events", None, f"fwk_{play.secret('bad key')}").status == 401
    assert play.ask("POST", "/api/v1/comments", {"text": word}, ada, Origin=f"https://{word}.example").status == 403
    assert play.ask("POST", "/api/v1/tokens", {"site": "courier", "name": f"\u202e{word}"}).status == 400


def _sign_in(play: Play, password: str) -> Answer:
    """The desk's login form."""
    page = play.ask("GET", "/desk/login")
    cookie = page.headers["set-cookie"].partition(";")[0]
    csrf = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert csrf
    form = f"csrf={csrf[1]}&login={play.secrets['login']}%40courier.example&password={password}"
    headers = {
        "Cookie": cookie,
        "Content_Type": "application/x-www-form-urlencoded",
        "Origin": play.served.environment["PUBLIC_URL"],
    }
    return play.ask("POST", "/desk/login", form.encode(), "", **headers)


def _desk(play: Play) -> None:
    """A wrong password, the right one."""
    assert _sign_in(play, play.secret("wrong password")).status == 401
    entered = _sign_in(play, play.secrets["password"])
    assert entered.status == 303, entered.text
    play.secret("session", re.split("[=;]", entered.headers["set-cookie"])[1])


def _broken_database(play: Play, ada: str) -> None:
    """A constraint that fails quotes the whole row in its message; a table that is away quotes the statement."""
    refusing = (
        "CREATE TRIGGER boom BEFORE INSERT ON comment_version BEGIN SELECT RAISE(ABORT, 'no room for this'); END",
        "DROP TRIGGER boom",
    )
    if not play.db.is_sqlite:
        refusing = (
            "ALTER TABLE comment_version ADD CONSTRAINT boom CHECK (length(text) < 5) NOT VALID",
            "ALTER TABLE comment_version DROP CONSTRAINT boom",
        )
    missing = ("ALTER TABLE comment_version RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO comment_version")
    for number, (make, mend) in enumerate((refusing, missing)):
        with play.db.write() as session:
            session.execute(text(make))
        assert play.post(f"Nobody will read this. {play.secret(f'lost {number}')}", ada).status in (500, 503)
        with play.db.write() as session:
            session.execute(text(mend))
    assert play.post("Everybody will read this.", ada).status == 201


@pytest.fixture
def ids(play: Play) -> dict[str, str]:
    """The ids of the comments, after everything was played."""
    ada, bo = _readers(play)
    ids = _comments(play, ada, bo)
    _mistakes(play, ada)
    _desk(play)
    _broken_database(play, ada)
    return ids


def _pages(play: Play, ids: dict[str, str]) -> list[Answer]:
    """What anybody gets who asks for all that is public and knows every id."""
    query = "site=courier&article=bridge"
    paths = [f"/api/v1/comments?{query}&sort={sort}" for sort in ("newest", "oldest", "top")]
    paths += [f"/api/v1/counts?{query}", "/api/v1/discussed?site=courier", f"/embed/fragment?{query}"]
    paths += [f"/embed/comments?{query}&url={ORIGIN}/bridge"]
    paths += [f"/api/v1/comments/{id_}{end}" for id_ in ids.values() for end in ("", "/replies")]
    return [play.served.ask("GET", path) for path in paths]


# ---- what came out ----


def test_nothing_that_people_wrote_or_hold_comes_out(play: Play, ids: dict[str, str], receiver: Receiver) -> None:
    receiver.wait_for(3, within=30)
    pages = _pages(play, ids)
    watched = [play.served.ask("GET", path).text for path in ("/metrics", "/healthz", "/readyz")]
    play.served.stop("web")
    play.served.stop("worker")
    log = play.served.log
    assert log.count('"event": "request"') > 30, "the log of requests is not there, so nothing can be read from it"
    assert "delivery.attempted" in log
    assert play.found_in(log + "".join(watched)) == []
    assert _errors(play) == {}
    assert _kept_in_database(play) == []
    assert play.secrets["published"] in pages[0].text
    assert [found for page in pages if (found := play.found_in(page.text, "published", "name"))] == []
    assert [value for value in _hidden(play) if any(value in page.text for page in pages)] == []
    shown = [page.text for page in pages if page.status == 200]
    assert len(shown) > 5
    for word in ("toxicity", "score", "fingerprint", "engine", "wordlist", "digest", "urgency", "status"):
        assert not any(f'"{word}' in text for text in shown), word


def _errors(play: Play) -> dict[str, list[str]]:
    """Secrets in the bodies and headers of refusals; whoever sent a form gets their own login back."""
    refusals = [(what, answer) for what, answer in play.answers if answer.status >= 400]
    assert {answer.status for _, answer in refusals} >= {400, 401, 403, 404, 409, 500}
    own = {"nudge token", "login"}
    found = {what: play.found_in(answer.text + str(answer.headers), *own) for what, answer in refusals}
    return {what: words for what, words in found.items() if words}


def _kept_in_database(play: Play) -> list[str]:
    """Addresses, passwords and bearer secrets are in no row; what has to be kept to sign or verify with is."""
    with play.db.read() as session:
        rows = [str(tuple(row)) for table in SQLModel.metadata.sorted_tables for row in session.execute(select(table))]
    everything = "\n".join(rows)
    addresses = ("address", "other address")
    bearer = ("password", "token", "other token", "renewal", "api key", "session", "nudge token")
    return [what for what in (*addresses, *bearer) if play.secrets[what] in everything]


def _hidden(play: Play) -> set[str]:
    """What the service knows of comments and people and keeps to itself."""
    with play.db.read() as session:
        comments, authors = session.exec(select(Comment)).all(), session.exec(select(Author)).all()
        decisions = session.exec(select(Decision)).all()
        hidden = {row.hash for table in (Renewal, ApiKey) for row in session.exec(select(table))}
        hidden |= {row.request_hash for row in session.exec(select(Idempotency))}
    hidden |= {value for row in comments for value in (row.fingerprint, row.network)}
    hidden |= {value for row in authors for value in (row.network, row.subject)}
    hidden |= {value for row in decisions for value in (row.policy_digest or "", row.id)}
    assert len(hidden) > 10
    return hidden - {"", "unknown"}


# ---- what is not yours is as what is not there ----

NOWHERE = "0" * 24


def told(answer: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    """An answer without what differs from request to request."""
    body = {name: value for name, value in answer.json.items() if name != "request_id"}
    counted = ("X-Request-Id", "RateLimit", "Content-Length")
    return answer.status_code, body, {name: value for name, value in answer.headers if name not in counted}


def test_what_others_wrote_and_nobody_published_is_not_there(room: Newsroom, ada: Reader, bo: Reader) -> None:
    held = ada.post(FOUL).json["id"]
    withdrawn = ada.post(FINE).json["id"]
    ada.withdraw(withdrawn)
    requests: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("GET", "/replies", None),
        ("PATCH", "", {"text": "Mine now.", "version": 1}),
        ("DELETE", "", None),
        ("POST", "/restoration", None),
        ("POST", "/reports", {"reason": "abuse"}),
        ("PUT", "/reactions/like", None),
        ("DELETE", "/reactions/like", None),
    ]
    for method, end, body in requests:
        answers = [
            told(room.client.open(f"/api/v1/comments/{id_}{end}", method=method, json=body, headers=bo.headers))
            for id_ in (NOWHERE, held, withdrawn)
        ]
        assert answers[0][0] == 404, (method, end)
        assert answers[1] == answers[0], (method, end)
        assert answers[2] == answers[0], (method, end)
    reply = [told(bo.post("An answer.", parent=id_)) for id_ in (NOWHERE, held, withdrawn)]
    assert reply[0] == reply[1] == reply[2]


def test_another_sites_affairs_are_not_there_for_a_host(room: Newsroom, ada: Reader, judges: Judges) -> None:
    held = ada.post(FOUL).json["id"]
    mo = Decider(Actor("moderator", "m", "Mo"), {"courier": "moderator"})
    decision = review.decide(room.db, judges, mo, Verdict(held, 1, "approve"), START).decision_id
    hook = room.host("POST", "/api/v1/webhooks", json={"url": "https://93.184.215.14/hook"}).json["id"]
    with room.db.write() as session:
        _, eve = api_keys.create(session, "other", "Eve", api_keys.SCOPES, now=START)
    verdict = {"verdict": "approve", "version": 1}
    requests: list[tuple[str, str, str, Any]] = [
        ("GET", "/queue/{}", held, None),
        ("GET", "/comments/{}/decisions", held, None),
        ("POST", "/comments/{}/decisions", held, verdict),
        ("POST", "/decisions/{}/undo", decision, None),
        ("GET", "/webhooks/{}", hook, None),
        ("PATCH", "/webhooks/{}", hook, {"enabled": False}),
        ("DELETE", "/webhooks/{}", hook, None),
        ("POST", "/webhooks/{}/rotation", hook, {}),
        ("POST", "/webhooks/{}/ping", hook, {}),
        ("POST", "/webhooks/{}/replay", hook, {"failed": True}),
        ("GET", "/webhooks/{}/deliveries", hook, None),
    ]
    headers = {"Authorization": f"Bearer {eve}"}
    for method, path, id_, body in requests:
        theirs, nobodys = (
            told(room.client.open("/api/v1" + path.format(one), method=method, json=body, headers=headers))
            for one in (id_, NOWHERE)
        )
        assert nobodys[0] == 404, (method, path)
        assert theirs == nobodys, (method, path)
    for site in ("courier", "no-such-site"):
        answer = room.client.get(f"/api/v1/articles?site={site}&key=bridge", headers=headers)
        assert (answer.status_code, answer.json["detail"]) == (404, "There is no such site.")


def test_the_bytes_of_a_thread_are_the_same_for_everybody(room: Newsroom, ada: Reader, bo: Reader) -> None:
    made = ada.post(FINE).json["id"]
    room.client.put(f"/api/v1/comments/{made}/reactions/like", headers=bo.headers)
    for path in (
        "/api/v1/comments?site=courier&article=bridge",
        f"/api/v1/comments/{made}",
        f"/api/v1/comments/{made}/replies",
    ):
        bodies = {room.client.get(path, headers=headers).data for headers in ({}, ada.headers, bo.headers)}
        assert len(bodies) == 1, path
        assert b'"mine"' not in bodies.pop()
