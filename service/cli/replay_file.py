"""Reading a file of comments for `replay`: CSV, TSV or JSON lines, whatever its usual columns are called."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

TEXTS = ("text", "comment_text", "comment", "body", "content", "message")
AUTHORS = ("user", "author", "username", "user_name", "author_name")
ARTICLES = ("title", "article", "article_id", "videoid", "url", "thread")
LABELS = ("label", "toxic", "istoxic", "is_toxic", "hateful", "hold")
TRUE = ("1", "1.0", "true", "yes", "hold", "toxic")


def read_comments(path: Path, *, articles: int, label: str | None = None) -> list[dict[str, str]]:
    """Rows with `text author article label`; what the file does not say is made up by the row's number."""
    try:
        rows = [{str(key).lower(): value for key, value in row.items() if key} for row in _rows(path)]
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as wrong:
        raise click.ClickException(f"{path.name} cannot be read: {wrong}") from wrong
    text = _column(rows, TEXTS)
    if text is None:
        raise click.ClickException(f"{path.name} has no column for the text; one of: {', '.join(TEXTS)}")
    author, article = _column(rows, AUTHORS), _column(rows, ARTICLES)
    said = label.lower() if label else _column(rows, LABELS)
    return [
        {
            "text": str(row.get(text) or ""),
            "author": str(row.get(author) if author else f"reader {number}"),
            "article": str(row.get(article) if article else f"article {number % articles}"),
            "label": _truth(row.get(said)) if said else "",
        }
        for number, row in enumerate(rows)
    ]


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    content = path.read_text(encoding="utf-8-sig")
    if content.lstrip().startswith("{"):
        return (json.loads(line) for line in content.splitlines() if line.strip())
    csv.field_size_limit(1_000_000)
    delimiter = "\t" if path.suffix == ".tsv" else ","
    return iter(csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter))


def _column(rows: list[dict[str, Any]], names: tuple[str, ...]) -> str | None:
    known = set(rows[0]) if rows else set()
    return next((name for name in names if name in known), None)


def _truth(value: Any) -> str:
    return "1" if str(value).strip().lower() in TRUE else "0"
