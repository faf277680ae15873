"""Search: what is found by which words, that it stays found, and that what is common on one site hides no other's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import insert
from sqlmodel import select

from moderation import load_policy
from service import privacy, review, transfer
from service.db import Database
from service.migrations import configuration, upgrade
from service.models import Article, Author, Comment, CommentVersion
from service.review import Ask
from service.review.search import MOST_HITS
from tests.service.newsroom import NOW, Newsroom, author, names, open_newsroom, write

Row = Callable[[Comment, int], Any]

SEARCHES = [
    ("tram", ["one", "three"]),
    ("TRAM", ["one", "three"]),
    ("tram night", ["one"]),
    ("nigh tra", ["one"]),
    ("münchen", ["two"]),
    ("karlsen", ["one", "two"]),
    ("harbour", ["three"]),
    ("absent", []),
    ("courier", []),
    ("_", []),
    ("!!! ' \" ; -- * ( OR", []),
    ('"tram" OR "x"', []),
    ("tram:* | x", []),
    ("  ", ["one", "three", "two"]),
]


@pytest.fixture
def room(database_url: str) -> Iterator[Newsroom]:
    database = Database(database_url)
    yield open_newsroom(database)
    database.close()


def hits(room: Newsroom, words: str, site: str = "courier") -> int:
    """How many comments of a site somebody finds who works there."""
    return review.count(room.db, room.eve if site == "canal" else room.mo, Ask(site, "all", words=words), NOW)


@pytest.mark.parametrize(("asked", "left"), SEARCHES, ids=lambda value: str(value)[:20])
def test_search_finds_by_text_author_and_article(room: Newsroom, asked: str, left: list[str]) -> None:
    ada = author(room.db, "Ada")
    room.comment("one Night tram is late")
    room.comment("two in München")
    write(room.db, "three trams", author=ada, article="harbour", title="The harbour")
    page = review.queue(room.db, room.mo, Ask("courier", "all", order="newest", words=asked.strip()), NOW)
    assert sorted(names(page.rows)) == left


ODD = [
    "snake_case", "a\u203fb", "क्षि", "a\u1c90b", "x²y①", "ｆｕｌｌ", "日本", "l'été", "e\u0301t\u0301e",
    "back\\slash", "mother-in-law", "example.com/a'b?c=1", "me@example.com", "3.14", "-5",
]  # fmt: skip


@pytest.mark.parametrize("asked", ODD)
def test_what_stands_in_a_text_is_found_whatever_it_is_written_with(room: Newsroom, asked: str) -> None:
    room.comment(f"one {asked} here")
    room.comment("two without")
    assert hits(room, asked) == 1


def test_search_follows_edits_and_new_names(room: Newsroom) -> None:
    held = room.comment("about the lantern")
    room.edit(held, "about the candle")
    with room.db.write() as session:
        row = session.get_one(Author, room.bo)
        row.name = "Zacharias"
        session.add(row)
    assert [hits(room, words) for words in ("lantern", "candle", "karlsen", "zacharias")] == [1, 1, 0, 1]


def test_search_never_leaves_its_site(room: Newsroom) -> None:
    room.comment("about the lantern")
    assert review.queue(room.db, room.eve, Ask("canal", "all", words="lantern"), NOW).rows == []


# ---- a small site beside a large one ------------------------------------------------------------------------------


def _text(comment: Comment, number: int) -> CommentVersion:
    of = {"site_id": comment.site_id, "comment_id": comment.id, "number": number + 2, "status": "pending"}
    return CommentVersion(**of, text="The lantern.", created_at=NOW + timedelta(minutes=number))


def _author(comment: Comment, number: int) -> Author:
    of = {"site_id": comment.site_id, "issuer": "guest", "subject": f"many-{number}"}
    return Author(**of, name="Cy Lantern", created_at=NOW + timedelta(minutes=number))


def _article(comment: Comment, number: int) -> Article:
    of = {"site_id": comment.site_id, "key": f"many-{number}", "url": f"https://canal.example/{number}"}
    return Article(**of, title="The lantern", created_at=NOW + timedelta(minutes=number))


OLD = [
    ("The lantern.", "Cy", "Line 6", _text),
    ("-", "Cy Lantern", "Line 6", _author),
    ("-", "Cy", "Lantern", _article),
]


@pytest.mark.parametrize(("said", "name", "title", "row"), OLD, ids=["text", "author", "article"])
def test_a_small_site_finds_its_old_hits_beside_more_new_ones_of_a_large_site(
    room: Newsroom, said: str, name: str, title: str, row: Row
) -> None:
    writer = author(room.db, name, at=NOW - timedelta(days=900))
    write(room.db, said, author=writer, article="lamps", title=title)
    add_many(room, row)
    assert hits(room, "lantern") == 1


def add_many(room: Newsroom, row: Row) -> None:
    """More rows with the word on the large site than a search looks at, all newer than what is there."""
    writer = author(room.db, "Di", "canal")
    comment = room.state(write(room.db, "of the large site", author=writer, site="canal"))
    rows = [row(comment, number) for number in range(1, MOST_HITS + 2)]
    with room.db.write() as session:
        session.execute(insert(type(rows[0])), [one.model_dump() for one in rows])


# ---- an index that stays sound ------------------------------------------------------------------------------------


def test_what_is_erased_is_found_no_more_and_the_rest_still_is(room: Newsroom) -> None:
    room.comment("the lantern")
    ada = author(room.db, "Ada")
    write(room.db, "my lantern", author=ada)
    privacy.erase(room.db, "courier", room.bo, now=NOW)
    assert [hits(room, words) for words in ("lantern", "karlsen", "ada")] == [1, 0, 1]


def test_a_deleted_text_leaves_the_index_and_another_may_take_its_number(room: Newsroom) -> None:
    first, last = room.comment("the lantern"), room.comment("a candle")
    room.edit(last, "a lamp")
    with room.db.write() as session:
        texts = select(CommentVersion).where(CommentVersion.comment_id == last, CommentVersion.number == 2)
        session.delete(session.exec(texts).one())
    assert hits(room, "lamp") == 0
    room.edit(first, "an oil burner")
    assert [hits(room, words) for words in ("lantern", "candle", "lamp", "oil")] == [1, 1, 0, 1]


def test_an_imported_site_is_searched_as_well(room: Newsroom, sqlite_template: Path, tmp_path: Path) -> None:
    room.comment("the lantern")
    path = tmp_path / "elsewhere.db"
    path.write_bytes(sqlite_template.read_bytes())
    elsewhere = Database(f"sqlite:///{path}")
    transfer.read(elsewhere, list(transfer.write(room.db, "courier", now=NOW)), load_policy)
    found = review.queue(elsewhere, room.mo, Ask("courier", "all", words="lantern"), NOW)
    elsewhere.close()
    assert names(found.rows) == ["the"]


def test_a_database_of_before_is_searched_as_well_when_it_is_migrated(room: Newsroom) -> None:
    room.comment("the lantern")
    command.downgrade(configuration(room.db.url), "0008")
    write(room.db, "old lantern", author=author(room.db, "Cy", "canal"), site="canal")
    room.comment("old lantern")
    upgrade(room.db.url)
    room.comment("new lantern")
    assert (hits(room, "lantern"), hits(room, "karlsen"), hits(room, "lantern", "canal")) == (3, 3, 1)
