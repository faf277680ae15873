"""What the judgement takes and gives: frozen dataclasses and nothing else.

This room holds shapes, not opinions: it imports nothing of ours, decides nothing, and knows no policy. All that a
`Decision` says can be written as JSON without the text, which stands only in the comment's version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

JSON = dict[str, Any]


class Outcome(StrEnum):
    """What a judgement asks for, in the order of gravity."""

    APPROVE = "approve"
    HOLD = "hold"
    REJECT = "reject"

    @property
    def gravity(self) -> int:
        """0 for approve, 1 for hold, 2 for reject."""
        return tuple(Outcome).index(self)


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """The gravest of some outcomes; approve where there is none."""
    return max(outcomes, key=lambda outcome: outcome.gravity, default=Outcome.APPROVE)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of the canonical text in code points, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule or an engine noticed, and what it asks for.

    `tone` is true where the finding is about how something is said, which its author may want to mend.
    """

    code: str
    source: str
    outcome: Outcome
    spans: tuple[Span, ...] = ()
    attribute: str | None = None
    score: float | None = None
    tone: bool = False
    params: Mapping[str, str | int | float] = field(default_factory=dict)

    def to_json(self) -> JSON:
        """The finding as JSON-able values."""
        return {
            "code": self.code,
            "source": self.source,
            "outcome": self.outcome.value,
            "spans": [[span.start, span.end] for span in self.spans],
            "attribute": self.attribute,
            "score": self.score,
            "tone": self.tone,
            "params": dict(self.params),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Finding:
        """The finding that `to_json` wrote."""
        return cls(
            code=value["code"],
            source=value["source"],
            outcome=Outcome(value["outcome"]),
            spans=tuple(Span(start, end) for start, end in value["spans"]),
            attribute=value["attribute"],
            score=value["score"],
            tone=value["tone"],
            params=dict(value["params"]),
        )


@dataclass(frozen=True, slots=True)
class AuthorFacts:
    """What is known of an author when they submit; `recent` holds the fingerprints of their last texts."""

    standing: str = "normal"
    verified: bool = False
    approved: int = 0
    rejected: int = 0
    age_seconds: int = 0
    recent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArticleFacts:
    """What is known of the article under which a text is submitted."""

    premoderated: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A text about to be judged, with the facts about it. `kind` is `comment` or `edit`."""

    text: str
    name: str = ""
    author: AuthorFacts = field(default_factory=AuthorFacts)
    article: ArticleFacts = field(default_factory=ArticleFacts)
    kind: str = "comment"
    parent_text: str | None = None

    def facts(self) -> JSON:
        """The submission as JSON-able values, without any text."""
        author = asdict(self.author)
        author["recent"] = list(self.author.recent)
        return {"name": self.name, "kind": self.kind, "author": author, "article": asdict(self.article)}

    @classmethod
    def from_facts(cls, text: str, facts: Mapping[str, Any]) -> Submission:
        """The submission that these facts were taken from, with its text."""
        author = dict(facts["author"])
        author["recent"] = tuple(author["recent"])
        return cls(
            text=text,
            name=facts["name"],
            author=AuthorFacts(**author),
            article=ArticleFacts(**facts["article"]),
            kind=facts["kind"],
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the engines and the language detector said of a text: all that a replay cannot work out for itself.

    `engines` gives the version of each engine that was asked; `failures` the code of the finding for each engine that
    gave no scores, and for a policy that could not be read; `unfit` the engines that do not know the text's language;
    `spans` where, by engine and attribute, the score came from.
    """

    language: str
    engines: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    unfit: tuple[str, ...] = ()
    spans: Mapping[str, Mapping[str, tuple[Span, ...]]] = field(default_factory=dict)

    def facts(self) -> JSON:
        """The evidence as JSON-able values, without the scores, which a decision keeps beside."""
        return {
            "language": self.language,
            "engines": dict(self.engines),
            "failures": dict(self.failures),
            "unfit": list(self.unfit),
            "spans": {
                engine: {attribute: [[span.start, span.end] for span in spans] for attribute, spans in found.items()}
                for engine, found in self.spans.items()
            },
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], scores: Mapping[str, Mapping[str, float]]) -> Evidence:
        """The evidence that these facts and scores were taken from."""
        return cls(
            language=facts["language"],
            engines=dict(facts["engines"]),
            scores={engine: dict(found) for engine, found in scores.items()},
            failures=dict(facts["failures"]),
            unfit=tuple(facts["unfit"]),
            spans={
                engine: {attribute: tuple(Span(*span) for span in spans) for attribute, spans in found.items()}
                for engine, found in facts["spans"].items()
            },
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What was concluded of one text, and everything that it was concluded from."""

    outcome: Outcome
    text: str
    findings: tuple[Finding, ...]
    scores: Mapping[str, Mapping[str, float]]
    engines: Mapping[str, str]
    policy_digest: str
    language: str | None
    fingerprint: str
    facts: Mapping[str, Any]

    @property
    def tone_only(self) -> bool:
        """Whether the text waits for nothing but its tone."""
        grave = [finding for finding in self.findings if finding.outcome is not Outcome.APPROVE]
        return bool(grave) and all(finding.tone for finding in grave)

    def to_json(self) -> JSON:
        """The decision as JSON-able values, without the text."""
        return {
            "outcome": self.outcome.value,
            "findings": [finding.to_json() for finding in self.findings],
            "scores": {engine: dict(found) for engine, found in self.scores.items()},
            "engines": dict(self.engines),
            "policy_digest": self.policy_digest,
            "language": self.language,
            "fingerprint": self.fingerprint,
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], text: str = "") -> Decision:
        """The decision that `to_json` wrote, with the text of the version that it belongs to."""
        return cls(
            outcome=Outcome(value["outcome"]),
            text=text,
            findings=tuple(Finding.from_json(finding) for finding in value["findings"]),
            scores={engine: dict(found) for engine, found in value["scores"].items()},
            engines=dict(value["engines"]),
            policy_digest=value["policy_digest"],
            language=value["language"],
            fingerprint=value["fingerprint"],
            facts=dict(value["facts"]),
        )
