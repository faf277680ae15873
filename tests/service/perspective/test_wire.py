"""What may be sent: the slack of proto3 JSON, and hostile input on every field."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.web.perspective import wire
from service.web.perspective.refusals import Refusal
from tests.service.perspective.conftest import ANALYZE, ENGLISH, SUGGEST, Service

FINE = {"comment": {"text": ENGLISH}, "requestedAttributes": {"TOXICITY": {}}}
LABEL = {"comment": {"text": ENGLISH}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}


def read(body: Any) -> wire.AnalyzeRequest:
    """A body as the service reads it."""
    return wire.analyze_request(json.dumps(body).encode())


@pytest.mark.parametrize("config", [None, {}, []])
def test_an_attribute_s_config_may_be_null_or_empty_even_as_php_writes_it(config: Any) -> None:
    assert read({**FINE, "requestedAttributes": {"TOXICITY": config}}).wanted == (wire.Wanted("TOXICITY"),)


def test_names_may_be_in_snake_case() -> None:
    found = read(
        {
            "comment": {"text": "a", "type": "HTML"},
            "requested_attributes": {"TOXICITY": {"score_type": "PROBABILITY", "score_threshold": 0.25}},
            "span_annotations": True,
            "do_not_store": True,
            "drop_unsupported_attributes": True,
            "client_token": "t",
            "community_id": "c",
            "session_id": "s",
            "context": {"article_and_parent_comment": {"article": {"text": "x"}, "parent_comment": {"text": "y"}}},
        }
    )
    assert found.wanted == (wire.Wanted("TOXICITY", 0.25),)
    assert found.span_annotations
    assert found.drop_unsupported
    assert found.envelope == wire.Envelope(
        wire.TextEntry("a", is_html=True), (wire.TextEntry("x"), wire.TextEntry("y")), (), "c", "t", do_not_store=True
    )


@pytest.mark.parametrize(
    "more",
    [
        {"unknown": 1, "nested": {"x": [1, {"y": None}]}},
        {"context": None, "languages": None, "clientToken": None, "doNotStore": None, "spanAnnotations": None},
        {"context": {"entries": [], "articleAndParentComment": None}},
        {"context": {"entries": {"text": "one that should have been a list"}}},
        {"languages": "EN"},
        {"doNotStore": "true", "spanAnnotations": "false"},
        {"comment": {"text": ENGLISH, "type": 1}},
        {"comment": {"text": ENGLISH, "type": "TEXT_TYPE_UNSPECIFIED", "more": 1}},
        {"requestedAttributes": {"TOXICITY": {"scoreType": 1, "scoreThreshold": "0.5", "other": {}}}},
        {"requestedAttributes": {"TOXICITY": {"scoreThreshold": None, "scoreType": None}}},
        {"sessionId": "x" * 2_000},
    ],
)
def test_slack_is_accepted(service: Service, more: dict[str, Any]) -> None:
    answer = service.post(ANALYZE, {**FINE, **more})
    assert answer.status_code == 200, answer.text


def test_a_body_s_type_and_mark_do_not_matter(service: Service) -> None:
    raw = b"\xef\xbb\xbf" + json.dumps(FINE).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", ""):
        assert service.post(ANALYZE, raw, content_type=content_type).status_code == 200


DEEP = "[" * 5_000 + "]" * 5_000
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"comment=hello",
    "cut off": b'{"comment": {"text": "a"',
    "a list": b"[]",
    "a number": b"1",
    "a text": b'"a"',
    "null": b"null",
    "not UTF-8": b'{"comment": {"text": "\xff\xfe"}}',
    "UTF-16": json.dumps(FINE).encode("utf-16"),
    "deep": f'{{"comment": {{"text": "a"}}, "x": {DEEP}}}'.encode(),
    "very deep": b"[" * 1_000_000,
    "deeper than a hundred": json.dumps({**FINE, "x": json.loads("[" * 101 + "]" * 101)}).encode(),
    "NaN": b'{"comment": {"text": "a"}, "requestedAttributes": {"TOXICITY": {"scoreThreshold": NaN}}}',
    "infinity": b'{"comment": {"text": "a"}, "requestedAttributes": {"TOXICITY": {"scoreThreshold": -Infinity}}}',
    "NaN in words": b'{"comment": {"text": "a"}, "requestedAttributes": {"TOXICITY": {"scoreThreshold": "NaN"}}}',
    "half a pair in the text": b'{"comment": {"text": "a \\ud800 b"}, "requestedAttributes": {"TOXICITY": {}}}',
    "half a pair in a name": b'{"comment": {"text": "a"}, "requestedAttributes": {"\\udc00": {}}}',
    "half a pair somewhere": b'{"comment": {"text": "a"}, "requestedAttributes": {"TOXICITY": {}}, "x": ["\\udfff"]}',
    "a control character": b'{"comment": {"text": "a\x01b"}, "requestedAttributes": {"TOXICITY": {}}}',
    "a number of a million digits": b'{"x": ' + b"9" * 1_000_000 + b"}",
}


@pytest.mark.parametrize("path", [ANALYZE, SUGGEST])
def test_what_cannot_be_read_is_a_400_in_google_s_shape(service: Service, path: str) -> None:
    for what, raw in HOSTILE.items():
        answer = service.post(path, raw)
        assert answer.status_code == 400, what
        assert answer.json["error"]["code"] == 400, what
        assert answer.json["error"]["status"] == "INVALID_ARGUMENT", what


FIELDS = [
    ("comment",),
    ("comment", "text"),
    ("comment", "type"),
    ("context",),
    ("context", "entries"),
    ("context", "articleAndParentComment"),
    ("context", "articleAndParentComment", "article"),
    ("requestedAttributes",),
    ("requestedAttributes", "TOXICITY"),
    ("requestedAttributes", "TOXICITY", "scoreType"),
    ("requestedAttributes", "TOXICITY", "scoreThreshold"),
    ("attributeScores",),
    ("attributeScores", "TOXICITY"),
    ("attributeScores", "TOXICITY", "summaryScore"),
    ("attributeScores", "TOXICITY", "summaryScore", "value"),
    ("attributeScores", "TOXICITY", "spanScores"),
    ("languages",),
    ("doNotStore",),
    ("spanAnnotations",),
    ("clientToken",),
    ("sessionId",),
    ("communityId",),
]
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        10**15,
        1e308,
        2**31,
        "",
        "x",
        "\0",
        "\u202e",
        "a\r\nSet-Cookie: x=1",
        "é" * 3_000,
    ),
    *("9" * 5_000, "NaN", "1e999", [], {}, [[]], [None], [1], ["x" * 100], {"": ""}, {"text": []}, {"x": {"y": "z"}}),
    *([{"text": "a"}] * 101, ["en"] * 21, [{"begin": -1}], [{"begin": 5, "end": 2, "score": {"value": 2}}]),
    {str(number): {} for number in range(101)},
]


@pytest.mark.parametrize("path", [ANALYZE, SUGGEST])
def test_every_field_survives_every_kind_of_value(service: Service, path: str) -> None:
    for field, value in product(FIELDS, VALUES):
        body = json.loads(json.dumps({**FINE, **LABEL}))
        inner = body
        for name in field[:-1]:
            inner = inner.setdefault(name, {})
        inner[field[-1]] = value
        answer = service.post(path, body)
        assert answer.status_code in (200, 400), (field, value, answer.text)
        assert "Set-Cookie" not in answer.headers
        if answer.status_code == 400:
            assert answer.json["error"]["status"] == "INVALID_ARGUMENT"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from(FIELDS))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_reading_either_succeeds_or_refuses(value: Any, field: tuple[str, ...]) -> None:
    body: dict[str, Any] = json.loads(json.dumps({**FINE, **LABEL}))
    inner = body
    for name in field[:-1]:
        inner = inner.setdefault(name, {})
    inner[field[-1]] = value
    raw = json.dumps(body).encode()
    for reader in (wire.analyze_request, wire.suggest_request):
        with suppress(Refusal):
            reader(raw)


def test_a_text_may_hold_nul_and_piled_marks_and_still_be_scored(service: Service) -> None:
    assert service.analyze("you\0idiot friend").status_code == 200
    assert service.analyze("you idiot a" + "\u0301" * 5_000).status_code == 200
    assert service.analyze("H\u0335\u0321\u0324e\u0341llo idiot", spanAnnotations=True).status_code == 200


def test_a_comment_s_limit_is_counted_in_bytes(service: Service) -> None:
    assert service.analyze("a" * 20_480).status_code == 200
    assert service.analyze("a" * 20_481).json["error"]["message"] == "Comment text too long."
    assert service.analyze("é" * 10_240).status_code == 200
    assert service.analyze("é" * 10_241).json["error"]["message"] == "Comment text too long."


def test_a_context_entry_may_be_a_megabyte_and_no_more(service: Service) -> None:
    def context(length: int) -> dict[str, Any]:
        return {**FINE, "context": {"entries": [{"text": "x" * length}]}}

    assert service.post(ANALYZE, context(1_048_576)).status_code == 200
    assert service.post(ANALYZE, context(1_048_577)).status_code == 400


def test_a_body_beyond_all_sense_is_refused_before_it_is_read(service: Service) -> None:
    answer = service.post(ANALYZE, b" " * (8 * 1024 * 1024 + 1))
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == "Request payload size exceeds the limit."


def test_a_compressed_body_is_refused_plainly(service: Service) -> None:
    answer = service.post(ANALYZE, FINE, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
