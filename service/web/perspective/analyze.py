"""AnalyzeComment: from a request to texts that an engine scores, and from scores to the answer.

The whole text gives the summary; with span annotations each sentence is scored by itself, so that a span points at what
scored. Nothing of the text outlives the answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moderation import Span, TextRefused, language_of, scorable, sentences
from service.identity.scoring_keys import Curve
from service.scoring import Attribute, Scorer, Scores
from service.web.perspective import refusals
from service.web.perspective.keys import Consumer
from service.web.perspective.texts import Source
from service.web.perspective.wire import AnalyzeRequest, Envelope, Wanted

UNDETERMINED = "und"
PRECISION = 6


@dataclass(frozen=True, slots=True)
class Languages:
    """What was asked for, what was made out, and by which of them the attributes are chosen."""

    asked: tuple[str, ...]
    detected: str | None

    @property
    def judged(self) -> tuple[str, ...]:
        """The languages that every attribute must know."""
        return self.asked or (self.detected or UNDETERMINED,)

    @property
    def told(self) -> list[str]:
        """What the answer says was detected."""
        return [self.detected or UNDETERMINED]


@dataclass(frozen=True, slots=True)
class Analysis:
    """A request that can be scored: the texts, and all that its answer needs besides the scores."""

    request: AnalyzeRequest
    consumer: Consumer
    source: Source
    spans: tuple[Span, ...]
    texts: tuple[str, ...]
    chosen: tuple[tuple[Wanted, Attribute], ...]
    languages: Languages
    fallback: tuple[str, ...]

    def answer(self, scores: Sequence[Scores]) -> dict[str, Any]:
        """The response to a request whose texts scored this, the whole text first."""
        found = {
            wanted.name: shown
            for wanted, attribute in self.chosen
            if (shown := self._attribute(attribute, [one[attribute.name] for one in scores], wanted.threshold))
        }
        body: dict[str, Any] = {
            "attributeScores": found,
            "languages": list(self.languages.judged),
            "detectedLanguages": self.languages.told,
        }
        if self.request.envelope.client_token:
            body["clientToken"] = self.request.envelope.client_token
        return body

    def _attribute(self, attribute: Attribute, values: Sequence[float], threshold: float) -> dict[str, Any] | None:
        curve = self.consumer.terms.curves.get(attribute.name)
        whole, *parts = [_mapped(value, curve) for value in values]
        if whole < threshold:
            return None
        places = [self.source.span(span.start, span.end) for span in self.spans] or [self.source.whole()]
        return {
            "spanScores": [
                {"begin": begin, "end": end, "score": _score(value)}
                for (begin, end), value in zip(places, parts or [whole], strict=True)
            ],
            "summaryScore": _score(whole),
        }


def prepare(request: AnalyzeRequest, consumer: Consumer, scorer: Scorer) -> Analysis:
    """What is to be scored for a request; raises `Refusal`."""
    wanted = [(one, _attribute(scorer, one.name)) for one in request.wanted]
    source = Source(request.envelope.comment.text, is_html=request.envelope.comment.is_html)
    whole = text_of(source)
    languages = languages_of(request.envelope, whole, consumer)
    chosen, fallback = _fit(request, consumer, wanted, languages)
    spans = tuple(sentences(source.text)) if request.span_annotations else ()
    texts = (whole, *(scorable(source.text[span.start : span.end]) for span in spans))
    return Analysis(request, consumer, source, spans, texts, chosen, languages, fallback)


def text_of(source: Source) -> str:
    """The text as engines take it; raises `Refusal` where it is empty or cannot be scored."""
    try:
        return scorable(source.text)
    except TextRefused as refused:
        raise (refusals.comment_empty() if refused.code == "text.empty" else refusals.comment_too_long()) from None


def languages_of(envelope: Envelope, text: str, consumer: Consumer) -> Languages:
    """The languages of a text: as the client says, else as they are made out."""
    return Languages(envelope.languages, language_of(text, consumer.language))


def _attribute(scorer: Scorer, name: str) -> Attribute:
    found = scorer.find(name)
    if found is None:
        raise refusals.unknown_attribute(name)
    return found


def _fit(
    request: AnalyzeRequest, consumer: Consumer, wanted: Sequence[tuple[Wanted, Attribute]], languages: Languages
) -> tuple[tuple[tuple[Wanted, Attribute], ...], tuple[str, ...]]:
    """The attributes to score, and in lenient mode those scored although they do not know the language."""
    if not consumer.terms.lenient and languages.judged == (UNDETERMINED,):
        raise refusals.language_undetected()
    chosen: list[tuple[Wanted, Attribute]] = []
    fallback: list[str] = []
    for one, attribute in wanted:
        unknown = [language for language in languages.judged if not attribute.knows(language)]
        if not unknown:
            chosen.append((one, attribute))
        elif request.drop_unsupported:
            continue
        elif not consumer.terms.lenient:
            raise refusals.language_unsupported(refusals.quoted(one.name), unknown)
        else:
            chosen.append((one, attribute))
            fallback.append(f"{attribute.name}={'+'.join(map(refusals.quoted, unknown))}")
    return tuple(chosen), tuple(fallback)


def _score(value: float) -> dict[str, Any]:
    return {"value": round(value, PRECISION), "type": "PROBABILITY"}


def _mapped(value: float, curve: Curve | None) -> float:
    """A score on the scale of a key's map: straight lines between its points, flat beyond them."""
    if curve is None:
        return value
    ours, theirs = curve
    place = bisect_right(ours, value)
    if place in (0, len(ours)):
        return theirs[min(place, len(theirs) - 1)]
    left, right = ours[place - 1], ours[place]
    return theirs[place - 1] + (theirs[place] - theirs[place - 1]) * (value - left) / (right - left)
