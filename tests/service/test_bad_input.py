"""Hostile bodies to every JSON route that the OpenAPI document names: a clear 4xx problem, nothing written, no 5xx.

The routes come from the document, so that a new one is included by itself.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import SQLModel, func, select

from service import sites
from service.errors import Invalid
from tests.service.conftest import ORIGIN, Newsroom

ID = "0123456789abcdef01234567"


def nested(depth: int) -> bytes:
    """Brackets in brackets."""
    return b"[" * depth + b"]" * depth


def with_field(body: dict[str, Any], name: str, value: Any) -> bytes:
    """A good body in which one field is bad."""
    return json.dumps({**body, name: value}).encode()


RAW: dict[str, bytes] = {
    "lone surrogate": b'{"text": "\\ud800", "name": "\\udfff", "reason": "\\ud83d"}',
    "NUL": b'{"text": "a\\u0000b", "name": "a\\u0000b"}',
    "deep array": nested(20_000),
    "deep array in a field": b'{"text": ' + nested(5_000) + b"}",
    "unclosed array": b"[" * 60_000,
    "duplicate keys": b'{"site": "courier", "site": "other"}',
    "NaN": b'{"version": NaN}',
    "Infinity": b'{"version": -Infinity}',
    "1e400": b'{"version": 1e400}',
    "2^70": b'{"version": 1180591620717411303424}',
    "5,000 digits": b'{"version": ' + b"9" * 5_000 + b"}",
    "UTF-16": '{"site": "courier"}'.encode("utf-16"),
    "UTF-16 without mark": '{"site": "courier"}'.encode("utf-16-le"),
    "latin-1": '{"site": "é"}'.encode("latin-1"),
    "overlong UTF-8": b'{"site": "\xc0\xae"}',
    "byte order mark": b'\xef\xbb\xbf{"site": "courier"}',
    "array": b"[]",
    "null": b"null",
    "string": b'"text"',
    "number": b"1",
    "nothing": b"",
    "half": b'{"site": "cou',
    "trailing": b'{"site": "courier"} {}',
    "comment": b'{/* */"site": "courier"}',
    "single quotes": b"{'site': 'courier'}",
    "1 MB": b'{"text": "' + b"a" * 1_000_000 + b'"}',
    "unknown field": b'{"is_admin": true}',
}


def operations(room: Newsroom) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation that takes a JSON body: path, method, its part of the document."""
    document = room.client.get("/api/v1/openapi.json").json
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("post", "put", "patch", "delete") and "requestBody" in operation:
                yield re.sub(r"\{[^}]+\}", ID, path), method.upper(), operation


def credentials(room: Newsroom, operation: dict[str, Any], reader: str) -> dict[str, str]:
    """Good credentials for an operation, so that it is the body that is refused."""
    schemes = {name for scheme in operation.get("security", []) for name in scheme}
    token = room.api_key if "api_key" in schemes else reader
    return {"Authorization": f"Bearer {token}"} if schemes else {}


def rows(room: Newsroom) -> dict[str, int]:
    """How many rows every table has."""
    with room.db.read() as session:
        return {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in SQLModel.metadata.tables.items()
        }


def refused(answer: Any, what: str) -> None:
    """A 4xx problem that says what is wrong."""
    assert 400 <= answer.status_code < 500, f"{what}: {answer.status_code}"
    assert answer.content_type == "application/problem+json", what
    problem = answer.json
    assert problem["status"] == answer.status_code
    assert problem["detail"], what
    assert problem["code"], what


def test_there_are_routes_to_try(room: Newsroom) -> None:
    assert len(list(operations(room))) >= 5


@pytest.mark.parametrize("name", RAW)
def test_a_hostile_body_is_refused_everywhere_and_writes_nothing(room: Newsroom, name: str) -> None:
    reader = room.reader("Ada Berg").token
    before = rows(room)
    for path, method, operation in operations(room):
        headers = {**credentials(room, operation, reader), "Content-Type": "application/json"}
        answer = room.client.open(path, method=method, data=RAW[name], headers=headers)
        if name in ("nothing", "unknown field") and not operation["requestBody"].get("required"):
            continue
        refused(answer, f"{method} {path}: {name}")
    assert rows(room) == before


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/xml",
        "",
        "multipart/form-data; boundary=x",
    ],
)
def test_another_content_type_is_refused_everywhere(room: Newsroom, content_type: str) -> None:
    reader = room.reader("Ada Berg").token
    before = rows(room)
    for path, method, operation in operations(room):
        headers = {**credentials(room, operation, reader), "Content-Type": content_type}
        answer = room.client.open(path, method=method, data=b'{"site": "courier"}', headers=headers)
        refused(answer, f"{method} {path}: {content_type}")
    assert rows(room) == before


def test_a_gzip_bomb_is_not_unpacked(room: Newsroom) -> None:
    reader = room.reader("Ada Berg").token
    bomb = gzip.compress(b'{"text": "' + b"a" * 10_000_000 + b'"}')
    for path, method, operation in operations(room):
        headers = {
            **credentials(room, operation, reader),
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        refused(room.client.open(path, method=method, data=bomb, headers=headers), f"{method} {path}")


WRONG_BY_TYPE: dict[str, tuple[Any, ...]] = {
    "boolean": ("on", "yes", "１", [], {}),
    "integer": ("１２", "on", [], {}, 1.5),
    "string": (1, True, [], {}),
    "array": ({}, "on", 1, True),
    "object": ([], "on", 1, True),
}


def fields_of(room: Newsroom, operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of an operation's body, as the document describes them."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return dict(resolved(room, schema).get("properties", {}))


def resolved(room: Newsroom, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, or the one that it refers to."""
    [*refs] = [schema.get("$ref"), *(part.get("$ref") for part in schema.get("allOf", []))]
    name = next((ref.rpartition("/")[2] for ref in refs if ref), None)
    found: dict[str, Any] = room.client.get("/api/v1/openapi.json").json["components"]["schemas"][name] if name else {}
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def test_every_field_of_every_body_refuses_other_types_at_its_place(room: Newsroom) -> None:
    reader, tried = room.reader("Ada Berg").token, 0
    before = rows(room)
    for path, method, operation in operations(room):
        for name, described in fields_of(room, operation).items():
            schema = resolved(room, described)
            wrong = WRONG_BY_TYPE.get(schema.get("type", ""), ()) + (() if schema.get("nullable") else (None,))
            for value in wrong:
                answer = room.client.open(
                    path, method=method, json={name: value}, headers=credentials(room, operation, reader)
                )
                refused(answer, f"{method} {path}: {name}={value!r}")
                pointers = [error["pointer"] for error in answer.json.get("errors", ())]
                assert any(f"{pointer}/".startswith(f"/{name}/") for pointer in pointers), (method, path, name, value)
                tried += 1
    assert tried > 100
    assert rows(room) == before


@pytest.mark.parametrize("field", ["status", "score", "author_id", "created_at", "featured", "id", "site_id", "role"])
def test_what_no_route_takes_is_refused_by_every_route(room: Newsroom, field: str) -> None:
    reader, before = room.reader("Ada Berg").token, rows(room)
    for path, method, operation in operations(room):
        if field not in fields_of(room, operation):
            headers = credentials(room, operation, reader)
            answer = room.client.open(path, method=method, json={field: "approved"}, headers=headers)
            refused(answer, f"{method} {path}")
            assert {"pointer": f"/{field}", "detail": "Unknown field."} in answer.json["errors"], (method, path)
    assert rows(room) == before


WRONG_TYPES: list[Any] = [None, [], {}, "on", 0, 1, True, "１２", 1.5, -1, "", "a" * 300]


@pytest.mark.parametrize("field", ["site", "text", "article", "parent", "nudge", "nudge_token"])
def test_a_field_of_another_type_is_refused_with_its_place(room: Newsroom, field: str) -> None:
    ada = room.reader("Ada Berg")
    good = {"site": "courier", "article": {"key": "k", "url": f"{ORIGIN}/k"}, "text": "A good text about the bridge."}
    fine = {
        "text": ("on", "１２", "a" * 300),
        "parent": (None,),
        "nudge": (True,),
        "nudge_token": (None, "on", "１２", ""),
    }
    for value in WRONG_TYPES:
        if any(value is okay or (isinstance(okay, str) and value == okay) for okay in fine.get(field, ())):
            continue
        if field == "nudge_token" and value == "a" * 300:
            continue
        headers = {**ada.headers, "Content-Type": "application/json"}
        answer = room.client.post("/api/v1/comments", data=with_field(good, field, value), headers=headers)
        refused(answer, f"{field}={value!r:.20}")
    assert ada.mine() == []


@pytest.mark.parametrize("field", ["status", "score", "author", "author_id", "created_at", "featured", "id", "gone"])
def test_what_the_service_decides_cannot_be_sent_along(room: Newsroom, field: str) -> None:
    ada = room.reader("Ada Berg")
    answer = ada.post(**{field: "approved"})
    refused(answer, field)
    assert answer.json["errors"] == [{"pointer": f"/{field}", "detail": "Unknown field."}]
    comment = ada.post().json
    answer = room.client.patch(
        f"/api/v1/comments/{comment['id']}", json={"text": "x", "version": 1, field: "x"}, headers=ada.headers
    )
    refused(answer, field)


@pytest.mark.parametrize(
    "query",
    [
        "limit=１２",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=1e3",
        "limit=99999999999999999999",
        "limit=true",
        "sort=best",
        "site=%00",
        "article=%00",
        "article=" + "a" * 201,
        "cursor=%F0%28%8C%28",
        "site=%ff%fe",
        "site=nobody",
    ],
)
def test_a_bad_query_is_a_4xx(room: Newsroom, query: str) -> None:
    name = query.partition("=")[0]
    rest = "&".join(f"{key}={value}" for key, value in {"site": "courier", "article": "k"}.items() if key != name)
    refused(room.client.get(f"/api/v1/comments?{query}&{rest}"), query)


MORNING = "2026-03-02T09:00:00+00:00"
FORGED: dict[str, list[Any]] = {
    "before all time": ["newest", "0001-01-01T00:00:00+14:00", ID],
    "after all time": ["oldest", "9999-12-31T23:59:59-14:00", ID],
    "without a zone": ["newest", "2026-03-02T09:00:00", ID],
    "a lone surrogate": ["newest", MORNING, "\ud800"],
    "a NUL": ["newest", MORNING, "a\0b"],
    "no id": ["newest", MORNING, "a"],
    "a line break after the id": ["newest", MORNING, f"{ID}\n"],
    "an endless score": ["top", MORNING, ID, 10**30],
    "a broken score": ["top", MORNING, ID, 0.5],
    "a score in words": ["top", MORNING, ID, "1"],
    "two scores": ["top", MORNING, ID, 1, 1],
    "a score where there is none": ["newest", MORNING, ID, 1],
}


def cursor(position: Any) -> str:
    """A cursor as whoever reads our code would make one."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


@pytest.mark.parametrize("what", FORGED)
def test_a_cursor_made_by_hand_is_a_4xx(room: Newsroom, what: str) -> None:
    position = FORGED[what]
    room.reader("Ada Berg").post(article="k")
    query = {"site": "courier", "article": "k", "sort": position[0], "cursor": cursor(position)}
    refused(room.client.get("/api/v1/comments", query_string=query), what)
    position = ["oldest", *position[1:]]
    comment = room.thread("k")["comments"][0]["id"]
    answer = room.client.get(f"/api/v1/comments/{comment}/replies", query_string={"cursor": cursor(position)})
    refused(answer, what)


def test_a_cursor_of_the_same_form_as_ours_is_read(room: Newsroom) -> None:
    room.reader("Ada Berg").post(article="k")
    for position in (["newest", MORNING, ID], ["top", MORNING, ID, 3]):
        assert room.thread("k", sort=position[0], cursor=cursor(position))["next"] is None


@pytest.mark.parametrize("place", ["1.a\0b", "1.x", f"{10**30}.{ID}", f"-{10**17}.{ID}"])
def test_a_cursor_made_by_hand_for_deliveries_is_a_4xx(room: Newsroom, place: str) -> None:
    hook = room.host("POST", "/api/v1/webhooks", json={"url": "https://host.example/hook"}).json
    mark = base64.urlsafe_b64encode(place.encode()).decode()
    query = {"cursor": mark}
    refused(room.host("GET", f"/api/v1/webhooks/{hook['id']}/deliveries", query_string=query), place)


@pytest.mark.parametrize("kind", ["a%00b", "%EF%BF%BE", "%ED%A0%80"])
def test_a_reaction_of_no_name_is_a_4xx(room: Newsroom, kind: str) -> None:
    ada = room.reader("Ada Berg")
    path = f"/api/v1/comments/{ada.post().json['id']}/reactions/{kind}"
    refused(room.client.put(path, headers=ada.headers), "PUT")
    refused(room.client.delete(path, headers=ada.headers), "DELETE")


@pytest.mark.parametrize(
    "origin",
    [
        "https://attacker-courier.example",
        "https://courier.example.evil",
        "https://courier.example:8443",
        "http://courier.example",
        "https://courier.example.",
        "https://COURIER.example",
        "null",
        "",
        "file://",
        "https://other.example",
    ],
)
def test_a_page_of_another_origin_may_not_write(room: Newsroom, origin: str) -> None:
    ada = room.reader("Ada Berg")
    answer = ada.post(headers={"Origin": origin})
    assert (answer.status_code, answer.json["code"]) == (403, "origin-refused")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert ada.mine() == []
    allowed = ada.post(headers={"Origin": ORIGIN})
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in allowed.headers


def test_a_page_on_an_international_name_may_write(room: Newsroom) -> None:
    written = ["https://Zürich.example", "https://straße.example:8443", "http://[0:0:0:0:0:0:0:1]", "http://127.0.0.1"]
    sent = ["https://xn--zrich-kva.example", "https://xn--strae-oqa.example:8443", "http://[::1]", "http://127.0.0.1"]
    assert sites.set_origins(room.db, room.site, written) == sent
    for origin in sent:
        ada = room.reader("Ada Berg")
        place = {"key": origin, "url": f"{origin}/k"}
        body = {"site": room.site, "article": place, "text": "A good text."}
        headers = {**ada.headers, "Idempotency-Key": origin, "Origin": origin}
        assert room.client.post("/api/v1/comments", json=body, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "host",
    [
        "*.example",
        "a%20b.example",
        "ex,ample",
        "a..b",
        "a\u200cb.example",
        "1.2.3",
        "0x7f.1",
        "[fe80::1%25a]",
        "[v1.a:b]",
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(room: Newsroom, host: str) -> None:
    with pytest.raises(Invalid, match="no name that a browser looks up"):
        sites.set_origins(room.db, room.site, [f"https://{host}"])
    assert sites.find_site(room.db, room.site).origins == [ORIGIN]


@pytest.mark.parametrize("key", ["", "é", "a b", "k" * 201, "\x00"])
def test_an_unusable_idempotency_key_is_refused(room: Newsroom, key: str) -> None:
    ada = room.reader("Ada Berg")
    body = {"site": "courier", "article": {"key": "k", "url": f"{ORIGIN}/k"}, "text": "A good text."}
    try:
        answer = room.client.post("/api/v1/comments", json=body, headers={**ada.headers, "Idempotency-Key": key})
    except (ValueError, UnicodeEncodeError):
        return  # the client itself cannot send it
    refused(answer, repr(key))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "é",
        "x" * 5_000,
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIiwiYXVkIjoiY291cmllciIsImV4cCI6OTk5OTk5OTk5OX0.",
    ],
)
def test_a_token_that_does_not_hold_is_a_401(room: Newsroom, token: str) -> None:
    for path, method, operation in operations(room):
        if not operation.get("security"):
            continue
        answer = room.client.open(path, method=method, json={}, headers={"Authorization": f"Bearer {token}".strip()})
        assert answer.status_code == 401, f"{method} {path}"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_commenter_token_is_no_api_key_and_the_other_way_round(room: Newsroom) -> None:
    reader = room.reader("Ada Berg").token
    for path, method, operation in operations(room):
        schemes = {name for scheme in operation.get("security", []) for name in scheme}
        if schemes:
            wrong = reader if "api_key" in schemes else room.api_key
            answer = room.client.open(path, method=method, json={}, headers={"Authorization": f"Bearer {wrong}"})
            assert answer.status_code == 401, f"{method} {path}"


def test_what_is_nowhere_and_what_cannot_be_done_are_problems_too(room: Newsroom) -> None:
    refused(room.client.get("/api/v1/nothing"), "unknown path")
    refused(room.client.get("/api/v1/comments/not-an-id"), "not an id")
    answer = room.client.delete("/api/v1/counts")
    refused(answer, "method")
    assert "GET" in answer.headers["Allow"]
