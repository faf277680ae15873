"""The desk stays quick with a large archive: on both databases its reads are led by an index, never by the whole table.

Every statement that a page sends is caught and planned again by the database itself, on an archive large enough for the
planner to have a choice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from benchmarks import desk as bench
from service import health, review
from service.db import Database
from service.identity.staff import Staff
from service.review import Ask, Selection
from service.review.numbers import numbers

COMMENTS, WAITING = 6_000, 300
MO = Staff("m" * 24, "mo", "Mo", {bench.SITE: "admin"})
LARGE = {"comment", "comment_version", "decision", "author", "event"}

Read = Callable[[Database], object]


def queue(**chosen: Any) -> Read:
    """A page of a view."""
    return lambda db: review.queue(db, MO, Ask(bench.SITE, **chosen), bench.NOW)


def _card(db: Database) -> object:
    first = review.queue(db, MO, Ask(bench.SITE, limit=1), bench.NOW).rows[0].id
    return review.card(db, MO, first, bench.NOW)


READS: dict[str, Read] = {
    "most urgent first": queue(),
    "far down": queue(after="-1.0e9/x"),
    "oldest first": queue(order="oldest"),
    "reported": queue(view="reported"),
    "escalated": queue(view="escalated"),
    "edited": queue(view="edited"),
    "sample": queue(view="sample", order="newest"),
    "everything": queue(view="all", order="newest"),
    "everything, most urgent first": queue(view="all"),
    "decided": queue(view="decided"),
    "mine": queue(view="mine"),
    "one author": queue(author="a" * 24),
    "one network": queue(network="n7"),
    "alike": queue(fingerprint="f" * 24),
    "a score range": queue(attribute="insult", lowest=0.6, highest=0.7),
    "a search": queue(view="all", order="newest", words="quagga"),
    "counts": lambda db: review.counts(db, MO, bench.SITE, bench.NOW),
    "a card": _card,
    "a bulk's preview": lambda db: review.preview(
        db, MO, Selection(Ask(bench.SITE, attribute="insult", lowest=0.6, highest=0.7)), bench.NOW
    ),
}


@pytest.fixture
def archive(database_url: str) -> Iterator[Database]:
    """A site with some thousand comments, known to the planner."""
    db = Database(database_url)
    bench.fill(db, COMMENTS, WAITING)
    yield db
    db.close()


@contextmanager
def caught(db: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            sent.append((statement, parameters))

    event.listen(db.reader, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.reader, "before_cursor_execute", note)


def scanned(db: Database, statement: str, parameters: Any) -> set[str]:
    """The tables that the database reads from end to end for a statement."""
    with db.reader.connect() as connection:
        if db.is_sqlite:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            return {
                found[1] for row in plan if (found := re.match(r"SCAN (\w+)(?! USING (?:COVERING )?INDEX)", row[3]))
            }
        [(plan,)] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).all()
        return set(_sequential(plan[0]["Plan"] if not isinstance(plan, str) else json.loads(plan)[0]["Plan"]))


def _sequential(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from _sequential(below)


def scans(db: Database) -> dict[str, tuple[set[str], str]]:
    """The reads that go through a whole large table, each with its statement."""
    found = {}
    for name, read in READS.items():
        with caught(db) as sent:
            read(db)
        assert sent
        for statement, parameters in sent:
            if tables := scanned(db, statement, parameters) & LARGE:
                found[name] = (tables, statement[:2000])
    return found


def forget(db: Database) -> None:
    """Put a SQLite file back to what it is before the worker has measured it."""
    with db.write() as session:
        session.execute(text("DROP TABLE sqlite_stat1"))
    db.close()


def test_no_read_of_the_desk_goes_through_a_whole_table(archive: Database) -> None:
    assert scanned(archive, "SELECT id FROM comment WHERE gone = 'never'", ()) == {"comment"}  # what would be seen
    assert scans(archive) == {}
    if archive.is_sqlite:
        forget(archive)
        assert scans(archive) == {}


def test_the_views_are_counted_in_indexes_alone(archive: Database) -> None:
    with caught(archive) as sent:
        review.counts(archive, MO, bench.SITE, bench.NOW)
    counting = [one for one in sent if "count(" in one[0]]
    assert len(counting) == 6
    alone = "COVERING INDEX" if archive.is_sqlite else "Index Only Scan"
    assert [one for one in counting if alone not in plan_of(archive, *one)] == []


def plan_of(db: Database, statement: str, parameters: Any) -> str:
    """What the database says that it would do."""
    explain = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
    with db.reader.connect() as connection:
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))


def test_the_numbers_find_what_was_held_and_decided_in_indexes_of_these_alone(archive: Database) -> None:
    with caught(archive) as sent:
        numbers(archive, MO, bench.SITE, 14, "insult", bench.NOW)
    plans = "\n".join(plan_of(archive, *one) for one in sent if "FROM decision" in one[0])
    alone = "USING COVERING INDEX ix_decision" if archive.is_sqlite else "Index Only Scan using ix_decision"
    assert {f"{alone}_people", f"{alone}_held"} <= set(re.findall(rf"{alone}_\w+", plans)), plans
    assert not re.search(r"(SCAN|Scan on|Scan using \w+_key on) decision", plans), plans


def test_what_waits_is_counted_in_an_index_of_what_waits(archive: Database) -> None:
    with caught(archive) as sent:
        lengths = health.queue_lengths(archive, now=bench.NOW)
    assert lengths.pending > 0
    [(statement, parameters)] = [one for one in sent if "FROM comment" in one[0]]
    assert "ix_comment_pending" in plan_of(archive, statement, parameters)


def test_a_search_looks_into_its_own_sites_part_of_the_index_alone(archive: Database) -> None:
    with caught(archive) as sent:
        READS["a search"](archive)
    [(statement, parameters)] = [one for one in sent if "quagga" in str(one[1]) and "FROM comment" in one[0]]
    plan = plan_of(archive, statement, parameters)
    for table in ("comment_version", "author", "article"):
        ranged = rf"SCAN search_in_{table} VIRTUAL TABLE INDEX \d+:M\d><"
        both = rf"Bitmap Index Scan on search_{table} .*\n +Index Cond: .*' {bench.SITE}'.*quagga"
        assert re.search(ranged if archive.is_sqlite else both, plan), plan
