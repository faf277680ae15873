"""`flask site`: register the sites that an installation serves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

import click

from config.settings import load
from service import sites, transfer
from service.cli.opening import now, opened
from service.judges import try_policy


@click.group()
def site() -> None:
    """The sites that this installation serves."""


@site.command()
@click.argument("site_id")
@click.option("--name", required=True, help="The name that readers and staff see.")
@click.option("--origin", "origins", multiple=True, required=True, help="https://news.example; may be repeated.")
def add(site_id: str, name: str, origins: tuple[str, ...]) -> None:
    """Register SITE_ID, the id that the widget's `site` attribute carries."""
    with opened() as db:
        made = sites.add_site(db, site_id, name, origins, now=now())
    click.echo(f"Registered {made.id} for {', '.join(made.origins)}.")


@site.command()
@click.argument("site_id")
@click.argument("origins", nargs=-1, required=True)
def origins(site_id: str, origins: tuple[str, ...]) -> None:
    """Set the origins that pages of SITE_ID are served from, all of them."""
    with opened() as db:
        kept = sites.set_origins(db, site_id, origins)
    click.echo(f"{site_id}: {', '.join(kept)}")


@site.command("export")
@click.argument("site_id")
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="A file; default stdout.")
def export(site_id: str, out: Path | None) -> None:
    """Write everything of SITE_ID as JSON lines, as of one moment. A file is replaced by a whole one or not at all."""
    with opened() as db, written_whole(out) as file:
        for line in transfer.write(db, site_id, now=now()):
            file.write(line)


@contextmanager
def written_whole(path: Path | None) -> Iterator[TextIO]:
    """A file that takes the place of another when all of it is written; a pipe and stdout take what comes."""
    if path is None:
        yield sys.stdout
    elif path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8") as pipe:
            yield pipe
    else:
        draft = path.with_name(f"{path.name}.new")
        try:
            with draft.open("w", encoding="utf-8") as file:
                yield file
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


@site.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
def import_(file: TextIO) -> None:
    """Read the export of a site into an installation that does not have it; all of it or nothing."""
    settings = load()
    try:
        with opened(settings) as db:
            counts = transfer.read(db, file, partial(try_policy, settings))
    except UnicodeDecodeError as wrong:
        why = "is not UTF-8 text; unpack it first if it is packed. Nothing was imported."
        raise click.ClickException(f"{file.name} {why}") from wrong
    click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
