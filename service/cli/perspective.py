"""`flask perspective`: keys for the Perspective-compatible endpoints, what they score, labels, and the map of a log."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from config.settings import load
from service import labels
from service.cli.opening import now, opened
from service.cli.perspective_map import map_
from service.errors import Invalid
from service.identity import api_keys, scoring_keys
from service.identity.scoring_keys import Curve, Terms
from service.judges import open_judges
from service.labels import Which
from service.scoring import Scorer

KEY_ID = click.argument("key_id")
SITE_ID = click.argument("site_id")
CURVES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def perspective() -> None:
    """The endpoints that speak the Perspective API's protocol."""


perspective.add_command(map_)


# ---- keys -----------------------------------------------------------------------------------------------------------


@perspective.group()
def key() -> None:
    """Keys for these endpoints."""


@key.command("add")
@SITE_ID
@click.option("--name", required=True, help="Who will use it; shown in the list.")
@click.option("--per-minute", default=scoring_keys.PER_MINUTE, show_default=True, help="Calls a minute.")
@click.option("--lenient", is_flag=True, help="Score languages that the engine does not know, and say so in a header.")
@click.option("--map", "curves", type=CURVES, help="What `perspective map --out` wrote.")
def add(site_id: str, name: str, per_minute: int, lenient: bool, curves: Path | None) -> None:
    """Make a key for SITE_ID and print it. It cannot be shown again."""
    with opened() as db, db.write() as session:
        terms = Terms(per_minute, lenient, read_curves(curves) if curves else {})
        row, shown = scoring_keys.create(session, site_id, name, terms, now=now())
    click.echo(f"{row.id}  {name}  {told(terms)}", err=True)
    click.echo(shown)


@key.command("list")
@SITE_ID
def list_(site_id: str) -> None:
    """List the keys of SITE_ID: id, last four characters, state, name, terms."""
    with opened() as db, db.read() as session:
        for row in api_keys.listed(session, site_id):
            if scoring_keys.SCOPE in row.scopes:
                used = f"used {row.last_used_at:%Y-%m-%d}" if row.last_used_at else "never used"
                state = "revoked" if row.revoked_at else used
                click.echo(f"{row.id}  …{row.hint}  {state}  {row.name}  {told(Terms.from_json(row.settings))}")


@key.command("set")
@KEY_ID
@click.option("--per-minute", type=int, help="Calls a minute.")
@click.option("--lenient/--strict", default=None, help="What happens with languages that the engine does not know.")
@click.option("--map", "curves", type=CURVES, help="What `perspective map --out` wrote.")
@click.option("--no-map", is_flag=True, help="Answer on the engine's own scale again.")
def set_(key_id: str, per_minute: int | None, lenient: bool | None, curves: Path | None, no_map: bool) -> None:
    """Put the key KEY_ID on other terms; what is not named stays."""
    with opened() as db, db.write() as session:
        terms = scoring_keys.terms(session, key_id)
        if per_minute is not None:
            terms = replace(terms, per_minute=per_minute)
        if lenient is not None:
            terms = replace(terms, lenient=lenient)
        if curves or no_map:
            terms = replace(terms, curves=read_curves(curves) if curves else {})
        row = scoring_keys.change(session, key_id, terms)
    click.echo(f"{row.id}  {row.name}  {told(terms)}")


@key.command()
@KEY_ID
def revoke(key_id: str) -> None:
    """End the key KEY_ID (as `list` names it) at once."""
    with opened() as db, db.write() as session:
        row = api_keys.revoke(session, key_id, now=now())
    click.echo(f"Revoked {row.id} ({row.name}).")


def told(terms: Terms) -> str:
    """The terms of a key in a few words."""
    mode = "lenient" if terms.lenient else "strict"
    mapped = f", mapped: {' '.join(sorted(terms.curves))}" if terms.curves else ""
    return f"{mode}, {terms.per_minute}/minute{mapped}"


def read_curves(path: Path) -> dict[str, Curve]:
    """The curves of a map file; raises `Invalid` where it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["curves"]
        return {name: (tuple(map(float, ours)), tuple(map(float, theirs))) for name, (ours, theirs) in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise Invalid(f"{path.name} is not what `perspective map --out` writes.") from wrong


# ---- attributes -----------------------------------------------------------------------------------------------------


@perspective.command()
def attributes() -> None:
    """Show which attributes are live, by which engine, in which languages, at what measured quality."""
    judges = open_judges(load())
    table = Table("engine", "attributes", "languages", "measured")
    for one in Scorer(lambda: judges.engines, at_once=1).live():
        table.add_row(one.engine, " ".join(one.names), one.languages, one.quality)
    Console().print(table)
    for problem in judges.problems:
        click.echo(problem, err=True)


# ---- labels ---------------------------------------------------------------------------------------------------------


@perspective.group("labels")
def labels_() -> None:
    """What people said of texts through `comments:suggestscore`."""


@labels_.command()
@SITE_ID
@click.option("--community", help="Of this community only.")
def count(site_id: str, community: str | None) -> None:
    """Count the labels of SITE_ID against the model, at one half."""
    table = Table("community", "label", "labels", "compared", "agree", "both", "people only", "model only")
    with opened() as db:
        for one in labels.agreement(db, site_id, community):
            share = "–" if one.share is None else f"{one.share:.0%}"
            numbers = (one.both, one.people_only, one.model_only)
            table.add_row(one.community, one.name, str(one.labels), str(one.compared), share, *map(str, numbers))
    Console().print(table)


@labels_.command()
@SITE_ID
@click.option("--community", help="Of this community only.")
def export(site_id: str, community: str | None) -> None:
    """Write the labels of SITE_ID as JSON lines, oldest first. They hold people's texts: treat them as such."""
    with opened() as db:
        for label in labels.listed(db, site_id, community):
            click.echo(json.dumps(labels.exported(label), ensure_ascii=False))


@labels_.command()
@SITE_ID
@click.option("--community", help="Of this community.")
@click.option("--client-token", help="With this token; Coral's are `comment:` and the comment's id.")
@click.option("--before", type=click.DateTime(["%Y-%m-%d"]), help="Older than this day (UTC).")
@click.option("--everything", is_flag=True, help="All of the site's.")
def erase(
    site_id: str, community: str | None, client_token: str | None, before: datetime | None, everything: bool
) -> None:
    """Remove labels of SITE_ID for good: those that every given condition holds for."""
    until = before.replace(tzinfo=UTC) if before else None
    with opened() as db:
        gone = labels.erase(db, site_id, Which(community, client_token, until, everything))
    click.echo(f"Erased {gone}.")
