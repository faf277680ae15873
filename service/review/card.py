"""The card: one comment with everything that a fair decision needs. Reads only.

Texts are given raw, with the spans that findings point at; showing them safely is the edge's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from moderation import Decision as Judgement
from service.db import Database
from service.errors import NotFound
from service.identity.staff import Staff
from service.lifecycle import PEOPLE, history
from service.models import (
    APPROVED,
    PENDING,
    REJECTED,
    Article,
    Author,
    AuthorNote,
    Comment,
    CommentVersion,
    Decision,
    Moderator,
    Report,
    Site,
)
from service.review.leases import Holder, holder

Clause = Any  # what SQLAlchemy calls its parts does not survive SQLModel's column types

CHAIN, AROUND, ALIKE, LAST = 12, 3, 8, 12


@dataclass(frozen=True, slots=True)
class Said:
    """Another comment beside the one on the card."""

    id: str
    author_id: str
    author: str
    text: str
    status: str
    written: datetime
    article: str = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """What one reader reported, and how often such reports of theirs led to a removal."""

    door: str
    reason: str
    note: str
    at: datetime
    right: int
    judged: int


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of an author on this site."""

    author: Author
    waiting: int
    reports_made: int
    last: Sequence[str]
    notes: Sequence[tuple[AuthorNote, str]]


@dataclass(frozen=True, slots=True)
class Alike:
    """What else waits that belongs to this card: by the same author, from the same network, with the same words."""

    author: Sequence[Said]
    network: Sequence[Said]
    words: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Card:
    """One comment, its judgement, and what stands around it."""

    comment: Comment
    site: Site
    article: Article
    versions: Sequence[CommentVersion]
    judgement: Judgement | None
    chain: Sequence[Said]
    around: Sequence[Said]
    record: Record
    alike: Alike
    reports: Sequence[Reported]
    decisions: Sequence[Decision]
    article_waiting: int
    holder: Holder | None

    @property
    def latest(self) -> CommentVersion:
        """The text that a decision is about."""
        return self.versions[-1]

    @property
    def undoable(self) -> Decision | None:
        """The latest decision, where a person approved or rejected by it."""
        last = self.decisions[-1] if self.decisions else None
        return last if last and last.actor in PEOPLE and last.verb in ("approve", "reject") else None

    @property
    def public_text(self) -> str | None:
        """What readers see while the latest text waits, where it is another one."""
        shown = self.comment.public
        return next((v.text for v in self.versions if v.number == shown and v is not self.latest), None)


def card(db: Database, staff: Staff, comment_id: str, now: datetime) -> Card:
    """Everything about one comment; `NotFound` when it is not there or belongs to a site that is not theirs."""
    with db.read() as session:
        comment = session.get(Comment, comment_id)
        if comment is None or not staff.may_see(comment.site_id):
            raise NotFound("There is no such comment.")
        decisions = history(session, comment_id)
        return Card(
            comment=comment,
            site=session.get_one(Site, comment.site_id),
            article=session.get_one(Article, comment.article_id),
            versions=_versions(session, comment_id),
            judgement=_judgement(decisions, comment.latest),
            chain=_chain(session, comment),
            around=_around(session, comment),
            record=record_of(session, comment.author_id),
            alike=_alike(session, comment),
            reports=_reports(session, comment_id),
            decisions=decisions,
            article_waiting=_waiting(session, col(Comment.article_id) == comment.article_id),
            holder=holder(session, comment_id, now),
        )


def _versions(session: Session, comment_id: str) -> Sequence[CommentVersion]:
    return session.exec(
        select(CommentVersion).where(CommentVersion.comment_id == comment_id).order_by(col(CommentVersion.number))
    ).all()


def _judgement(decisions: Sequence[Decision], version: int) -> Judgement | None:
    judged = [row.judgement for row in decisions if row.version == version and row.judgement]
    return Judgement.from_json(judged[-1]) if judged else None


# ---- around it ----------------------------------------------------------------------------------------------------


def said(session: Session, where: Clause, order: Clause, limit: int) -> list[Said]:
    """Comments with the text that readers see, or else the latest."""
    rows = session.exec(
        select(Comment, CommentVersion.text, Author.name, Article.title)
        .join(
            CommentVersion,
            and_(
                col(CommentVersion.comment_id) == col(Comment.id),
                col(CommentVersion.number) == func.coalesce(col(Comment.public), col(Comment.latest)),
            ),
        )
        .join(Author, col(Author.id) == col(Comment.author_id))
        .join(Article, col(Article.id) == col(Comment.article_id))
        .where(where)
        .order_by(order)
        .limit(limit)
    ).all()
    return [
        Said(comment.id, comment.author_id, name, text, comment.status, comment.created_at, title)
        for comment, text, name, title in rows
    ]


def _chain(session: Session, comment: Comment) -> list[Said]:
    """What the comment answers, the first of it first."""
    chain: list[Said] = []
    above = comment.parent_id
    while above is not None and len(chain) < CHAIN:
        chain += said(session, col(Comment.id) == above, col(Comment.id), 1)
        above = session.exec(select(Comment.parent_id).where(Comment.id == above)).first()
    return chain[::-1]


def _around(session: Session, comment: Comment) -> list[Said]:
    """The public comments beside it under the same parent, in the order of writing, with itself among them."""
    beside = and_(
        col(Comment.article_id) == comment.article_id,
        col(Comment.parent_id) == comment.parent_id if comment.parent_id else col(Comment.parent_id).is_(None),
    )
    seen = and_(beside, col(Comment.public).is_not(None))
    before = said(
        session, and_(seen, col(Comment.created_at) < comment.created_at), col(Comment.created_at).desc(), AROUND
    )
    itself = said(session, col(Comment.id) == comment.id, col(Comment.id), 1)
    after = said(session, and_(seen, col(Comment.created_at) > comment.created_at), col(Comment.created_at), AROUND)
    return [*before[::-1], *itself, *after]


def _alike(session: Session, comment: Comment) -> Alike:
    waiting = and_(
        col(Comment.site_id) == comment.site_id, col(Comment.status) == PENDING, col(Comment.id) != comment.id
    )

    def others(where: Clause) -> list[Said]:
        return said(session, and_(waiting, where), col(Comment.created_at).desc(), ALIKE)

    stranger = col(Comment.author_id) != comment.author_id
    return Alike(
        author=others(col(Comment.author_id) == comment.author_id),
        network=others(and_(col(Comment.network) == comment.network, stranger)) if comment.network else [],
        words=others(col(Comment.fingerprint) == comment.fingerprint) if comment.fingerprint else [],
    )


def _waiting(session: Session, where: Clause) -> int:
    waiting = select(func.count()).select_from(Comment).where(where, Comment.status == PENDING)
    return int(session.exec(waiting).one())


# ---- its author and its reports -----------------------------------------------------------------------------------


def record_of(session: Session, author_id: str) -> Record:
    """An author's totals, last outcomes, and what staff did or wrote."""
    last = session.exec(
        select(Comment.status)
        .where(Comment.author_id == author_id, col(Comment.status).in_((APPROVED, REJECTED, PENDING)))
        .order_by(col(Comment.created_at).desc())
        .limit(LAST)
    ).all()
    notes = session.exec(
        select(AuthorNote, Moderator.name)
        .outerjoin(Moderator, col(Moderator.id) == col(AuthorNote.moderator_id))
        .where(AuthorNote.author_id == author_id)
        .order_by(col(AuthorNote.created_at).desc())
    ).all()
    made = session.exec(select(func.count()).select_from(Report).where(Report.author_id == author_id)).one()
    return Record(
        author=session.get_one(Author, author_id),
        waiting=_waiting(session, col(Comment.author_id) == author_id),
        reports_made=made,
        last=last[::-1],
        notes=[(note, name or "") for note, name in notes],
    )


def _reports(session: Session, comment_id: str) -> list[Reported]:
    """The open reports, with how often each reporter's earlier ones ended in a rejection."""
    rows = session.exec(
        select(Report)
        .where(Report.comment_id == comment_id, col(Report.resolved_at).is_(None))
        .order_by(col(Report.created_at))
    ).all()
    return [Reported(row.door, row.reason, row.note, row.created_at, *_right(session, row.author_id)) for row in rows]


def _right(session: Session, author_id: str) -> tuple[int, int]:
    """How many of a reader's settled reports were followed by a rejection, and how many were settled."""
    settled = (
        select(func.count())
        .select_from(Report)
        .join(Comment, col(Comment.id) == col(Report.comment_id))
        .where(Report.author_id == author_id, col(Report.resolved_at).is_not(None))
    )
    return session.exec(settled.where(Comment.status == REJECTED)).one(), session.exec(settled).one()
