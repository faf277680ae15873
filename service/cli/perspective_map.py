"""`flask perspective map LOG`: how our scores lie to the ones that Perspective gave, and a map between the two.

The log stays where it is: texts are scored here and nothing of them is printed, only the numbers of the lines on which
the two disagree most.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from config.settings import load
from moderation import Fit, TextRefused, fit_scale, scorable
from service.cli.rows import Row, read_rows
from service.judges import open_judges
from service.scoring import Attribute, Scorer

TEXTS = ("text", "comment_text", "comment", "body", "content")
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
TOGETHER = 32
WAIT = 60.0
WORST = 5


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of a log: its number, its text as engines take it, and the scores that Perspective gave."""

    number: int
    text: str
    theirs: Mapping[str, float]


@click.command("map")
@click.argument("log", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--text", "column", help=f"The column of the texts; else the first of {', '.join(TEXTS)}.")
@click.option("--engine", help="The engine to compare; else the one that the settings name.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the map here, for `key set --map`.")
def map_(log: Path, column: str | None, engine: str | None, out: Path | None) -> None:
    """Fit a map from our scores to those in LOG, a CSV or JSON lines file of texts and Perspective's scores.

    A column of scores carries its attribute's name, with or without a version; a JSON line may hold a whole answer.
    """
    scorer = opened_scorer(engine)
    logged = list(read_log(log, column, scorer.find))
    names = sorted({name for line in logged for name in line.theirs})
    if not names:
        raise click.ClickException("No column of the log is an attribute that an engine here scores.")
    found = scored(scorer, logged, names)
    fits = {name: fitted(name, logged, found) for name in names}
    report({name: fit for name, fit in fits.items() if fit is not None}, logged)
    if out:
        write(out, {name: fit for name, fit in fits.items() if fit is not None}, scorer)


def opened_scorer(engine: str | None) -> Scorer:
    """The engines to compare; raises `ClickException` where one cannot be opened."""
    settings = load({"ENGINE": engine, **ANY_KEY}) if engine else load()
    judges = open_judges(settings)
    if judges.problems:
        raise click.ClickException(" ".join(judges.problems))
    return Scorer(lambda: judges.engines, at_once=1)


def read_log(path: Path, column: str | None, find: Callable[[str], Attribute | None]) -> Iterator[Logged]:
    """The lines of a log that have a text and a score that can be compared."""
    for row in read_rows(path):
        text = _text(row, column)
        try:
            yield Logged(row.number, scorable(text), _theirs(row.values, find))
        except TextRefused:
            continue


def _text(row: Row, column: str | None) -> str:
    for name in (column,) if column else TEXTS:
        found = row.values.get(name)
        if isinstance(found, Mapping):
            found = found.get("text")
        if isinstance(found, str):
            return found
    raise click.ClickException(f"Line {row.number} has no text; name its column with --text.")


def _theirs(values: Mapping[str, Any], find: Callable[[str], Attribute | None]) -> dict[str, float]:
    """The scores of a line by attribute; of two versions of one the first counts."""
    answer = values.get("attributeScores")
    given = {name: _summary(score) for name, score in answer.items()} if isinstance(answer, Mapping) else values
    found: dict[str, float] = {}
    for name, value in given.items():
        attribute = find(name) if isinstance(name, str) else None
        score = _probability(value)
        if attribute is not None and score is not None:
            found.setdefault(attribute.name, score)
    return found


def _summary(score: Any) -> Any:
    return score.get("summaryScore", {}).get("value") if isinstance(score, Mapping) else None


def _probability(value: Any) -> float | None:
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if 0 <= score <= 1 else None


def scored(scorer: Scorer, logged: Sequence[Logged], names: Sequence[str]) -> list[Mapping[str, float]]:
    """Our scores for every line."""
    attributes = [scorer.attributes[name] for name in names]
    found: list[Mapping[str, float]] = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Scoring", total=len(logged))
        for start in range(0, len(logged), TOGETHER):
            texts = [line.text for line in logged[start : start + TOGETHER]]
            found += scorer.score(texts, attributes, patience=WAIT)
            progress.advance(task, len(texts))
    return found


@dataclass(frozen=True, slots=True)
class Named:
    """A fit with the numbers of the lines that it was made from."""

    fit: Fit
    lines: tuple[int, ...]
    theirs: tuple[float, ...]


def fitted(name: str, logged: Sequence[Logged], found: Sequence[Mapping[str, float]]) -> Named | None:
    """The map of one attribute, or None where the log has too few scores of it."""
    pairs = [(line, ours[name]) for line, ours in zip(logged, found, strict=True) if name in line.theirs]
    theirs = [line.theirs[name] for line, _ in pairs]
    try:
        fit = fit_scale(np.array([ours for _, ours in pairs]), np.array(theirs))
    except ValueError:
        return None
    return Named(fit, tuple(line.number for line, _ in pairs), tuple(theirs))


def report(fits: Mapping[str, Named], logged: Sequence[Logged]) -> None:
    """Say how well the two agree, what each threshold becomes, and on which lines they differ most."""
    console = Console()
    console.print(f"{len(logged)} lines. Everything but the rank correlation and the error as it is was measured on")
    console.print("lines that the map was not fitted on (five folds).")
    table = Table("attribute", "lines", "rank correlation", "error as it is", "error mapped", "RMSE mapped")
    equal = Table("attribute", *(f"their {threshold}" for threshold in THRESHOLDS), title="Our score for")
    for name, named in fits.items():
        fit = named.fit
        numbers = (fit.order, fit.error_before, fit.error, fit.squared_error)
        table.add_row(name, str(fit.rows), *(f"{number:.3f}" for number in numbers))
        equal.add_row(name, *(_spoken(fit.scale.back(threshold)) for threshold in THRESHOLDS))
    console.print(table)
    console.print(equal)
    for name, named in fits.items():
        console.print(f"{name} differs most on lines {_worst(named)}.")


def _spoken(score: float | None) -> str:
    return "never" if score is None else f"{score:.3f}"


def _worst(named: Named) -> str:
    apart = np.abs(named.fit.mapped - np.array(named.theirs))
    return ", ".join(
        f"{named.lines[place]} (theirs {named.theirs[place]:.2f}, ours mapped {named.fit.mapped[place]:.2f})"
        for place in np.argsort(-apart)[:WORST]
    )


def write(path: Path, fits: Mapping[str, Named], scorer: Scorer) -> None:
    """Write the map with what it was made from."""
    curves = {
        name: [[round(x, 6) for x in scale.ours.tolist()], [round(y, 6) for y in scale.theirs.tolist()]]
        for name, named in fits.items()
        for scale in [named.fit.scale]
    }
    engines = sorted({f"{one.engine.name} {one.engine.version}" for one in scorer.attributes.values()})
    path.write_text(json.dumps({"engines": engines, "curves": curves}, indent=1) + "\n", encoding="utf-8")
    click.echo(f"Wrote {path.name}. Put a key on it with: flask perspective key set KEY_ID --map {path.name}", err=True)


ANY_KEY = {"SIGNING_KEYS": "only-scores-are-asked-for-and-nothing-is-signed"}
