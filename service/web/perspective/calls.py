"""One call and its answer, whether it came by itself or as a part of a batch. Knows no Flask.

A call is prepared (whose key, what text, which attributes, which languages), scored, and answered. Preparing and
scoring are apart so that the parts of a batch are scored together. A part that fails, fails alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from service.errors import Unavailable
from service.scoring import Attribute, Busy, Scorer, Scores, ScoringFailed
from service.web.perspective import analyze, keys, refusals, suggest, wire
from service.web.perspective.analyze import Analysis
from service.web.perspective.keys import Consumer, Keys
from service.web.perspective.refusals import Refusal

if TYPE_CHECKING:
    from service.db import Database

ANALYZE = "/v1alpha1/comments:analyze"
SUGGEST = "/v1alpha1/comments:suggestscore"
FALLBACK = "Firstword-Language-Fallback"
TOGETHER = 16
# How many seconds a call waits for an engine: one by itself less than its client, a batch's as long as batches take.
PATIENCE, BATCH_PATIENCE = 0.3, 30.0
MAX_QUERY_FIELDS = 50
RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, as far as it matters. Header names are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `outcome` is what the metrics count it under."""

    status: int
    outcome: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> bytes:
        """The body in UTF-8."""
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that waits for scores. A label is kept without them where there are none; an analysis is refused."""

    consumer: Consumer
    texts: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    finish: Callable[[Sequence[Scores]], Answer]
    goes_without: bool = False


def target(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Call:
    """The call that a request line's target means, whether or not it names a host."""
    try:
        parts = urlsplit(url)
    except ValueError:  # "//[": no address at all
        return Call(method, "", {}, headers, body)
    try:
        query = parse_qs(parts.query, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        query = {}
    return Call(method, unquote(parts.path), {name: values[0] for name, values in query.items()}, headers, body)


def refused(refusal: Refusal) -> Answer:
    """The answer that a refusal makes."""
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return Answer(refusal.code, refusal.kind, refusal.body(), headers)


@dataclass(frozen=True, slots=True)
class Desk:
    """What calls are answered with. `spend` counts a call of a consumer: the seconds to wait where none is left, or 0.

    `problems` says why engines are missing, so that a name that they would score is not called unknown.
    """

    db: Database
    keys: Keys
    scorer: Scorer
    spend: Callable[[Consumer], int]
    now: Callable[[], datetime]
    problems: Callable[[], Sequence[str]]

    def answer(self, call: Call) -> Answer:
        """The answer to one call; never raises for what a client sent."""
        return self.answer_all([call], PATIENCE)[0]

    def answer_all(self, calls: Sequence[Call], patience: float = BATCH_PATIENCE) -> list[Answer]:
        """The answers to some calls, in their order."""
        prepared = [self._prepared(call) for call in calls]
        answers: dict[int, Answer] = {}
        for group in _groups(prepared):
            answers.update(self._scored(group, patience))
        return [answers[place] if isinstance(one, Pending) else one for place, one in enumerate(prepared)]

    def shed(self, call: Call) -> Answer:
        """The answer of a service that has too much to do: the true 429, at once."""
        key = keys.shown(call.query, call.headers)
        try:
            return refused(_shed(self.keys.remembered(key) or self.keys.consumer(key)))
        except Refusal as refusal:
            return refused(refusal)

    def _prepared(self, call: Call) -> Pending | Answer:
        try:
            if call.method != "POST" or call.path not in (ANALYZE, SUGGEST):
                raise refusals.not_found()
            consumer = self.keys.consumer(keys.shown(call.query, call.headers))
            if wait := self.spend(consumer):
                raise refusals.quota_exceeded(consumer.name, wait)
            if call.path == SUGGEST:
                return self._label(call, consumer)
            return self._analysis(call, consumer)
        except Refusal as refusal:
            return refused(refusal)
        except Unavailable:
            return refused(refusals.unavailable())

    def _analysis(self, call: Call, consumer: Consumer) -> Pending:
        request = wire.analyze_request(call.body)
        self._refuse_where_blind()
        analysis = analyze.prepare(request, consumer, self.scorer)
        attributes = tuple({attribute.name: attribute for _, attribute in analysis.chosen}.values())

        def finish(scores: Sequence[Scores]) -> Answer:
            return Answer(200, "scored", analysis.answer(scores), _told(analysis))

        return Pending(consumer, analysis.texts, attributes, finish)

    def _refuse_where_blind(self) -> None:
        """Without its engine the service says that it is out of order, not that nobody knows the attribute."""
        if self.problems():
            raise refusals.unavailable()

    def _label(self, call: Call, consumer: Consumer) -> Pending:
        labelling = suggest.prepare(wire.suggest_request(call.body), consumer, self.scorer)

        def finish(scores: Sequence[Scores]) -> Answer:
            labelling.keep(self.db, scores, self.now())
            return Answer(200, "labelled", labelling.answer())

        return Pending(consumer, labelling.texts, labelling.attributes, finish, goes_without=True)

    def _scored(self, group: Mapping[int, Pending], patience: float) -> dict[int, Answer]:
        """The answers to some calls, scored at once; where that fails, one by one."""
        first = next(iter(group.values()))
        texts = [text for pending in group.values() for text in pending.texts]
        try:
            scores = iter(self.scorer.score(texts, first.attributes, patience))
        except Busy:
            return {place: _unscored(pending, _shed(pending.consumer)) for place, pending in group.items()}
        except ScoringFailed:
            if len(group) > 1:
                return {place: self._scored({place: pending}, patience)[place] for place, pending in group.items()}
            return {place: _unscored(pending, refusals.unavailable()) for place, pending in group.items()}
        return {place: _finished(pending, [next(scores) for _ in pending.texts]) for place, pending in group.items()}


def _finished(pending: Pending, scores: Sequence[Scores]) -> Answer:
    try:
        return pending.finish(scores)
    except Unavailable:
        return refused(refusals.unavailable())


def _unscored(pending: Pending, refusal: Refusal) -> Answer:
    return _finished(pending, ()) if pending.goes_without else refused(refusal)


def _shed(consumer: Consumer) -> Refusal:
    return refusals.quota_exceeded(consumer.name, RETRY_SECONDS, "overload")


def _told(analysis: Analysis) -> dict[str, str]:
    """In lenient mode, which attributes were scored in a language that their engine does not know."""
    return {FALLBACK: ", ".join(analysis.fallback)} if analysis.fallback else {}


def _groups(prepared: Sequence[Pending | Answer]) -> Iterator[dict[int, Pending]]:
    """Calls that wait for the same attributes, a few texts at a time, in their order."""
    open_groups: dict[tuple[str, ...], dict[int, Pending]] = {}
    for place, pending in enumerate(prepared):
        if not isinstance(pending, Pending):
            continue
        names = tuple(attribute.name for attribute in pending.attributes)
        group = open_groups.setdefault(names, {})
        group[place] = pending
        if sum(len(one.texts) for one in group.values()) >= TOGETHER:
            yield open_groups.pop(names)
    yield from open_groups.values()
