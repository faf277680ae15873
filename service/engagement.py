"""React and report: what readers do with other people's comments.

Totals stand beside the rows they count and change in the same transaction. A report never hides a comment by itself;
it puts it before a moderator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from service import sites
from service.db import Database, add_if_absent
from service.errors import Invalid, NotFound, Unauthenticated
from service.identity.readers import refuse_barred
from service.identity.tokens import Reader
from service.lifecycle import Actor, Case, locked, told, weigh
from service.models import Author, Reaction, Report, Site, new_id
from service.webhooks import emit


@dataclass(frozen=True, slots=True)
class Complaint:
    """A reader's report: by which door (`rules` or `law`), why, and what they add."""

    door: str
    reason: str
    note: str = ""
    details: dict[str, str] = field(default_factory=dict)


def react(
    db: Database, reader: Reader, comment_id: str, kind: str, *, on: bool, now: datetime
) -> tuple[dict[str, int], list[str]]:
    """Set or take back the reader's one reaction; returns the comment's totals and the reader's own."""
    with db.write() as session:
        case = _public_case(session, reader, comment_id, now)
        site = sites.known_site(session, reader.site_id)
        if kind not in site.reactions:
            raise Invalid("This site has no such reaction.", pointer="/kind")
        mine = session.get(Reaction, (comment_id, reader.author_id))
        if on and mine is None:
            session.add(Reaction(comment_id=comment_id, author_id=reader.author_id, kind=kind, created_at=now))
        elif on and mine is not None:
            mine.kind = kind
            session.add(mine)
        elif mine is not None and mine.kind == kind:
            session.delete(mine)
        session.flush()
        totals = _recount(session, case, site)
        kept = session.get(Reaction, (comment_id, reader.author_id))
        return totals, [kept.kind] if kept else []


def _public_case(session: Session, reader: Reader, comment_id: str, now: datetime) -> Case:
    case = locked(session, comment_id)
    if case.comment.site_id != reader.site_id or case.comment.public is None:
        raise NotFound("There is no such comment.")
    author = session.get(Author, reader.author_id)
    if author is None:
        raise Unauthenticated("This token does not hold.")
    refuse_barred(author, now)
    return case


def _recount(session: Session, case: Case, site: Site) -> dict[str, int]:
    """Make the comment's totals equal to its rows, and let rendered threads know."""
    rows: Any = session.execute(
        select(Reaction.kind, func.count()).where(Reaction.comment_id == case.comment.id).group_by(col(Reaction.kind))
    )
    found = {kind: int(count) for kind, count in rows}
    totals = {kind: found[kind] for kind in site.reactions if kind in found}
    case.comment.reaction_counts = totals
    case.comment.score = sum(totals.values())
    case.article.version += 1
    session.add_all((case.comment, case.article))
    return totals


def report(db: Database, reader: Reader, comment_id: str, complaint: Complaint, *, now: datetime) -> str:
    """Put a public comment before the moderators and return the report's id; a reader reports a comment once."""
    with db.write() as session:
        case = _public_case(session, reader, comment_id, now)
        version = case.comment.public or case.comment.latest
        row = Report(
            id=new_id(),
            site_id=reader.site_id,
            comment_id=comment_id,
            author_id=reader.author_id,
            version=version,
            door=complaint.door,
            reason=complaint.reason,
            note=complaint.note,
            details=complaint.details,
            created_at=now,
        )
        if not add_if_absent(session, row):
            known = select(Report.id).where(Report.comment_id == comment_id, Report.author_id == reader.author_id)
            return session.exec(known).one()
        case.comment.report_count += 1
        weigh(case.comment, legal=complaint.door == "law" or case.comment.triage.get("legal", False))
        session.add(case.comment)
        payload = told(case, Actor("author", reader.author_id), version, complaint.reason)
        emit(session, reader.site_id, "comment.reported", payload, now=now, comment_id=comment_id)
        return row.id
