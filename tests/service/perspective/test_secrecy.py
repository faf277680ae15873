"""doNotStore: not one byte of a text in the database, in a log or in a metric. Nor without it."""

from __future__ import annotations

import base64
import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from tests.service.perspective.conftest import ANALYZE, SUGGEST, Build, Service, WordEngine
from tests.service.perspective.test_batch import part, send

SECRET = "zyzzyva"
CALLS = 1_000
# SQLite's full text indexes: cannot be listed; what they hold stands in tables that can
SCANLESS = {"search_in_article", "search_in_author", "search_in_comment_version"}


def bodies() -> list[dict[str, Any]]:
    """Calls with the secret in every field that holds words, some of which succeed and some of which fail."""
    fine = {"comment": {"text": f"you {SECRET} idiot"}, "requestedAttributes": {"TOXICITY": {}}, "doNotStore": True}
    return [
        fine,
        fine | {"spanAnnotations": True, "clientToken": SECRET, "sessionId": SECRET, "communityId": SECRET},
        fine | {"context": {"entries": [{"text": SECRET}]}},
        fine | {"context": {"articleAndParentComment": {"article": {"text": SECRET}}}},
        fine | {"comment": {"text": f"<p>{SECRET}</p>", "type": "HTML"}},
        fine | {"comment": {"text": f"{SECRET} poison"}},
        fine | {"comment": {"text": SECRET * 3_000}},
        fine | {"requestedAttributes": {SECRET: {}}},
        fine | {"languages": [SECRET]},
        fine | {"comment": {"text": SECRET, "type": SECRET}},
        fine | {SECRET: SECRET},
        fine | {"doNotStore": False},
        {"comment": {"text": SECRET}},
    ]


def every_value(service: Service) -> str:
    """Everything that stands in any table, as text."""
    with service.db.read() as session:
        tables = [name for name in inspect(session.connection()).get_table_names() if name not in SCANLESS]
        rows = [row for table in tables for row in session.execute(text(f'SELECT * FROM "{table}"'))]
    return "\n".join(str(tuple(row)) for row in rows)


def files(service: Service) -> dict[str, str]:
    """The bytes of the database's files, where it has files, and of everything beside it."""
    kind, _, path = service.settings.database_url.partition(":///")
    folders = [service.settings.data_dir, *([Path(path).parent] if kind == "sqlite" else [])]
    found = [one for folder in folders for one in folder.iterdir() if one.is_file()]
    assert found or kind != "sqlite"
    return {one.name: one.read_bytes().decode("latin-1") for one in found}


def spellings(secret: str) -> list[str]:
    """A text as it might stand somewhere."""
    return [
        secret,
        secret.upper(),
        secret[::-1],
        base64.b64encode(secret.encode())[:-2].decode(),
        secret.encode().hex(),
    ]


def test_after_a_thousand_calls_no_text_is_anywhere(build: Build, capfd: pytest.CaptureFixture[str]) -> None:
    def fault(texts: Any) -> None:
        if any("poison" in one for one in texts):
            raise RuntimeError(f"cannot score {texts}")

    service = build(WordEngine(fault=fault), LOG_LEVEL="DEBUG")
    asked = bodies()
    statuses = []
    for number in range(CALLS):
        body = asked[number % len(asked)]
        if number % 10 == 9:
            parts = [part(f"<x + {SECRET}>", body, service.key), part("<2>", b"{" + SECRET.encode(), service.key)]
            statuses.append(send(service, parts).status_code)
        elif number % 10 == 8:
            statuses.append(service.post(ANALYZE, json.dumps(body).encode()[:-20]).status_code)
        else:
            statuses.append(service.post(ANALYZE, body, query_string={"key": service.key, "x": SECRET}).status_code)
    label = {"comment": {"text": SECRET}, "attributeScores": {SECRET: {"summaryScore": {"value": 1}}}}
    statuses.append(service.post(SUGGEST, label | {"doNotStore": True}).status_code)
    assert {200, 400, 503} == set(statuses)
    assert statuses.count(200) > CALLS / 2

    metrics = service.app.test_client().get("/metrics").text
    out, err = capfd.readouterr()
    assert "/v1alpha1/comments:analyze" in err, "the log was on, or this test shows nothing"
    assert "firstword_perspective_calls_total" in metrics
    places = {"database": every_value(service), "log": out + err, "metrics": metrics}
    for place, content in (places | files(service)).items():
        assert [one for one in spellings(SECRET) if one in content] == [], place


def test_this_search_would_find_what_is_stored(service: Service) -> None:
    label = {"comment": {"text": SECRET}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}
    assert service.post(SUGGEST, label).status_code == 200
    assert SECRET in every_value(service)
    found = [name for name, content in files(service).items() if SECRET in content]
    assert found or service.settings.database_url.startswith("postgresql")


def test_no_key_is_in_a_log(build: Build, capfd: pytest.CaptureFixture[str]) -> None:
    service = build(LOG_LEVEL="DEBUG")
    service.analyze("hello there")
    service.post(ANALYZE, b"{", headers={"X-Goog-Api-Key": service.key})
    _, err = capfd.readouterr()
    assert "analyze" in err
    assert service.key not in err
    assert urllib.parse.quote(service.key) not in err
