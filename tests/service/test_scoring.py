"""Turns at an engine: so many at a time, in the order of asking, and nobody waits for longer than they would."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from service.scoring import Turns


def test_a_turn_goes_to_the_first_in_line_and_never_back_to_who_gave_it() -> None:
    turns, order = Turns(1), []
    assert turns.take(0)

    def wait(name: str) -> None:
        assert turns.take(10)
        order.append(name)
        turns.give_back()

    waiting = []
    for name in ("first", "second", "third"):
        waiting.append(threading.Thread(target=wait, args=(name,)))
        waiting[-1].start()
        ends = time.monotonic() + 10
        while len(turns._line) < len(waiting) and time.monotonic() < ends:
            threading.Event().wait(0.001)
    turns.give_back()
    assert turns.take(10), "behind the others"
    for thread in waiting:
        thread.join(10)
    assert order == ["first", "second", "third"]


def test_who_would_not_wait_leaves_the_line_and_takes_no_turn() -> None:
    turns = Turns(2)
    assert turns.take(0)
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give_back()
    assert turns.take(0)
    assert not turns.take(0)


def test_many_threads_never_hold_more_turns_than_there_are_and_lose_none() -> None:
    turns, lock, inside, most = Turns(3), threading.Lock(), 0, 0

    def work(number: int) -> None:
        nonlocal inside, most
        if not turns.take(0.0001 if number % 3 == 0 else 30):
            return
        with lock:
            inside += 1
            most = max(most, inside)
        with lock:
            inside -= 1
        turns.give_back()

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(work, range(3_000)))
    assert most <= 3
    assert [turns.take(0) for _ in range(4)] == [True, True, True, False]
