"""The views of the queue: which comments wait, for what, in which order. Reads only.

A view is a query, never a list that somebody keeps. Every filter is a field of `Ask`, so that an address can hold it.
Pages follow the last row seen, not an offset: a card that was decided shifts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, cast, func, literal, literal_column, or_
from sqlalchemy import select as core_select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, col, select

from service.db import Database
from service.errors import Invalid, NotFound
from service.identity.staff import Staff
from service.models import (
    APPROVED,
    DELETED,
    PENDING,
    Article,
    Author,
    Comment,
    CommentVersion,
    Decision,
    Lease,
    Moderator,
    Site,
)
from service.review import scores
from service.review.search import found
from service.triage import BANDS

Clause = Any  # what SQLAlchemy calls its parts does not survive SQLModel's column types

VIEWS = ("pending", "reported", "edited", "escalated", "sample", "decided", "mine", "all")
ORDERS = ("urgent", "oldest", "newest")
NEW_AUTHOR = timedelta(days=7)
RECENT = timedelta(days=7)
EXCERPT = 240
PAGE, LARGEST_PAGE = 50, 200


@dataclass(frozen=True, slots=True)
class Ask:
    """One view of one site's queue with its filters; every field may stand in an address."""

    site: str
    view: str = "pending"
    order: str = "urgent"
    codes: tuple[str, ...] = ()
    band: str = ""
    attribute: str = ""
    lowest: float | None = None
    highest: float | None = None
    sections: tuple[str, ...] = ()
    article: str = ""
    author: str = ""
    network: str = ""
    fingerprint: str = ""
    language: str = ""
    writer: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    after: str = ""
    limit: int = PAGE

    def problems(self) -> list[str]:
        """What about this ask means nothing, one sentence each."""
        wrong = [
            (self.view not in VIEWS, f"A view is one of {', '.join(VIEWS)}."),
            (self.order not in ORDERS, f"An order is one of {', '.join(ORDERS)}."),
            (bool(self.band) and self.band not in BANDS, f"A band is one of {', '.join(BANDS)}."),
            (self.writer not in ("", "new", "rejected"), "A writer is new or rejected, or not filtered by."),
            (not 1 <= self.limit <= LARGEST_PAGE, f"A page has 1 to {LARGEST_PAGE} rows."),
            (
                any(not 0 <= edge <= 1 for edge in (self.lowest, self.highest) if edge is not None),
                "A score lies between 0 and 1.",
            ),
            (
                bool(self.attribute) != (self.lowest is not None or self.highest is not None),
                "A score range needs both.",
            ),
        ]
        return [sentence for is_wrong, sentence in wrong if is_wrong]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    id: str
    version: int
    revision: int
    status: str
    public: bool
    author_id: str
    author: str
    new_author: bool
    excerpt: str
    article_id: str
    article_key: str
    article: str
    section: str
    written: datetime
    triage: Mapping[str, Any]
    reports: int
    escalated: bool
    reader: str | None
    decided: Decision | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a view, and the mark to go on from."""

    rows: Sequence[Row]
    next: str | None
    counts: Mapping[str, int] = field(default_factory=dict)


def queue(db: Database, staff: Staff, ask: Ask, now: datetime) -> Page:
    """A page of a view; `NotFound` for a site that is not theirs, `Invalid` for filters that mean nothing."""
    require(staff, ask)
    with db.read() as session:
        if ask.view in ("decided", "mine"):
            return _decided(session, staff, ask, now)
        return _undecided(session, ask, now)


def counts(db: Database, staff: Staff, site_id: str, now: datetime) -> dict[str, int]:
    """How many stand in each view now, `mine` within the last week; `oldest` is the longest wait in seconds."""
    require(staff, Ask(site_id))
    with db.read() as session:
        many = {view: _count(session, Ask(site_id, view), now) for view in VIEWS[:5]}
        oldest = session.exec(
            select(func.min(Comment.created_at)).where(Comment.site_id == site_id, Comment.status == PENDING)
        ).one()
        mine = (
            select(func.count())
            .select_from(Decision)
            .where(Decision.actor_id == staff.id, Decision.site_id == site_id, col(Decision.created_at) > now - RECENT)
        )
        many["mine"] = session.exec(mine).one()
    return {**many, "oldest": max(int((now - oldest).total_seconds()), 0) if oldest else 0}


def count(db: Database, staff: Staff, ask: Ask, now: datetime) -> int:
    """How many comments a filtered view holds."""
    require(staff, ask)
    with db.read() as session:
        return _count(session, ask, now)


def places(db: Database, staff: Staff) -> list[Site]:
    """The sites that somebody works on, by name."""
    with db.read() as session:
        return list(
            session.exec(select(Site).where(col(Site.id).in_(staff.sites)).order_by(col(Site.name), col(Site.id)))
        )


def told(db: Database, staff: Staff, decision_id: str) -> tuple[Decision, str] | None:
    """A decision with the beginning of its text, to say what was done; None when it is not there for them."""
    with db.read() as session:
        row = session.exec(
            select(Decision, CommentVersion.text).where(
                Decision.id == decision_id,
                CommentVersion.comment_id == Decision.comment_id,
                CommentVersion.number == Decision.version,
            )
        ).first()
    return (row[0], row[1][:EXCERPT]) if row and staff.may_see(row[0].site_id) else None


def _count(session: Session, ask: Ask, now: datetime) -> int:
    return int(session.execute(among(session, ask, now, func.count())).scalar_one())


def among(session: Session, ask: Ask, now: datetime, *what: Clause) -> Clause:
    """Something about the comments that an ask is about, with no table joined that its filters do not need."""
    query = core_select(*what).select_from(Comment)
    if ask.sections or ask.writer or ask.article:
        query = query.join(Article, col(Article.id) == col(Comment.article_id))
        query = query.join(Author, col(Author.id) == col(Comment.author_id))
    return query.where(*conditions(session, ask, now))


def require(staff: Staff, ask: Ask) -> None:
    """Raise `NotFound` for a site that is not theirs, `Invalid` for an ask that means nothing."""
    if not staff.may_see(ask.site):
        raise NotFound("There is no such site.")
    if wrong := ask.problems():
        raise Invalid(" ".join(wrong))


# ---- conditions ---------------------------------------------------------------------------------------------------


def conditions(session: Session, ask: Ask, now: datetime) -> list[Clause]:
    """The view and its filters as conditions on `Comment`, `Article` and `Author`."""
    wanted: list[Clause] = [col(Comment.site_id) == ask.site, *_view(ask.view)]
    wanted += _score(session, ask) if ask.attribute else []
    wanted += [_codes(session, ask.codes)] if ask.codes else []
    wanted += [_bands(ask.band)] if ask.band else []
    wanted += [col(Article.section).in_(ask.sections)] if ask.sections else []
    wanted += _same(ask)
    wanted += _writer(ask.writer, now)
    wanted += [col(Comment.id).in_(found(session, ask.site, ask.words))] if ask.words else []
    wanted += [col(Comment.created_at) >= ask.since] if ask.since else []
    wanted += [col(Comment.created_at) < ask.until] if ask.until else []
    return wanted


def _view(view: str) -> list[Clause]:
    pending, present = col(Comment.status) == PENDING, col(Comment.status) != DELETED
    kept: dict[str, list[Clause]] = {
        "pending": [pending],
        "edited": [pending, col(Comment.latest) > literal(1, literal_execute=True)],
        "reported": [col(Comment.report_count) > literal(0, literal_execute=True), present],
        "escalated": [col(Comment.escalated_at).is_not(None), present],
        "all": [present],
        "sample": [literal_column("comment.sampled"), col(Comment.status) == APPROVED],
    }
    return kept.get(view, [])


def _same(ask: Ask) -> list[Clause]:
    pairs = (
        (ask.article, Article.key),
        (ask.author, Comment.author_id),
        (ask.network, Comment.network),
        (ask.fingerprint, Comment.fingerprint),
        (ask.language, Comment.language),
    )
    return [col(column) == value for value, column in pairs if value]


def _writer(writer: str, now: datetime) -> list[Clause]:
    if writer == "new":
        return [col(Author.created_at) > now - NEW_AUTHOR]
    return [col(Author.rejected) > 0] if writer == "rejected" else []


def _codes(session: Session, codes: Sequence[str]) -> Clause:
    """Held for one of these findings."""
    if session.get_bind().dialect.name == "sqlite":
        held = func.json_each(col(Comment.triage), "$.codes").table_valued("value", name="held")
        return core_select(literal(1)).select_from(held).where(held.c.value.in_(codes)).exists()
    listed = cast(col(Comment.triage), JSONB)["codes"]
    return or_(*(listed.contains([code]) for code in codes))


def _bands(band: str) -> Clause:
    """This band or a graver one."""
    return col(Comment.triage)["band"].as_string().in_(BANDS[BANDS.index(band) :])


def _score(session: Session, ask: Ask) -> list[Clause]:
    value = scores.score(session, ask.attribute)
    return [value >= (ask.lowest or 0.0), value <= (1.0 if ask.highest is None else ask.highest)]


# ---- rows ---------------------------------------------------------------------------------------------------------


def _rows(now: datetime) -> Clause:
    return (
        core_select(Comment, col(CommentVersion.text), Author, Article, col(Moderator.name))
        .join(
            CommentVersion,
            and_(col(CommentVersion.comment_id) == col(Comment.id), col(CommentVersion.number) == col(Comment.latest)),
        )
        .join(Author, col(Author.id) == col(Comment.author_id))
        .join(Article, col(Article.id) == col(Comment.article_id))
        .outerjoin(Lease, and_(col(Lease.comment_id) == col(Comment.id), col(Lease.expires_at) > now))
        .outerjoin(Moderator, col(Moderator.id) == col(Lease.moderator_id))
    )


def _undecided(session: Session, ask: Ask, now: datetime) -> Page:
    """A page of comments. Which ones is asked first and by itself, so that only those are looked up in other tables."""
    chosen = _cut(among(session, ask, now, col(Comment.id)), ask, Comment)
    return _page(session, _sorted(_rows(now).where(col(Comment.id).in_(chosen)), ask, Comment), ask, Comment, now)


def _decided(session: Session, staff: Staff, ask: Ask, now: datetime) -> Page:
    """What people decided, the latest first: everybody's, or one's own."""
    query = (
        _rows(now)
        .add_columns(Decision)
        .join(Decision, col(Decision.comment_id) == col(Comment.id))
        .where(*conditions(session, ask, now), col(Decision.site_id) == ask.site, col(Decision.actor) == "moderator")
    )
    if ask.view == "mine":
        query = query.where(col(Decision.actor_id) == staff.id)
    latest = replace(ask, order="newest")
    return _page(session, _cut(query, latest, Decision), latest, Decision, now)


def _cut(query: Clause, ask: Ask, table: type[Comment] | type[Decision]) -> Clause:
    """What of a query stands on the page after the ask's mark, and one more, which tells that there is another page."""
    key, falls = _order(ask, table)
    if ask.after:
        query = query.where(_beyond(key, falls, col(table.id), ask.after))
    return _sorted(query, ask, table).limit(ask.limit + 1)


def _sorted(query: Clause, ask: Ask, table: type[Comment] | type[Decision]) -> Clause:
    key, falls = _order(ask, table)
    id_ = col(table.id)
    return query.order_by(key.desc(), id_.desc()) if falls else query.order_by(key, id_)


def _page(session: Session, query: Clause, ask: Ask, table: type[Comment] | type[Decision], now: datetime) -> Page:
    lines = session.execute(query).all()
    rows = [_row(row, now) for row in lines[: ask.limit]]
    if len(lines) <= ask.limit:
        return Page(rows, None)
    last = lines[ask.limit - 1][0 if table is Comment else 5]
    return Page(rows, f"{_mark(getattr(last, _order(ask, table)[0].key))}/{last.id}")


def _order(ask: Ask, table: type[Comment] | type[Decision]) -> tuple[Any, bool]:
    """The column that a view is sorted by, and whether it falls."""
    if ask.order == "urgent":
        return col(Comment.urgency), True
    return col(table.created_at), ask.order == "newest"


def _beyond(key: Any, falls: bool, id_: Any, after: str) -> Clause:
    """The rows after a mark, in a form that an index can start from."""
    raw, _, last = after.rpartition("/")
    try:
        value = float(raw) if key.key == "urgency" else _moment(raw)
    except ValueError:
        raise Invalid("This mark in the list means nothing.", pointer="/after") from None
    if falls:
        return and_(key <= value, or_(key < value, id_ < last))
    return and_(key >= value, or_(key > value, id_ > last))


def _moment(raw: str) -> datetime:
    at = datetime.fromisoformat(raw)
    if at.tzinfo is None or not 1970 <= at.year < 9_999:
        raise ValueError("a mark of ours has a zone, and is of our time")
    return at


def _mark(value: float | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def _row(line: Any, now: datetime) -> Row:
    comment, text, author, article, reader, *decided = line
    return Row(
        id=comment.id,
        version=comment.latest,
        revision=comment.revision,
        status=comment.status,
        public=comment.public is not None,
        author_id=author.id,
        author=author.name,
        new_author=now - author.created_at < NEW_AUTHOR,
        excerpt=text[:EXCERPT],
        article_id=article.id,
        article_key=article.key,
        article=article.title or article.url,
        section=article.section,
        written=comment.created_at,
        triage=comment.triage,
        reports=comment.report_count,
        escalated=comment.escalated_at is not None,
        reader=reader,
        decided=decided[0] if decided else None,
    )
