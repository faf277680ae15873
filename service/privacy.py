"""Erasing one author: their texts, names and traces go, the shape of the discussion and its history stay.

Comments are withdrawn through the one door, so that hosts hear of it and counters stay right; then everything that the
author wrote or was called is blanked where it stands: versions, decisions, reports, notes. What remains are ids, states
and numbers. Who the host vouched for can come back only as somebody new. Nothing here can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from service.db import Database
from service.errors import NotFound
from service.lifecycle import Actor, Case, Change, lock, locked, record
from service.models import (
    DELETED,
    Author,
    AuthorNote,
    Comment,
    CommentVersion,
    Decision,
    Idempotency,
    Renewal,
    Report,
    new_id,
)


def erase(db: Database, site_id: str, author_id: str, *, now: datetime) -> int:
    """Erase an author of a site; returns how many comments were theirs. Repeating finishes what was cut off.

    Raises `NotFound` for somebody of another site.
    """
    with db.write() as session:
        _forget(session, site_id, author_id, now)
    erased = 0
    for comment_id in _comments_of(db, author_id):
        with db.write() as session:
            case = locked(session, comment_id)
            _withdraw(session, case, now)
            _blank(session, case)
        erased += 1
    return erased


def _forget(session: Session, site_id: str, author_id: str, now: datetime) -> None:
    """Shut the author out first, so that nothing new is written; then blank what is kept of the person."""
    author = lock(session, Author, author_id)
    if author.site_id != site_id:
        raise NotFound("There is no such author.")
    author.erased_at = author.erased_at or now
    author.subject = f"erased {new_id()}"
    author.name = author.skeleton = author.network = ""
    author.names, author.verified, author.badge = [], False, None
    session.add(author)
    for table in (Renewal, Idempotency):
        session.execute(delete(table).where(col(table.author_id) == author_id))
    session.execute(update(Report).where(col(Report.author_id) == author_id).values(note="", details={}))
    session.execute(update(AuthorNote).where(col(AuthorNote.author_id) == author_id).values(note=""))


def _comments_of(db: Database, author_id: str) -> list[str]:
    with db.read() as session:
        return list(session.exec(select(Comment.id).where(Comment.author_id == author_id).order_by(col(Comment.id))))


def _withdraw(session: Session, case: Case, now: datetime) -> None:
    """What readers or staff could still see goes as if its author had taken it back."""
    if case.comment.gone == "withdrawn":
        return
    statuses = dict.fromkeys(case.versions, DELETED)
    change = Change(Actor("system"), "withdraw", case.comment.latest, statuses, None, gone="withdrawn")
    record(session, case, change, now=now)


def _blank(session: Session, case: Case) -> None:
    """Take the words out of a comment's versions and out of every decision about it."""
    case.comment.fingerprint = case.comment.network = ""
    session.add(case.comment)
    blank = update(CommentVersion).where(col(CommentVersion.comment_id) == case.comment.id).values(text="", nodes=[])
    session.execute(blank)
    for decision in session.exec(select(Decision).where(Decision.comment_id == case.comment.id)):
        decision.judgement = nameless(decision.judgement)
        decision.note = None
        session.add(decision)


def nameless(judgement: Mapping[str, Any]) -> dict[str, Any]:
    """A stored judgement without the name it was made of and the fingerprints of texts; codes and numbers stay."""
    if not judgement:
        return {}
    facts = dict(judgement.get("facts", {}))
    if facts:
        facts |= {"name": "", "author": {**facts.get("author", {}), "recent": []}}
    return {**judgement, "facts": facts, "fingerprint": ""}
