"""`flask author`: what an operator does for one reader."""

from __future__ import annotations

import click

from service import privacy
from service.cli.opening import now, opened


@click.group()
def author() -> None:
    """Readers who write."""


@author.command()
@click.argument("site_id")
@click.argument("author_id")
@click.confirmation_option(prompt="Nothing of this can be undone. Erase?")
def erase(site_id: str, author_id: str) -> None:
    """Erase AUTHOR_ID of SITE_ID: name, texts and traces. Threads keep a placeholder where others have answered."""
    with opened() as db:
        erased = privacy.erase(db, site_id, author_id, now=now())
    click.echo(f"Erased {author_id} and {erased} comments.")
