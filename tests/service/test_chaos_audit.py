"""The audit of `make chaos` finds what it looks for: each kind of broken book is noticed, and right ones are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlmodel import Session, col

from service.models import Author, Comment, CommentVersion, Delivery, Event
from service.webhooks import endpoints
from service.webhooks.endpoints import Wish
from service.webhooks.sending import open_door
from tests.chaos import audit
from tests.chaos.audit import Books
from tests.chaos.crowd import Posted
from tests.receiver import Received
from tests.service.conftest import Newsroom, Reader

MARKER = "m0123456789abcdef"


@pytest.fixture
def posted(room: Newsroom, ada: Reader) -> Posted:
    """One comment that was acknowledged, told to one endpoint."""
    door, now = open_door(room.settings), room.clock()
    endpoints.register(room.db, room.site, Wish("https://courier.example/hook"), door, now=now)
    answer = ada.post(f"The trams are a good idea, says {MARKER}.", key="key-1")
    return Posted(0, "key-1", MARKER, {}, answer.json["id"])


def books(room: Newsroom) -> Books:
    with room.db.read() as session:
        return Books.read(session, room.site)


def received(found: Books) -> list[Received]:
    """As if every event had arrived."""
    return [Received("POST", "/", {"webhook-id": f"msg_{event.id}"}, b"{}") for event in found.events]


def wrong(room: Newsroom, posted: Posted) -> set[str]:
    """The invariants that the audit finds broken."""
    found = books(room)
    pages = [str(room.thread())]
    return {name for name, lines in audit.check(found, [posted], received(found), pages).items() if lines}


def deliver(session: Session) -> None:
    session.execute(update(Delivery).values(state="delivered"))


def test_right_books_pass(room: Newsroom, posted: Posted) -> None:
    with room.db.write() as session:
        deliver(session)
    assert wrong(room, posted) == set()


CORRUPTIONS: dict[str, Callable[[Session], object]] = {
    "public only": lambda s: s.execute(update(CommentVersion).values(status="pending")),
    "state equals": lambda s: s.execute(update(Comment).values(revision=2)),
    "totals": lambda s: s.execute(update(Author).values(approved=7)),
    "every decision told": lambda s: s.execute(update(Event).values(seq=col(Event.seq) + 1_000)),
    "the receiver has": lambda s: s.execute(update(Delivery).values(state="failed")),
    "acknowledged": lambda s: s.execute(update(CommentVersion).values(text="said by m-nobody.")),
}


@pytest.mark.parametrize("invariant", CORRUPTIONS)
def test_a_broken_book_is_noticed(room: Newsroom, posted: Posted, invariant: str) -> None:
    with room.db.write() as session:
        deliver(session)
        CORRUPTIONS[invariant](session)
    assert any(name.startswith(invariant) for name in wrong(room, posted))


def test_what_got_lost_on_the_way_is_noticed(room: Newsroom, posted: Posted) -> None:
    found = books(room)
    arrived = received(found)
    assert any("never arrived" in line for line in audit.arrival(found, arrived[1:]))
    assert any(
        "no event" in line for line in audit.arrival(found, [*arrived, Received("", "", {"webhook-id": "x"}, b"")])
    )
    twice = Received("POST", "/", arrived[0].headers, b"other")
    assert any("different words" in line for line in audit.arrival(found, [*arrived, twice]))


def test_words_that_should_be_hidden_are_noticed(room: Newsroom, posted: Posted) -> None:
    found = books(room)
    (comment,) = found.comments.values()
    assert list(audit.silence(found, [MARKER])) == []
    assert list(audit.silence(found, [""])) != []
    comment.public = None
    assert list(audit.silence(found, [MARKER])) != []
