"""`flask worker`: deliveries and chores, until SIGTERM."""

from __future__ import annotations

import signal
import threading

import click

from config import settings as configuration
from service import logs
from service import worker as background
from service.db import Database


@click.command("worker")
def worker() -> None:
    """Send webhooks and do the chores. SIGTERM or Ctrl-C lets what is in flight finish."""
    settings = configuration.load()
    logs.configure(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    db = Database(settings.database_url, pool_size=max(4, settings.deliveries_at_once // 2))
    try:
        background.run(db, settings, stop)
    finally:
        db.close()


if __name__ == "__main__":
    worker()
