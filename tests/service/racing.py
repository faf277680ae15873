"""How tests let many do something at the same moment: threads of one process, or several processes of threads.

A contestant is a function of a number that returns something JSON can say; it comes from a context manager, which is
found by its name in processes, because each of those opens the database by itself and shares nothing but that.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

HOUSE = Path(__file__).parents[2]
PATIENCE = 180.0


def at_once(number: int, contestant: Callable[[int], T], first: int = 0) -> list[T]:
    """What a contestant returns for `number` numbers from `first` on, all started at once; the first error rises."""
    gun, errors = threading.Barrier(number), list[BaseException]()
    results: dict[int, T] = {}

    def run(lane: int) -> None:
        try:
            gun.wait(PATIENCE)
            results[lane] = contestant(lane)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(lane,)) for lane in range(first, first + number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "somebody never came back"
    if errors:
        raise errors[0]
    return [results[lane] for lane in sorted(results)]


class Troupe:
    """Some processes that take part in one race after the other."""

    def __init__(self, processes: int) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.service.racing"],
                cwd=HOUSE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]

    def race(self, number: int, name: str, facts: dict[str, Any]) -> list[Any]:
        """What `number` contestants return; `name` is `module:function`, called with the facts."""
        each = -(-number // len(self._processes))
        for place, process in enumerate(self._processes):
            first = place * each
            _say(process, json.dumps([name, facts, first, min(each, number - first)]))
        assert [_hear(process) for process in self._processes] == ["ready"] * len(self._processes)
        for process in self._processes:
            _say(process, "go")
        return [result for process in self._processes for result in _hear(process)]

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            process.communicate()


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "a process of the race has died"
    return json.loads(line)


def main() -> None:
    """A process of the troupe: a race's facts on standard input, `ready`, a line to start by, the results; again."""
    while line := sys.stdin.readline():
        name, facts, first, number = json.loads(line)
        module, _, function = name.partition(":")
        with getattr(import_module(module), function)(**facts) as contestant:
            print(json.dumps("ready"), flush=True)
            sys.stdin.readline()
            print(json.dumps(at_once(number, contestant, first)), flush=True)


if __name__ == "__main__":
    main()
