"""What a view could be filtered by, and how many comments each choice would leave. Reads only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from service.db import Database
from service.identity.staff import Staff
from service.models import Article, Author, Comment
from service.review import scores
from service.review.views import NEW_AUTHOR, Ask, conditions, require
from service.triage import BANDS

MOST = 20_000

Clause = Any  # what SQLAlchemy calls its parts does not survive SQLModel's column types


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
    with db.read() as session:
        groups = session.execute(_groups(session, whole, now)).all()
    counted = {name: Counter[str]() for name in ("codes", "bands", "sections", "languages", "writers", "attributes")}
    for codes, band, attributes, language, section, is_new, was_rejected, many in groups:
        for name, values in (
            ("codes", json.loads(codes or "[]")),
            ("bands", BANDS[: BANDS.index(band or "low") + 1]),
            ("sections", [section] if section else ()),
            ("languages", [language] if language else ()),
            ("attributes", json.loads(attributes or "[]")),
            ("writers", [name for name, is_one in (("new", is_new), ("rejected", was_rejected)) if is_one]),
        ):
            counted[name].update(dict.fromkeys(values, many))
    return Facets(
        total=sum(group[-1] for group in groups),
        codes=dict(counted["codes"].most_common()),
        bands={band: counted["bands"][band] for band in BANDS},
        sections=dict(counted["sections"].most_common(30)),
        languages=dict(counted["languages"].most_common(30)),
        writers=counted["writers"],
        attributes=tuple(sorted(counted["attributes"])),
    )


def _groups(session: Session, whole: Ask, now: datetime) -> Clause:
    """How many comments are alike in all that is counted: a few rows, however many wait."""
    parts = (
        scores.codes(session).label("codes"),
        col(Comment.triage)["band"].as_string().label("band"),
        scores.attributes(session).label("attributes"),
        col(Comment.language),
        col(Article.section),
        (col(Author.created_at) > now - NEW_AUTHOR).label("is_new"),
        (col(Author.rejected) > 0).label("was_rejected"),
    )
    each = (
        select(*parts)
        .select_from(Comment)
        .join(Article, col(Article.id) == col(Comment.article_id))
        .join(Author, col(Author.id) == col(Comment.author_id))
        .where(*conditions(session, whole, now))
        .order_by(col(Comment.urgency).desc())
        .limit(MOST)
        .subquery()
    )
    return select(*each.c, func.count()).group_by(*each.c).order_by(*each.c)
