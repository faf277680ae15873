"""`flask endpoint`: where a site's webhooks go. The same verbs as /api/v1/webhooks, for whoever has the machine."""

from __future__ import annotations

from datetime import timedelta

import click

from config.settings import load
from service.cli.opening import now, opened
from service.webhooks import EVENTS, endpoints, log
from service.webhooks.endpoints import SCHEMES, Wish
from service.webhooks.sending import open_door

SCHEME = click.option("--scheme", default="v1", show_default=True, type=click.Choice(SCHEMES))


@click.group()
def endpoint() -> None:
    """The addresses of a host that get events."""


@endpoint.command()
@click.argument("site_id")
@click.argument("url")
@click.option("--type", "types", multiple=True, type=click.Choice(EVENTS), help="Only these events; default all.")
@click.option("--full", is_flag=True, help="With texts and names.")
@SCHEME
def add(site_id: str, url: str, types: tuple[str, ...], full: bool, scheme: str) -> None:
    """Send the events of SITE_ID to URL, and print what the receiver verifies with."""
    settings = load()
    with opened(settings) as db:
        wish = Wish(url, types=types, full=full, scheme=scheme)
        made, shown = endpoints.register(db, site_id, wish, open_door(settings), now=now())
    click.echo(f"{made.id}  {made.url}", err=True)
    click.echo(shown)


@endpoint.command("list")
@click.argument("site_id")
def list_(site_id: str) -> None:
    """List the endpoints of SITE_ID."""
    with opened() as db:
        for one in endpoints.listed(db, site_id):
            failing = f", failing since {one.failing_since:%Y-%m-%d %H:%M}" if one.failing_since else ""
            why = f" ({one.disabled_reason})" if one.disabled_reason else ""
            click.echo(f"{one.id}  {one.state}{why}{failing}  {one.url}  {', '.join(one.types) or 'all events'}")


@endpoint.command()
@click.argument("site_id")
@click.argument("endpoint_id")
@SCHEME
@click.option(
    "--overlap-hours",
    default=24,
    show_default=True,
    type=click.IntRange(0, endpoints.LONGEST_OVERLAP // timedelta(hours=1)),
    help="How long the old key signs beside the new one.",
)
def rotate(site_id: str, endpoint_id: str, scheme: str, overlap_hours: int) -> None:
    """Give an endpoint a new key and print what the receiver verifies with."""
    with opened() as db:
        overlap = timedelta(hours=overlap_hours)
        _, shown = endpoints.rotate(db, site_id, endpoint_id, scheme, now=now(), overlap=overlap)
    click.echo(shown)


@endpoint.command()
@click.argument("site_id")
@click.argument("endpoint_id")
def enable(site_id: str, endpoint_id: str) -> None:
    """Put an endpoint back in service; then `replay-failed` sends what it missed."""
    settings = load()
    with opened(settings) as db:
        endpoints.change(db, site_id, endpoint_id, {"enabled": True}, open_door(settings), now=now())
    click.echo("Enabled.")


@endpoint.command()
@click.argument("site_id")
@click.argument("endpoint_id")
def ping(site_id: str, endpoint_id: str) -> None:
    """Send a ping to an endpoint; the worker does it, and the delivery log tells how it went."""
    with opened() as db:
        event = endpoints.ping(db, site_id, endpoint_id, now=now())
    click.echo(f"Queued msg_{event.id}.")


@endpoint.command("replay-failed")
@click.argument("site_id")
@click.argument("endpoint_id")
def replay_failed(site_id: str, endpoint_id: str) -> None:
    """Send again everything that was given up."""
    after: int | None = 0
    total = 0
    with opened() as db:
        while after is not None:
            queued = log.replay_failed(db, site_id, endpoint_id, after, now=now())
            total, after = total + queued.count, queued.next_after
    click.echo(f"Queued {total}.")
