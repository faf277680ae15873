"""Batches: many calls in one envelope, each answered as if it had come alone."""

from __future__ import annotations

import base64
import json
import tracemalloc
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.web import perspective
from service.web.perspective import batch, refusals
from tests.service.perspective.conftest import ANALYZE, ENGLISH, SUGGEST, Build, Service, WordEngine

FINE = {"comment": {"text": "you idiot"}, "requestedAttributes": {"TOXICITY": {}}}


def part(content_id: str | None, body: Any, key: str | None = "", path: str = ANALYZE, method: str = "POST") -> bytes:
    """One part as clients write it; `key` goes into its own address."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    target = f"{path}?key={key}&alt=json" if key else path
    head = [b"Content-Type: application/http", b"MIME-Version: 1.0", b"Content-Transfer-Encoding: binary"]
    if content_id is not None:
        head.append(b"Content-ID: " + content_id.encode())
    inner = [f"{method} {target} HTTP/1.1".encode(), b"Content-Type: application/json", b"Host: x"]
    inner.append(f"content-length: {len(raw)}".encode())
    return b"\n".join([*head, b"", *inner, b"", raw])


def send(service: Service, parts: list[bytes], key: str = "", **more: Any) -> TestResponse:
    """A batch; without `key` only its parts carry keys."""
    body = b"".join(b"--b1\n" + one + b"\n" for one in parts) + b"--b1--\n"
    options = {"content_type": 'multipart/mixed; boundary="b1"', "query_string": {"key": key} if key else {}}
    return service.app.test_client().post("/batch", data=body, **{**options, **more})


def answers(answer: TestResponse) -> list[tuple[str, int, dict[str, Any]]]:
    """Each part of an answer: its id, its status and its body."""
    assert answer.status_code == 200, answer.text
    whole = message_from_bytes(b"Content-Type: " + answer.content_type.encode() + b"\r\n\r\n" + answer.data)
    found = []
    for one in whole.get_payload():
        assert isinstance(one, Message)
        head, _, body = one.get_payload(decode=True).partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        found.append((str(one["Content-ID"]), status, json.loads(body)))
    return found


def test_each_part_is_answered_under_its_id_in_order(service: Service) -> None:
    parts = [part(f"<x + {n}>", {**FINE, "clientToken": str(n)}, service.key) for n in range(5)]
    found = answers(send(service, parts))
    assert [content_id for content_id, _, _ in found] == [f"<response-x + {n}>" for n in range(5)]
    assert [(status, body["clientToken"]) for _, status, body in found] == [(200, str(n)) for n in range(5)]


def test_a_part_that_fails_fails_alone(service: Service) -> None:
    parts = [
        part("<1>", FINE, service.key),
        part("<2>", b"{", service.key),
        part("<3>", FINE, "nonsense"),
        part("<4>", {**FINE, "requestedAttributes": {"NUANCE_EXPERIMENTAL": {}}}, service.key),
        part("<5>", FINE, service.key, path="/v1alpha1/comments:nothing"),
        part("<6>", FINE, service.key, method="GET"),
        b"Content-Type: application/http\nContent-ID: <7>\n\nno request at all",
        b"Content-Type: text/plain\nContent-ID: <8>\n\nPOST / HTTP/1.1",
        b"Content-Type: application/http\nContent-ID: <9>\n\n",
        part("<10>", FINE, service.key),
    ]
    found = answers(send(service, parts))
    assert [status for _, status, _ in found] == [200, 400, 400, 400, 404, 404, 404, 404, 404, 200]
    assert [content_id for content_id, _, _ in found] == [f"<response-{n}>" for n in range(1, 11)]
    assert found[2][2]["error"]["message"] == "API key not valid. Please pass a valid API key."


def test_the_key_may_be_the_batch_s_own_and_a_part_s_goes_before_it(service: Service) -> None:
    assert [s for _, s, _ in answers(send(service, [part("<1>", FINE)], key=service.key))] == [200]
    assert [s for _, s, _ in answers(send(service, [part("<1>", FINE, "nonsense")], key=service.key))] == [400]
    bearer = {"Authorization": f"Bearer {service.key}"}
    assert [s for _, s, _ in answers(send(service, [part("<1>", FINE)], headers=bearer))] == [200]


def test_an_id_of_kilobytes_folded_over_lines_comes_back_whole(service: Service) -> None:
    words = [f"word%20{n}" for n in range(900)]
    folded = "<base + " + "\n ".join(words) + ">"
    ((content_id, status, _),) = answers(send(service, [part(folded, FINE, service.key)]))
    assert status == 200
    assert content_id == "<response-base + " + " ".join(words) + ">"


def test_an_id_may_be_missing_bare_or_nonsense_and_never_breaks_the_envelope(service: Service) -> None:
    parts = [part(content_id, FINE, service.key) for content_id in (None, "bare", "", "<é>", "<a\tb>", "<\x01>")]
    found = answers(send(service, parts))
    assert [status for _, status, _ in found] == [200] * 6
    assert found[1][0] == "response-bare"


def test_an_address_in_a_part_may_name_a_host_and_lines_may_end_either_way(service: Service) -> None:
    whole = part("<1>", FINE, service.key, path=f"https://commentanalyzer.googleapis.com{ANALYZE}")
    crlf = part("<2>", FINE, service.key).replace(b"\n", b"\r\n")
    escaped = part("<3>", FINE, service.key, path="/v1alpha1/comments%3Aanalyze")
    assert [status for _, status, _ in answers(send(service, [whole, crlf, escaped]))] == [200, 200, 200]


def test_a_thousand_parts_are_answered(service: Service) -> None:
    parts = [part(f"<x + {n}>", {**FINE, "comment": {"text": f"idiot number {n}"}}, service.key) for n in range(1_000)]
    found = answers(send(service, parts))
    assert [status for _, status, _ in found] == [200] * 1_000
    assert found[999][0] == "<response-x + 999>"
    assert len(service.engine.seen) == 1_000


def test_labels_and_analyses_may_share_a_batch(service: Service) -> None:
    label = {"comment": {"text": ENGLISH}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0}}}}
    parts = [part("<1>", FINE, service.key), part("<2>", label, service.key, path=SUGGEST)]
    found = answers(send(service, parts))
    assert [status for _, status, _ in found] == [200, 200]
    assert "attributeScores" in found[0][2]
    assert "requestedLanguages" not in found[1][2]


def test_a_part_for_no_address_at_all_is_answered_by_itself(service: Service) -> None:
    found = answers(send(service, [part("<1>", FINE, service.key, path="//["), part("<2>", FINE, service.key)]))
    assert [status for _, status, _ in found] == [404, 200]


@pytest.mark.usefixtures("early_in_a_minute")
def test_each_part_counts_against_its_key_s_quota(service: Service) -> None:
    small = service.add_key(per_minute=3)
    found = answers(send(service, [part(f"<{n}>", FINE, small) for n in range(8)]))
    statuses = [status for _, status, _ in found]
    assert statuses[:3] == [200, 200, 200]
    assert statuses.count(429) >= 4, "a minute may end between two of them, and lets one more in"


def test_one_text_that_breaks_the_engine_does_not_cost_the_others_their_scores(build: Build) -> None:
    def fault(texts: Any) -> None:
        if any("poison" in text for text in texts):
            raise RuntimeError

    service = build(WordEngine(fault=fault))
    texts = ["you idiot", "poison", "fine morning"]
    parts = [part(f"<{n}>", {**FINE, "comment": {"text": text}}, service.key) for n, text in enumerate(texts)]
    assert [status for _, status, _ in answers(send(service, parts))] == [200, 503, 200]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed; boundary=b1", b""),
        ("multipart/mixed; boundary=b1", b"--b1--"),
        ("multipart/mixed; boundary=b1", b"--b2\n\nx\n--b2--"),
        ("multipart/mixed", b"--b1\n\n--b1--"),
        ("application/json", b"{}"),
        ("", b"--b1\n\nx\n--b1--"),
        ("multipart/mixed; boundary=" + "b" * 10_000, b"--b"),
        ("multipart/mixed; boundary*=utf-8''%00", b"--\0"),
        ('multipart/mixed; boundary=""', b"--\n\nx\n----"),
        (
            "multipart/mixed; boundary=b1",
            b"".join(b"--b1\nContent-Type: application/http\n\nx\n" for _ in range(1_001)) + b"--b1--",
        ),
    ],
)
def test_what_is_no_batch_is_a_400(service: Service, content_type: str, body: bytes) -> None:
    answer = service.app.test_client().post("/batch", data=body, content_type=content_type)
    assert answer.status_code == 400, answer.text
    assert answer.json["error"]["status"] == "INVALID_ARGUMENT"


def test_envelopes_in_envelopes_are_no_way_down(service: Service) -> None:
    inner = b"Content-Type: application/http\n\nPOST / HTTP/1.1\n\n"
    for depth in range(400):
        mark = f"m{depth}".encode()
        inner = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b"\n\n--"
            + mark
            + b"\n"
            + inner
            + b"\n--"
            + mark
            + b"--\n"
        )
    answer = send(service, [inner])
    assert answer.status_code in (200, 400)


def test_only_a_line_of_its_own_parts_two_calls(service: Service) -> None:
    text = {"comment": {"text": "you idiot --b1-- and --b1"}, "requestedAttributes": {"TOXICITY": {}}}
    found = answers(send(service, [part("<1>", text, service.key), part("<2>", FINE, service.key)]))
    assert [status for _, status, _ in found] == [200, 200]
    raw = b"--b1 \r\nA: 1\r\n\r\none\n--b1x\n\r\n--b1\r\n\r\ntwo\r\n--b1--\r\n--b1\n\nnever\n"
    assert list(batch._pieces(raw, b"--b1")) == [b"\nA: 1\r\n\r\none\n--b1x\n", b"\n\r\ntwo"]


def test_a_part_may_come_in_base64(service: Service) -> None:
    inner = part("<1>", FINE, service.key).partition(b"\n\n")[2]
    head = b"Content-Type: application/http\nContent-ID: <1>\nContent-Transfer-Encoding: base64\n\n"
    assert [s for _, s, _ in answers(send(service, [head + base64.encodebytes(inner)]))] == [200]


@pytest.mark.parametrize("filling", [b"a\r\n", b"a:\r\n", b"\n--b", b"\n--bx", b"--b", b"\n a"])
def test_what_comes_without_a_key_costs_little(filling: bytes) -> None:
    body = b"--b\r\nContent-Type: application/http\r\n\r\n" + filling * (1_000_000 // len(filling))
    tracemalloc.start()
    try:
        batch.read("multipart/mixed; boundary=b", body)
    except refusals.Refusal:
        pass
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 6 * len(body)


def test_a_long_batch_needs_its_key_on_the_outside(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perspective, "CALL_BYTES", 2_000)
    long = [part(f"<{n}>", FINE, service.key) for n in range(20)]
    assert [status for _, status, _ in answers(send(service, long, key=service.key))] == [200] * 20
    for key in ("", "nonsense"):
        refused = send(service, long, key=key)
        assert refused.status_code == refusals.too_large().code
    assert [status for _, status, _ in answers(send(service, long[:2]))] == [200] * 2
