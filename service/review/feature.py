"""Featuring: staff puts a public comment above the thread, or takes it down again. No status changes by it."""

from __future__ import annotations

from datetime import datetime

from service.db import Database
from service.errors import Conflict
from service.lifecycle import told
from service.review.decide import Decider, opened
from service.webhooks import emit


def feature(db: Database, by: Decider, comment_id: str, featured: bool, now: datetime) -> None:
    """Feature a public comment, or no longer; twice is once. Raises `Conflict` for one that readers do not see."""
    with db.write() as session:
        case = opened(session, by, comment_id)
        if featured and case.comment.public is None:
            raise Conflict("Only a comment that readers see can be featured.")
        if (case.comment.featured_at is not None) == featured:
            return
        case.comment.featured_at = now if featured else None
        case.article.version += 1
        session.add_all((case.comment, case.article))
        payload = told(case, by.actor, case.comment.public or case.comment.latest) | {"featured": featured}
        emit(session, case.comment.site_id, "comment.featured", payload, now=now, comment_id=comment_id)
