"""The judges: a service whose engine cannot be opened goes on, and people do the work."""

from __future__ import annotations

from config.settings import load
from moderation import ArticleFacts, AuthorFacts, Outcome, Submission
from service.judges import open_judges

KEY = "a-signing-key-for-tests-only-of-32-bytes-or-more"


def test_without_its_engine_every_comment_waits_for_a_person_and_readiness_says_why() -> None:
    judges = open_judges(load({"SIGNING_KEYS": KEY, "ENGINE": "no-such-engine"}))
    (why,) = judges.problems
    assert "no-such-engine" in why
    decision = judges.under().decide(Submission("A fine morning in the town.", "Ada", AuthorFacts(), ArticleFacts()))
    assert decision.outcome is Outcome.HOLD
    assert "engine.failed" in [finding.code for finding in decision.findings]
