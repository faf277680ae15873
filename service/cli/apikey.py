"""`flask apikey`: the keys by which hosts speak to the API."""

from __future__ import annotations

import click

from service.cli.opening import now, opened
from service.identity import api_keys


@click.group()
def apikey() -> None:
    """A site's API keys."""


@apikey.command()
@click.argument("site_id")
@click.option("--name", required=True, help="Who will use it; shown in the list.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(api_keys.SCOPES),
    help="What it may do; may be repeated.",
)
def create(site_id: str, name: str, scopes: tuple[str, ...]) -> None:
    """Make a key for SITE_ID and print it. It cannot be shown again."""
    with opened() as db, db.write() as session:
        row, shown = api_keys.create(session, site_id, name, scopes, now=now())
    click.echo(f"{row.id}  {name}  {', '.join(row.scopes)}", err=True)
    click.echo(shown)


@apikey.command("list")
@click.argument("site_id")
def list_(site_id: str) -> None:
    """List the keys of SITE_ID: id, last four characters, state, name, scopes."""
    with opened() as db, db.read() as session:
        for row in api_keys.listed(session, site_id):
            used = f"used {row.last_used_at:%Y-%m-%d}" if row.last_used_at else "never used"
            state = "revoked" if row.revoked_at else used
            click.echo(f"{row.id}  …{row.hint}  {state}  {row.name}  {', '.join(row.scopes)}")


@apikey.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End the key KEY_ID (as `list` names it) at once."""
    with opened() as db, db.write() as session:
        row = api_keys.revoke(session, key_id, now=now())
    click.echo(f"Revoked {row.id} ({row.name}).")
