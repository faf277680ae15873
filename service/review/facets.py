"""What a view could be filtered by, and how many comments each choice would leave. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from service.db import Database
from service.identity.staff import Staff
from service.models import Article, Author, Comment
from service.review.views import NEW_AUTHOR, Ask, conditions, require
from service.triage import BANDS

MOST = 20_000


@dataclass(frozen=True, slots=True)
class Facets:
    """How many comments of a view have each code, band (or a graver one), section, language and kind of author."""

    total: int
    codes: Mapping[str, int]
    bands: Mapping[str, int]
    sections: Mapping[str, int]
    languages: Mapping[str, int]
    writers: Mapping[str, int]
    attributes: tuple[str, ...]


def facets(db: Database, staff: Staff, ask: Ask, now: datetime) -> Facets:
    """The choices for a view as a whole, whatever is filtered already."""
    whole = Ask(ask.site, ask.view)
    require(staff, whole)
    query = (
        select(
            col(Comment.triage),
            col(Comment.language),
            col(Article.section),
            col(Author.created_at),
            col(Author.rejected),
        )
        .join(Article, col(Article.id) == col(Comment.article_id))
        .join(Author, col(Author.id) == col(Comment.author_id))
        .order_by(col(Comment.urgency).desc())
        .limit(MOST)
    )
    with db.read() as session:
        rows = session.execute(query.where(*conditions(session, whole, now))).all()
    counted = {name: Counter[str]() for name in ("codes", "bands", "sections", "languages", "writers", "attributes")}
    for triage, language, section, since, rejected in rows:
        counted["codes"].update(triage.get("codes", ()))
        counted["bands"].update(BANDS[: BANDS.index(triage.get("band", "low")) + 1])
        counted["sections"].update([section] if section else ())
        counted["languages"].update([language] if language else ())
        counted["attributes"].update(triage.get("scores", ()))
        counted["writers"].update(
            name for name, is_one in (("new", now - since < NEW_AUTHOR), ("rejected", rejected > 0)) if is_one
        )
    return Facets(
        total=len(rows),
        codes=dict(counted["codes"].most_common()),
        bands={band: counted["bands"][band] for band in BANDS},
        sections=dict(counted["sections"].most_common(30)),
        languages=dict(counted["languages"].most_common(30)),
        writers=counted["writers"],
        attributes=tuple(sorted(counted["attributes"])),
    )
