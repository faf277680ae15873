"""Shedding: a burst is answered, an overload is refused at once with the true 429, and nobody waits in vain."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from service.web.perspective.load import Load
from tests.service.perspective.conftest import ANALYZE, SUGGEST, Build, WordEngine, serving
from tests.service.perspective.test_batch import part, send

FINE = {"comment": {"text": "you idiot"}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]}


class Watch:
    """A clock for `Load`."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_all_threads_busy_for_a_moment_is_no_overload() -> None:
    watch = Watch()
    load = Load(threads=2, patience=0.5, clock=watch)
    load.enter()
    load.enter()
    watch.now = 0.4
    assert not load.is_too_high
    load.leave()
    watch.now = 0.6
    load.enter()
    watch.now = 0.9
    assert not load.is_too_high, "a thread was idle between"


def test_all_threads_busy_on_end_is_overload_until_one_has_been_idle() -> None:
    watch = Watch()
    load = Load(threads=2, patience=0.5, clock=watch)
    load.enter()
    for _ in range(50):
        load.enter()
        watch.now += 0.01
        load.leave()
        watch.now += 0.001
    load.enter()
    assert load.is_too_high, "each thread took up the next request at once"
    load.leave()
    assert not load.is_too_high
    watch.now += 0.2
    load.enter()
    assert not load.is_too_high


def test_one_thread_alone_can_be_too_busy_as_well() -> None:
    watch = Watch()
    load = Load(threads=1, patience=0.5, clock=watch)
    for _ in range(60):
        load.enter()
        watch.now += 0.01
        load.leave()
    load.enter()
    assert load.is_too_high


def ask(address: str, key: str, patience: float = 10) -> tuple[int, float, str | None]:
    """One call over the wire: its status, how long it took, and when to come back."""
    request = urllib.request.Request(f"{address}{ANALYZE}?key={key}", json.dumps(FINE).encode(), method="POST")
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.status, time.monotonic() - began, None
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, time.monotonic() - began, refused.headers["Retry-After"]


def test_a_burst_of_forty_is_answered_in_full(build: Build) -> None:
    """With a thread for each, so that a slow machine is not taken for a busy one: see the tests of `Load` for that."""
    service = build(WEB_THREADS="64", ENGINE_CALLS="64")
    with serving(service.app) as address, ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda _: ask(address, service.key), range(40)))
    assert [status for status, _, _ in found] == [200] * 40


def test_a_call_waits_for_an_engine_only_as_long_as_its_client_would(build: Build) -> None:
    entered, open_again = threading.Semaphore(0), threading.Event()

    def fault(_: Any) -> None:
        entered.release()
        open_again.wait(20)

    service = build(WordEngine(fault=fault), ENGINE_CALLS="1")
    label = {"comment": {"text": "you idiot"}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(service.post, ANALYZE, FINE)
        assert entered.acquire(timeout=10)
        began = time.monotonic()
        refused, labelled = service.post(ANALYZE, FINE), service.post(SUGGEST, label)
        assert time.monotonic() - began < 5
        open_again.set()
        assert stuck.result().status_code == 200
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert labelled.status_code == 200, "a label is kept without the model's scores"


def test_batches_never_take_every_thread(build: Build) -> None:
    entered, open_again = threading.Semaphore(0), threading.Event()

    def fault(_: Any) -> None:
        entered.release()
        open_again.wait(20)

    service = build(WordEngine(fault=fault), WEB_THREADS="4")
    parts = [part("<1>", FINE, service.key)]
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(send, service, parts, service.key)
        assert entered.acquire(timeout=10)
        assert send(service, parts, service.key).status_code == 429
        open_again.set()
        assert stuck.result().status_code == 200
    assert send(service, parts, service.key).status_code == 200


def test_overload_is_shed_with_the_true_429_and_the_service_recovers(build: Build) -> None:
    open_again = threading.Event()

    def fault(_: Any) -> None:
        open_again.wait(20)

    service = build(WordEngine(fault=fault), WEB_THREADS="2")
    with serving(service.app) as address, ThreadPoolExecutor(8) as pool:
        stuck = [pool.submit(ask, address, service.key, 30.0) for _ in range(2)]
        load = service.app.extensions["perspective"].load
        ends = time.monotonic() + 10
        while not load.is_too_high and time.monotonic() < ends:
            threading.Event().wait(0.01)
        shed = [ask(address, service.key) for _ in range(5)]
        open_again.set()
        assert [one.result()[0] for one in stuck] == [200, 200]
        assert [status for status, _, _ in shed] == [429] * 5
        assert all(seconds < 2 and retry == "1" for _, seconds, retry in shed)
        assert ask(address, service.key)[0] == 200
    metrics = service.app.test_client().get("/metrics").text
    assert 'firstword_perspective_unscored_total{reason="overload"} 5.0' in metrics
