"""Endpoints and their delivery log: what a host can do with them, and that it can do nothing with another's."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from service.db import Database
from service.errors import Conflict, Invalid, NotFound
from service.models import Delivery, Endpoint
from service.outbound import Door, OutboundRefused
from service.webhooks import deliveries as queue
from service.webhooks import endpoints, log, sending
from service.webhooks.deliveries import Answer
from service.webhooks.endpoints import Wish
from service.webhooks.log import Look
from tests.receiver import Received, Receiver
from tests.service import host_side as host
from tests.service.host_side import NOON, SITE, Clock

DOOR = Door()
URL = "https://gazette.example/hook"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with host.opened(database_url) as database:
        host.add_site(database)
        yield database


def register(db: Database, wish: Wish | None = None, site: str = SITE, door: Door = DOOR) -> tuple[str, str]:
    endpoint, shown = endpoints.register(db, site, wish or Wish(URL), door, now=NOON)
    return endpoint.id, shown


def do(db: Database, verb: Callable[..., Any], *args: Any, site: str = SITE, **more: Any) -> Any:
    """One use case at noon, for the Gazette if nobody else is named."""
    return verb(db, site, *args, **{"now": NOON, **more})


def fail(db: Database, at: datetime = NOON) -> None:
    """Everything due is tried and found gone for good."""
    for due in queue.claim_due(db, at, 100, 60):
        with db.write() as session:
            session.get_one(Delivery, due.delivery_id).state = "failed"


def take(db: Database, at: datetime = NOON) -> list[str]:
    """Deliver everything that is due; the ids of the events in the order sent."""
    sent = []
    while claimed := queue.claim_due(db, at, 100, 60):
        for due in claimed:
            queue.settle(db, due, Answer(200), now=at, rng=host.rng())
            sent.append(due.event_id)
    return sent


# ---- registering and changing ----


def test_an_endpoint_is_registered_in_its_plain_form_and_its_secret_shown_once(db: Database) -> None:
    id_, shown = register(db, Wish("HTTPS://Gazette.Example:443/hook", "prod", ["ping", "ping"], full=True))
    kept = host.endpoint(db, id_)
    assert (kept.url, kept.types, kept.full, kept.state) == (URL, ["ping"], True, "active")
    assert shown.startswith("whsec_")
    assert shown not in repr(endpoints.keys_shown(kept, NOON))


@pytest.mark.parametrize("url", ["http://gazette.example/", "https://127.0.0.1/", "https://localhost/", "ftp://x", ""])
def test_an_address_that_the_door_does_not_open_to_is_refused_by_name(db: Database, url: str) -> None:
    with pytest.raises(OutboundRefused) as refusal:
        register(db, Wish(url))
    assert refusal.value.pointer == "/url"


def test_unknown_types_and_schemes_are_refused(db: Database) -> None:
    with pytest.raises(Invalid, match=r"comment\.liked"):
        register(db, Wish(URL, types=["ping", "comment.liked"]))
    with pytest.raises(Invalid, match="scheme"):
        register(db, Wish(URL, scheme="v2"))


def test_a_site_has_a_bounded_number_of_endpoints(db: Database) -> None:
    for _ in range(endpoints.MOST_ENDPOINTS):
        last, _ = register(db)
    with pytest.raises(Conflict):
        register(db)
    do(db, endpoints.delete, last)
    register(db)


def test_what_is_changed_is_changed_and_the_rest_stays(db: Database) -> None:
    id_, _ = register(db, Wish(URL, "old", ["ping"]))
    do(db, endpoints.change, id_, {"url": "https://gazette.example/new", "full": True}, DOOR)
    kept = host.endpoint(db, id_)
    assert (kept.url, kept.description, kept.types, kept.full) == (
        "https://gazette.example/new",
        "old",
        ["ping"],
        True,
    )
    with pytest.raises(OutboundRefused):
        do(db, endpoints.change, id_, {"url": "https://10.0.0.1/"}, DOOR)
    assert host.endpoint(db, id_).url == "https://gazette.example/new"


def test_out_of_service_and_back_with_a_clean_slate(db: Database) -> None:
    id_, _ = register(db)
    other, _ = register(db, Wish(URL, types=["endpoint.disabled"]))
    host.emit(db)
    do(db, endpoints.change, id_, {"enabled": False}, DOOR)
    assert [(d.endpoint_id, d.state) for d in host.deliveries(db)] == [(id_, "failed"), (other, "due")]
    host.emit(db)
    with db.write() as session:
        session.get_one(Endpoint, id_).failing_since = NOON - timedelta(days=9)
    do(db, endpoints.change, id_, {"enabled": True}, DOOR)
    kept = host.endpoint(db, id_)
    assert (kept.state, kept.failing_since, kept.disabled_reason) == ("active", None, None)
    assert host.events(db, "endpoint.disabled")[0].payload["endpoint"]["reason"] == "by-hand"


def test_a_deleted_endpoint_is_gone_with_its_keys_and_gets_nothing_more(db: Database) -> None:
    id_, _ = register(db)
    host.emit(db)
    do(db, endpoints.delete, id_)
    host.emit(db)
    assert host.endpoint(db, id_).secrets == []
    assert take(db) == []
    with pytest.raises(NotFound):
        endpoints.one(db, SITE, id_)
    with pytest.raises(NotFound):
        do(db, endpoints.delete, id_)


def test_eve_sees_and_moves_nothing_of_another_site(db: Database) -> None:
    host.add_site(db, "eves")
    id_, _ = register(db)
    event = host.emit(db)
    attempts: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (endpoints.change, (id_, {"url": "https://eve.example/"}, DOOR)),
        (endpoints.rotate, (id_, "v1")),
        (endpoints.delete, (id_,)),
        (endpoints.ping, (id_,)),
        (log.replay_one, (id_, event)),
        (log.replay_range, (id_, 0, 9)),
        (log.replay_failed, (id_,)),
    ]
    for verb, args in attempts:
        with pytest.raises(NotFound):
            do(db, verb, *args, site="eves")
    mine, _ = register(db, site="eves")
    with pytest.raises(NotFound):
        do(db, log.replay_one, mine, event, site="eves")
    with pytest.raises(NotFound):
        endpoints.one(db, "eves", id_)
    with pytest.raises(NotFound):
        log.entries(db, "eves", id_, Look())
    assert [e.id for e in endpoints.listed(db, "eves")] == [mine]
    assert host.endpoint(db, id_).url == URL


# ---- rotation ----


def verified_by(receiver: Receiver, *shown: str) -> list[bool]:
    """Which of these keys verify the last request: shared ones by the published library, public ones by ed25519."""
    request = receiver.requests[-1]
    return [(_ed25519 if key.startswith("whpk_") else _library)(key, request) for key in shown]


def _library(key: str, request: Received) -> bool:
    try:
        Webhook(key).verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return False
    return True


def _ed25519(key: str, request: Received) -> bool:
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_")))
    said = request.headers
    content = f"{said['webhook-id']}.{said['webhook-timestamp']}.".encode() + request.body
    for part in said["webhook-signature"].split():
        version, _, signature = part.partition(",")
        if version == "v1a":
            try:
                public.verify(base64.b64decode(signature), content)
            except InvalidSignature:
                continue
            return True
    return False


@pytest.mark.parametrize(("first", "second"), [("v1", "v1"), ("v1", "v1a"), ("v1a", "v1"), ("v1a", "v1a")])
def test_before_during_and_after_a_rotation_the_published_library_verifies(
    db: Database, receiver: Receiver, first: str, second: str
) -> None:
    door = Door(allow=frozenset({("127.0.0.1", receiver.port)}), require_https=False)
    clock = Clock(datetime.now(UTC))  # the library reads the real clock
    id_, old = register(db, Wish(receiver.url, scheme=first), door=door)

    def send() -> None:
        host.emit(db, at=clock())
        (due,) = queue.claim_due(db, clock(), 5, 60)
        sending.deliver(db, door, due, clock, host.rng())

    send()
    assert verified_by(receiver, old) == [True]
    _, new = do(db, endpoints.rotate, id_, second, now=clock())
    send()
    assert verified_by(receiver, old, new) == [True, True]
    with db.write() as session:  # a day later, without waiting for it
        endpoint = session.get_one(Endpoint, id_)
        endpoint.secrets = [endpoint.secrets[0], {**endpoint.secrets[1], "until": clock().isoformat()}]
    send()
    assert verified_by(receiver, old, new) == [False, True]


def test_no_more_than_two_keys_sign_and_a_leaked_one_can_be_dropped_at_once(db: Database) -> None:
    id_, _ = register(db)
    for _ in range(3):
        do(db, endpoints.rotate, id_, "v1")
    kept = host.endpoint(db, id_)
    assert len(sending.live_keys(kept.secrets, NOON)) == 2
    assert len(sending.live_keys(kept.secrets, NOON + timedelta(hours=24))) == 1
    do(db, endpoints.rotate, id_, "v1", overlap=timedelta(0))
    assert len(host.endpoint(db, id_).secrets) == 1
    with pytest.raises(Invalid):
        do(db, endpoints.rotate, id_, "v1", overlap=timedelta(days=8))


# ---- the test button, the log, replays ----


def test_a_ping_goes_to_one_endpoint_whatever_it_listens_to(db: Database) -> None:
    id_, _ = register(db, Wish(URL, types=["article.closed"]))
    register(db)
    event = do(db, endpoints.ping, id_)
    assert [(d.endpoint_id, d.event_id) for d in host.deliveries(db)] == [(id_, event.id)]
    do(db, endpoints.change, id_, {"enabled": False}, DOOR)
    with pytest.raises(Conflict):
        do(db, endpoints.ping, id_)


def test_the_log_tells_newest_first_what_was_tried_and_what_came_back(db: Database) -> None:
    id_, _ = register(db)
    for minute in range(5):
        host.emit(db, at=NOON + timedelta(minutes=minute))
    at = NOON + timedelta(minutes=10)
    due = queue.claim_due(db, at, 1, 60)[0]
    queue.settle(db, due, Answer(503, text="busy", latency_ms=40), now=at, rng=host.rng())
    first, cursor = log.entries(db, SITE, id_, Look(limit=3))
    rest, end = log.entries(db, SITE, id_, Look(cursor, limit=3))
    assert [entry.event.seq for entry in first + rest] == [5, 4, 3, 2, 1]
    assert end is None
    (attempt,) = rest[-1].attempts
    assert (attempt.status, attempt.answer, attempt.latency_ms) == (503, "busy", 40)
    assert attempt.at == at - timedelta(milliseconds=40)
    assert log.entries(db, SITE, id_, Look(state="delivered")) == ([], None)


@pytest.mark.parametrize("cursor", ["", "x", "é", "AAAA", "LjE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OS4x"])
def test_a_cursor_that_we_did_not_give_is_refused(db: Database, cursor: str) -> None:
    id_, _ = register(db)
    with pytest.raises(Invalid) as refusal:
        log.entries(db, SITE, id_, Look(cursor))
    assert refusal.value.pointer == "?cursor"


def test_one_event_is_sent_again_under_its_own_id(db: Database) -> None:
    id_, _ = register(db)
    event = host.emit(db)
    assert take(db) == [event]
    for _ in range(2):
        assert do(db, log.replay_one, id_, event).count == 1
        assert take(db) == [event]
    assert [d.replay for d in host.deliveries(db)] == [0, 1, 2]


def test_a_range_is_sent_again_even_what_was_never_sent(db: Database) -> None:
    missed = [host.emit(db, type_) for type_ in ("ping", "article.closed", "ping", "ping")]
    id_, _ = register(db, Wish(URL, types=["ping"]))
    assert do(db, log.replay_range, id_, 0, 3) == log.Queued(2)
    assert sorted(take(db)) == sorted([missed[0], missed[2]])
    with pytest.raises(Invalid):
        do(db, log.replay_range, id_, 3, 3)


def test_all_that_failed_is_sent_again_once(db: Database) -> None:
    id_, _ = register(db)
    failed = [host.emit(db) for _ in range(4)]
    fail(db)
    good = host.emit(db)
    assert take(db) == [good]
    assert do(db, log.replay_failed, id_).count == 4
    assert do(db, log.replay_failed, id_).count == 0
    assert sorted(take(db)) == sorted(failed)
    assert do(db, log.replay_failed, id_).count == 0


def test_a_large_replay_says_where_to_go_on(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_AT_ONCE", 3)
    for _ in range(7):
        host.emit(db)
    id_, _ = register(db)
    after, rounds = 0, []
    while after is not None:
        queued = do(db, log.replay_range, id_, after, 7)
        rounds.append(queued.count)
        after = queued.next_after
    assert rounds == [3, 3, 1]


def test_the_log_is_forgotten_after_thirty_days_and_the_events_are_not(db: Database) -> None:
    register(db)
    old, waiting = host.emit(db), host.emit(db)
    due = {d.event_id: d for d in queue.claim_due(db, NOON, 9, 60)}
    queue.settle(db, due[old], Answer(200), now=NOON, rng=host.rng())
    queue.settle(db, due[waiting], Answer(500), now=NOON, rng=host.rng())
    assert log.forget(db, NOON + timedelta(days=29)) == 0
    assert log.forget(db, NOON + timedelta(days=31)) == 1
    assert [d.event_id for d in host.deliveries(db)] == [waiting]
    assert len(host.attempts(db)) == 1
    assert len(host.events(db, "ping")) == 2
