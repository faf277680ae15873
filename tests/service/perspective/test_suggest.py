"""Suggestscore: what people say of texts is kept for their site, counted against the model, exported and erased."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from service import labels
from service.errors import Invalid
from service.labels import Agreement, Which
from tests.service.perspective.conftest import ENGLISH, SUGGEST, Build, Service, WordEngine


def coral(number: int, text: str, status: str) -> dict[str, Any]:
    """What Coral sends when somebody decides."""
    entry = {
        "url": f"https://courier.example/a?commentID=c{number}",
        "reply_to_id_Coral_comment_id": None,
        "Coral_comment_id": f"c{number}",
    }
    return {
        "comment": {"text": text},
        "context": {"entries": [{"text": json.dumps(entry)}]},
        "attributeScores": {status: {"summaryScore": {"value": 1}}},
        "languages": ["EN"],
        "communityId": "Coral:https://courier.example/",
        "clientToken": f"comment:c{number}",
    }


def kept(service: Service, site: str = "courier") -> list[dict[str, Any]]:
    """Every label of a site as it is exported."""
    return [labels.exported(label) for label in labels.listed(service.db, site)]


def test_a_decision_in_coral_is_kept_with_what_the_model_said(service: Service) -> None:
    answer = service.post(SUGGEST, coral(1, "you idiot", "DELETED"))
    assert answer.status_code == 200, answer.text
    assert answer.json == {"clientToken": "comment:c1", "requestedLanguages": ["EN"], "detectedLanguages": ["en"]}
    (label,) = kept(service)
    assert label["text"] == "you idiot"
    assert label["scores"] == {"DELETED": 1.0}
    assert label["model_scores"] == {"TOXICITY": 0.5}
    assert label["engine"] == "words 1"
    assert label["community"] == "Coral:https://courier.example/"
    assert label["client_token"] == "comment:c1"
    assert label["context"] == {
        "url": "https://courier.example/a?commentID=c1",
        "comment": "c1",
        "languages": ["EN"],
    }


def test_scores_of_the_whole_and_of_stretches_are_kept_apart(service: Service) -> None:
    scores = {
        "TOXICITY": {"summaryScore": {"value": 0.9}, "spanScores": [{"begin": 4, "end": 9, "score": {"value": 1}}]},
        "INSULT@2": {"summaryScore": {"value": 0}},
    }
    assert service.post(SUGGEST, {"comment": {"text": "you idiot"}, "attributeScores": scores}).status_code == 200
    (label,) = kept(service)
    assert label["scores"] == {"TOXICITY": 0.9, "INSULT@2": 0.0}
    assert label["context"]["stretches"] == [{"name": "TOXICITY", "begin": 4, "end": 9, "value": 1.0}]
    assert label["model_scores"] == {"TOXICITY": 0.5, "INSULT": 0.5}


def test_a_context_that_is_not_coral_s_is_not_kept(service: Service) -> None:
    body = coral(1, ENGLISH, "APPROVED") | {
        "context": {"entries": [{"text": "somebody else's words"}, {"text": "{bad"}]}
    }
    assert service.post(SUGGEST, body).status_code == 200
    (label,) = kept(service)
    assert label["context"]["entries"] == [21, 4]
    assert "somebody" not in json.dumps(label)


def test_a_label_that_must_not_be_stored_is_answered_and_not_stored(service: Service) -> None:
    answer = service.post(SUGGEST, coral(1, "you idiot", "DELETED") | {"doNotStore": True})
    assert answer.status_code == 200
    assert answer.json["clientToken"] == "comment:c1"
    assert kept(service) == []
    assert service.engine.seen == []


def test_a_label_is_kept_where_the_model_says_nothing(build: Build) -> None:
    def fault(_: Any) -> None:
        raise RuntimeError

    service = build(WordEngine(fault=fault))
    assert service.post(SUGGEST, coral(1, "you idiot", "DELETED")).status_code == 200
    (label,) = kept(service)
    assert label["model_scores"] == {}


@pytest.mark.parametrize("value", [-0.1, 1.1, "2"])
def test_a_label_is_between_nought_and_one(service: Service, value: Any) -> None:
    body = {"comment": {"text": "a b c"}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": value}}}}
    assert service.post(SUGGEST, body).status_code == 400
    assert kept(service) == []


@pytest.mark.parametrize("scores", [None, {}, [], {"TOXICITY": {}}, {"TOXICITY": None}])
def test_a_suggestion_suggests_something(service: Service, scores: Any) -> None:
    answer = service.post(SUGGEST, {"comment": {"text": "a b c"}, "attributeScores": scores})
    assert answer.status_code == 400
    assert answer.json["error"]["message"] == "Missing attribute_scores"


def test_people_and_model_are_counted_against_each_other(service: Service) -> None:
    for number, (text, status) in enumerate(
        [
            ("you idiot", "DELETED"),
            ("such a fine day", "DELETED"),
            ("an idiot", "APPROVED"),
            ("such a fine day", "APPROVED"),
        ]
    ):
        service.post(SUGGEST, coral(number, text, status))
    service.post(SUGGEST, {"comment": {"text": "x"}, "attributeScores": {"CURIOSITY": {"summaryScore": {"value": 1}}}})
    community = "Coral:https://courier.example/"
    assert labels.agreement(service.db, "courier") == [
        Agreement("", "CURIOSITY", labels=1, compared=0, agreed=0, both=0, people_only=0, model_only=0),
        Agreement(community, "APPROVED", labels=2, compared=2, agreed=1, both=0, people_only=0, model_only=1),
        Agreement(community, "DELETED", labels=2, compared=2, agreed=1, both=1, people_only=1, model_only=0),
    ]
    assert labels.agreement(service.db, "courier", community)[1].share == 0.5
    assert labels.agreement(service.db, "other") == []


def test_labels_are_erased_as_asked_and_never_by_accident(service: Service) -> None:
    for number in range(4):
        service.post(SUGGEST, coral(number, ENGLISH, "APPROVED"))
        service.clock.pass_(days=1)
    assert labels.erase(service.db, "other", Which(everything=True)) == 0
    assert labels.erase(service.db, "courier", Which(client_token="comment:c3")) == 1
    assert labels.erase(service.db, "courier", Which(before=datetime(2026, 3, 3, tzinfo=UTC))) == 1
    assert labels.erase(service.db, "courier", Which(community="Coral:elsewhere", client_token="comment:c1")) == 0
    assert [label["client_token"] for label in kept(service)] == ["comment:c1", "comment:c2"]
    with pytest.raises(Invalid):
        labels.erase(service.db, "courier", Which())
    assert labels.erase(service.db, "courier", Which(everything=True)) == 2


def test_many_labels_come_out_in_order_page_by_page(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "PAGE", 3)
    for number in range(10):
        service.post(SUGGEST, coral(number, ENGLISH, "APPROVED"))
    found = kept(service)
    assert len({label["id"] for label in found}) == 10


def test_what_a_database_cannot_hold_is_replaced(service: Service) -> None:
    body = coral(1, "you\0idiot", "DEL\0ETED") | {"communityId": "a\0b", "clientToken": "c\0d"}
    assert service.post(SUGGEST, body).status_code == 200
    (label,) = kept(service)
    assert "\0" not in json.dumps(label, ensure_ascii=False)
