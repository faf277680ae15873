"""Analyze: what a client reads in the answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.perspective.conftest import ANALYZE, ENGLISH, GERMAN, Build, Service, WordEngine

ONE = {"value": 1.0, "type": "PROBABILITY"}


def scores(answer: Any) -> dict[str, float]:
    """The summary scores of an answer, by attribute."""
    assert answer.status_code == 200, answer.text
    return {name: found["summaryScore"]["value"] for name, found in answer.json["attributeScores"].items()}


def spans(answer: Any, text: str, attribute: str = "TOXICITY") -> dict[str, float]:
    """What each span points at, in UTF-16, with its score."""
    assert answer.status_code == 200, answer.text
    units = text.encode("utf-16-le")
    return {
        units[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le"): span["score"]["value"]
        for span in answer.json["attributeScores"][attribute]["spanScores"]
    }


def test_a_score_comes_as_summary_and_as_a_span_over_the_whole_text(service: Service) -> None:
    answer = service.analyze("idiot idiot", clientToken="t-1", languages=["EN"])
    assert answer.status_code == 200, answer.text
    assert answer.json == {
        "attributeScores": {"TOXICITY": {"spanScores": [{"begin": 0, "end": 11, "score": ONE}], "summaryScore": ONE}},
        "languages": ["EN"],
        "detectedLanguages": ["en"],
        "clientToken": "t-1",
    }
    assert answer.content_type == "application/json; charset=UTF-8"


def test_without_languages_the_detected_one_is_told_and_no_token_is_invented(service: Service) -> None:
    answer = service.analyze(ENGLISH)
    assert answer.json["languages"] == answer.json["detectedLanguages"] == ["en"]
    assert "clientToken" not in answer.json


def test_every_span_points_at_a_sentence_and_carries_that_sentence_s_own_score(service: Service) -> None:
    text = "😀 What a day. You idiot! Fine."
    answer = service.analyze(text, spanAnnotations=True)
    assert spans(answer, text) == {"😀 What a day.": 0.0, "You idiot!": 0.5, "Fine.": 0.0}
    assert scores(answer) == {"TOXICITY": pytest.approx(1 / 7, abs=1e-5)}
    assert service.engine.seen == [text, "😀 What a day.", "You idiot!", "Fine."]


def test_html_is_scored_as_it_reads_and_spans_point_into_the_markup(service: Service) -> None:
    text = "<p>Good <b>day</b> é.</p><p>You i<i>di</i>ot &amp; <!-- friend --> co.</p><script>kill</script>"
    comment = {"text": text, "type": "HTML"}
    answer = service.post(
        ANALYZE,
        {"comment": comment, "requestedAttributes": {"TOXICITY": {}, "THREAT": {}}, "spanAnnotations": True},
    )
    assert spans(answer, text) == {
        "Good <b>day</b> é.": 0.0,
        "You i<i>di</i>ot &amp; <!-- friend --> co.": 0.25,
    }
    assert scores(answer)["THREAT"] == 0.0
    assert "idiot & " in service.engine.seen[0]


def test_the_whole_span_of_html_is_the_whole_markup(service: Service) -> None:
    answer = service.post(
        ANALYZE, {"comment": {"text": "<b>idiot</b>😀", "type": 2}, "requestedAttributes": {"TOXICITY": None}}
    )
    assert spans(answer, "<b>idiot</b>😀") == {"<b>idiot</b>😀": 1.0}


@pytest.mark.parametrize(
    ("asked", "head"),
    [
        ("TOXICITY", 0.5),
        ("TOXICITY@6", 0.5),
        ("TOXICITY_FAST", 0.5),
        ("TOXICITY_EXPERIMENTAL", 0.5),
        ("INSULT_EXPERIMENTAL", 0.5),
        ("THREAT", 0.0),
        ("PROFANITY", 0.25),
        ("OBSCENE", 0.25),
        ("PROFANITY_EXPERIMENTAL", 0.25),
    ],
)
def test_an_attribute_answers_to_all_its_names_under_the_name_that_was_asked(
    service: Service, asked: str, head: float
) -> None:
    assert scores(service.analyze("you idiot", asked)) == {asked: head}


def test_spam_is_scored_by_its_own_engine_beside_toxicity(service: Service) -> None:
    found = scores(service.analyze("Earn 500$ a day from home! Visit www.x.example now", "SPAM", "TOXICITY"))
    assert found["SPAM"] > 0.9
    assert found["TOXICITY"] == 0
    assert scores(service.analyze(ENGLISH, "SPAM"))["SPAM"] < 0.05


def test_an_attribute_below_its_threshold_is_left_out_and_one_at_it_is_not(service: Service) -> None:
    wanted = {"TOXICITY": {"scoreThreshold": 0.5}, "THREAT": {"scoreThreshold": 0.1}, "INSULT": {"scoreThreshold": 0}}
    answer = service.post(ANALYZE, {"comment": {"text": "you idiot"}, "requestedAttributes": wanted})
    assert scores(answer) == {"TOXICITY": 0.5, "INSULT": 0.5}


def test_a_region_does_not_matter_and_a_romanised_language_is_another(service: Service) -> None:
    assert service.analyze("hello", languages=["en-GB"]).status_code == 200
    assert service.analyze("hello", languages=["en-Latn"]).status_code == 400


def test_a_short_text_is_in_the_site_s_language_when_it_is_in_its_letters(service: Service) -> None:
    assert service.analyze("you idiot").json["languages"] == ["en"]
    refused = service.analyze("ты дурак")
    assert refused.json["error"]["message"] == "Unable to detect language"


def test_unsupported_attributes_are_dropped_where_the_client_asks_for_it(service: Service) -> None:
    answer = service.analyze(GERMAN, "TOXICITY", dropUnsupportedAttributes=True)
    assert answer.status_code == 200
    assert answer.json["attributeScores"] == {}
    assert answer.json["languages"] == ["de"]


def test_a_lenient_key_scores_what_the_engine_can_and_says_so(service: Service) -> None:
    lenient = service.add_key(lenient=True)
    body = {"comment": {"text": GERMAN}, "requestedAttributes": {"TOXICITY": {}, "INSULT": {}}}
    strict, scored = service.post(ANALYZE, body), service.post(ANALYZE, body, key=lenient)
    assert strict.status_code == 400
    assert set(scores(scored)) == {"TOXICITY", "INSULT"}
    assert scored.headers["Firstword-Language-Fallback"] == "TOXICITY=de, INSULT=de"
    english = service.post(ANALYZE, {**body, "comment": {"text": ENGLISH}}, key=lenient)
    assert "Firstword-Language-Fallback" not in english.headers
    faces = service.post(ANALYZE, {**body, "comment": {"text": "😀😀😀"}}, key=lenient)
    assert faces.headers["Firstword-Language-Fallback"] == "TOXICITY=und, INSULT=und"


def test_a_key_s_map_keeps_old_thresholds_in_their_meaning(service: Service) -> None:
    mapped = service.add_key(curves={"TOXICITY": [[0.0, 0.5, 1.0], [0.1, 0.8, 0.9]]})
    body = {
        "comment": {"text": "you idiot"},
        "requestedAttributes": {"TOXICITY": {"scoreThreshold": 0.7}, "INSULT": {}},
    }
    assert scores(service.post(ANALYZE, body, key=mapped)) == {"TOXICITY": 0.8, "INSULT": 0.5}
    assert scores(service.post(ANALYZE, body)) == {"INSULT": 0.5}


@pytest.mark.parametrize("carried", ["query", "header", "bearer"])
def test_a_key_may_come_three_ways(service: Service, carried: str) -> None:
    body = {"comment": {"text": ENGLISH}, "requestedAttributes": {"TOXICITY": {}}}
    headers = {"header": {"X-Goog-Api-Key": service.key}, "bearer": {"Authorization": f"Bearer {service.key}"}}
    query = {"key": service.key} if carried == "query" else {}
    answer = service.post(ANALYZE, body, headers=headers.get(carried, {}), query_string=query)
    assert answer.status_code == 200


def test_a_revoked_key_and_another_scope_s_key_do_not_hold(service: Service) -> None:
    from service.identity import api_keys

    with service.db.write() as session:
        _, shown = api_keys.create(session, "courier", "host", ["events"], now=service.clock())
        row, revoked = api_keys.create(session, "courier", "old", ["perspective"], now=service.clock())
        api_keys.revoke(session, row.id, now=service.clock())
    for key in (shown, revoked, "", "AIzaNonsense", "x" * 5000, "ключ"):
        answer = service.post(ANALYZE, {"comment": {"text": "a"}, "requestedAttributes": {"TOXICITY": {}}}, key=key)
        assert answer.status_code == 400
        assert answer.json["error"]["message"] == "API key not valid. Please pass a valid API key."


def test_every_other_query_parameter_is_accepted(service: Service) -> None:
    names = "alt fields prettyPrint quotaUser callback access_token oauth_token uploadType upload_protocol $.xgafv x"
    query = {"key": service.key, **dict.fromkeys(names.split(), "json")}
    body = {"comment": {"text": ENGLISH}, "requestedAttributes": {"TOXICITY": {}}}
    assert service.post(ANALYZE, body, query_string=query).status_code == 200


@pytest.mark.parametrize("path", ["/v1alpha1/comments%3Aanalyze", "/v1alpha1/comments:analyze"])
def test_the_colon_may_be_written_either_way(service: Service, path: str) -> None:
    body = {"comment": {"text": ENGLISH}, "requestedAttributes": {"TOXICITY": {}}}
    assert service.post(path, body).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1alpha1/comments:analyze"),
        ("POST", "/v1alpha1/comments:analyze/"),
        ("POST", "/v1alpha1/comments:nothing"),
        ("POST", "/v1alpha1/"),
        ("PUT", "/batch"),
        ("POST", "/$discovery/rest"),
        ("GET", "/%24discovery/other"),
    ],
)
def test_what_is_not_there_is_refused_in_the_protocol_s_words_and_never_redirected(
    service: Service, method: str, path: str
) -> None:
    answer = service.app.test_client().open(path, method=method, query_string={"key": service.key})
    assert answer.status_code == 404
    assert answer.json == {"error": {"code": 404, "message": "Method not found.", "status": "NOT_FOUND"}}


@pytest.mark.parametrize("path", ["//v1alpha1/comments:analyze", "/v1alpha1//comments:analyze", "/batch/", "/v1alpha1"])
def test_nothing_is_ever_redirected(service: Service, path: str) -> None:
    assert service.post(path, b"{}").status_code in (400, 404)


def test_a_page_may_call_from_a_browser(service: Service) -> None:
    asked = service.app.test_client().options(
        ANALYZE, headers={"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    )
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in asked.headers
    assert service.analyze(ENGLISH).headers["Access-Control-Allow-Origin"] == "*"


# ---- engines that fail ----


def broken(_: Any) -> Any:
    """An engine that falls over."""
    raise RuntimeError("the text was idiot")


@pytest.mark.parametrize(
    "fault",
    [
        broken,
        lambda texts: [dict.fromkeys(WordEngine.attributes, float("nan"))] * len(texts),
        lambda texts: [dict.fromkeys(WordEngine.attributes, 1.5)] * len(texts),
        lambda texts: [{"insult": 0.5}] * len(texts),
        lambda texts: [],
    ],
    ids=["raises", "nan", "beyond one", "lacks one", "no answer"],
)
def test_an_engine_that_fails_is_a_503_and_never_a_number(build: Build, fault: Any) -> None:
    service = build(WordEngine(fault=fault))
    answer = service.analyze("you idiot")
    assert answer.status_code == 503
    assert answer.json["error"]["status"] == "UNAVAILABLE"
    assert "idiot" not in answer.text
    assert answer.headers["Retry-After"] == "5"
