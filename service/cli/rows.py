"""Reading CSV and JSON lines as rows, one at a time, with the line on which each begins."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

LONGEST_FIELD = 10_000_000
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line where it begins, counted from 1, and its values by name."""

    number: int
    values: Mapping[str, Any]


def is_json(path: Path) -> bool:
    """Whether a file's name says that it holds JSON lines."""
    return path.suffix.lower() in JSON_ENDINGS


def read_rows(path: Path, *, whole: bool = False) -> Iterator[Row]:
    """The rows of a file, by its name CSV or JSON lines; raises `ClickException` that names the line at fault.

    With `whole`, a row is refused too when `Row` could not hold all of it: a name that comes twice, surplus fields.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _json_rows(file, whole) if is_json(path) else _csv_rows(file, whole)
    except UnicodeDecodeError as wrong:
        raise click.ClickException(f"{path.name} is not UTF-8.") from wrong


def _json_rows(file: Any, whole: bool) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line, object_pairs_hook=_each_once if whole else None)
        except (ValueError, RecursionError) as wrong:
            raise click.ClickException(f"Line {number} is not JSON.") from wrong
        except KeyError as twice:
            raise click.ClickException(f"Line {number} has {twice} twice; only one of them could be kept.") from twice
        if not isinstance(values, dict):
            raise click.ClickException(f"Line {number} is not a JSON object.")
        yield Row(number, values)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raises `KeyError` with a name that it has twice."""
    if twice := _twice([name for name, _ in pairs]):
        raise KeyError(twice[0])
    return dict(pairs)


def _twice(names: Sequence[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _csv_rows(file: Any, whole: bool) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.DictReader(file)
    try:
        names = reader.fieldnames or ()  # reads the line of names
        if whole and (twice := _twice(names)):
            raise click.ClickException(f"Line 1 names two columns {twice[0]!r}; rename one, or one would be lost.")
        number = reader.line_num + 1
        for values in reader:
            if whole and None in values:
                raise click.ClickException(f"Line {number} has more fields than line 1 has names ({len(names)}).")
            yield Row(number, {key: value for key, value in values.items() if key is not None})
            number = reader.line_num + 1
    except csv.Error as wrong:
        raise click.ClickException(f"Line {reader.line_num} is not CSV.") from wrong
