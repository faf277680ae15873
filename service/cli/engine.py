"""`flask engine`: whether an engine can be opened here, and a Detoxify checkpoint made small and fast, once.

Opening may fetch a published model, which the library shows the progress of. Nothing here touches the database.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import click

from config.settings import load
from moderation import EngineUnavailable, convert_engine, open_engine, read_policy, score

SAMPLE = "What a fine morning for everybody in this town."


@click.group()
def engine() -> None:
    """What scores texts."""


@engine.command("open")
@click.argument("spec", required=False)
def open_(spec: str | None) -> None:
    """Open SPEC, or the engine that the settings name, fetching what it needs, and score a text with it."""
    settings = load({"SIGNING_KEYS": "nothing-is-signed-where-an-engine-is-only-opened"}) if spec else load()
    began = time.perf_counter()
    with in_a_line():
        found = open_engine(spec or settings.engine, read_policy(settings.policy_file, settings.wordlists))
        opened = time.perf_counter()
        score([SAMPLE], found)
    took = f"opened in {opened - began:.1f} s, a text in {(time.perf_counter() - opened) * 1000:.0f} ms"
    languages = "any language" if found.languages is None else " ".join(sorted(found.languages))
    click.echo(f"{found.name} {found.version}: {took}\n{' '.join(found.attributes)}\n{languages}")


@engine.command()
@click.argument("spec")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--tolerance", type=click.FloatRange(0, 1), help="How far a score may move at most; else 0.05.")
def convert(spec: str, folder: Path, tolerance: float | None) -> None:
    """Turn the Detoxify checkpoint SPEC into int8 ONNX in FOLDER, once; then neither torch nor transformers is needed.

    SPEC is detoxify:original, detoxify:unbiased, detoxify:multilingual, or detoxify:/path/model.ckpt@SHA256.
    """
    numbers = count(1)

    def step(doing: str) -> None:
        click.echo(f"{next(numbers)}. {doing} …", err=True)

    with in_a_line():
        made = convert_engine(spec, folder, tolerance, step)
    click.echo(f"Wrote {made.megabytes:.1f} MB to {folder}.")
    click.echo(f"No score of {made.texts} texts moved by more than {made.difference:.4f} ({made.tolerance:g} allowed).")
    click.echo(f"{made.speedup:.1f} times as fast here: {made.after:.3g} ms a text instead of {made.before:.3g}.")
    click.echo(f"Use it with ENGINE={made.spec}")


@contextmanager
def in_a_line() -> Iterator[None]:
    """An engine that cannot be had ends the command with what to do."""
    try:
        yield
    except EngineUnavailable as why:
        raise click.ClickException(str(why)) from why
