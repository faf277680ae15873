"""Counting: an operator sees how many texts went unscored, because clients that fail open publish those."""

from __future__ import annotations

import re

import pytest

from tests.service.perspective.conftest import ANALYZE, GERMAN, SUGGEST, Build, Service, WordEngine
from tests.service.perspective.test_batch import part, send

FINE = {"comment": {"text": "you idiot"}, "requestedAttributes": {"TOXICITY": {}}}


def counted(service: Service, name: str) -> dict[str, int]:
    """A counter's values by their label, without those that are nought."""
    lines = service.app.test_client().get("/metrics").text
    found = re.findall(rf'^firstword_perspective_{name}_total{{\w+="(\w+)"}} ([0-9.]+)$', lines, re.MULTILINE)
    return {label: int(float(value)) for label, value in found if float(value)}


@pytest.mark.usefixtures("early_in_a_minute")
def test_every_call_is_counted_and_every_unscored_one_with_its_reason(build: Build) -> None:
    service = build(WordEngine(fault=lambda texts: [] if "poison" in texts else None))
    small = service.add_key(per_minute=1)
    service.analyze("you idiot")
    service.analyze("poison")
    service.analyze(GERMAN)
    service.post(ANALYZE, b"{")
    service.post(ANALYZE, FINE, key="nonsense")
    service.post(ANALYZE, FINE, key=small)
    service.post(ANALYZE, FINE, key=small)
    send(service, [part("<1>", FINE, service.key), part("<2>", b"", service.key)])
    unscored = {"failed": 1, "language": 1, "invalid": 2, "key": 1, "quota": 1}
    assert counted(service, "calls") == {"scored": 3, **unscored}
    assert counted(service, "unscored") == unscored


def test_only_who_wanted_a_score_goes_unscored(service: Service) -> None:
    client = service.app.test_client()
    assert service.post(SUGGEST, {"comment": {"text": "you idiot"}}).status_code == 400
    assert client.get("/$discovery/rest?key=nonsense").status_code == 400
    send(service, [part("<1>", {}, service.key, path=SUGGEST), part("<2>", {}, service.key)])
    assert counted(service, "calls") == {"invalid": 3, "key": 1}
    assert counted(service, "unscored") == {"invalid": 1}


def test_every_reason_is_shown_before_it_happens(service: Service) -> None:
    shown = service.app.test_client().get("/metrics").text
    for reason in ("language", "invalid", "key", "quota", "overload", "failed"):
        assert f'firstword_perspective_unscored_total{{reason="{reason}"}} 0.0' in shown
