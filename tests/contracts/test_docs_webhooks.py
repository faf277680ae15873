"""The verifiers in docs/webhooks.md, run by their languages, accept what we sign and refuse everything else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.webhooks import signing
from tests.contracts.snippets import DOCS, NODE, PHP, PYTHON, Language, code, run

BODY = '{"type":"comment.approved","data":{"comment":{"text":"Ünï \\"quoted\\" 👩‍👩‍👧"}}}'
SECRET, OTHER = signing.new_secret(), signing.new_secret()

LANGUAGES = [
    replace(PYTHON, driver=PYTHON.driver.replace("*case", "case[0], case[1], case[2].encode()")),
    replace(NODE, heading="JavaScript"),
    PHP,
]


def sent(*keys: str, at: datetime | None = None) -> dict[str, str]:
    return signing.headers(keys, "msg_6c1f3a5de2b4c7908f1a2b3c", at or datetime.now(UTC), BODY.encode())


def cases() -> dict[str, tuple[list[Any], bool]]:
    """What a verifier is shown, and whether it must accept."""
    good, now = sent(SECRET), datetime.now(UTC)
    return {
        "good": ([SECRET, good, BODY], True),
        "during a rotation": ([SECRET, sent(OTHER, SECRET), BODY], True),
        "beside v1a": ([SECRET, sent(signing.new_keypair()[0], SECRET), BODY], True),
        "after a rotation": ([SECRET, sent(OTHER), BODY], False),
        "v1a alone": ([SECRET, sent(signing.new_keypair()[0]), BODY], False),
        "another body": ([SECRET, good, BODY + " "], False),
        "another id": ([SECRET, {**good, "webhook-id": "msg_0"}, BODY], False),
        "another time": ([SECRET, {**good, "webhook-timestamp": str(int(now.timestamp()) + 1)}, BODY], False),
        "too old": ([SECRET, sent(SECRET, at=now - timedelta(minutes=6)), BODY], False),
        "from the future": ([SECRET, sent(SECRET, at=now + timedelta(minutes=6)), BODY], False),
        "no signature": ([SECRET, {**good, "webhook-signature": ""}, BODY], False),
        "half a signature": ([SECRET, {**good, "webhook-signature": "v1"}, BODY], False),
        "nonsense": ([SECRET, {**good, "webhook-signature": "v1,ü v1, ,v1 v9,x"}, BODY], False),
        "no time": ([SECRET, {**good, "webhook-timestamp": ""}, BODY], False),
        "time in words": ([SECRET, {**good, "webhook-timestamp": "now"}, BODY], False),
        "no headers": ([SECRET, {"host": "news.example"}, BODY], False),
    }


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.heading)
def test_a_verifier_from_the_docs_does_what_it_says(language: Language, tmp_path: Path) -> None:
    wanted = cases()
    given = run(language, code("webhooks.md", language.heading), "verify", [c for c, _ in wanted.values()], tmp_path)
    assert dict(zip(wanted, given, strict=True)) == {name: accepts for name, (_, accepts) in wanted.items()}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.heading)
def test_a_verifier_in_the_docs_is_short(language: Language) -> None:
    lines = [line for line in code("webhooks.md", language.heading).splitlines() if line.strip()]
    assert len(lines) <= 15


def test_the_vectors_in_the_docs_hold() -> None:
    text = (DOCS / "webhooks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:`([\w-]+)`|(\w[\w ]*)) \| `(.+)` \|$", text.split("### Test vectors")[1], re.MULTILINE)
    told: dict[str, list[str]] = {}
    for name, words, value in rows:
        told.setdefault(name or words, []).append(value)
    (id_,), (stamp,), (body,), (secret,) = (told[n] for n in ("webhook-id", "webhook-timestamp", "body", "secret"))
    v1, v1a = told["webhook-signature"]
    assert signing.sign([secret], id_, int(stamp), body.encode()) == v1
    private = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
    assert signing.public_key(private) == told["public key"][0]
    assert signing.sign([private], id_, int(stamp), body.encode()) == v1a
