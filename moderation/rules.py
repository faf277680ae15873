"""The rules: each a function of a submission, its text and its parameters that gives findings.

A rule notices; it never concludes: all rules run, in any order, and the gravest finding wins. To add one: a dataclass
of its parameters and a decorated function here, its defaults in the policy, rows in its test.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Generic, TypeVar, get_type_hints

from moderation.model import Finding, Outcome, Span, Submission
from moderation.policy import Policy
from moderation.text import Folded, fold
from moderation.words import Hit

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text in the forms in which rules read it, with what its policy makes of its author.

    `clear` is set where engines that know the language looked for abuse and found next to none.
    """

    canonical: str
    folded: Folded
    language: str
    hits: Sequence[Hit]
    name_hits: Sequence[Hit]
    trust: str
    fingerprint: str
    clear: bool


@dataclass(frozen=True, slots=True)
class Rule(Generic[P]):
    """A rule by name: its function and the dataclass of its parameters."""

    name: str
    judge: Callable[[Submission, Reading, P], Iterator[Finding]]
    params: type[P]


RULES: dict[str, Rule[Any]] = {}

Judge = Callable[[Submission, Reading, P], Iterator[Finding]]


def rule(name: str, params: type[P]) -> Callable[[Judge[P]], Judge[P]]:
    """Enter a function as the rule of a name."""

    def enter(judge: Judge[P]) -> Judge[P]:
        RULES[name] = Rule(name, judge, params)
        return judge

    return enter


def read(submission: Submission, text: str, language: str, policy: Policy, clear: bool) -> Reading:
    """The canonical text of a submission, read once for all rules; `clear` as `Reading` has it."""
    folded = fold(text)
    return Reading(
        canonical=text,
        folded=folded,
        language=language,
        hits=policy.words.find(folded, language),
        name_hits=policy.words.find(fold(submission.name), language),
        trust=policy.trust.level(submission.author),
        fingerprint=fingerprint(text, folded),
        clear=clear,
    )


def fingerprint(text: str, folded: Folded) -> str:
    """What two texts share that say the same but for case, disguise, spaces and signs."""
    letters = "".join(character for character in folded.text if character.isalnum())
    return hashlib.sha256((letters or text).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ByTrust:
    """A number that depends on how far the author is trusted; who is premoderated counts as new."""

    new: int
    normal: int
    trusted: int

    def of(self, trust: str) -> int:
        """The number for a level of trust."""
        return {"normal": self.normal, "trusted": self.trusted}.get(trust, self.new)


@dataclass(frozen=True, slots=True)
class Length:
    outcome: Outcome
    most: int


@rule("length", Length)
def length(submission: Submission, text: Reading, params: Length) -> Iterator[Finding]:
    """More than so many characters."""
    found = len(text.canonical)
    if found > params.most:
        yield Finding("length.too_long", "length", params.outcome, params={"length": found, "most": params.most})


@dataclass(frozen=True, slots=True)
class Links:
    outcome: Outcome
    most: ByTrust


_LINK = re.compile(r"(?:\bhttps?://|\bwww\.)[^\s<>()\[\]]+", re.IGNORECASE)


@rule("links", Links)
def links(submission: Submission, text: Reading, params: Links) -> Iterator[Finding]:
    """More links than the author's standing allows."""
    spans = tuple(Span(*match.span()) for match in _LINK.finditer(text.canonical))
    most = params.most.of(text.trust)
    if len(spans) > most:
        yield Finding("links.too_many", "links", params.outcome, spans, params={"links": len(spans), "most": most})


@dataclass(frozen=True, slots=True)
class Repeats:
    outcome: Outcome
    least_length: int
    most: int


@rule("repeats", Repeats)
def repeats(submission: Submission, text: Reading, params: Repeats) -> Iterator[Finding]:
    """The same text by the same author again; an edit may say what its comment said."""
    found = submission.author.recent.count(text.fingerprint)
    long_enough = len(text.canonical) >= params.least_length
    if submission.kind != "edit" and long_enough and found > params.most:
        yield Finding("repeats.same_text", "repeats", params.outcome, params={"repeats": found})


@dataclass(frozen=True, slots=True)
class WordLists:
    severe: Outcome
    strong: Outcome
    threat: Outcome
    mild: Outcome
    mild_from: int
    name: Outcome
    when_clear: Outcome = Outcome.REJECT


@rule("wordlist", WordLists)
def wordlist(submission: Submission, text: Reading, params: WordLists) -> Iterator[Finding]:
    """Words of the lists, by their severity; mild ones only where there are several different ones.

    A severe word or a threat asks for `when_clear` at most where engines found nothing of the kind in the text:
    somebody tells of the word, or condemns it.
    """
    threats = [hit for hit in text.hits if hit.term.kind == "threat"]
    others = [hit for hit in text.hits if hit.term.kind != "threat"]
    by_severity = {name: [hit for hit in others if hit.term.severity == name] for name in ("severe", "strong", "mild")}
    if threats:
        yield _grave("threat", params.threat, threats, text, params)
    if by_severity["severe"]:
        yield _grave("severe", params.severe, by_severity["severe"], text, params)
    if by_severity["strong"]:
        yield _words("strong", params.strong, by_severity["strong"], tone=True)
    if len({hit.term for hit in by_severity["mild"]}) >= params.mild_from:
        yield _words("mild", params.mild, by_severity["mild"], tone=True)
    if any(hit.term.severity != "mild" for hit in text.name_hits):
        yield Finding("wordlist.name", "wordlist", params.name)


def _grave(code: str, outcome: Outcome, hits: Sequence[Hit], text: Reading, params: WordLists) -> Finding:
    """Engines speak only of words of the list of the text's own language: a site's own words, and others', stand."""
    known = all(hit.term.language == text.language for hit in hits)
    milder = text.clear and known and params.when_clear.gravity < outcome.gravity
    return _words(f"{code}_told" if milder else code, params.when_clear if milder else outcome, hits, tone=False)


def _words(code: str, outcome: Outcome, hits: Sequence[Hit], tone: bool) -> Finding:
    spans = tuple(dict.fromkeys(hit.span for hit in hits))
    words = len({hit.term for hit in hits})
    return Finding(f"wordlist.{code}", "wordlist", outcome, spans, tone=tone, params={"words": words})


@dataclass(frozen=True, slots=True)
class Shouting:
    outcome: Outcome
    least_letters: int
    share: float


@rule("shouting", Shouting)
def shouting(submission: Submission, text: Reading, params: Shouting) -> Iterator[Finding]:
    """Capitals throughout."""
    upper = sum(map(str.isupper, text.canonical))
    cased = upper + sum(map(str.islower, text.canonical))
    if cased >= params.least_letters and upper >= params.share * cased:
        share = round(upper / cased, 3)
        yield Finding("shouting.capitals", "shouting", params.outcome, tone=True, params={"share": share})


@dataclass(frozen=True, slots=True)
class Standing:
    new: Outcome
    premoderated: Outcome


@rule("trust", Standing)
def trust(submission: Submission, text: Reading, params: Standing) -> Iterator[Finding]:
    """Authors whose comments are read first."""
    if text.trust == "new":
        yield Finding("trust.new_author", "trust", params.new)
    if text.trust == "premoderated":
        yield Finding("trust.premoderated", "trust", params.premoderated)


@dataclass(frozen=True, slots=True)
class Articles:
    premoderated: Outcome


@rule("article", Articles)
def article(submission: Submission, text: Reading, params: Articles) -> Iterator[Finding]:
    """Articles whose comments are read first."""
    if submission.article.premoderated:
        yield Finding("article.premoderated", "article", params.premoderated)


def read_params(name: str, table: Mapping[str, Any], problems: list[str]) -> Any:
    """The parameters of a rule from its table in a policy; what is wrong is added to `problems`."""
    kinds = get_type_hints(RULES[name].params)
    needed = [field.name for field in fields(RULES[name].params) if field.default is MISSING]
    problems += [f"rules.{name} has no parameter {key!r}" for key in table if key not in kinds]
    problems += [f"rules.{name}.{key} is missing" for key in needed if key not in table]
    values = {key: _value(f"rules.{name}.{key}", kinds[key], table[key], problems) for key in kinds if key in table}
    return None if problems else RULES[name].params(**values)


def _value(where: str, kind: type, value: Any, problems: list[str]) -> Any:
    if kind is Outcome and value in tuple(Outcome):
        return Outcome(value)
    if kind is int and type(value) is int and value >= 0:
        return value
    if kind is float and type(value) in (int, float) and 0 <= value <= 1:
        return float(value)
    if kind is ByTrust and isinstance(value, dict) and set(value) == {field.name for field in fields(ByTrust)}:
        return ByTrust(**{level: _value(f"{where}.{level}", int, value[level], problems) for level in value})
    wanted = {Outcome: "an outcome", int: "a whole number", float: "a number from 0 to 1", ByTrust: "numbers by trust"}
    problems.append(f"{where} must be {wanted[kind]}")
    return None
