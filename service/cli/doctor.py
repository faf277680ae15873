"""`flask doctor`: is this installation well, and if not, what to do."""

from __future__ import annotations

import sys

import click

from config.settings import load
from service import doctor as medicine
from service.cli.opening import now
from service.db import Database

SIGNS = {medicine.OK: ("ok  ", "green"), medicine.WARN: ("warn", "yellow"), medicine.FAIL: ("FAIL", "red")}


@click.command()
def doctor() -> None:
    """Check configuration, database, model, clock, worker and endpoints; ends with 1 when something fails."""
    settings = load()
    db = Database(settings.database_url, pool_size=2)
    failed = False
    try:
        for finding in medicine.examine(settings, db, now=now()):
            sign, colour = SIGNS[finding.level]
            click.echo(f"{click.style(sign, fg=colour)}  {finding.what}")
            if finding.advice:
                click.echo(f"      {finding.advice}")
            failed = failed or finding.level == medicine.FAIL
    finally:
        db.close()
    sys.exit(1 if failed else 0)
