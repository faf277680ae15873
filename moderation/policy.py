"""The policy: what a site tolerates, read from TOML, validated as a whole, known by a stable digest.

A `Policy` holds everything that judging needs apart from the engines: thresholds, rules and their parameters, trust,
what happens in each language, word lists, the moderators' reasons and the sentences that authors read. Reading it is
pure: the caller supplies the TOML. Whether the rules and attributes that it names exist, the pipeline checks.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from moderation.model import AuthorFacts, Outcome
from moderation.words import Term, WordlistError, Wordlists, read_wordlist

ANY_ENGINE = "any"
NEVER = "never"  # in place of a score
UNFIT = ("hold", "trusted", "approve")
TRUST = ("new", "normal", "trusted", "premoderated")
SECTIONS = ("language", "languages", "trust", "rules", "engines", "reasons", "sentences", "words")
KEYS = "123456789"
DEEPEST = 32  # tables in one another; what reads them calls itself
MOST_DOTS = 1000  # in a line; reading a dotted key takes time and memory by the square of its parts
LARGEST = 2**63  # what TOML promises of whole numbers


class PolicyError(ValueError):
    """A policy that cannot be used; `problems` lists everything that is wrong with it, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which score on an attribute asks for a hold and for a rejection; None never does.

    Up to `clear` there is nothing of the kind in a text; None says nothing.
    """

    hold: float | None = None
    reject: float | None = None
    tone: bool = False
    clear: float | None = None

    def outcome(self, score: float) -> Outcome:
        """What a score asks for; a higher score never asks for less."""
        if self.reject is not None and score >= self.reject:
            return Outcome.REJECT
        if self.hold is not None and score >= self.hold:
            return Outcome.HOLD
        return Outcome.APPROVE


@dataclass(frozen=True, slots=True)
class Trust:
    """When an author counts as new and when as trusted."""

    new_below_approved: int = 1
    trusted_from_approved: int = 50
    trusted_up_to_rejected: float = 0.02

    def level(self, author: AuthorFacts) -> str:
        """One of `TRUST`: what moderators decided about the author, else what their record says."""
        if author.standing in ("trusted", "premoderated"):
            return author.standing
        if author.approved < self.new_below_approved:
            return "new"
        seen = author.approved + author.rejected
        good = author.approved >= self.trusted_from_approved and author.rejected <= seen * self.trusted_up_to_rejected
        return "trusted" if good else "normal"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a moderator rejects: a label for the desk, the key that picks it, the sentence that the author reads."""

    label: str
    sentence: str
    key: str
    children: Mapping[str, Reason] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """A validated policy. Two policies with the same `source` have the same `digest` and judge alike."""

    source: str
    language: str
    unfit: Mapping[str, str]
    trust: Trust
    rules: Mapping[str, Mapping[str, Any]]
    engines: Mapping[str, Mapping[str, Threshold]]
    reasons: Mapping[str, Reason]
    sentences: Mapping[str, str]
    terms: tuple[Term, ...]

    @cached_property
    def digest(self) -> str:
        """What tells this policy from any other: 64 hexadecimal digits."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @cached_property
    def words(self) -> Wordlists:
        """The word lists, ready to be searched."""
        return Wordlists(self.terms)

    def sentence(self, code: str) -> str:
        """What an author reads about a finding: the sentence of its code, else of what stands before its last dot."""
        while code not in self.sentences and "." in code:
            code = code.rpartition(".")[0]
        return self.sentences.get(code, self.sentences["default"])

    def reason(self, code: str) -> Reason | None:
        """The reason with a code such as `abuse` or `abuse.threat`."""
        reasons, reason = self.reasons, None
        for name in code.split("."):
            if name not in reasons:
                return None
            reason = reasons[name]
            reasons = reason.children
        return reason

    def when_unfit(self, language: str) -> str:
        """What becomes of a text in a language that no engine knows: `hold`, `trusted` or `approve`."""
        return self.unfit.get(language, self.unfit["default"])

    def thresholds(self, engine: str) -> Mapping[str, Threshold]:
        """The thresholds for an engine by attribute, its own before those for any engine."""
        names = reversed(engine_tables(engine))
        return {attribute: found for name in names for attribute, found in self.engines.get(name, {}).items()}


def engine_tables(engine: str) -> tuple[str, ...]:
    """Where thresholds for an engine stand; the first table that has an attribute counts.

    For `detoxify:original` its own, then `detoxify`'s, then any engine's.
    """
    return tuple(dict.fromkeys((engine, engine.partition(":")[0], ANY_ENGINE)))


def read_policy(policy_file: Path, wordlists: Path, override_toml: str | None = None) -> Policy:
    """The policy of a file, with one word list a language from a folder of TOML files and a site's overrides."""
    lists = {path.stem: path.read_text(encoding="utf-8") for path in sorted(wordlists.glob("*.toml"))}
    return load_policy(policy_file.read_text(encoding="utf-8"), override_toml, lists)


def load_policy(toml_text: str, override_toml: str | None = None, wordlists: Mapping[str, str] | None = None) -> Policy:
    """A policy from its TOML, a site's overrides and word lists by language; raises `PolicyError` with all problems.

    `load_policy(policy.source)` is that policy again: its source holds the overrides and the lists.
    """
    problems: list[str] = []
    tree = _table("policy", toml_text, problems)
    lists = {name: _table(f"words.{name}", text, problems) for name, text in sorted((wordlists or {}).items())}
    override = _table("override", override_toml or "", problems)
    if problems:
        raise PolicyError(problems)
    tree = _merged({"words": lists}, tree) if lists else tree
    return _policy(_merged(tree, override))


def read_overrides(toml_text: str) -> dict[str, Any]:
    """A site's overrides as a tree, whether or not they make a policy; raises `PolicyError` for what is no TOML."""
    problems: list[str] = []
    tree = _table("override", toml_text, problems)
    if problems:
        raise PolicyError(problems)
    return tree


def _table(name: str, text: str, problems: list[str]) -> dict[str, Any]:
    """A text as a tree; an empty one and a problem where it is none, or more of one than can be worked with."""
    if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
        problems.append(f"{name} has a line with more than {MOST_DOTS} dots")
        return {}
    try:
        return _tree(text)
    except tomllib.TOMLDecodeError as wrong:
        problems.append(f"{name} is not TOML: {wrong}")
    except RecursionError:
        problems.append(f"{name} nests more than {DEEPEST} tables or lists in one another")
    except (ValueError, OverflowError):  # the parser's word for a number of too many digits, and ours
        problems.append(f"{name} has a number that is too large")
    return {}


def _tree(text: str) -> dict[str, Any]:
    tree = tomllib.loads(text)
    for depth, value in _values(tree):
        if depth > DEEPEST:
            raise RecursionError
        if isinstance(value, int) and abs(value) >= LARGEST:
            raise OverflowError
    return tree


def _values(tree: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    """Every value of a tree, the tables and lists too, with its depth; however deep it is, nothing calls itself."""
    left: list[tuple[int, Any]] = [(0, tree)]
    while left:
        depth, value = left.pop()
        yield depth, value
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        left += [(depth + 1, one) for one in inner]


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees as one: tables are merged, every other value from above replaces the one below."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _policy(tree: Mapping[str, Any]) -> Policy:
    reading = _Reading()
    reading.known("the policy", tree, SECTIONS)
    policy = Policy(
        source=_toml(tree),
        language=reading.text("language", tree.get("language", "en")),
        unfit=reading.unfit(tree.get("languages", {})),
        trust=reading.trust(tree.get("trust", {})),
        rules=reading.rules(tree.get("rules", {})),
        engines=reading.engines(tree.get("engines", {})),
        reasons=reading.reasons("reasons", tree.get("reasons", {})),
        sentences=reading.sentences(tree.get("sentences", {})),
        terms=reading.words(tree.get("words", {})),
    )
    if reading.problems:
        raise PolicyError(reading.problems)
    return policy


class _Reading:
    """One pass over a policy's tables that collects problems instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def known(self, where: str, table: Mapping[str, Any], keys: Sequence[str]) -> None:
        self.problems += [f"{where} has no {key!r}; it has {', '.join(keys)}" for key in table if key not in keys]

    def table(self, where: str, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.problems.append(f"{where} must be a table")
        return {}

    def text(self, where: str, value: Any) -> str:
        if isinstance(value, str) and value:
            return value
        self.problems.append(f"{where} must be a text that is not empty")
        return ""

    def number(self, where: str, value: Any, most: float) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        self.problems.append(f"{where} must be a number from 0 to {most:g}")
        return 0

    def unfit(self, value: Any) -> dict[str, str]:
        languages = {"default": "hold"} | self.table("languages", value)
        for language, choice in languages.items():
            if choice not in UNFIT:
                self.problems.append(f"languages.{language} must be one of {', '.join(UNFIT)}")
        return languages

    def trust(self, value: Any) -> Trust:
        table = self.table("trust", value)
        self.known("trust", table, tuple(Trust.__dataclass_fields__))
        whole = ("new_below_approved", "trusted_from_approved")
        for key in whole:
            if key in table and type(table[key]) is not int:
                self.problems.append(f"trust.{key} must be a whole number")
        if "trusted_up_to_rejected" in table:
            self.number("trust.trusted_up_to_rejected", table["trusted_up_to_rejected"], 1)
        return Trust(**{key: table[key] for key in table if key in Trust.__dataclass_fields__})

    def rules(self, value: Any) -> dict[str, dict[str, Any]]:
        tables = self.table("rules", value)
        return {name: self.table(f"rules.{name}", params) for name, params in tables.items()}

    def engines(self, value: Any) -> dict[str, dict[str, Threshold]]:
        return {
            engine: {
                attribute: self.threshold(f"engines.{engine}.{attribute}", table)
                for attribute, table in self.table(f"engines.{engine}", attributes).items()
            }
            for engine, attributes in self.table("engines", value).items()
        }

    def threshold(self, where: str, value: Any) -> Threshold:
        table = self.table(where, value)
        self.known(where, table, ("hold", "reject", "tone", "clear"))
        hold, reject, clear = (
            self.number(f"{where}.{key}", table[key], 1) if table.get(key, NEVER) != NEVER else None
            for key in ("hold", "reject", "clear")
        )
        if hold is not None and reject is not None and reject < hold:
            self.problems.append(f"{where}: rejects at a lower score than it holds at")
        tone = table.get("tone", False)
        if not isinstance(tone, bool):
            self.problems.append(f"{where}.tone must be true or false")
        return Threshold(hold, reject, tone is True, clear)

    def reasons(self, where: str, value: Any) -> dict[str, Reason]:
        tables = self.table(where, value)
        reasons = {name: self.reason(f"{where}.{name}", self.table(f"{where}.{name}", tables[name])) for name in tables}
        keys = [reason.key for reason in reasons.values()]
        if len(set(keys)) < len(keys):
            self.problems.append(f"{where}: two reasons have the same key")
        return reasons

    def reason(self, where: str, table: dict[str, Any]) -> Reason:
        key = table.get("key")
        if not isinstance(key, str) or len(key) != 1 or key not in KEYS:
            self.problems.append(f"{where}.key must be one digit from 1 to 9, as a text")
        children = {name: child for name, child in table.items() if name not in ("key", "label", "sentence")}
        return Reason(
            label=self.text(f"{where}.label", table.get("label")),
            sentence=self.text(f"{where}.sentence", table.get("sentence")),
            key=str(key),
            children=self.reasons(where, children) if children else {},
        )

    def sentences(self, value: Any) -> dict[str, str]:
        found = dict(_leaves(self.table("sentences", value)))
        if "default" not in found:
            self.problems.append("sentences.default is missing")
        return {code: self.text(f"sentences.{code}", sentence) for code, sentence in found.items()}

    def words(self, value: Any) -> tuple[Term, ...]:
        terms: list[Term] = []
        for language, table in self.table("words", value).items():
            try:
                terms += read_wordlist(language, self.table(f"words.{language}", table))
            except WordlistError as wrong:
                self.problems += wrong.problems
        return tuple(sorted(terms, key=lambda term: (term.language, term.severity, term.kind, term.text)))


def _leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a tree by their dotted names."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _toml(tree: Mapping[str, Any], prefix: str = "") -> str:
    """A tree as canonical TOML: keys in order, values before tables, one line each."""
    values = [f"{_key(key)} = {_value(tree[key])}\n" for key in sorted(tree) if not isinstance(tree[key], dict)]
    tables = [
        f"\n[{prefix}{_key(key)}]\n{_toml(tree[key], f'{prefix}{_key(key)}.')}"
        for key in sorted(tree)
        if isinstance(tree[key], dict)
    ]
    return "".join(values + tables)


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else _quoted(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
