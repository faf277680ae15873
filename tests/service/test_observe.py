"""What an operator sees of a request: one id in the answer, its problem and its line in the log."""

from __future__ import annotations

import json
import re

import pytest

from tests.service.conftest import Build


def test_an_answer_its_problem_and_its_line_in_the_log_carry_one_id(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    room = build(LOG_LEVEL="INFO")
    capsys.readouterr()
    answer = room.client.get("/api/v1/comments/nothing", headers={"X-Request-Id": "proxy-0123456789"})
    assert answer.headers["X-Request-Id"] == answer.json["request_id"] == "proxy-0123456789"
    room.client.get("/healthz")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = [(line["event"], line["request_id"], line["status"]) for line in lines]
    assert told[0] == ("request", "proxy-0123456789", 404)
    assert lines[1]["route"] == "/healthz"
    assert lines[1]["request_id"] != "proxy-0123456789"


@pytest.mark.parametrize("sent", ["short", "with a space", "x" * 65, '"},{"event": "forged"', "é" * 12])
def test_an_id_that_could_say_something_else_is_replaced(build: Build, sent: str) -> None:
    answer = build().client.get("/api/v1/nothing", headers={"X-Request-Id": sent})
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])
