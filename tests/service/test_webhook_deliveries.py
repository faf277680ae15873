"""Deliveries: claimed once, a fair share each, judged by their answer, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from standardwebhooks import Webhook

from service.db import Database
from service.models import CommentVersion, Endpoint
from service.outbound import Door
from service.webhooks import deliveries as queue
from service.webhooks import sending, signing
from service.webhooks.deliveries import Answer
from tests.receiver import Answer as Reply
from tests.receiver import Receiver
from tests.service import host_side as host
from tests.service.host_side import NOON, Clock


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with host.opened(database_url) as database:
        host.add_site(database)
        yield database


def claim(db: Database, at: datetime = NOON, limit: int = 100, slow_limit: int | None = None) -> list[queue.Due]:
    return queue.claim_due(db, at, limit, 60, slow_limit=slow_limit)


def one_due(db: Database, at: datetime = NOON) -> queue.Due:
    (due,) = claim(db, at)
    return due


# ---- claiming ----


def test_a_claimed_delivery_is_nobody_elses_until_its_lease_ends(db: Database) -> None:
    host.add_endpoint(db, "https://a.example/hook")
    host.emit(db)
    first = one_due(db)
    assert claim(db, NOON + timedelta(seconds=59)) == []
    again = one_due(db, NOON + timedelta(seconds=60))
    assert (again.delivery_id, again.attempt) == (first.delivery_id, 2)
    assert again.lease != first.lease


def test_many_claimers_at_once_never_share_a_delivery(db: Database) -> None:
    for n in range(8):
        host.add_endpoint(db, f"https://h{n}.example/hook")
    for _ in range(5):
        host.emit(db)
    barrier = threading.Barrier(6)

    def claimer() -> list[str]:
        barrier.wait(10)
        mine: list[str] = []
        for _ in range(6):
            mine += [due.delivery_id for due in claim(db, limit=5)]
        return mine

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(claimer) for _ in range(6)]
        taken = Counter(id_ for future in futures for id_ in future.result(30))
    assert set(taken.values()) == {1}
    assert 8 * queue.FAST_SHARE <= len(taken) <= 40


def test_a_busy_endpoint_gets_its_share_and_leaves_the_rest_to_others(db: Database) -> None:
    loud = host.add_endpoint(db, "https://loud.example/hook")
    for _ in range(20):
        host.emit(db)
    quiet = host.add_endpoint(db, "https://quiet.example/hook")
    host.emit(db)
    shares = Counter(due.endpoint_id for due in claim(db))
    assert shares == {loud: queue.FAST_SHARE, quiet: 1}
    assert claim(db) == []


def test_slow_endpoints_together_get_no_more_than_their_part_of_the_threads(db: Database) -> None:
    slow = {host.add_endpoint(db, f"https://slow{n}.example/hook", slow=True) for n in range(6)}
    good = host.add_endpoint(db, "https://good.example/hook")
    host.emit(db)
    claimed = [due.endpoint_id for due in claim(db, slow_limit=2)]
    assert claimed[0] == good
    assert len(slow & set(claimed)) == 2


def test_what_is_due_next_is_known_without_claiming(db: Database) -> None:
    assert queue.next_due(db) is None
    resting = host.add_endpoint(db, "https://a.example/hook", resting_until=NOON + timedelta(minutes=5))
    host.emit(db)
    assert claim(db) == []
    assert queue.next_due(db) == NOON + timedelta(minutes=5)
    assert one_due(db, NOON + timedelta(minutes=5)).endpoint_id == resting


def test_an_endpoint_out_of_service_is_left_alone(db: Database) -> None:
    host.add_endpoint(db, "https://a.example/hook")
    host.emit(db)
    with db.write() as session:
        session.get_one(Endpoint, host.deliveries(db)[0].endpoint_id).state = "disabled"
    assert claim(db) == []
    assert queue.next_due(db) is None


# ---- settling ----


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_delivers(db: Database, status: int) -> None:
    id_ = host.add_endpoint(db, "https://a.example/hook", failing_since=NOON)
    host.emit(db)
    assert queue.settle(db, one_due(db), Answer(status, latency_ms=30), now=NOON, rng=host.rng()) == "delivered"
    kept = host.endpoint(db, id_)
    assert (kept.failing_since, kept.slow) == (None, False)
    assert claim(db, NOON + timedelta(days=9)) == []


@pytest.mark.parametrize("answer", [Answer(s) for s in (199, 301, 302, 400, 404, 500)] + [Answer(None, "Refused.")])
def test_everything_else_is_tried_again_in_seconds_at_first(db: Database, answer: Answer) -> None:
    id_ = host.add_endpoint(db, "https://a.example/hook")
    host.emit(db)
    assert queue.settle(db, one_due(db), answer, now=NOON, rng=host.rng()) == "due"
    (delivery,) = host.deliveries(db)
    assert timedelta(seconds=4) < delivery.due_at - NOON < timedelta(seconds=6)
    assert host.endpoint(db, id_).failing_since == NOON
    (attempt,) = host.attempts(db)
    assert (attempt.status, attempt.error, attempt.number) == (answer.status, answer.error, 1)


def test_it_gives_up_after_the_whole_schedule_of_about_75_hours(db: Database) -> None:
    host.add_endpoint(db, "https://a.example/hook")
    host.emit(db)
    clock, state = Clock(), "due"
    while state == "due":
        clock.at = max(clock.at, queue.next_due(db))
        state = queue.settle(db, one_due(db, clock()), Answer(500), now=clock(), rng=host.rng())
    assert state == "failed"
    assert len(host.attempts(db)) == len(signing.SCHEDULE)
    assert timedelta(hours=68) < clock.at - NOON < timedelta(hours=83)


def test_attempts_that_died_with_their_worker_do_not_use_up_the_schedule(db: Database) -> None:
    host.add_endpoint(db, "https://a.example/hook")
    host.emit(db)
    clock = Clock()
    for _ in range(12):
        assert len(claim(db, clock())) == 1
        clock.forward(minutes=2)
    assert queue.settle(db, one_due(db, clock()), Answer(503), now=clock(), rng=host.rng()) == "due"
    assert host.deliveries(db)[0].due_at < clock() + timedelta(seconds=6)


def test_a_wish_for_quiet_holds_back_every_delivery_of_that_endpoint(db: Database) -> None:
    host.add_endpoint(db, "https://a.example/hook")
    host.emit(db)
    due = one_due(db)
    host.emit(db)
    asked = Answer(429, retry_after=timedelta(minutes=10))
    queue.settle(db, due, asked, now=NOON, rng=host.rng())
    assert claim(db, NOON + timedelta(minutes=9)) == []
    assert len(claim(db, NOON + timedelta(minutes=12))) == 1


def test_gone_disables_at_once_and_the_other_endpoint_hears_of_it(db: Database) -> None:
    gone = host.add_endpoint(db, "https://gone.example/hook")
    host.emit(db)
    due = one_due(db)
    host.emit(db)
    other = host.add_endpoint(db, "https://other.example/hook", types=["endpoint.disabled"])
    assert queue.settle(db, due, Answer(410), now=NOON, rng=host.rng()) == "failed"
    kept = host.endpoint(db, gone)
    assert (kept.state, kept.disabled_reason) == ("disabled", "gone")
    (event,) = host.events(db, "endpoint.disabled")
    assert event.payload["endpoint"] == {
        "id": gone,
        "url": "https://gone.example/hook",
        "reason": "gone",
        "failing_since": "2026-05-04T12:00:00.000Z",
    }
    assert [(d.endpoint_id, d.state) for d in host.deliveries(db)] == [
        (gone, "failed"),
        (gone, "failed"),
        (other, "due"),
    ]


def test_five_days_without_one_success_disable(db: Database) -> None:
    id_ = host.add_endpoint(db, "https://a.example/hook")
    clock = Clock()
    host.emit(db)
    queue.settle(db, one_due(db), Answer(500), now=NOON, rng=host.rng())
    clock.forward(days=4, hours=23)
    queue.settle(db, one_due(db, clock()), Answer(500), now=clock(), rng=host.rng())
    assert host.endpoint(db, id_).state == "active"
    clock.forward(hours=1)
    queue.settle(db, one_due(db, clock()), Answer(500), now=clock(), rng=host.rng())
    assert host.endpoint(db, id_).disabled_reason == "failing"


def test_one_success_within_five_days_starts_the_count_anew(db: Database) -> None:
    id_ = host.add_endpoint(db, "https://a.example/hook")
    clock = Clock()
    for answer in (Answer(500), Answer(200), Answer(500)):
        host.emit(db, at=clock())
        while claimed := claim(db, clock()):
            queue.settle(db, claimed[0], answer, now=clock(), rng=host.rng())
        clock.forward(days=4)
    assert host.endpoint(db, id_).state == "active"


def test_an_answer_that_comes_after_the_lease_is_logged_and_decides_nothing(db: Database) -> None:
    host.add_endpoint(db, "https://a.example/hook")
    host.emit(db)
    late = one_due(db)
    claim(db, NOON + timedelta(minutes=2))
    assert queue.settle(db, late, Answer(500), now=NOON + timedelta(minutes=3), rng=host.rng()) is None
    assert host.deliveries(db)[0].state == "sending"
    assert len(host.attempts(db)) == 1


# ---- sending ----


def send(db: Database, receiver: Receiver, due: queue.Due, clock: Clock) -> Answer:
    door = Door(allow=frozenset({("127.0.0.1", receiver.port)}), require_https=False, total_deadline=2)
    return sending.deliver(db, door, due, clock, host.rng())


def test_what_arrives_is_verified_by_the_published_library_under_one_id(db: Database, receiver: Receiver) -> None:
    id_ = host.add_endpoint(db, receiver.url)
    event_id = host.emit(db, "article.closed", article={"key": "k1"})
    clock = Clock(datetime.now(UTC))  # the verifying library reads the real clock
    receiver.answers.append(Reply(500, body=b"later"))
    send(db, receiver, one_due(db, clock()), clock)
    clock.at = queue.next_due(db)
    send(db, receiver, one_due(db, clock()), clock)
    first, second = receiver.wait_for(2)
    secret = host.endpoint(db, id_).secrets[0]["key"]
    for request in (first, second):
        told = Webhook(secret).verify(request.body, dict(request.headers))
        assert (told["type"], told["data"]) == ("article.closed", {"article": {"key": "k1"}})
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"msg_{event_id}" == told["id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) in range(4, 7)
    assert [d.state for d in host.deliveries(db)] == ["delivered"]
    assert [(a.status, a.answer) for a in host.attempts(db)] == [(500, "later"), (204, "")]


def test_the_log_keeps_512_bytes_of_an_answer_whatever_they_are(db: Database, receiver: Receiver) -> None:
    host.add_endpoint(db, receiver.url)
    host.emit(db)
    receiver.answers.append(Reply(500, body=b"\x00\xff" + b"x" * 5_000))
    send(db, receiver, one_due(db), Clock())
    (attempt,) = host.attempts(db)
    assert attempt.answer == "\N{REPLACEMENT CHARACTER}" * 2 + "x" * 510


def test_retry_after_counts_for_429_and_503_only(db: Database, receiver: Receiver) -> None:
    for status, waits in ((429, True), (503, True), (500, False)):
        id_ = host.add_endpoint(db, receiver.url, types=["ping"])
        host.emit(db)
        receiver.answers.append(Reply(status, headers={"Retry-After": "600"}))
        send(db, receiver, one_due(db), Clock())
        assert (host.endpoint(db, id_).resting_until is not None) is waits
        with db.write() as session:
            session.get_one(Endpoint, id_).state = "disabled"


def test_thin_has_no_text_and_full_has_it_as_it_is_at_delivery(db: Database, receiver: Receiver) -> None:
    host.add_endpoint(db, receiver.url, types=["comment.approved"])
    full = host.add_endpoint(db, receiver.url, types=["comment.approved"], full=True)
    with db.write() as session:
        comment = host.add_comment(session, "the first wording")
        thin = {"comment": {"id": comment, "version": 1}, "article": {"key": "k"}, "author": {"id": "a"}}
        host.webhooks.emit(session, host.SITE, "comment.approved", thin, now=NOON, comment_id=comment)
    with db.write() as session:
        session.execute(update(CommentVersion).values(text="the text now"))
    by_endpoint = {due.endpoint_id: due for due in claim(db)}
    send(db, receiver, by_endpoint.pop(full), Clock())
    send(db, receiver, by_endpoint.popitem()[1], Clock())
    told_full, told_thin = (request.json["data"] for request in receiver.wait_for(2))
    assert told_thin == thin
    assert told_full["comment"] == {"id": comment, "version": 1, "text": "the text now"}
    assert told_full["author"] == {"id": "a", "name": "Ada"}
    assert told_full["article"] == {"key": "k", "url": "https://gazette.example/1", "title": "A title"}


def test_an_erased_text_is_told_as_none(db: Database, receiver: Receiver) -> None:
    host.add_endpoint(db, receiver.url, full=True)
    with db.write() as session:
        comment = host.add_comment(session, "")
        payload = {"comment": {"id": comment, "version": 1}}
        host.webhooks.emit(session, host.SITE, "comment.deleted", payload, now=NOON, comment_id=comment)
    send(db, receiver, one_due(db), Clock())
    assert receiver.wait_for(1)[0].json["data"]["comment"]["text"] is None


def test_a_private_address_is_refused_and_the_log_says_so(db: Database, receiver: Receiver) -> None:
    host.add_endpoint(db, receiver.url)
    host.emit(db)
    answer = sending.deliver(db, Door(require_https=False), one_due(db), Clock(), host.rng())
    assert answer.status is None
    assert receiver.requests == []
    assert "not public" in (host.attempts(db)[0].error or "")


def test_a_delivery_that_ends_its_worker_every_time_ends_too(db: Database, receiver: Receiver) -> None:
    host.add_endpoint(db, receiver.url)
    host.emit(db)
    clock = Clock()
    for _ in range(sending.MOST_STARTS):
        claim(db, clock())
        clock.forward(minutes=2)
    answer = send(db, receiver, one_due(db, clock()), clock)
    assert answer.error
    assert receiver.requests == []


def test_an_endpoint_that_goes_out_of_service_after_the_claim_gets_nothing(db: Database, receiver: Receiver) -> None:
    id_ = host.add_endpoint(db, receiver.url)
    host.emit(db)
    due = one_due(db)
    with db.write() as session:
        queue.disable(session, session.get_one(Endpoint, id_), "by hand", now=NOON)
    send(db, receiver, due, Clock())
    assert receiver.requests == []
    assert host.deliveries(db)[0].state == "failed"
