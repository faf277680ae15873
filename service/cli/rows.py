"""Reading CSV and JSON lines as rows, one at a time, with the line on which each begins."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
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


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, by its name CSV or JSON lines; raises `ClickException` that names the line at fault."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _json_rows(file) if is_json(path) else _csv_rows(file)
    except UnicodeDecodeError as wrong:
        raise click.ClickException(f"{path.name} is not UTF-8.") from wrong


def _json_rows(file: Any) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as wrong:
            raise click.ClickException(f"Line {number} is not JSON.") from wrong
        if not isinstance(values, dict):
            raise click.ClickException(f"Line {number} is not a JSON object.")
        yield Row(number, values)


def _csv_rows(file: Any) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.DictReader(file)
    try:
        reader.fieldnames  # noqa: B018 - reads the line of names
        number = reader.line_num + 1
        for values in reader:
            yield Row(number, {key: value for key, value in values.items() if key})
            number = reader.line_num + 1
    except csv.Error as wrong:
        raise click.ClickException(f"Line {reader.line_num} is not CSV.") from wrong
