"""A guest's proof of work: the published ALTCHA library solves and checks ours, forgeries are refused, once is once."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import altcha
import pytest
from sqlmodel import select
from werkzeug.test import TestResponse

from config.settings import SettingsRefused
from service.errors import ProofNeeded
from service.identity import proof
from service.models import Author, SpentProof
from tests.service.conftest import Build, Newsroom
from tests.service.racing import at_once

MOST = "300"
WORK = {"site": "courier", "name": "Ada Berg"}


@pytest.fixture
def guarded(build: Build) -> Newsroom:
    """A newsroom that asks new guests for a little work."""
    return build(GUEST_PROOF=MOST)


def enter(room: Newsroom, **more: Any) -> TestResponse:
    return room.client.post("/api/v1/tokens", json={**WORK, **more})


def asked(room: Newsroom) -> dict[str, Any]:
    """A fresh challenge."""
    answer = enter(room)
    assert (answer.status_code, answer.json["code"]) == (403, "proof-needed")
    challenge: dict[str, Any] = answer.json["challenge"]
    return challenge


def solved(challenge: dict[str, Any], **forged: Any) -> str:
    """Its solution by the published library, with some parts replaced."""
    found = altcha.solve_challenge_v1(
        challenge["challenge"], challenge["salt"], challenge["algorithm"], challenge["maxnumber"]
    )
    assert found is not None
    parts = {name: challenge[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps({**parts, "number": found.number, **forged}).encode()).decode()


def test_a_guest_who_has_done_the_work_gets_a_token_and_is_not_asked_again(guarded: Newsroom) -> None:
    answer = enter(guarded, altcha=solved(asked(guarded)))
    assert answer.status_code == 201, answer.json
    back = guarded.client.post("/api/v1/tokens", json={"site": "courier", "renewal": answer.json["renewal"]})
    assert back.json["author"]["id"] == answer.json["author"]["id"]


def test_the_published_library_accepts_what_we_accept(guarded: Newsroom) -> None:
    shown = solved(asked(guarded))
    key = f"{guarded.settings.signing_keys[0]}:proof"
    assert altcha.verify_solution_v1(shown, key, check_expires=False) == (True, None)
    assert altcha.verify_solution_v1(shown, "another key", check_expires=False) == (False, None)


def test_nobody_is_asked_where_it_is_off(room: Newsroom) -> None:
    assert enter(room).status_code == 201


def test_a_proof_counts_once(guarded: Newsroom) -> None:
    shown, app = solved(asked(guarded)), guarded.client.application
    answers = at_once(6, lambda _: app.test_client().post("/api/v1/tokens", json={**WORK, "altcha": shown}))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 403: 5}
    with guarded.db.read() as session:
        assert len(session.exec(select(SpentProof)).all()) == len(session.exec(select(Author)).all()) == 1


def test_a_proof_ends_after_twenty_minutes(guarded: Newsroom) -> None:
    shown = solved(asked(guarded))
    guarded.clock.pass_(minutes=20)
    assert enter(guarded, altcha=shown).json["code"] == "proof-needed"


def _spliced(challenge: dict[str, Any]) -> str:
    """A digit of the number moved into the salt: the same hash, another expiry."""
    number = json.loads(base64.b64decode(solved(challenge)))["number"]
    salt, digits = challenge["salt"] + str(number)[:1], str(number)[1:] or "0"
    return solved(challenge, salt=salt, number=int(digits))


def _resigned(challenge: dict[str, Any]) -> str:
    """A challenge of the sender's own making."""
    mine = altcha.create_challenge_v1(altcha.ChallengeOptionsV1(hmac_key="mine", max_number=10, salt=challenge["salt"]))
    return solved({**challenge, "challenge": mine.challenge, "signature": mine.signature})


FORGERIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "another number": lambda asked: solved(asked, number=int(MOST) + 1),
    "no number": lambda asked: solved(asked, number=None),
    "a negative number": lambda asked: solved(asked, number=-1),
    "a number as text": lambda asked: solved(asked, number="7"),
    "a fraction": lambda asked: solved(asked, number=7.0),
    "true": lambda asked: solved(asked, number=True),
    "an endless number": lambda asked: solved(asked, number=10**1_000),
    "a later end": lambda asked: solved(asked, salt=asked["salt"].replace("expires=1", "expires=2")),
    "no end": lambda asked: solved(asked, salt=asked["salt"].partition("?")[0]),
    "spliced": _spliced,
    "of one's own making": _resigned,
    "no signature": lambda asked: solved(asked, signature=""),
    "a signature in capitals": lambda asked: solved(asked, signature=asked["signature"].upper()),
    "a list": lambda _: base64.b64encode(b"[]").decode(),
    "nested": lambda _: base64.b64encode(b"[" * 1_500).decode(),
    "no JSON": lambda _: base64.b64encode(b"\xff\x00").decode(),
    "no base64": lambda _: "é" * 40,
    "nothing": lambda _: "",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_proof_is_refused_without_a_new_challenge(guarded: Newsroom, forgery: str) -> None:
    answer = enter(guarded, altcha=FORGERIES[forgery](asked(guarded)))
    assert (answer.status_code, answer.json["code"]) in ((403, "proof-needed"), (400, "invalid"))
    assert "challenge" not in answer.json
    with guarded.db.read() as session:
        assert session.exec(select(Author)).all() == []


def test_a_proof_under_either_live_signing_key_holds(room: Newsroom) -> None:
    old, new, now = "o" * 40, "n" * 40, room.clock()
    with room.db.write() as session:
        proof.accept(session, (new, old), solved(proof.challenge((old,), 50, now=now)), now=now)
        with pytest.raises(ProofNeeded, match="no challenge of ours"):
            proof.accept(session, (new,), solved(proof.challenge((old,), 50, now=now)), now=now)


def test_the_form_without_scripts_says_why_it_takes_no_guest(guarded: Newsroom) -> None:
    guarded.article()
    form = {"name": "Ada", "text": "Hello."}
    answer = guarded.client.post("/embed/comments?site=courier&article=bridge", data=form)
    assert answer.status_code == 403
    assert "proof of work" in answer.text


@pytest.mark.parametrize("most", ["-1", "5000001", "much"])
def test_a_bump_that_cannot_be_is_refused_at_start(build: Build, most: str) -> None:
    with pytest.raises(SettingsRefused, match="GUEST_PROOF"):
        build(GUEST_PROOF=most)
