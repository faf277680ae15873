"""A site's overrides as fields of a form: from which score a comment waits, and the site's own words.

The overrides stay one TOML text. What a field changes is put into that text where it belongs, and all the rest of it,
comments and order too, stays as it was written. An empty field leaves a value to the shipped policy.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from moderation import NEVER, Engine, Policy, PolicyError, engine_tables, read_overrides
from service.errors import Invalid

KEYS = ("hold", "reject")
# The site's own words by what they do, and where the policy keeps each.
WORDS = {
    "severe": ("severe", "identity_attack"),
    "threat": ("strong", "threat"),
    "strong": ("strong", "insult"),
    "mild": ("mild", "insult"),
    "innocent": ("innocent",),
}
SITE_WORDS = ("words", "site")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """From which score on one attribute comments wait or are rejected: where that stands, and what is shipped."""

    engine: str
    attribute: str
    shipped: Mapping[str, float | None]

    def field(self, key: str) -> str:
        """The name of the field for `hold` or `reject`."""
        return field(self.engine, self.attribute, key)


def field(engine: str, attribute: str, key: str) -> str:
    """The name of a field: `hold.bundled.insult`."""
    return f"{key}.{engine}.{attribute}"


def bars(shipped: Policy, engines: Sequence[Engine], override: str) -> list[Bar]:
    """A bar for each attribute of the engines that score here, in the engines' order."""
    own = read(override).get("engines")
    known = (own if isinstance(own, dict) else {}, shipped.engines)
    return [_bar(shipped, engine.name, attribute, known) for engine in engines for attribute in engine.attributes]


def _bar(shipped: Policy, engine: str, attribute: str, known: Sequence[Mapping[str, Any]]) -> Bar:
    """The bar stands in the table whose threshold counts: the engine's own, else its family's, else any engine's."""
    tables = engine_tables(engine)
    table = next((name for name in tables if any(attribute in _of(one, name) for one in known)), tables[-2])
    found = shipped.thresholds(engine).get(attribute)
    return Bar(table, attribute, {key: getattr(found, key) if found else None for key in KEYS})


def _of(tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = tables.get(name)
    return found if isinstance(found, Mapping) else {}


def read(override: str) -> dict[str, Any]:
    """Overrides as a tree; an empty one where they are no TOML."""
    try:
        return read_overrides(override)
    except PolicyError:
        return {}


def fields(override: str, known: Sequence[Bar]) -> dict[str, str]:
    """What each field of the form says about some overrides: numbers as written, one word a line."""
    tree = read(override)
    numbers = {bar.field(key): _at(tree, ("engines", bar.engine, bar.attribute, key)) for bar in known for key in KEYS}
    words = {f"words.{name}": _at(tree, (*SITE_WORDS, *path)) for name, path in WORDS.items()}
    return {name: "" if value is None else str(value) for name, value in numbers.items()} | {
        name: "\n".join(str(word) for word in value) if isinstance(value, list) else "" for name, value in words.items()
    }


def marks(said: Mapping[str, str]) -> dict[str, str]:
    """What tells apart what fields say, the empty ones left out: a form carries it to say what it was drawn with."""
    return {name: _mark(text) for name, text in said.items() if _tidy(text)}


def _mark(text: str) -> str:
    return hashlib.sha256(_tidy(text).encode()).hexdigest()[:12]


def _at(tree: Mapping[str, Any], path: Path) -> Any:
    """The value at a path of a tree; None where there is none."""
    found: Any = tree
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found


def filled(override: str, engines: Sequence[Engine], typed: Mapping[str, str], drawn: Mapping[str, str]) -> str:
    """The overrides with what somebody changed in the fields, which were drawn with the marks `drawn`.

    Fields that say what they said are left alone, so that what was changed in the text itself stays. Raises
    `Invalid` with every field that is none, and where the text is written in a way that fields cannot change.
    """
    problems: list[str] = []
    changed = {name for name in typed if _mark(typed[name]) != drawn.get(name, _mark(""))}
    wishes = dict(_wishes(engines, {name: typed[name] for name in changed}, problems))
    if problems:
        raise Invalid("\n".join(problems), pointer="/policy")
    return _put(override, wishes) if wishes else override


def _tidy(text: str) -> str:
    """A field's text without spaces around its lines and without empty lines."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _wishes(
    engines: Sequence[Engine], typed: Mapping[str, str], problems: list[str]
) -> Iterator[tuple[Path, float | str | list[str] | None]]:
    places = ((table, name) for engine in engines for table in engine_tables(engine.name) for name in engine.attributes)
    for table, attribute in dict.fromkeys(places):
        for key in KEYS:
            if (raw := typed.get(field(table, attribute, key))) is not None:
                yield ("engines", table, attribute, key), _score(raw, f"{attribute}, {key}", problems)
    for name, path in WORDS.items():
        if (raw := typed.get(f"words.{name}")) is not None:
            yield (*SITE_WORDS, *path), list(dict.fromkeys(_tidy(raw).splitlines())) or None


def _score(raw: str, where: str, problems: list[str]) -> float | str | None:
    """A score as somebody types it, with a point or a comma, or "never"; None for an empty field."""
    typed = raw.strip().casefold()
    if typed in ("", NEVER):
        return typed or None
    try:
        score = float(typed.replace(",", "."))
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:
        problems.append(f"{where} must be a number from 0 to 1, or never")
    return score


def _put(override: str, wishes: Mapping[Path, Any]) -> str:
    """The text with these values at these paths and nothing else changed; None takes a value away."""
    try:
        wanted = read_overrides(override)
    except PolicyError as wrong:
        raise Invalid("\n".join(wrong.problems), pointer="/policy") from None
    try:
        text = tomlkit.parse(override)
        for path, value in wishes.items():
            _set(wanted, path, deepcopy(value), dict)
            _set(text, path, _array(value) if isinstance(value, list) else value, tomlkit.table)
        written = tomlkit.dumps(text)
        same = tomllib.loads(written) == wanted
    except (TOMLKitError, TypeError, KeyError, ValueError, RecursionError):
        same = False
    if not same:
        why = "What you entered cannot be put into a text that is written like this; write it into the text itself."
        raise Invalid(why, pointer="/policy")
    return written


def _array(words: Sequence[str]) -> Any:
    """A list as TOML, one word a line where there are many; read from text, as adding one by one takes for ever."""
    apart = ",\n    " if len(words) > 4 else ", "
    listed = apart.join(tomlkit.string(word).as_string() for word in words)
    return tomlkit.value(f"[\n    {listed},\n]" if len(words) > 4 else f"[{listed}]")


def _set(tree: Any, path: Path, value: Any, table: Any) -> None:
    """Put a value at a path, or take it away with the tables that it leaves empty."""
    name, *rest = path
    if not rest:
        if value is not None:
            tree[name] = value
        elif name in tree:
            del tree[name]
        return
    if name not in tree:
        if value is None:
            return
        tree[name] = table()
    _set(tree[name], tuple(rest), value, table)
    if value is None and not tree[name]:
        del tree[name]
