"""`firstword web`: the web server, on this process."""

from __future__ import annotations

import os
import sys

import click

from config.settings import load
from service.cli.processes import web_command


@click.command("web")
def web() -> None:
    """Serve readers, staff and hosts until SIGTERM. Settings that cannot work are refused first."""
    os.execv(sys.executable, [sys.executable, *web_command(load())])  # noqa: S606 - our own server, no shell
