"""`flask score FILE`: the scores of a file's texts, written beside it, to be taken up again where it was broken off.

Every row comes out as it went in, with a column for each attribute. A journal beside the output says how many rows of
which file are done and how long the output was then, so that a run that was killed goes on without a row lost or twice.
What is unfinished stands in a file of its own, which becomes the output when it is whole. A file whose rows could not
come out as they went in is refused before anything is written.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.settings import load
from moderation import Engine, EngineUnavailable, TextRefused, open_engine, read_policy, scorable, score
from service.cli.rows import Row, is_json, read_rows

TOGETHER = 32


@dataclass(frozen=True, slots=True)
class Journal:
    """What an unfinished output was made from, and how far it has come."""

    size: int
    changed: int
    engine: str
    column: str
    rows: int = 0
    written: int = 0

    def is_of(self, other: Journal) -> bool:
        """Whether both were begun with the same file, engine and column."""
        return replace(self, rows=0, written=0) == replace(other, rows=0, written=0)


@click.command("score")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text", "column", default="text", show_default=True, help="The column of the texts.")
@click.option("--engine", "spec", help="The engine; else the one that the settings name.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write; else FILE.scored.…")
@click.option("--afresh", is_flag=True, help="Begin again, whatever is there.")
def score_(file: Path, column: str, spec: str | None, out: Path | None, afresh: bool) -> None:
    """Score the texts of FILE, CSV or JSON lines. Run it again to go on where it was broken off."""
    target = (out or file.with_name(f"{file.stem}.scored{file.suffix}")).resolve()
    refuse_own_input(file, target)
    engine = opened_engine(spec)
    begun = begin(file, target, column, engine, afresh)
    if begun is None:
        click.echo(f"{target.name} is finished already; --afresh scores everything again.", err=True)
        return
    total = counted(file, column, engine)
    with part_of(target).open("r+b" if begun.rows else "wb") as output, bar() as progress:
        output.seek(begun.written)
        output.truncate()
        task = progress.add_task("Scoring", total=total, completed=begun.rows)
        for journal in written(file, output, begun, engine):
            keep(journal_of(target), journal)
            progress.update(task, completed=journal.rows)
    part_of(target).replace(target)
    journal_of(target).unlink(missing_ok=True)
    click.echo(f"Wrote {total} rows to {target.name} with {engine.name} {engine.version}.", err=True)


def opened_engine(spec: str | None) -> Engine:
    """The engine that is asked for; raises `ClickException` where it cannot be had."""
    settings = load() if spec is None else load({"SIGNING_KEYS": "nothing-is-signed-where-texts-are-only-scored"})
    try:
        return open_engine(spec or settings.engine, read_policy(settings.policy_file, settings.wordlists))
    except EngineUnavailable as why:
        raise click.ClickException(str(why)) from why


def bar() -> Progress:
    """A progress bar with rows done and time to go."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


# ---- beginning and going on -----------------------------------------------------------------------------------------


def journal_of(target: Path) -> Path:
    """The journal of an unfinished output."""
    return target.with_name(f"{target.name}.unfinished")


def part_of(target: Path) -> Path:
    """What is written of an unfinished output so far."""
    return target.with_name(f"{target.name}.part")


def refuse_own_input(file: Path, target: Path) -> None:
    """Raise `ClickException` where the scores would be written over the texts, by this name or another."""
    for place in (target, part_of(target), journal_of(target)):
        if place.exists() and place.samefile(file):
            raise click.ClickException(f"{file.name} would be overwritten with its own scores; choose another --out.")


def counted(file: Path, column: str, engine: Engine) -> int:
    """How many rows a file has; raises `ClickException` where one has no text or could not come out as it went in."""
    ours = {"scores"} if is_json(file) else set(engine.attributes)
    total = 0
    for row in read_rows(file, whole=True):
        text_of(row, column)
        if taken := sorted(ours & row.values.keys()):
            raise click.ClickException(
                f"Line {row.number} has {taken[0]!r} already; rename it, or the scores would replace it."
            )
        total += 1
    return total


def begin(file: Path, target: Path, column: str, engine: Engine, afresh: bool) -> Journal | None:
    """How far an output has come: None where it is finished; raises `ClickException` where it is of something else."""
    stat = file.stat()
    fresh = Journal(stat.st_size, stat.st_mtime_ns, f"{engine.name} {engine.version}", column)
    path, part = journal_of(target), part_of(target)
    if not afresh and not path.exists() and target.exists():
        return None
    if afresh or not path.exists() or not part.exists():
        return fresh
    try:
        found = Journal(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as wrong:
        raise click.ClickException(f"{path.name} cannot be read; --afresh begins again.") from wrong
    if not found.is_of(fresh) or part.stat().st_size < found.written:
        raise click.ClickException(
            f"{target.name} was begun with another file, column or engine; --afresh begins again."
        )
    return found


def keep(path: Path, journal: Journal) -> None:
    """Write the journal, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(asdict(journal)), encoding="utf-8")
    draft.replace(path)


# ---- scoring and writing --------------------------------------------------------------------------------------------


def written(file: Path, output: BinaryIO, journal: Journal, engine: Engine) -> Iterator[Journal]:
    """Score and write what is left, some rows at a time; yields the journal after each, when the rows are on disk."""
    rows = islice(read_rows(file), journal.rows, None)
    while chunk := list(islice(rows, TOGETHER)):
        scores = scored([text_of(row, journal.column) for row in chunk], engine)
        lines = as_json(chunk, scores) if is_json(file) else as_csv(chunk, scores, engine, names=journal.rows == 0)
        output.write(lines.encode("utf-8"))
        output.flush()
        os.fsync(output.fileno())
        journal = replace(journal, rows=journal.rows + len(chunk), written=output.tell())
        yield journal


def text_of(row: Row, column: str) -> str:
    """The text of a row; raises `ClickException` where it has none."""
    found = row.values.get(column)
    if not isinstance(found, str):
        raise click.ClickException(f"Line {row.number} has no text under {column!r}; name its column with --text.")
    return found


def scored(texts: Sequence[str], engine: Engine) -> list[Mapping[str, float]]:
    """The scores of some texts; none for a text with nothing to be seen in it."""
    fit = {place: text for place, text in enumerate(texts) if _can_be_scored(text)}
    found = dict(zip(fit, score(list(fit.values()), engine), strict=True))
    return [found.get(place, {}) for place in range(len(texts))]


def _can_be_scored(text: str) -> bool:
    try:
        return bool(scorable(text))
    except TextRefused:
        return False


def as_json(rows: Sequence[Row], scores: Sequence[Mapping[str, float]]) -> str:
    """Rows as JSON lines, each with its `scores`."""
    return "".join(_line({**row.values, "scores": rounded(one)}) for row, one in zip(rows, scores, strict=True))


def _line(values: Mapping[str, Any]) -> str:
    """A JSON line; half a character (a lone surrogate), which no file can hold, stays the escape that it came as."""
    line = json.dumps(values, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        line = json.dumps(values)
    return line + "\n"


def as_csv(rows: Sequence[Row], scores: Sequence[Mapping[str, float]], engine: Engine, *, names: bool) -> str:
    """Rows as CSV with a column for each attribute; the line of names goes first where it is wanted."""
    columns = [*rows[0].values, *engine.attributes]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, restval="", extrasaction="ignore")
    if names:
        writer.writeheader()
    writer.writerows({**row.values, **rounded(one)} for row, one in zip(rows, scores, strict=True))
    return buffer.getvalue()


def rounded(scores: Mapping[str, Any]) -> dict[str, float]:
    """Scores to six places: more would only be noise."""
    return {name: round(value, 6) for name, value in scores.items()}
