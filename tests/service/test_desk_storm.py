"""Twenty moderators in four processes on one queue, two of the processes killed in the middle of whatever they do."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import select

from service.db import Database
from service.models import Comment, Decision
from tests.service.newsroom import Newsroom, hired, open_newsroom

HOUSE = Path(__file__).parents[2]
CARDS, MODERATORS, PROCESSES, PATIENCE = 120, 20, 4, 240


@contextmanager
def at_work(url: str, ahead: int, ids: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A process of moderators."""
    command = [sys.executable, "-m", "tests.service.moderating", url, str(ahead), *ids]
    process = subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def room(database_url: str) -> Iterator[Newsroom]:
    database = Database(database_url)
    yield open_newsroom(database)
    database.close()


def test_of_twenty_moderators_whose_processes_die_each_card_is_decided_once_and_none_is_stuck(
    room: Newsroom, database_url: str
) -> None:
    cards = {room.comment(f"Card {number}.") for number in range(CARDS)}
    crowd = [hired(room, f"m{number}").id for number in range(MODERATORS)]
    teams = [crowd[place::PROCESSES] for place in range(PROCESSES)]
    said: list[str] = []
    with at_work(database_url, 0, teams[0]) as first, at_work(database_url, 0, teams[1]) as second:
        with at_work(database_url, 0, teams[2]) as third, at_work(database_url, 0, teams[3]) as fourth:
            for victim in (third, fourth):
                assert victim.stdout is not None
                said += [victim.stdout.readline() for _ in range(8)]
                victim.kill()
                said += victim.communicate(timeout=PATIENCE)[0].splitlines()
        for survivor in (first, second):
            said += survivor.communicate(timeout=PATIENCE)[0].splitlines()
            assert survivor.returncode == 0
    with at_work(database_url, 91, teams[0]) as later:  # no administrator: their leases just end
        said += later.communicate(timeout=PATIENCE)[0].splitlines()
        assert later.returncode == 0
    done = [tuple(line.split()[1:]) for line in said if line.startswith("done ") and len(line.split()) == 3]
    with room.db.read() as session:
        assert set(session.exec(select(Comment.status))) == {"approved"}
        rows = session.exec(select(Decision).where(Decision.actor == "moderator")).all()
    assert Counter(row.comment_id for row in rows) == dict.fromkeys(cards, 1)
    assert done
    assert set(done) <= {(row.actor_id, row.comment_id) for row in rows}
