"""Display names at the door: refused in plain words, and nobody passes for somebody else."""

from __future__ import annotations

import pytest

from tests.service.conftest import Newsroom


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "can be seen"),
        ("\u200b\u2060\u00ad", "can be seen"),
        ("Ann\u202enna", "direction"),
        ("admin", "staff"),
        ("аdmin", "staff"),
        ("Mo Vance", "somebody else"),
        ("Mо Vаnce", "somebody else"),
        ("x" * 120, "long"),
        ("www.cheap-pills.example", "address"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_in_plain_words(room: Newsroom, mo: str, name: str, words: str) -> None:
    answer = room.client.post("/api/v1/tokens", json={"site": "courier", "name": name})
    assert (answer.status_code, answer.json["code"]) == (400, "name-unfit")
    assert words in answer.json["detail"]
    assert answer.json["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize("name", ["Ada", "José Ñandú", "王小明", "Dick Smith", "D'Arcy O'Neill-Łukasz", "Ада", "محمد"])
def test_ordinary_names_of_many_languages_are_welcome(room: Newsroom, name: str) -> None:
    answer = room.client.post("/api/v1/tokens", json={"site": "courier", "name": name})
    assert answer.json["author"]["name"] == name


def test_a_guest_comes_back_by_the_renewal_and_only_by_it(room: Newsroom) -> None:
    ada = room.reader("Ada Berg")
    assert room.reader("", renewal=ada.renewal).id == ada.id
    assert room.reader("Ada Berg").id != ada.id
    wrong = room.client.post("/api/v1/tokens", json={"site": "courier", "renewal": "x" * 32})
    elsewhere = room.client.post("/api/v1/tokens", json={"site": "other", "renewal": ada.renewal})
    assert wrong.status_code == elsewhere.status_code == 401
    assert wrong.json["detail"] == elsewhere.json["detail"]


def test_a_token_ends(room: Newsroom) -> None:
    ada = room.reader("Ada Berg")
    room.clock.pass_(minutes=16)
    assert ada.post().status_code == 401
