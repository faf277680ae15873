"""`python -m tests.chaos`: two storms, one on SQLite and one on PostgreSQL with Redis, and an audit after each."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, update
from sqlmodel import col, select

from service import sites
from service.db import Database
from service.identity import api_keys
from service.migrations import upgrade
from service.models import Delivery
from service.outbound import Door
from service.webhooks import endpoints
from tests.chaos.audit import Books, check
from tests.chaos.crowd import ARTICLES, ORIGIN, SITE, Client, Ledger, moderate, write
from tests.chaos.stage import Stage
from tests.parts import Lair, Redis, shared_cluster, wait_for
from tests.receiver import Answer, Receiver

ARRIVAL_SECONDS = 180.0
ENOUGH = 10
LIMITS = ("COMMENT", "EDIT", "REPORT", "REACTION", "TOKEN", "ARTICLE", "HOST")


@dataclass(frozen=True)
class Storm:
    """One run: on which database, with how many processes, for how long."""

    database: str
    webs: int
    workers: int
    readers: int
    seconds: float
    seed: int


def main() -> int:
    """Run the storms that were asked for; 0 when every book was right."""
    asked = arguments()
    storms = [
        Storm("sqlite", 1, 2, asked.readers, asked.seconds, asked.seed),
        Storm("postgresql", asked.webs, asked.workers, asked.readers, asked.seconds, asked.seed),
    ]
    lair = Lair.open()
    try:
        return max(run(storm, lair) for storm in storms if asked.database in ("both", storm.database))
    finally:
        lair.close()


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--seconds", type=float, default=40.0, help="of storm, for each database")
    parser.add_argument("--webs", type=int, default=3, help="web processes on PostgreSQL")
    parser.add_argument("--workers", type=int, default=3, help="workers on PostgreSQL")
    parser.add_argument("--readers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    return parser.parse_args()


def run(storm: Storm, lair: Lair) -> int:
    """One storm and its audit; prints what happened."""
    print(f"\n{storm}", flush=True)
    with TemporaryDirectory(prefix="fw-chaos-") as name, Receiver() as receiver:
        with installation(storm, lair, Path(name), receiver) as (db, environment, key):
            ledger = Ledger()
            with Stage(Path(name), environment, storm.webs, storm.workers) as stage:
                began = time.monotonic()
                blow(storm, stage, ledger, key, receiver)
                stage.settle()
                wait_for(lambda: all_arrived(db), ARRIVAL_SECONDS, "every delivery", pause=0.5)
                calm = time.monotonic() - began - storm.seconds
                pages = read_everything(stage.ports, ledger)
            with db.read() as session:
                books = Books.read(session, SITE)
        return report(storm, stage, ledger, books, receiver, pages, calm)


@contextmanager
def installation(
    storm: Storm, lair: Lair, folder: Path, receiver: Receiver
) -> Iterator[tuple[Database, dict[str, str], str]]:
    """A migrated database with a site, an endpoint and a key; and the environment of its processes."""
    url, redis = f"sqlite:///{folder / 'firstword.db'}", None
    if storm.database == "postgresql":
        url, redis = shared_cluster(lair).create(f"chaos_{storm.seed}"), Redis(lair).start()
    upgrade(url)
    db = Database(url, pool_size=4)
    now = datetime.now(UTC)
    sites.add_site(db, SITE, "The Gazette", [ORIGIN], now=now)
    door = Door(allow=frozenset({("127.0.0.1", receiver.port)}), require_https=False)
    endpoints.register(db, SITE, endpoints.Wish(receiver.url), door, now=now)
    with db.write() as session:
        _, key = api_keys.create(session, SITE, "chaos", ["moderate"], now=now)
    try:
        yield db, environment(url, redis, folder, receiver), key
    finally:
        db.close()
        if redis is not None:
            redis.stop()


def environment(url: str, redis: Redis | None, folder: Path, receiver: Receiver) -> dict[str, str]:
    """The settings of every process: as in production, but short leases, no limits, and a hole to the receiver."""
    rate = "author 1000000/minute, network 1000000/minute, site 1000000/minute"
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "REDIS_URL": redis.url if redis else "",
        "DATA_DIR": str(folder),
        "SIGNING_KEYS": "k" * 40,
        "ENGINE": "lexicon",
        "LOG_LEVEL": "WARNING",
        "DEVELOPMENT": "1",
        "OUTBOUND_ALLOW": receiver.host_port,
        "WEBHOOK_TIMEOUT": "2",
        "DELIVERY_LEASE": "4",
        "TOKEN_LIFE": "86400",
        "EDIT_WINDOW": "86400",
        **{f"LIMIT_{action}": rate for action in LIMITS},
    }


def blow(storm: Storm, stage: Stage, ledger: Ledger, key: str, receiver: Receiver) -> None:
    """Readers and a moderator at work, killing all around them, an endpoint that sometimes fails, for so long."""
    stop = threading.Event()
    with ThreadPoolExecutor(storm.readers + 2) as pool:
        jobs = []
        for number in range(storm.readers):
            chance = random.Random(f"{storm.seed} reader {number}")
            jobs.append(pool.submit(write, number, Client(stage.ports, ledger, chance), ledger, stop, chance))
        chance = random.Random(f"{storm.seed} host")
        jobs.append(pool.submit(moderate, Client(stage.ports, ledger, chance, key), ledger, stop, chance))
        jobs.append(pool.submit(trouble, receiver, stop, random.Random(f"{storm.seed} endpoint")))
        try:
            stage.haunt(storm.seconds, random.Random(f"{storm.seed} killer"), stop)
            stage.settle()
        finally:
            stop.set()
        for job in jobs:
            job.result()


def trouble(receiver: Receiver, stop: threading.Event, chance: random.Random) -> None:
    """Now and then the endpoint fails once or hangs for a moment."""
    while not stop.wait(chance.uniform(1, 3)):
        receiver.answers.append(chance.choice((Answer(503), Answer(hang_up=True), Answer(204, after=1.0))))


def all_arrived(db: Database) -> bool:
    """Whether nothing is on its way; what waits for a later try, minutes from now, is made due, as time would."""
    with db.write() as session:
        session.execute(update(Delivery).where(col(Delivery.state) == "due").values(due_at=datetime.now(UTC)))
        moving = select(func.count()).select_from(Delivery).where(col(Delivery.state).in_(("due", "sending")))
        return session.exec(moving).one() == 0


def read_everything(ports: list[int], ledger: Ledger) -> list[str]:
    """Every page of every thread, as readers get them."""
    client = Client(ports, ledger, random.Random(1))
    pages: list[str] = []
    for number in range(ARTICLES):
        cursor = ""
        while cursor is not None:
            query = f"site={SITE}&article=a{number}&limit=100" + (f"&cursor={cursor}" if cursor else "")
            status, page = client.ask("GET", f"/comments?{query}")
            if status != 200:
                raise RuntimeError(f"a thread was answered with {status}")
            pages.append(json.dumps(page))
            pages += _long_replies(client, page["comments"])
            cursor = page["next"]
    return pages


def _long_replies(client: Client, comments: list[dict]) -> list[str]:
    """The further pages of replies that did not fit, at every depth."""
    pages: list[str] = []
    for comment in comments:
        replies = comment["replies"]
        pages += _long_replies(client, replies["comments"])
        cursor = replies["next"]
        while cursor is not None:
            _, page = client.ask("GET", f"/comments/{comment['id']}/replies?cursor={cursor}")
            pages.append(json.dumps(page))
            pages += _long_replies(client, page["comments"])
            cursor = page["next"]
    return pages


def report(
    storm: Storm, stage: Stage, ledger: Ledger, books: Books, receiver: Receiver, pages: list[str], calm: float
) -> int:
    """Print the figures and every broken promise; 1 when there is one."""
    acknowledged = sum(posted.comment_id is not None for posted in ledger.posted)
    ids = {request.headers["webhook-id"] for request in receiver.requests}
    print(f"  killed {stage.kills}; answers {dict(sorted(ledger.answers.items()))}")
    print(f"  {len(ledger.posted)} comments wanted, {acknowledged} acknowledged, {len(books.comments)} stored")
    decisions = sum(map(len, books.decisions.values()))
    print(f"  {decisions} decisions, {len(books.events)} events, {len(receiver.requests)} requests for {len(ids)} ids")
    print(f"  everything delivered {calm:.1f} s after the storm")
    found = {**check(books, ledger.posted, receiver.requests, pages), "promises to clients kept": ledger.complaints}
    found["there was a storm, and a crowd in it"] = calm_weather(stage, acknowledged)
    for invariant, wrong in found.items():
        print(f"  {'BROKEN' if wrong else 'holds '}  {invariant}")
        for line in wrong[:10]:
            print(f"            {line}")
    if any(found.values()):
        print(f"  to see it again: --seed {storm.seed} --database {storm.database}")
    return int(any(found.values()))


def calm_weather(stage: Stage, acknowledged: int) -> list[str]:
    """Why this run shows nothing: books that nobody wrote in are always right."""
    quiet = [f"no {kind} was killed" for kind, kills in stage.kills.items() if not kills]
    return quiet + ([f"only {acknowledged} comments were acknowledged"] if acknowledged < ENOUGH else [])


if __name__ == "__main__":
    sys.exit(main())
