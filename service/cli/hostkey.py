"""`flask hostkey`: the keys by which a host signs who its readers are."""

from __future__ import annotations

from typing import BinaryIO

import click

from service.cli.opening import now, opened
from service.identity import host_keys
from service.identity.host_keys import Offer


@click.group()
def hostkey() -> None:
    """A site's keys for host-signed identity: two at most live at once."""


@hostkey.command()
@click.argument("site_id")
@click.option("--kid", required=True, help="The key's name, which tokens carry in their header.")
@click.option("--issuer", required=True, help="What the tokens say in `iss`, as https://news.example")
@click.option("--algorithm", default="HS256", show_default=True, type=click.Choice(host_keys.ALGORITHMS))
@click.option("--public-key", type=click.File("rb"), help="A file with the public key in PEM form; not for HS256.")
def add(site_id: str, kid: str, issuer: str, algorithm: str, public_key: BinaryIO | None) -> None:
    """Register a key for SITE_ID. For HS256 a secret is made and printed; it cannot be shown again."""
    try:
        pem = public_key.read().decode("utf-8") if public_key else None
    except UnicodeDecodeError as wrong:
        raise click.ClickException("That is not a public key in PEM form, which is text.") from wrong
    offer = Offer(kid, issuer, algorithm, public_key=pem)
    with opened() as db, db.write() as session:
        key = host_keys.add(session, site_id, offer, now=now())
    click.echo(f"{key.kid}  {key.algorithm}  {key.issuer}", err=True)
    if key.secret is not None:
        click.echo(key.secret)


@hostkey.command("list")
@click.argument("site_id")
def list_(site_id: str) -> None:
    """List the keys of SITE_ID."""
    with opened() as db, db.read() as session:
        for key in host_keys.listed(session, site_id):
            state = f"retired {key.retired_at:%Y-%m-%d}" if key.retired_at else "live"
            click.echo(f"{key.kid}  {key.algorithm}  {state}  {key.issuer}")


@hostkey.command()
@click.argument("site_id")
@click.argument("kid")
def retire(site_id: str, kid: str) -> None:
    """End the key KID of SITE_ID at once; what it signed is refused from now on."""
    with opened() as db, db.write() as session:
        host_keys.retire(session, site_id, kid, now=now())
    click.echo(f"Retired {kid}.")
