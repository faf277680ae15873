"""`flask doctor`: looks at everything that an installation stands on and says what to do about what is wrong.

It reads, measures and repeats nobody's words. What stands on the database is looked at only where there is one.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import redis
from alembic.script import ScriptDirectory
from sqlalchemy import func, text
from sqlalchemy.engine import make_url
from sqlmodel import Session, col, select

from config.settings import Settings
from moderation import ArticleFacts, AuthorFacts, PolicyError, Submission
from service import migrations
from service.db import Database
from service.errors import Unavailable
from service.judges import open_judges
from service.models import Decision, Delivery, Endpoint, Moderator, Site

OK, WARN, FAIL = "ok", "warn", "fail"
LOCAL: Final = ("localhost", "127.0.0.1", "::1")
GIGABYTE: Final = 1_000_000_000
PATIENCE: Final = timedelta(minutes=2)  # a delivery that is due for longer has no worker
POLICY_ADVICE: Final = "Every comment of the site waits for a person until it is mended at the desk, under Policy."
SAMPLE: Final = "The new bridge saves me twenty minutes each morning."


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in a sentence; and for what is not well, what to do."""

    level: str
    what: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at."""

    settings: Settings
    db: Database
    now: datetime


Check = Callable[[Patient], Iterator[Finding]]


def examine(settings: Settings, db: Database, *, now: datetime) -> Iterator[Finding]:
    """Every finding, in the order in which it makes sense to mend them."""
    patient = Patient(settings, db, now)
    for check in (configuration, disk, counting, judgement):
        yield from check(patient)
    found = list(tables(patient))
    yield from found
    if any(finding.level == FAIL for finding in found):
        return  # the rest stands on tables that are not there
    for check in (clock, policies, people, deliveries, endpoints):
        yield from check(patient)


# ---- the machine ----


def configuration(patient: Patient) -> Iterator[Finding]:
    """Settings that work and that one would not want in production."""
    settings = patient.settings
    local = urlsplit(settings.public_url).hostname in LOCAL
    if settings.development and not local:
        yield Finding(WARN, "DEVELOPMENT is on for a public address.", "Unset DEVELOPMENT, DEMO and OUTBOUND_ALLOW.")
    if not settings.secure and not local:
        yield Finding(FAIL, "PUBLIC_URL is plain http: nobody can sign in to the desk.", "Serve it over https.")
    if not local and not settings.trusted_proxies:
        advice = "Where a proxy ends TLS, name its address in TRUSTED_PROXIES; else all readers look like one network."
        yield Finding(WARN, "No proxy is trusted to say where readers come from.", advice)
    yield Finding(OK, f"The settings fit together; the public address is {settings.public_url}.")


def disk(patient: Patient) -> Iterator[Finding]:
    """Room to write where the data stands."""
    folder = patient.settings.data_dir
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield Finding(FAIL, "DATA_DIR cannot be written.", "Make the folder and give it to the service's user.")
        return
    free = shutil.disk_usage(folder).free
    level = OK if free > GIGABYTE else WARN if free > GIGABYTE / 10 else FAIL
    yield Finding(level, f"{free / GIGABYTE:.1f} GB are free in DATA_DIR.", "" if level == OK else "Make room.")


def tables(patient: Patient) -> Iterator[Finding]:
    """A database that answers, is whole, and has the tables of this version."""
    db, path = patient.db, make_url(patient.db.url).database
    if db.is_sqlite and not (path and Path(path).is_file()):
        yield Finding(FAIL, "There is no database file yet.", "python -m service.cli db upgrade")
        return
    head = ScriptDirectory.from_config(migrations.configuration(db.url)).get_current_head()
    try:
        with db.read() as session:
            found = session.execute(text("SELECT version_num FROM alembic_version")).scalar()
            problems = _sqlite_problems(session) if db.is_sqlite else []
    except Unavailable as why:
        advice = "Check DATABASE_URL and that the server runs; for a new database: python -m service.cli db upgrade"
        yield Finding(FAIL, f"The database does not answer, or has no tables ({type(why.__cause__).__name__}).", advice)
        return
    if found != head:
        yield Finding(
            FAIL, f"The tables are of {found}, this version needs {head}.", "python -m service.cli db upgrade"
        )
    for problem in problems:
        yield Finding(FAIL, problem, "Restore the last backup; see docs/operations.md.")
    yield Finding(OK, f"The database answers ({'SQLite' if db.is_sqlite else 'PostgreSQL'}).")


def _sqlite_problems(session: Session) -> list[str]:
    mode = session.execute(text("PRAGMA journal_mode")).scalar()
    whole = session.execute(text("PRAGMA quick_check(1)")).scalar()
    wrong = [(mode != "wal", f"SQLite's journal is {mode}, not wal."), (whole != "ok", "SQLite's file is damaged.")]
    return [sentence for is_wrong, sentence in wrong if is_wrong]


def clock(patient: Patient) -> Iterator[Finding]:
    """One time: the database's where it has one, else that of what was written last."""
    with patient.db.read() as session:
        if patient.db.is_sqlite:
            other = session.exec(select(func.max(Decision.created_at))).one() or patient.now
            off = max(0.0, (other - patient.now).total_seconds())
        else:
            there = session.execute(text("SELECT clock_timestamp()")).scalar_one()
            off = abs((there - patient.now).total_seconds())
    level = OK if off < 5 else WARN if off < 60 else FAIL
    advice = "Let NTP set the clocks: tokens, signatures and leases go by them." if level != OK else ""
    yield Finding(level, f"The clocks are {off:.0f} seconds apart.", advice)


def counting(patient: Patient) -> Iterator[Finding]:
    """Redis, where limits are counted for several processes."""
    settings = patient.settings
    if not settings.redis_url:
        yield Finding(OK, "Limits are counted in the one web process.")
        return
    began = time.perf_counter()
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2) as connection:
            connection.ping()
    except redis.RedisError as why:
        advice = "Limits are counted in each process alone until it is back. Check REDIS_URL and the server."
        yield Finding(WARN, f"Redis does not answer ({type(why).__name__}).", advice)
        return
    yield Finding(OK, f"Redis answers in {(time.perf_counter() - began) * 1000:.0f} ms.")


# ---- the judgement ----


def judgement(patient: Patient) -> Iterator[Finding]:
    """The policy, the engine, and how long one judgement takes."""
    try:
        judges = open_judges(patient.settings)
        judge = judges.under()
    except PolicyError as wrong:
        yield Finding(FAIL, f"The policy cannot be used: {wrong}", "Mend POLICY_FILE.")
        return
    for problem in judges.problems:
        yield Finding(FAIL, f"{problem}. Every comment waits for a person.", "Check ENGINE; see docs/settings.md.")
    submission = Submission(SAMPLE, "Ada", AuthorFacts(), ArticleFacts())
    judge.decide(submission)  # the first reads what languages and engines need
    began = time.perf_counter()
    judge.decide(submission)
    took = time.perf_counter() - began
    limit = patient.settings.judge_timeout
    slow = took > limit / 2
    advice = f"JUDGE_TIMEOUT is {limit:g} s; later judgements hold the comment. Give the machine more." if slow else ""
    yield Finding(WARN if slow else OK, f"One judgement takes {took * 1000:.0f} ms.", advice)


def policies(patient: Patient) -> Iterator[Finding]:
    """The sites' own policies."""
    judges = open_judges(patient.settings)
    with patient.db.read() as session:
        overrides = session.exec(select(Site.id, Site.policy).where(Site.policy != "")).all()
    for site_id, override in overrides:
        try:
            judges.trial(override)
        except PolicyError as wrong:
            yield Finding(FAIL, f"{site_id}: its own policy cannot be used: {wrong}", POLICY_ADVICE)


# ---- the work ----


def people(patient: Patient) -> Iterator[Finding]:
    """Sites to serve, and somebody to moderate."""
    with patient.db.read() as session:
        sites = session.exec(select(func.count()).select_from(Site)).one()
        staff = session.exec(
            select(func.count()).select_from(Moderator).where(col(Moderator.disabled_at).is_(None))
        ).one()
    if not sites:
        yield Finding(WARN, "No site is registered.", "python -m service.cli site add --help")
    if not staff:
        yield Finding(WARN, "Nobody can moderate.", "python -m service.cli moderator --help")
    yield Finding(OK, f"{sites} sites, {staff} people at the desk.")


def deliveries(patient: Patient) -> Iterator[Finding]:
    """A worker that does its work: nothing is due for long at an endpoint in service."""
    waiting = (
        select(func.min(Delivery.due_at))
        .join(Endpoint, col(Endpoint.id) == col(Delivery.endpoint_id))
        .where(col(Delivery.state).in_(("due", "sending")), Endpoint.state == "active")
        .where(col(Endpoint.deleted_at).is_(None), col(Endpoint.slow).is_(False))
    )
    with patient.db.read() as session:
        oldest = session.exec(waiting).one()
    if oldest is not None and patient.now - oldest > PATIENCE:
        minutes = (patient.now - oldest).total_seconds() / 60
        yield Finding(
            FAIL, f"A delivery has been due for {minutes:.0f} minutes.", "Start one: python -m service.cli worker"
        )
    else:
        yield Finding(OK, "No delivery waits for a worker.")


def endpoints(patient: Patient) -> Iterator[Finding]:
    """The hosts' endpoints."""
    with patient.db.read() as session:
        found = session.exec(select(Endpoint).where(col(Endpoint.deleted_at).is_(None))).all()
    for endpoint in found:
        name = f"Endpoint {endpoint.id} of {endpoint.site_id}"
        if endpoint.state != "active":
            advice = f"python -m service.cli endpoint enable {endpoint.site_id} {endpoint.id}, then replay-failed"
            yield Finding(WARN, f"{name} is disabled ({endpoint.disabled_reason}).", advice)
        elif endpoint.failing_since is not None:
            advice = "Its delivery log says why; after five days it is disabled."
            yield Finding(WARN, f"{name} has failed since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC.", advice)
    yield Finding(OK, f"{sum(endpoint.state == 'active' for endpoint in found)} endpoints in service.")
