"""Schemathesis throws what it makes of the OpenAPI document at every route: no 5xx, no answer that is not documented.

Credentials are good and half of the ids are real, so that the calls get past the door. Requests are the same in every
run, and as many as fit into half a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from tests.service.conftest import FOUL, ORIGIN, Build, Newsroom, build, clock, judges  # noqa: F401 - fixtures

UNHURRIED = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
HEARD = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@pytest.fixture
def room(build: Build) -> Newsroom:  # noqa: F811
    """A newsroom of one's own."""
    return build()


class Acquainted:
    """A reader, a host, and things that exist, for requests that would otherwise meet nothing but 404."""

    def __init__(self, room: Newsroom) -> None:
        ada, bo = room.reader("Ada Berg"), room.reader("Bo Lund")
        self.credentials = {"commenter": ada.token, "api_key": room.api_key}
        waiting = [bo.post(f"{FOUL} {number}").json["id"] for number in range(3)]
        self.ids = {
            "comment_id": [ada.post().json["id"], bo.post("Not at this price.").json["id"], waiting[0]],
            "endpoint_id": [_endpoint(room)],
            "author_id": [ada.id, bo.id],
            "decision_id": [_decision(room, one) for one in waiting[1:]],
            "kind": ["like"],
        }

    def headers(self, operation: Any) -> dict[str, str]:
        """Good credentials for an operation."""
        schemes = [name for scheme in operation.definition.raw.get("security", []) for name in scheme]
        plain = {"Accept-Encoding": "identity"}
        return {**plain, "Authorization": f"Bearer {self.credentials[schemes[0]]}"} if schemes else plain

    def introduce(self, case: Any, choice: int) -> None:
        """Put things that exist into a request."""
        for name, known in self.ids.items():
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = known[choice % len(known)]
        for part in (case.query, case.body):
            if isinstance(part, dict) and "site" in part:
                part["site"] = "courier"
        if isinstance(case.body, dict) and "version" in case.body:
            case.body["version"] = 1
        if isinstance(case.body, dict) and isinstance(case.body.get("article"), dict):
            case.body["article"]["url"] = f"{ORIGIN}/{choice}"


def _endpoint(room: Newsroom) -> str:
    answer = room.host("POST", "/api/v1/webhooks", json={"url": "https://93.184.215.14/hook"})
    assert answer.status_code == 201, answer.json
    found: str = answer.json["id"]
    return found


def _decision(room: Newsroom, comment_id: str) -> str:
    body = {"verdict": "approve", "version": 1}
    answer = room.host("POST", f"/api/v1/comments/{comment_id}/decisions", json=body)
    assert answer.status_code == 201, answer.json
    found: str = answer.json["id"]
    return found


@dataclass
class Tried:
    """What was asked, what was welcome, and what was wrong with the answers, in short."""

    requests: int = 0
    operations: set[str] = field(default_factory=set)
    welcome: set[str] = field(default_factory=set)
    wrong: set[str] = field(default_factory=set)

    def note(self, case: Any, answer: Any) -> None:
        """Compare an answer with the document."""
        self.requests += 1
        self.operations.add(case.operation.label)
        if answer.status_code < 300:
            self.welcome.add(case.operation.label)
        try:
            case.validate_response(answer, checks=CHECKS.get_by_names(HEARD))
        except FailureGroup as group:
            self.wrong |= {
                f"{case.operation.label} {answer.status_code}: {why.title}: {why.message[:200]}"
                for why in group.exceptions
            }


def operations(room: Newsroom) -> Iterator[Any]:
    """Every operation of the document."""
    load_all_checks()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", room.client.application)
    for found in schema.get_all_operations():
        yield found.ok()


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_to_whatever_is_sent_is_documented(room: Newsroom, mode: GenerationMode) -> None:
    known, tried = Acquainted(room), Tried()
    for operation in operations(room):
        _throw(operation, mode, known, tried)
    assert tried.wrong == set()
    assert tried.requests > 10 * len(tried.operations)
    if mode is GenerationMode.POSITIVE:
        assert len(tried.welcome) > 0.75 * len(tried.operations), tried.operations - tried.welcome


def _throw(operation: Any, mode: GenerationMode, known: Acquainted, tried: Tried) -> None:
    """Send an operation what the document allows, or what it does not; note what is wrong with the answers."""

    @UNHURRIED
    @given(case=operation.as_strategy(mode), choice=st.integers(0, 5))
    def ask(case: Any, choice: int) -> None:
        if choice < 3:
            known.introduce(case, choice)
        tried.note(case, case.call(headers=known.headers(operation)))

    ask()


def test_every_body_says_by_example_what_it_wants(room: Newsroom) -> None:
    document = room.client.get("/api/v1/openapi.json").json
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert len(bodies) >= 12
    assert {name for body in bodies for name in _unshown(document, body)} == set()


def _unshown(document: Any, schema: Any, inside: str = "") -> Iterator[str]:
    """The required parts of a body that show neither an example nor what there is to choose from."""
    if "$ref" in schema:
        inside = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][inside]
    for name in schema.get("required", ()):
        part = schema["properties"][name]
        if "$ref" in part:
            yield from _unshown(document, part)
        elif not {"example", "enum"} & set(part):
            yield f"{inside}.{name}"
