"""`python -m benchmarks.desk`: the moderators' queue with 10,000 waiting of 200,000 comments, on both databases.

Through the application itself, one request after another: from a key to the next card, the queue's pages, search, and
deciding many at once. CPU is this process's own, so that it can be read on a machine that does other things besides;
on PostgreSQL the server's own is not in it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import insert, text

from config.settings import load
from service import housekeeping, review
from service.app import create_app
from service.db import Database
from service.identity import staff
from service.identity.staff import Hours
from service.migrations import upgrade
from service.models import Article, Author, Comment, CommentVersion, Decision, Site, SiteCounter, new_id
from service.review import Ask, Decider, Selection, Verdict
from service.triage import Standing, triage, urgency
from tests.parts import Lair, shared_cluster

SITE, ARTICLES, AUTHORS, CHUNK = "bench", 400, 20_000, 5_000
FILLING_KIB = 300_000
WORDS = (Path(__file__).parent.parent / "config" / "policy.toml").read_text(encoding="utf-8").lower().split()
CODES = (
    ("engine.insult", "insult"),
    ("engine.toxicity", "toxicity"),
    ("links.too_many", None),
    ("trust.new_author", None),
)
NOW = datetime.now(UTC)
BASE = {"base_url": "https://desk.example"}


@dataclass
class Timed:
    """One thing that a moderator does, done some times."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def line(self) -> str:
        """Its figures in milliseconds."""
        cuts = statistics.quantiles(self.wall, n=20) if len(self.wall) > 1 else self.wall * 19
        cpu = statistics.median(self.cpu)
        return f"  {self.name:<34} p50 {statistics.median(self.wall):8.1f}  p95 {cuts[18]:8.1f}  CPU {cpu:8.1f} ms"


def main() -> None:
    """Measure each database."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk")
    parser.add_argument("--comments", type=int, default=200_000)
    parser.add_argument("--pending", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--databases", default="sqlite,postgresql")
    options = parser.parse_args()
    lair = Lair.open()
    try:
        for kind in options.databases.split(","):
            with database(kind, lair) as url:
                print(f"{kind}, {options.pending:,} waiting of {options.comments:,} comments", flush=True)
                run(url, options.comments, options.pending, options.rounds)
    finally:
        lair.close()


@contextmanager
def database(kind: str, lair: Lair) -> Iterator[str]:
    """The address of a fresh migrated database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fw-bench-")))
        url = f"sqlite:///{folder / 'bench.db'}" if kind == "sqlite" else shared_cluster(lair).create("bench_desk")
        upgrade(url)
        yield url


def run(url: str, comments: int, pending: int, rounds: int) -> None:
    """Fill the database, then measure."""
    app = create_app(load({"DATABASE_URL": url, "SIGNING_KEYS": "k" * 40, "LOG_LEVEL": "ERROR"}))
    db: Database = app.extensions["firstword"].database
    began = time.monotonic()
    fill(db, comments, pending)
    print(f"  filled in {time.monotonic() - began:.0f} s", flush=True)
    who = staff.add_moderator(db, "mo", "Mo", "correct-horse-battery", {SITE: "admin"}, NOW)
    hours = Hours(timedelta(hours=9), timedelta(hours=9))
    token, entry = staff.sign_in(db, "mo", "correct-horse-battery", "", hours, datetime.now(UTC))
    client = app.test_client()
    client.set_cookie("__Host-firstword", token, domain="desk.example", secure=True)
    for timed in (*pages(client, rounds), *deciding(client, entry.csrf, db, rounds)):
        print(timed.line(), flush=True)
    for line in bulk(app.extensions["firstword"].judges, db, staff.Staff(who, "mo", "Mo", {SITE: "admin"})):
        print(line, flush=True)
    db.close()


# ---- filling ------------------------------------------------------------------------------------------------------


def fill(db: Database, comments: int, pending: int) -> None:
    """A site with its archive: most comments published unread, some rejected, some waiting."""
    rng = random.Random(7)
    authors = [new_id() for _ in range(min(AUTHORS, comments))]
    articles = [new_id() for _ in range(min(ARTICLES, comments))]
    with db.write() as session:
        if db.is_sqlite:  # pages of its many indexes are written once instead of again and again
            session.execute(text(f"PRAGMA cache_size = -{FILLING_KIB}"))
        session.execute(insert(Site), [_plain(Site(id=SITE, name="Bench", created_at=NOW))])
        session.execute(insert(SiteCounter), [_plain(SiteCounter(site_id=SITE))])
        session.execute(insert(Author), [_author(one, rng) for one in authors])
        session.execute(insert(Article), [_article(one, n) for n, one in enumerate(articles)])
    waiting = set(rng.sample(range(comments), pending))
    for start in range(0, comments, CHUNK):
        rows = [
            _comment(rng, rng.choice(articles), rng.choice(authors), n in waiting)
            for n in range(start, min(start + CHUNK, comments))
        ]
        with db.write() as session:
            for table, place in ((Comment, 0), (CommentVersion, 1), (Decision, 2)):
                session.execute(insert(table), [_plain(row[place]) for row in rows])
    settle(db)


def settle(db: Database) -> None:
    """Let the database learn what it holds, as the worker's chore does on SQLite and PostgreSQL does by itself."""
    if db.is_sqlite:
        housekeeping.measure(db, NOW)
        return
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


def _plain(row: Any) -> dict[str, Any]:
    return dict(row.model_dump())


def _author(one: str, rng: random.Random) -> dict[str, Any]:
    name = f"{rng.choice(WORDS)} {rng.choice(WORDS)}"[:40]
    since = NOW - timedelta(days=rng.randint(0, 900))
    return _plain(Author(id=one, site_id=SITE, issuer="guest", subject=one, name=name, created_at=since))


def _article(one: str, number: int) -> dict[str, Any]:
    url = f"https://bench.example/{number}"
    return _plain(Article(id=one, site_id=SITE, key=str(number), url=url, title=f"Article {number}", created_at=NOW))


def _comment(rng: random.Random, article: str, author: str, waits: bool) -> tuple[Comment, CommentVersion, Decision]:
    one, at = new_id(), NOW - timedelta(minutes=rng.randint(0, 600 if waits else 200_000))
    status = "pending" if waits else "rejected" if rng.random() < 0.03 else "approved"
    judged = _judgement(rng, waits)
    sorted_by = triage(judged)
    comment = Comment(
        id=one, site_id=SITE, article_id=article, author_id=author, thread_id=one, status=status, created_at=at,
        public=1 if status == "approved" else None, revision=1, language="en", triage=sorted_by, decided_at=at,
        fingerprint=new_id(), network=f"n{rng.randint(0, 30_000)}",
        sampled=status == "approved" and rng.random() < 0.05, urgency=urgency(sorted_by["band"], Standing(), at),
    )  # fmt: skip
    words = " ".join(rng.choices(WORDS, k=rng.randint(8, 60)))
    version = CommentVersion(
        site_id=SITE, comment_id=one, number=1, status=status, text=words, nodes=[words], created_at=at
    )
    decision = Decision(
        site_id=SITE, comment_id=one, revision=1, version=1, actor="engine", verb="judge", after=status,
        judgement=judged, created_at=at, previous={"public": None, "gone": None, "statuses": {"1": "pending"}},
    )  # fmt: skip
    return comment, version, decision


def _judgement(rng: random.Random, waits: bool) -> dict[str, Any]:
    code, attribute = rng.choice(CODES)
    score = round(rng.uniform(0.6, 0.99) if waits else rng.uniform(0, 0.6), 3)
    finding = {
        "code": code, "source": "bench", "outcome": "hold", "spans": [[0, 5]], "attribute": attribute,
        "score": score if attribute else None, "tone": False, "params": {"links": 3, "most": 1},
    }  # fmt: skip
    return {
        "outcome": "hold" if waits else "approve", "findings": [finding] if waits else [], "engines": {"bench": "1"},
        "scores": {"bench": {"insult": score, "toxicity": score, "threat": round(score / 3, 3)}},
        "policy_digest": "p", "language": "en", "fingerprint": "", "facts": {},
    }  # fmt: skip


# ---- measuring ----------------------------------------------------------------------------------------------------


def timed(name: str, rounds: int, act: Callable[[], Any]) -> Timed:
    """Do something some times."""
    found = Timed(name)
    act()
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        found.wall.append((time.perf_counter() - wall) * 1000)
        found.cpu.append((time.process_time() - cpu) * 1000)
    return found


def pages(client: FlaskClient, rounds: int) -> Iterator[Timed]:
    """The pages that are read."""

    def get(path: str) -> Callable[[], None]:
        def ask() -> None:
            answer = client.get(f"/desk/{SITE}/{path}", **BASE)
            assert answer.status_code == 200, answer.status_code

        return ask

    for name, path in (
        ("queue page, most urgent first", "queue"),
        ("queue page, oldest first", "queue?order=oldest"),
        ("queue page, far down", "queue?after=-1.0e9/x&limit=50"),
        ("queue, held for an insult, high", "queue?code=engine.insult&band=high"),
        ("queue, score range", "queue?attribute=insult&from=0.6&to=0.7"),
        ("everything, newest first", "queue?view=all&order=newest"),
        ("counts", "counts"),
        ("search, a rare word", "queue?view=all&order=newest&q=premoderated+author"),
        ("search, a common word", "queue?view=all&order=newest&q=the"),
        ("choices of the filter", "filter"),
        ("bulk preview of a score range", "many?attribute=insult&from=0.6&to=0.7"),
        ("numbers of 14 days", "numbers?days=14"),
    ):
        yield timed(name, max(rounds // 4, 3) if "numbers" in name or "choices" in name else rounds, get(path))


def deciding(client: FlaskClient, csrf: str, db: Database, rounds: int) -> Iterator[Timed]:
    """From a key to the next card: the card fetched ahead, its lease, and the decision that is sent behind."""
    who = staff.Staff("x", "x", "x", {SITE: "admin"})
    ids = [row.id for row in review.queue(db, who, Ask(SITE, limit=200), NOW).rows]
    cards, leases, verdicts = Timed("the next card"), Timed("its lease"), Timed("a decision")
    for one in ids[:rounds]:
        path = f"/desk/{SITE}/comments/{one}"
        form = {"csrf": csrf, "version": "1", "verdict": "approve"}
        for found, ask in (
            (cards, lambda one=one: client.get(f"/desk/{SITE}/cards/{one}", **BASE)),
            (leases, lambda path=path: client.post(f"{path}/lease", data={"csrf": csrf}, **BASE)),
            (verdicts, lambda path=path, form=form: client.post(f"{path}/decisions", data=form, **BASE)),
        ):
            wall, cpu = time.perf_counter(), time.process_time()
            assert ask().status_code in (200, 303)  # type: ignore[no-untyped-call]
            found.wall.append((time.perf_counter() - wall) * 1000)
            found.cpu.append((time.process_time() - cpu) * 1000)
    yield from (cards, leases, verdicts)


def bulk(judges: Any, db: Database, who: staff.Staff) -> Iterator[str]:
    """Thousands decided at once, and taken back."""
    by, now = Decider.at_desk(who), datetime.now(UTC)
    ids = tuple(row.id for row in review.queue(db, who, Ask(SITE, limit=1), now).rows)
    assert ids
    middle = _median_time(db)
    ask = replace(Ask(SITE), until=now, since=middle)
    for name, act in (
        ("decided at once", lambda: review.decide_all(db, judges, by, Selection(ask), Verdict("", 0, "approve"), now)),
        ("taken back at once", lambda: review.undo_all(db, by, batches[-1].id, datetime.now(UTC))),
    ):
        wall, cpu = time.perf_counter(), time.process_time()
        batches.append(act())
        seconds, used = time.perf_counter() - wall, time.process_time() - cpu
        yield f"  {batches[-1].done:,} {name:<28} {seconds:6.1f} s, CPU {used:6.1f} s"


batches: list[review.Batch] = []


def _median_time(db: Database) -> datetime:
    """Since when about four thousand wait: a view has others besides, and 5,000 is the most at once."""
    from sqlmodel import col, select

    with db.read() as session:
        waiting = select(Comment.created_at).where(Comment.site_id == SITE, Comment.status == "pending")
        newest = waiting.order_by(col(Comment.created_at).desc())
        found = session.exec(newest.offset(4_000).limit(1)).first()
        return found or session.exec(waiting.order_by(col(Comment.created_at)).limit(1)).one()


if __name__ == "__main__":
    main()
