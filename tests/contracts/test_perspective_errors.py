"""The error table of docs/perspective.md, row by row: clients slice these words, so they are part of the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.web.perspective import refusals
from tests.service.perspective.conftest import ANALYZE, ENGLISH, SUGGEST, Build, Service, build, service

__all__ = ["build", "service"]  # fixtures

ERROR = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
FINE = {"comment": {"text": ENGLISH}, "requestedAttributes": {"TOXICITY": {}}}
GERMAN = "Das ist ein ganz gewöhnlicher Satz in deutscher Sprache, freundlich gemeint."

ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("COMMENT_EMPTY", {"comment": {"text": ""}}, "Comment must be non-empty."),
    ("COMMENT_EMPTY", {"comment": {}}, "Comment must be non-empty."),
    ("COMMENT_EMPTY", {"comment": {"text": " \u200b\n"}}, "Comment must be non-empty."),
    ("COMMENT_EMPTY", {"comment": {"text": "<!-- a --><br>", "type": "HTML"}}, "Comment must be non-empty."),
    ("COMMENT_TOO_LONG", {"comment": {"text": "a" * 20_481}}, "Comment text too long."),
    ("NO_REQUESTED_ATTRIBUTES", {"requestedAttributes": {}}, "Missing requested_attributes"),
    ("NO_REQUESTED_ATTRIBUTES", {"requestedAttributes": None}, "Missing requested_attributes"),
    ("NO_REQUESTED_ATTRIBUTES", {"requestedAttributes": []}, "Missing requested_attributes"),
    ("LANGUAGE_DETECTION_FAILED", {"comment": {"text": "12345 !!! 😀"}}, "Unable to detect language"),
    (
        "INVALID_REQUEST",
        {"requestedAttributes": {"TOXICITY": {}, "CURIOSITY_EXPERIMENTAL": {}}},
        "Unknown requested attribute: CURIOSITY_EXPERIMENTAL",
    ),
    ("INVALID_REQUEST", {"requestedAttributes": {"toxicity": {}}}, "Unknown requested attribute: toxicity"),
    ("INVALID_REQUEST", {"requestedAttributes": {"FLIRTATION@2": {}}}, "Unknown requested attribute: FLIRTATION@2"),
    (
        "INVALID_REQUEST",
        {"requestedAttributes": {"TOXICITY": {"scoreType": "PERCENTILE"}}},
        "Requested score type PERCENTILE is not supported by attribute TOXICITY",
    ),
    (
        "INVALID_REQUEST",
        {"requestedAttributes": {"TOXICITY": {"scoreType": 2}}},
        "Requested score type STD_DEV_SCORE is not supported by attribute TOXICITY",
    ),
    ("INVALID_REQUEST", {"comment": {"text": "a", "type": "MARKDOWN"}}, "Unknown text type"),
    ("INVALID_REQUEST", {"context": {"entries": [{"text": "a", "type": 7}]}}, "Unknown text type"),
    (
        "INVALID_REQUEST",
        {"context": {"entries": [{"text": "a"}], "articleAndParentComment": {"article": {"text": "b"}}}},
        "Context can have either entries or article_and_parent_comment, but both fields were populated.",
    ),
]


@pytest.mark.parametrize(("kind", "change", "message"), ROWS, ids=[f"{row[0]} {n}" for n, row in enumerate(ROWS)])
def test_a_row_of_the_table(service: Service, kind: str, change: dict[str, Any], message: str) -> None:
    answer = service.post(ANALYZE, {**FINE, **change})
    assert answer.status_code == 400
    assert answer.json == {
        "error": {
            "code": 400,
            "message": message,
            "status": "INVALID_ARGUMENT",
            "details": [{"@type": ERROR, "errorType": kind}],
        }
    }
    assert answer.content_type == "application/json; charset=UTF-8"


@pytest.mark.parametrize(
    ("more", "languages", "attribute"),
    [
        ({"languages": ["om"]}, ["om"], "TOXICITY"),
        ({"languages": ["EN", "om", "fr"]}, ["om", "fr"], "TOXICITY"),
        ({"comment": {"text": GERMAN}}, ["de"], "TOXICITY"),
        ({"languages": ["de"], "requestedAttributes": {"TOXICITY@6": {}}}, ["de"], "TOXICITY@6"),
    ],
)
def test_a_language_that_the_attribute_does_not_know(
    service: Service, more: dict[str, Any], languages: list[str], attribute: str
) -> None:
    answer = service.post(ANALYZE, {**FINE, **more})
    assert answer.status_code == 400
    assert answer.json == {
        "error": {
            "code": 400,
            "message": f"Attribute {attribute} does not support request languages: {', '.join(languages)}",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": ERROR,
                    "errorType": "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
                    "languageNotSupportedByAttributeError": {"detectedLanguages": languages, "attribute": attribute},
                }
            ],
        }
    }


@pytest.mark.parametrize("method", ["analyze", "suggestscore", "discovery"])
def test_a_key_that_does_not_hold(service: Service, method: str) -> None:
    client = service.app.test_client()
    answer = {
        "analyze": lambda: service.post(ANALYZE, FINE, key="nonsense"),
        "suggestscore": lambda: service.post(SUGGEST, FINE, key="nonsense"),
        "discovery": lambda: client.get("/$discovery/rest?version=v1alpha1&key=nonsense"),
    }[method]()
    assert answer.status_code == 400
    assert answer.json == {
        "error": {
            "code": 400,
            "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "API_KEY_INVALID",
                    "domain": "googleapis.com",
                    "metadata": {"service": "commentanalyzer.googleapis.com"},
                }
            ],
        }
    }


@pytest.mark.usefixtures("early_in_a_minute")
def test_a_quota_that_is_used_up(service: Service) -> None:
    small = service.add_key(per_minute=2)
    assert [service.post(ANALYZE, FINE, key=small).status_code for _ in range(2)] == [200, 200]
    answer = service.post(ANALYZE, FINE, key=small)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    error = answer.json["error"]
    consumer = error["details"][0]["metadata"]["consumer"]
    assert error["code"] == 429
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["message"] == (
        "Quota exceeded for quota metric 'Analysis requests (AnalyzeComment)' and limit 'Analysis requests "
        "(AnalyzeComment) per minute' of service 'commentanalyzer.googleapis.com' for consumer "
        f"'{consumer}'."
    )
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert error["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert error["details"][0]["domain"] == "googleapis.com"
    assert consumer
    assert consumer not in small
    assert service.post(ANALYZE, FINE).status_code == 200, "another key has a quota of its own"


def test_an_error_repeats_nothing_of_the_comment_and_bounds_what_it_repeats(service: Service) -> None:
    answer = service.post(ANALYZE, {"comment": {"text": "secret words"}, "requestedAttributes": {"A\n" * 5_000: {}}})
    assert answer.status_code == 400
    assert "secret" not in answer.text
    assert len(answer.text) < 500
    assert "\n" not in answer.json["error"]["message"]


def test_without_its_engine_the_service_is_unavailable_and_no_attribute_is_called_unknown(build: Build) -> None:
    from moderation import EngineUnavailable
    from service.judges import AbsentEngine

    service = build(AbsentEngine("bundled", "no files"))
    answer = service.post(ANALYZE, FINE)
    assert answer.status_code == 503
    assert answer.json["error"]["status"] == "UNAVAILABLE"
    assert EngineUnavailable.__name__ not in answer.text


def test_the_page_lists_every_message_that_the_code_knows() -> None:
    page = (Path(__file__).parents[2] / "docs" / "perspective.md").read_text(encoding="utf-8")
    known = [
        refusals.comment_empty(),
        refusals.comment_too_long(),
        refusals.no_requested_attributes(),
        refusals.no_attribute_scores(),
        refusals.unknown_attribute("<A>"),
        refusals.score_type_unsupported("<T>", "<A>"),
        refusals.unknown_text_type(),
        refusals.both_contexts(),
        refusals.language_unsupported("<A>", ["<l1", "l2>"]),
        refusals.language_undetected(),
        refusals.key_invalid(),
        refusals.quota_exceeded("<consumer>", 1),
        refusals.not_found(),
        refusals.unavailable(),
    ]
    assert [refusal.message for refusal in known if f"`{refusal.message}`" not in page] == []
