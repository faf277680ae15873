"""What a word list says, read from its table and validated as a whole.

`severe`, `strong` and `mild` hold terms by what they are (the attributes of an engine), `innocent` the phrases inside
which a term means no harm. A term is a word or a phrase; `*` at its end stands for any ending, at its start for any
beginning. Nothing else is special.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.text import fold
from moderation.words.squeezing import squeeze

SEVERITIES = ("mild", "strong", "severe")
KINDS = ("identity_attack", "insult", "obscene", "threat")
INNOCENT = "innocent"
MAX_TERM = 80


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a list. `here_only` terms mean no harm in other languages; `exact` ones need their accents."""

    text: str
    severity: str
    kind: str = ""
    language: str = ""
    here_only: bool = False
    exact: bool = False


class WordlistError(ValueError):
    """A list that cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def read_wordlist(language: str, table: Mapping[str, Any]) -> tuple[Term, ...]:
    """The terms of one list; raises `WordlistError` with everything that is wrong."""
    problems: list[str] = []
    here_only = _names(table, "here_only", problems)
    exact = _names(table, "exact", problems)
    terms = tuple(
        Term(text, severity, kind, language, text in here_only, text in exact)
        for severity, kind, text in _entries(table, problems)
    )
    known = {term.text for term in terms}
    problems += [f"{name!r} is set apart but in no list" for name in sorted((here_only | exact) - known)]
    problems += [f"{key!r} is no severity" for key in table if key not in (*SEVERITIES, INNOCENT, "here_only", "exact")]
    if problems:
        raise WordlistError([f"words.{language}: {problem}" for problem in problems])
    return terms


def _names(table: Mapping[str, Any], key: str, problems: list[str]) -> set[str]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        problems.append(f"{key} must be a list of strings")
        return set()
    return set(names)


def _entries(table: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(_names(table, INNOCENT, problems)):
        yield from _entry(INNOCENT, "", name, problems)
    for severity in SEVERITIES:
        kinds = table.get(severity, {})
        if not isinstance(kinds, dict):
            problems.append(f"{severity} must be a table of lists, by kind")
            continue
        for kind in kinds:
            if kind not in KINDS:
                problems.append(f"{severity}.{kind} is none of {', '.join(KINDS)}")
            for name in sorted(_names(kinds, kind, problems)):
                yield from _entry(severity, kind, name, problems)


def _entry(severity: str, kind: str, name: str, problems: list[str]) -> Iterator[tuple[str, str, str]]:
    if len(name) > MAX_TERM:
        problems.append(f"a term is longer than {MAX_TERM} characters")
    elif not squeeze(fold(name.strip("*"))).text.strip():
        problems.append(f"{name!r} has no letter in it")
    else:
        yield severity, kind, name
