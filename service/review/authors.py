"""Authors: what staff may do about one (warn, mute, ban, read first, trust, mark), why, until when, and on what.

Every step is a row in the author's history. Nothing here changes a comment: what waits is decided by itself, or by a
bulk that shows what it would do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from service.db import Database
from service.errors import Invalid, NotFound
from service.identity.readers import show_anew
from service.identity.staff import ADMIN, MODERATOR, Staff
from service.lifecycle import lock
from service.models import PENDING, Author, Comment, Renewal
from service.models import AuthorNote as Note
from service.review.card import Record, Said, record_of, said
from service.webhooks import emit
from service.webhooks.payloads import moment

BADGES = {"mark_staff": "staff", "unmark": None}
VERBS = ("note", "warn", "mute", "unmute", "ban", "unban", "premoderate", "trust", "normal", *BADGES)
EVENTS = {"mute": "author.muted", "ban": "author.banned", "trust": "author.trusted"}
STANDINGS = {"premoderate": "premoderated", "trust": "trusted", "normal": "normal"}
REASONED = ("warn", "mute", "ban", "premoderate")
LONGEST = timedelta(days=3_650)
TEXT_LIMIT = 2_000
LAST = 30


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about an author: a verb, why (the author may learn it), a note for colleagues, and an end."""

    verb: str
    reason: str = ""
    note: str = ""
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """An author as staff sees them: the record, the last comments, and what a ban or a trust would touch now."""

    record: Record
    comments: list[Said]
    waiting: int
    public: int


def person(db: Database, staff: Staff, author_id: str) -> Person:
    """Everything about one author; `NotFound` when they are not there or of a site that is not theirs."""
    with db.read() as session:
        author = session.get(Author, author_id)
        if author is None or not staff.may_see(author.site_id):
            raise NotFound("There is no such author.")
        theirs = col(Comment.author_id) == author_id
        waiting = select(func.count()).select_from(Comment).where(theirs, Comment.status == PENDING)
        public = select(func.count()).select_from(Comment).where(theirs, col(Comment.public).is_not(None))
        return Person(
            record=record_of(session, author_id),
            comments=said(session, theirs, col(Comment.created_at).desc(), LAST),
            waiting=session.exec(waiting).one(),
            public=session.exec(public).one(),
        )


def act(db: Database, staff: Staff, author_id: str, step: Step, now: datetime) -> None:
    """Do something about an author and write it into their history."""
    _check(step)
    ends = now + timedelta(days=step.days) if step.days else None
    with db.write() as session:
        site_id = session.exec(select(Author.site_id).where(Author.id == author_id)).first()
        if site_id is None or not staff.may_see(site_id):
            raise NotFound("There is no such author.")
        staff.require(site_id, ADMIN, MODERATOR)
        if step.verb in BADGES:
            show_anew(session, author_id)
        author = lock(session, Author, author_id)
        _apply(session, author, step, ends, now)
        note = Note(site_id=site_id, author_id=author_id, moderator_id=staff.id, verb=step.verb, created_at=now)
        note.reason, note.note, note.ends_at = step.reason, step.note, ends
        session.add_all((author, note))
        if step.verb in EVENTS:
            payload = {"author": {"id": author_id}, "actor": "moderator", "until": moment(ends) if ends else None}
            emit(session, site_id, EVENTS[step.verb], payload, now=now)


def _check(step: Step) -> None:
    if step.verb not in VERBS:
        raise Invalid(f"What is to be done is one of {', '.join(VERBS)}.", pointer="/verb")
    if step.verb in REASONED and not step.reason.strip():
        raise Invalid("Say why; the author may ask.", pointer="/reason")
    if step.verb == "note" and not step.note.strip():
        raise Invalid("The note is empty.", pointer="/note")
    if max(len(step.reason), len(step.note)) > TEXT_LIMIT:
        raise Invalid(f"At most {TEXT_LIMIT} signs.", pointer="/note")
    if step.days is not None and not 1 <= step.days <= LONGEST.days:
        raise Invalid(f"An end is 1 to {LONGEST.days} days from now.", pointer="/days")
    if step.verb == "mute" and step.days is None:
        raise Invalid("A mute has an end; without one it is a ban.", pointer="/days")


def _apply(session: Session, author: Author, step: Step, ends: datetime | None, now: datetime) -> None:
    if step.verb == "mute":
        author.muted_until = ends
    elif step.verb == "unmute":
        author.muted_until = None
    elif step.verb == "ban":
        author.banned_at = now
        session.execute(
            update(Renewal)
            .where(col(Renewal.author_id) == author.id, col(Renewal.revoked_at).is_(None))
            .values(revoked_at=now)
        )
    elif step.verb == "unban":
        author.banned_at = None
    elif step.verb in BADGES:
        author.badge = BADGES[step.verb]
    elif step.verb in STANDINGS:
        author.standing, author.standing_ends_at = STANDINGS[step.verb], ends
