"""The list of topics: one line each."""

from __future__ import annotations

import click

from service.cli.apikey import apikey
from service.cli.author import author
from service.cli.database import db
from service.cli.demo import demo
from service.cli.doctor import doctor
from service.cli.endpoint import endpoint
from service.cli.engine import engine
from service.cli.hostkey import hostkey
from service.cli.moderator import moderator
from service.cli.perspective import perspective
from service.cli.replay import replay
from service.cli.score import score_
from service.cli.site import site
from service.cli.web import web
from service.cli.worker import worker

COMMANDS: tuple[click.Command, ...] = (
    apikey,
    author,
    db,
    demo,
    doctor,
    endpoint,
    engine,
    hostkey,
    moderator,
    perspective,
    replay,
    score_,
    site,
    web,
    worker,
)


@click.group(help="Firstword: a self-hosted comment service.")
def firstword() -> None:
    """All topics under one name."""


for command in COMMANDS:
    firstword.add_command(command)
