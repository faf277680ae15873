"""Counting: an operator sees how many texts went unscored, because clients that fail open publish those."""

from __future__ import annotations

import re

from tests.service.perspective.conftest import ANALYZE, GERMAN, Build, Service, WordEngine
from tests.service.perspective.test_batch import part, send

FINE = {"comment": {"text": "you idiot"}, "requestedAttributes": {"TOXICITY": {}}}


def counted(service: Service, name: str) -> dict[str, int]:
    """A counter's values by their label."""
    lines = service.app.test_client().get("/metrics").text
    found = re.findall(rf'^firstword_perspective_{name}_total{{\w+="(\w+)"}} ([0-9.]+)$', lines, re.MULTILINE)
    return {label: int(float(value)) for label, value in found}


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
