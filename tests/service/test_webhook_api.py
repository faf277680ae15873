"""The host's routes over HTTP: webhooks, their log, replays, events; keys with scopes; clear refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import Settings
from service.app import create_app
from service.db import Database
from service.identity import api_keys
from service.web import schemas_host
from service.webhooks import deliveries as queue
from service.webhooks import sending
from tests.receiver import Answer, Receiver
from tests.service import host_side as host
from tests.service.host_side import NOON, SITE, Clock

URL = "https://gazette.example/hook"


class HostSide:
    """A host that speaks to the service with one key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self.client = client
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=headers, **more)

    def get(self, path: str, status: int = 200) -> Any:
        return self._expect(self.ask("GET", path), status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self._expect(self.ask("POST", path, body), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return self._expect(self.ask("PATCH", path, body), status)

    def _expect(self, answer: TestResponse, status: int) -> Any:
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.content_type == "application/problem+json"
        return answer.json


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with host.opened(database_url) as database:
        host.add_site(database)
        host.add_site(database, "eves")
        yield database


@pytest.fixture
def client(database_url: str, db: Database, clock: Clock, receiver: Receiver) -> Iterator[FlaskClient]:
    settings = Settings(
        database_url=database_url,
        signing_keys=("k" * 32,),
        development=True,
        outbound_allow=frozenset({("127.0.0.1", receiver.port)}),
        public_url="http://localhost",
    )
    app = create_app(settings, clock=clock)
    yield app.test_client()
    app.extensions["firstword"].database.close()


def speaking(client: FlaskClient, db: Database, *scopes: str, site: str = SITE) -> HostSide:
    with db.write() as session:
        _, key = api_keys.create(session, site, "newsroom", scopes, now=NOON)
    return HostSide(client, key)


@pytest.fixture
def gazette(client: FlaskClient, db: Database) -> HostSide:
    return speaking(client, db, "webhooks", "events")


@pytest.fixture
def eve(client: FlaskClient, db: Database) -> HostSide:
    return speaking(client, db, "webhooks", "events", site="eves")


def test_an_endpoints_life_from_registration_to_deletion(gazette: HostSide) -> None:
    made = gazette.post("/webhooks", {"url": URL, "types": ["ping"], "description": "prod"}, 201)
    assert schemas_host.KeyedEndpointOut().validate(made) == {}
    secret, path = made.pop("secret"), f"/webhooks/{made['id']}"
    assert secret.startswith("whsec_")
    assert gazette.get(path) == made
    assert gazette.get("/webhooks") == {"endpoints": [made]}
    changed = gazette.patch(path, {"types": [], "full": True, "enabled": False})
    assert (changed["types"], changed["full"], changed["state"], changed["disabled_reason"]) == (
        [],
        True,
        "disabled",
        "by-hand",
    )
    assert gazette.patch(path, {"enabled": True})["state"] == "active"
    assert gazette.ask("DELETE", path).status_code == 204
    gazette.get(path, 404)
    assert secret not in repr(gazette.get("/webhooks"))


def test_a_rotation_shows_the_new_key_once_and_how_long_the_old_one_lives(gazette: HostSide) -> None:
    made = gazette.post("/webhooks", {"url": URL}, 201)
    rotated = gazette.post(f"/webhooks/{made['id']}/rotation", {"scheme": "v1a", "overlap": 3_600})
    assert rotated["secret"].startswith("whpk_")
    new, old = rotated["keys"]
    assert (new["scheme"], new["until"], new["public_key"]) == ("v1a", None, rotated["secret"])
    assert (old["scheme"], old["until"], old["public_key"]) == ("v1", "2026-05-04T13:00:00+00:00", None)


def test_a_ping_arrives_and_the_log_tells_of_it(
    gazette: HostSide, db: Database, clock: Clock, receiver: Receiver
) -> None:
    made = gazette.post("/webhooks", {"url": receiver.url}, 201)
    path = f"/webhooks/{made['id']}"
    told = gazette.post(f"{path}/ping", status=202)
    receiver.answers.append(Answer(503, body=b"busy"))
    settings = gazette.client.application.extensions["firstword"].settings
    for _ in range(2):
        (due,) = queue.claim_due(db, clock(), 1, 60)
        sending.deliver(db, sending.open_door(settings), due, clock, host.rng())
        clock.forward(seconds=10)
    page = gazette.get(f"{path}/deliveries")
    assert schemas_host.DeliveriesOut().validate(page) == {}
    (entry,) = page["deliveries"]
    assert (entry["event"], entry["state"]) == (told["id"], "delivered")
    assert [(a["number"], a["status"], a["answer"]) for a in entry["attempts"]] == [(1, 503, "busy"), (2, 204, "")]
    assert [request.json for request in receiver.requests] == [told, told]


def test_a_host_reads_every_event_in_order_and_sends_again_what_it_missed(gazette: HostSide, db: Database) -> None:
    for type_ in ("article.created", "ping", "article.closed"):
        host.emit(db, type_)
    page = gazette.get("/events?limit=2")
    assert schemas_host.EventsOut().validate(page) == {}
    rest = gazette.get("/events?after=2")["events"]
    assert [event["seq"] for event in page["events"] + rest] == [1, 2, 3]
    assert gazette.get("/events?after=3") == {"events": []}
    assert [e["type"] for e in gazette.get("/events?type=ping&type=article.closed")["events"]] == [
        "ping",
        "article.closed",
    ]
    path = f"/webhooks/{gazette.post('/webhooks', {'url': URL}, 201)['id']}"
    one = {"event": rest[0]["id"]}
    for body, queued in ((one, 1), ({"after": 0, "until": 3}, 3), ({"failed": True}, 0)):
        assert gazette.post(f"{path}/replay", body, 202) == {"queued": queued, "next_after": None}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"after": 1},
        {"failed": False},
        {"event": "msg_0"},
        {"event": "msg_" + "0" * 24, "failed": True},
        {"after": -1, "until": 3},
        {"after": 3, "until": 3},
        {"after": True, "until": 3},
        {"after": "1", "until": 3},
        [],
        "all",
    ],
)
def test_a_replay_that_could_mean_two_things_is_refused(gazette: HostSide, body: Any) -> None:
    made = gazette.post("/webhooks", {"url": URL}, 201)
    gazette.post(f"/webhooks/{made['id']}/replay", body, 400)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": "http://127.0.0.1/"}, "/url"),
        ({"url": "https://169.254.169.254/latest"}, "/url"),
        ({"url": URL, "types": ["comment.liked"]}, "/types"),
        ({"url": URL, "types": "ping"}, "/types"),
        ({"url": URL, "full": "on"}, "/full"),
        ({"url": URL, "scheme": "v3"}, "/scheme"),
        ({"url": URL, "secrets": []}, "/secrets"),
        ({"url": URL, "state": "active"}, "/state"),
        ({"url": URL, "site_id": "eves"}, "/site_id"),
    ],
)
def test_a_wrong_endpoint_is_refused_where_it_is_wrong(gazette: HostSide, body: Any, pointer: str) -> None:
    problem = gazette.post("/webhooks", body, 400)
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert gazette.get("/webhooks") == {"endpoints": []}


def test_without_the_right_key_nothing_is_told(client: FlaskClient, db: Database, gazette: HostSide) -> None:
    made = gazette.post("/webhooks", {"url": URL}, 201)
    reader = speaking(client, db, "articles")
    for path in ("/webhooks", f"/webhooks/{made['id']}", f"/webhooks/{made['id']}/deliveries", "/events"):
        HostSide(client, "").get(path, 401)
        HostSide(client, "fwk_" + "x" * 43).get(path, 401)
        reader.get(path, 403)


def test_eve_gets_the_answer_of_what_does_not_exist(gazette: HostSide, eve: HostSide, db: Database) -> None:
    made = gazette.post("/webhooks", {"url": URL}, 201)
    event = host.emit(db)
    for id_ in (made["id"], "0" * 24):
        answers = [
            eve.get(f"/webhooks/{id_}", 404),
            eve.patch(f"/webhooks/{id_}", {"url": "https://eve.example/"}, 404),
            eve.get(f"/webhooks/{id_}/deliveries", 404),
            eve.post(f"/webhooks/{id_}/ping", status=404),
            eve.post(f"/webhooks/{id_}/rotation", {}, 404),
            eve.post(f"/webhooks/{id_}/replay", {"event": f"msg_{event}"}, 404),
        ]
        assert {answer["detail"] for answer in answers} == {"There is no such endpoint."}
        assert eve.ask("DELETE", f"/webhooks/{id_}").status_code == 404
    assert eve.get("/events") == {"events": []}
    assert eve.get(f"/events?site={SITE}", 404)["detail"] == eve.get("/events?site=nowhere", 404)["detail"]
    assert gazette.get("/webhooks")["endpoints"][0]["url"] == URL


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=１", "limit=0", "limit=1001", "after=1e3", "type="])
def test_a_query_that_means_nothing_is_refused(gazette: HostSide, query: str) -> None:
    gazette.get(f"/events?{query}", 400)
