"""An erased author: their words and names are in no row and no answer, and the discussion stays sound."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlmodel import SQLModel, col, select

from service import privacy
from service.cli.commands import firstword
from service.errors import NotFound
from service.models import Author, Decision
from tests.invariants import broken
from tests.service.conftest import FINE, FOUL, Newsroom, Reader

SECRETS = ("Quillon", "Zephyrine", "marmalade", "tangerine", "periwinkle", "cobblestone", "whistle")
REJECT = {"verdict": "reject", "version": 1, "reason": "abuse.insult", "note": "A cobblestone of a man, says Quillon."}


@pytest.fixture
def quillon(room: Newsroom, bo: Reader) -> Reader:
    """Somebody who was called two things and left traces in all states."""
    author = room.reader("Zephyrine Quillon")
    author = room.reader("Ada Quillon", renewal=author.renewal)
    published = author.post(f"{FINE} marmalade").json["id"]
    bo.post("I see it otherwise.", parent=published)
    assert author.post(f"{FOUL} tangerine").status_code == 202
    rejected = author.post(f"{FOUL} periwinkle").json["id"]
    assert room.host("POST", f"/api/v1/comments/{rejected}/decisions", json=REJECT).status_code == 201
    assert author.withdraw(author.post("Better not, marmalade.").json["id"]).status_code == 200
    edited = author.post("Once more about the tangerine.").json["id"]
    assert author.edit(edited, "Once more about the fruit, marmalade.").status_code == 200
    theirs = bo.post("Here is mine.").json["id"]
    report = {"reason": "abuse", "note": "He stole my whistle.", "details": {"mail": "quillon@whistle.example"}}
    reported = room.client.post(f"/api/v1/comments/{theirs}/reports", json=report, headers=author.headers)
    assert reported.status_code == 201
    return author


def rows(room: Newsroom) -> str:
    """Every row of every table."""
    with room.db.read() as session:
        tables = SQLModel.metadata.sorted_tables
        return "\n".join(str(tuple(row)) for table in tables for row in session.execute(select(table)))


def test_no_word_and_no_name_of_theirs_is_left(room: Newsroom, quillon: Reader) -> None:
    assert [word for word in SECRETS if word not in rows(room)] == []
    assert privacy.erase(room.db, "courier", quillon.id, now=room.clock()) == 5
    everything = rows(room) + room.client.get("/api/v1/comments?site=courier&article=bridge").text
    assert [word for word in SECRETS if word in everything] == []
    assert broken(room.db) == []


def test_the_judgements_of_their_texts_keep_codes_and_numbers_and_lose_the_name(
    room: Newsroom, quillon: Reader
) -> None:
    with room.db.read() as session:
        before = {row.id: row for row in session.exec(select(Decision).where(Decision.actor == "engine"))}
    assert "Ada Quillon" in {row.judgement["facts"]["name"] for row in before.values()}
    privacy.erase(room.db, "courier", quillon.id, now=room.clock())
    with room.db.read() as session:
        for row in session.exec(select(Decision).where(col(Decision.id).in_(before))):
            assert row.judgement["facts"]["name"] != "Ada Quillon"
            kept = [(one["code"], one["score"]) for one in row.judgement["findings"]]
            assert kept == [(one["code"], one["score"]) for one in before[row.id].judgement["findings"]]


def test_what_others_answered_stays_under_a_place_without_a_name(room: Newsroom, quillon: Reader) -> None:
    privacy.erase(room.db, "courier", quillon.id, now=room.clock())
    places = [comment for comment in room.thread()["comments"] if comment["gone"]]
    assert [(place["author"], place["nodes"], place["gone"]) for place in places] == [(None, [], "withdrawn")]
    assert [reply["author"]["name"] for reply in places[0]["replies"]["comments"]] == ["Bo Lund"]
    assert room.thread()["article"]["count"] == 2


def test_the_host_hears_of_every_comment_that_went(room: Newsroom, quillon: Reader) -> None:
    last = room.host("GET", "/api/v1/events?limit=100").json["events"][-1]["seq"]
    privacy.erase(room.db, "courier", quillon.id, now=room.clock())
    told = room.host("GET", f"/api/v1/events?after={last}").json["events"]
    assert [event["type"] for event in told] == ["comment.deleted"] * 4
    assert {event["data"]["actor"] for event in told} == {"system"}


def test_nobody_comes_back_as_who_was_erased(room: Newsroom, quillon: Reader) -> None:
    own = [comment["id"] for comment in quillon.mine()]
    privacy.erase(room.db, "courier", quillon.id, now=room.clock())
    assert quillon.post("I am still here.").status_code == 401
    renewed = room.client.post("/api/v1/tokens", json={"site": "courier", "renewal": quillon.renewal})
    assert renewed.status_code == 401
    for comment_id in own:
        assert room.client.post(f"/api/v1/comments/{comment_id}/restoration", headers=quillon.headers).status_code in (
            401,
            409,
        )
        verdict = {"verdict": "approve", "version": 1}
        assert room.host("POST", f"/api/v1/comments/{comment_id}/decisions", json=verdict).status_code == 409
    assert broken(room.db) == []


def test_erasing_again_changes_nothing_and_eve_erases_nobody_here(room: Newsroom, quillon: Reader) -> None:
    with pytest.raises(NotFound):
        privacy.erase(room.db, "other", quillon.id, now=room.clock())
    assert "marmalade" in rows(room)
    assert privacy.erase(room.db, "courier", quillon.id, now=room.clock()) == 5
    with room.db.read() as session:
        decisions = len(session.exec(select(Decision)).all())
    assert privacy.erase(room.db, "courier", quillon.id, now=room.clock()) == 5
    with room.db.read() as session:
        assert len(session.exec(select(Decision)).all()) == decisions


def test_an_operator_erases_with_one_command(room: Newsroom, quillon: Reader) -> None:
    environment = {"DATABASE_URL": room.settings.database_url, "SIGNING_KEYS": "k" * 40}
    asked = CliRunner(env=environment).invoke(firstword, ["author", "erase", "courier", quillon.id], input="n\n")
    assert asked.exit_code == 1
    done = CliRunner(env=environment).invoke(firstword, ["author", "erase", "courier", quillon.id, "--yes"])
    assert "5 comments" in done.output
    with room.db.read() as session:
        assert session.get_one(Author, quillon.id).name == ""
