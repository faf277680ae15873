"""Innocent and disguised texts through the whole service: what means no harm is stored as it is and not held."""

from __future__ import annotations

import unicodedata

import pytest

from config.settings import load
from service.judges import Judges, open_judges
from service.models import Site
from tests.moderation.cases import DISGUISES, INNOCENT
from tests.service.conftest import KEY, Build, Newsroom

READ_BY_THE_MODEL = ("English", "code and addresses")
EVERY_LANGUAGE = '[languages]\ndefault = "approve"'
ZWJ = INNOCENT["emoji"][0]


@pytest.fixture(scope="module")
def bundled() -> Judges:
    """The engine that every installation has unless it says otherwise."""
    return open_judges(load({"SIGNING_KEYS": KEY, "JUDGE_TIMEOUT": "60"}))


def posted(room: Newsroom, texts: list[str]) -> list[tuple[str, int, list[str], str]]:
    """Each text, what it was answered with and why, and what is stored; every one by a new reader."""
    found = []
    for number, text in enumerate(texts):
        answer = room.reader(f"Reader {number}").post(text)
        codes = [reason["code"] for reason in answer.json.get("reasons", ())]
        found.append((text, answer.status_code, codes, answer.json.get("text", "")))
    return found


def test_with_the_shipped_engine_innocent_english_code_and_emoji_are_published_as_written(
    build: Build, bundled: Judges
) -> None:
    room = build(judges=bundled)
    texts = [text for name in READ_BY_THE_MODEL for text in INNOCENT[name]] + [ZWJ, f"I loved it {ZWJ[:7]} so much."]
    for text, status, codes, stored in posted(room, texts):
        assert (status, codes) == (201, []), text
        assert stored.encode() == unicodedata.normalize("NFC", text).encode()


def test_with_the_shipped_engine_other_languages_wait_for_a_person_and_for_no_rule(
    build: Build, bundled: Judges
) -> None:
    room = build(judges=bundled)
    texts = [text for name, texts in INNOCENT.items() if name not in READ_BY_THE_MODEL for text in texts]
    assert len(texts) > 30
    for text, status, codes, stored in posted(room, texts):
        assert stored.encode() == unicodedata.normalize("NFC", text).encode()
        assert status in (201, 202), text
        assert status == 201 or "language.unfit" in codes, text
        assert [code for code in codes if not code.startswith(("language.", "engine."))] == [], text


def test_where_a_site_approves_its_languages_innocent_text_of_all_of_them_is_published(build: Build) -> None:
    room = build()
    with room.db.write() as session:
        session.get_one(Site, room.site).policy = EVERY_LANGUAGE
    texts = [text for texts in INNOCENT.values() for text in texts]
    assert len(INNOCENT) >= 14
    for text, status, codes, stored in posted(room, texts):
        assert (status, codes) == (201, []), text
        assert stored.encode() == unicodedata.normalize("NFC", text).encode()


def test_a_disguised_word_waits_for_the_same_reason_as_the_plain_one(build: Build, bundled: Judges) -> None:
    room = build(judges=bundled)
    sentence = "You are a {} and everybody here knows it."
    texts = [sentence.format("motherfucker"), *(sentence.format(hide("motherfucker")) for hide in DISGUISES.values())]
    found = posted(room, texts)
    for text, status, codes, stored in found:
        assert status == 202, text
        assert "engine.insult" in codes, text
        assert stored.encode() == unicodedata.normalize("NFC", text).encode()
