"""The desk's page for scoring: what is live, and keys of the Perspective-compatible endpoints on their terms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from flask import Flask

from service.identity import scoring_keys
from service.identity.scoring_keys import Terms
from tests.service.newsroom import NOW, Newsroom
from tests.service.test_desk import NASTY, Browser
from tests.service.test_desk import app as app
from tests.service.test_desk import at_desk as at_desk
from tests.service.test_desk import clock as clock
from tests.service.test_desk import room as room

PAGE = "/desk/courier/scoring"


@pytest.fixture
def key(room: Newsroom) -> str:
    """The id of a key of the Courier."""
    scoring_keys.create_for(room.db, "courier", "Coral", Terms(), now=NOW)
    ((row, _),) = scoring_keys.listed_for(room.db, "courier")
    return row.id


def test_an_administrator_sees_what_is_live_and_makes_a_key_that_works_at_once(
    app: Flask, room: Newsroom, at_desk: Callable[[str], Browser]
) -> None:
    ada = at_desk("ada")
    page = ada.get(PAGE).text
    assert re.search(r"SPAM</td><td[^>]*>spam 1</td><td[^>]*>en</td><td[^>]*>AUC", page)
    assert "CURIOSITY" not in page
    form = {"csrf": ada.field("csrf"), "name": NASTY, "per_minute": "2", "lenient": "yes"}
    made = ada.post(PAGE, form)
    assert made.status_code == 200
    shown = re.search(r"fwk_[\w-]{43}", made.text)
    assert shown
    assert NASTY not in made.text
    body = json.dumps({"comment": {"text": "you fool"}, "requestedAttributes": {"SPAM": {}}, "languages": ["om"]})
    call = f"/v1alpha1/comments:analyze?key={shown.group()}"
    assert [app.test_client().post(call, data=body).status_code for _ in range(3)] == [200, 200, 429]
    assert shown.group() not in ada.get(PAGE).text


def test_an_administrator_changes_a_key_s_terms(room: Newsroom, at_desk: Callable[[str], Browser], key: str) -> None:
    ada = at_desk("ada")
    ada.get(PAGE)
    assert ada.post(f"{PAGE}/{key}", {"csrf": ada.field("csrf"), "per_minute": "77"}).status_code == 303
    ((_, terms),) = scoring_keys.listed_for(room.db, "courier")
    assert terms == Terms(per_minute=77)


@pytest.mark.parametrize("per_minute", ["", "0", "-1", "1e3", "x", "9" * 10, "٣"])
def test_a_quota_that_is_none_is_refused(at_desk: Callable[[str], Browser], key: str, per_minute: str) -> None:
    ada = at_desk("ada")
    ada.get(PAGE)
    form = {"csrf": ada.field("csrf"), "name": "x", "per_minute": per_minute}
    assert ada.post(PAGE, form).status_code == 400
    assert ada.post(f"{PAGE}/{key}", form).status_code == 400


@pytest.mark.parametrize(
    ("who", "place", "status"), [("mo", "courier", 403), ("ann", "courier", 403), ("eve", "canal", 404)]
)
def test_nobody_else_opens_or_changes_anything(
    room: Newsroom, at_desk: Callable[[str], Browser], key: str, who: str, place: str, status: int
) -> None:
    browser = at_desk(who)
    browser.get(f"/desk/{place}/queue")
    form = {"csrf": browser.field("csrf"), "name": "x", "per_minute": "5", "lenient": "yes"}
    assert browser.get(PAGE).status_code == status
    assert browser.post(PAGE, form).status_code == status
    assert browser.post(f"{PAGE}/{key}", form).status_code == status
    if who == "eve":
        assert browser.post(f"/desk/canal/scoring/{key}", form).status_code == 404
    ((_, terms),) = scoring_keys.listed_for(room.db, "courier")
    assert terms == Terms()
