"""The judgement itself: from a submission to a decision.

Everything that is known goes in, everything that was noticed comes out, the gravest finding wins. Whatever fails here
fails to a human: an engine that raises, is late, or gives what is no score is a finding that asks for a hold. Nothing
here reads a database, a clock or a network, so that a stored decision can be replayed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from moderation.engines import Engine
from moderation.engines.lines import Line
from moderation.language import identifier, language_or
from moderation.model import Decision, Evidence, Finding, Outcome, Span, Submission, gravest
from moderation.policy import Policy, PolicyError, Threshold, engine_tables
from moderation.rules import RULES, Reading, read, read_params
from moderation.text import canonicalise

FAILED = "engine.failed"
LATE = "engine.late"
UNREADABLE = "policy.unreadable"
UNFIT = "language.unfit"
TIMEOUT = 2.0
THREADS = 4


class Judge:
    """One policy and some engines, which may be shared with other judges. Safe to use from many threads.

    `timeout` is how many seconds a judgement waits for its engines, `threads` how many texts each scores at once. A
    policy that is `standing_in` for one that cannot be read decides nothing alone: every text is held for a person.
    Raises `PolicyError` where the policy names a rule, a parameter or an attribute that does not exist.
    """

    def __init__(
        self,
        policy: Policy,
        engines: Sequence[Engine],
        timeout: float = TIMEOUT,
        threads: int = THREADS,
        standing_in: bool = False,
    ) -> None:
        self.policy = policy
        self._timeout = timeout
        self._failures = {"policy": UNREADABLE} if standing_in else {}
        self._lines = [Line(engine, threads) for engine in engines]
        problems = [*_unknown_attributes(policy, engines)]
        self._rules = _rules(policy, problems)
        if problems:
            raise PolicyError(problems)
        identifier()

    def decide(self, submission: Submission) -> Decision:
        """What becomes of a submission. Raises `TextRefused` where its text cannot be taken at all."""
        text = canonicalise(submission.text)
        language = language_or(text, submission.article.language or self.policy.language)
        return self._conclude(submission, text, self._ask(text, language))

    def replay(self, text: str, facts: Mapping[str, Any], scores: Mapping[str, Mapping[str, float]]) -> Decision:
        """What this judge's policy makes of a decision's stored facts and scores; no engine runs."""
        submission = Submission.from_facts(text, facts)
        return self._conclude(submission, canonicalise(text), Evidence.from_facts(facts, scores))

    def _ask(self, text: str, language: str) -> Evidence:
        deadline = time.monotonic() + self._timeout
        asked = [(line, line.ask(lambda engine: engine.score([text]))) for line in self._lines]
        scores: dict[str, dict[str, float]] = {}
        failures = dict(self._failures)
        for line, future in asked:
            found = _scores(line.engine, line.wait(future, deadline))
            if isinstance(found, str):
                failures[line.engine.name] = found
            else:
                scores[line.engine.name] = found
        return Evidence(
            language=language,
            engines={line.engine.name: line.engine.version for line in self._lines},
            scores=scores,
            failures=failures,
            unfit=tuple(line.engine.name for line in self._lines if not _fit(line.engine, language)),
            spans=self._explain(text, scores, deadline),
        )

    def _explain(
        self, text: str, scores: Mapping[str, Mapping[str, float]], deadline: float
    ) -> dict[str, dict[str, tuple[Span, ...]]]:
        """Where the scores that ask for more than approval came from. An engine that cannot say is not blamed."""
        asked: list[tuple[Line, Future[Any] | None]] = [
            (line, line.ask(lambda engine: engine.explain(text)))
            for line in self._lines
            if any(True for _ in self._scored(line.engine.name, scores.get(line.engine.name, {})))
        ]
        return {line.engine.name: _spans(line.wait(future, deadline), len(text)) for line, future in asked}

    def _conclude(self, submission: Submission, text: str, evidence: Evidence) -> Decision:
        reading = read(submission, text, evidence.language, self.policy, self._is_clear(evidence))
        noticed = [*self._by_rules(submission, reading), *self._by_engines(reading, evidence)]
        findings = tuple(sorted(noticed, key=lambda found: (-found.outcome.gravity, found.code, found.source)))
        return Decision(
            outcome=gravest(finding.outcome for finding in findings),
            text=text,
            findings=findings,
            scores=evidence.scores,
            engines=evidence.engines,
            policy_digest=self.policy.digest,
            language=evidence.language,
            fingerprint=reading.fingerprint,
            facts=submission.facts() | evidence.facts(),
        )

    def _by_rules(self, submission: Submission, reading: Reading) -> Iterator[Finding]:
        for name, params in self._rules.items():
            yield from RULES[name].judge(submission, reading, params)

    def _by_engines(self, reading: Reading, evidence: Evidence) -> Iterator[Finding]:
        for source, code in evidence.failures.items():
            yield Finding(code, source, Outcome.HOLD)
        for engine, scores in evidence.scores.items():
            spans = evidence.spans.get(engine, {})
            for attribute, score, threshold in self._scored(engine, scores):
                yield Finding(
                    code=f"engine.{attribute}",
                    source=engine,
                    outcome=threshold.outcome(score),
                    spans=tuple(spans.get(attribute, ())),
                    attribute=attribute,
                    score=score,
                    tone=threshold.tone,
                )
        if evidence.engines and set(evidence.unfit) >= set(evidence.engines):
            yield Finding(UNFIT, "language", self._when_unfit(reading), params={"language": evidence.language})

    def _scored(self, engine: str, scores: Mapping[str, float]) -> Iterator[tuple[str, float, Threshold]]:
        """The scores of an engine that ask for more than approval."""
        for attribute, threshold in self.policy.thresholds(engine).items():
            score = scores.get(attribute)
            if score is not None and threshold.outcome(score) is not Outcome.APPROVE:
                yield attribute, score, threshold

    def _is_clear(self, evidence: Evidence) -> bool:
        """Whether engines that know the language were asked what is `clear`, and all they gave is."""
        bounds = [
            scores.get(attribute, 1.0) <= threshold.clear
            for engine, scores in evidence.scores.items()
            if engine not in evidence.unfit
            for attribute, threshold in self.policy.thresholds(engine).items()
            if threshold.clear is not None
        ]
        return bool(bounds) and all(bounds)

    def _when_unfit(self, reading: Reading) -> Outcome:
        choice = self.policy.when_unfit(reading.language)
        approves = choice == "approve" or (choice == "trusted" and reading.trust == "trusted")
        return Outcome.APPROVE if approves else Outcome.HOLD


def _unknown_attributes(policy: Policy, engines: Sequence[Engine]) -> Iterator[str]:
    """What a policy sets thresholds for and no engine that it would be set for gives.

    An engine that gives nothing at all could not be opened; that is no mistake of the policy's.
    """
    for name, thresholds in policy.engines.items():
        meant = [e for e in engines if e.attributes and name in engine_tables(e.name)]
        given = {attribute for engine in meant for attribute in engine.attributes}
        if meant:
            yield from (
                f"engines.{name}.{attribute}: no engine gives it" for attribute in thresholds if attribute not in given
            )


def _rules(policy: Policy, problems: list[str]) -> dict[str, Any]:
    """The rules that a policy names, each with its parameters."""
    problems += [f"rules.{name}: there is no such rule" for name in policy.rules if name not in RULES]
    on = {name: dict(table) for name, table in policy.rules.items() if name in RULES}
    on = {name: table for name, table in on.items() if table.pop("on", True)}
    return {name: read_params(name, table, problems) for name, table in on.items()}


def _fit(engine: Engine, language: str) -> bool:
    return engine.languages is None or language in engine.languages


def _scores(engine: Engine, answer: Any) -> dict[str, float] | str:
    """An engine's answer for one text as scores; the code of a finding where it is none."""
    if isinstance(answer, TimeoutError):
        return LATE
    try:
        (found,) = answer
        scores = {attribute: float(found[attribute]) for attribute in engine.attributes}
    except (TypeError, ValueError, KeyError, AttributeError):
        return FAILED
    return scores if all(math.isfinite(score) and 0 <= score <= 1 for score in scores.values()) else FAILED


def _spans(answer: Any, length: int) -> dict[str, tuple[Span, ...]]:
    """An engine's explanation, without what is no stretch of the text."""
    if not isinstance(answer, Mapping):
        return {}
    return {
        attribute: tuple(Span(span.start, span.end) for span in spans if 0 <= span.start < span.end <= length)
        for attribute, spans in answer.items()
    }
