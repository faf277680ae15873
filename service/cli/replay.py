"""`replay FILE`: a file of real comments posted over HTTP to a service of its own, and what came of them.

The service is the real one, started for this with a database of its own that is thrown away; limits are raised by
settings, and each author comes from an address of their own through a trusted proxy setting. No code path differs.
"""

from __future__ import annotations

import json
import secrets
import socket
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.settings import demo_environment, load
from service import migrations, sites
from service.cli.opening import now, opened
from service.cli.processes import Processes
from service.cli.replay_client import Client, Outcome, post_all
from service.cli.replay_file import read_comments
from service.cli.replay_receiver import Receiver
from service.cli.replay_report import print_report
from service.identity import api_keys
from service.webhooks import endpoints
from service.webhooks.sending import open_door

SITE, ORIGIN = "replay", "https://replay.example"
RAISED = "author 1000000/minute, network 1000000/minute, site 1000000/minute"
ACTIONS = ("COMMENT", "TOKEN", "ARTICLE")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--articles", default=20, show_default=True, help="On how many articles, where the file names none.")
@click.option("--clients", default=4, show_default=True, help="How many post at the same time.")
@click.option("--label", help="The column that says 1 for a comment that people found unfit; found by itself if usual.")
@click.option("--limit", type=int, help="Only the first so many comments.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write one JSON line a comment here.")
def replay(file: Path, articles: int, clients: int, label: str | None, limit: int | None, out: Path | None) -> None:
    """Post the comments of FILE (CSV or JSON lines) to a fresh service and tell what came of them."""
    rows = read_comments(file, articles=articles, label=label)[:limit]
    with tempfile.TemporaryDirectory(prefix="firstword-replay-") as folder, Receiver() as receiver:
        environment = replay_environment(Path(folder), receiver.port)
        settings = load(environment)
        migrations.upgrade(settings.database_url)
        with opened(settings) as db:
            sites.add_site(db, SITE, "Replay", [ORIGIN], now=now())
            wish = endpoints.Wish(f"http://127.0.0.1:{receiver.port}/")
            endpoints.register(db, SITE, wish, open_door(settings), now=now())
            with db.write() as session:
                _, key = api_keys.create(session, SITE, "replay", ["events"], now=now())
        with Processes(settings, environment) as processes:
            processes.start()
            client = Client(settings.host, settings.port, SITE, ORIGIN)
            outcomes = with_progress(client, rows, clients)
            events = client.count_events(key)
            receiver.wait_for(events, seconds=60 + events / 20)
        print_report(Console(), settings.engine, outcomes, events, receiver.count)
    if out is not None:
        out.write_text("".join(json.dumps(outcome.as_json()) + "\n" for outcome in outcomes), encoding="utf-8")


def replay_environment(folder: Path, receiver_port: int) -> dict[str, str]:
    """The settings of the service that is replayed to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    mine = {
        "DATA_DIR": str(folder),
        "PORT": port,
        "PUBLIC_URL": f"http://localhost:{port}",
        "DEMO": "0",
        "DATABASE_URL": "",
        "LOG_LEVEL": "WARNING",
        "SIGNING_KEYS": secrets.token_hex(32),
        "TRUSTED_PROXIES": "127.0.0.0/8",
        "OUTBOUND_ALLOW": f"127.0.0.1:{receiver_port}",
        **{f"LIMIT_{action}": RAISED for action in ACTIONS},
    }
    return {**demo_environment(), **mine}


def with_progress(client: Client, rows: list[dict[str, str]], clients: int) -> list[Outcome]:
    """Post everything while a bar tells how far it is."""
    columns = (TextColumn("Posting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("post", total=len(rows))
        return post_all(client, rows, clients, lambda: progress.advance(task))
