"""What an author sees of their own comments: the status of the latest text, and why, in plain words with the place.

Scores are never shown to an author; the sentence of each finding comes from the policy that the site runs under.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from sqlmodel import Session, col, select

from moderation import Outcome, Policy
from service.comments.thread import CommentView, comment_view, moment, shown, visible
from service.db import Database
from service.errors import Invalid, NotFound, Unauthenticated
from service.identity.tokens import Reader
from service.judges import Judges
from service.models import (
    APPROVED,
    Article,
    Author,
    Comment,
    CommentVersion,
    Decision,
    Reaction,
    Site,
)

MAX_CHAIN = 50


class Reason(msgspec.Struct):
    """One reason in plain words; `spans` are pairs of code-point offsets into the text."""

    code: str
    sentence: str
    spans: list[list[int]]


class Mine(CommentView):
    """A comment as its author sees it: always the latest text, its status and the reasons for it."""

    status: str
    text: str
    edit_until: str | None
    public_version: int | None
    reasons: list[Reason]
    mine: list[str]


class MyComments(msgspec.Struct):
    """One page of an author's own comments, newest first."""

    comments: list[Mine]
    next: str | None


class Permalink(msgspec.Struct):
    """One comment on its own, with the comments that it answers, outermost first."""

    comment: CommentView
    context: list[CommentView]


@dataclass(frozen=True, slots=True)
class MyAsk:
    """Which page of one's own comments: on one article (by key) or everywhere on the site."""

    key: str | None = None
    cursor: str | None = None
    limit: int = 20


def own(db: Database, judges: Judges, reader: Reader, ask: MyAsk, *, window: int) -> MyComments:
    """The reader's own comments, newest first."""
    with db.read() as session:
        author = session.get(Author, reader.author_id)
        if author is None or author.site_id != reader.site_id:
            raise Unauthenticated("This token does not hold.")
        query = _mine_of(author.id).add_columns(Article).join(Article, col(Article.id) == col(Comment.article_id))
        if ask.key is not None:
            query = query.where(col(Article.key) == ask.key)
        query = query.order_by(col(Comment.created_at).desc(), col(Comment.id).desc())
        rows = session.execute(query.offset(_offset(ask.cursor)).limit(ask.limit + 1)).all()
        policy = _policy(session, judges, reader.site_id)
        views = [_mine(session, policy, row, row.Article, window) for row in rows[: ask.limit]]
    onward = _as_cursor(_offset(ask.cursor) + ask.limit) if len(rows) > ask.limit else None
    return MyComments(views, onward)


def one_of_mine(db: Database, judges: Judges, reader: Reader, comment_id: str, *, window: int) -> Mine:
    """One of the reader's own comments; raises `NotFound` for what is not theirs as for what is not there."""
    with db.read() as session:
        mine = _mine_of(reader.author_id).where(col(Comment.id) == comment_id, col(Comment.site_id) == reader.site_id)
        row = session.execute(mine).first()
        article = session.get(Article, row.article_id) if row else None
        if row is None or article is None:
            raise NotFound("There is no such comment.")
        return _mine(session, _policy(session, judges, reader.site_id), row, article, window)


def _mine_of(author_id: str) -> Any:
    """An author's comments in their latest version."""
    return (
        shown(col(Comment.latest))
        .add_columns(col(CommentVersion.text).label("text"), col(CommentVersion.status).label("status"))
        .where(col(Comment.author_id) == author_id)
    )


def permalink_view(db: Database, comment_id: str) -> Permalink:
    """One public comment (or its placeholder) with the chain that it answers."""
    with db.read() as session:
        view, parent_id = _public(session, comment_id)
        chain: list[CommentView] = []
        while parent_id is not None and len(chain) < MAX_CHAIN:
            above, parent_id = _public(session, parent_id)
            chain.insert(0, above)
    return Permalink(view, chain)


def _public(session: Session, comment_id: str) -> tuple[CommentView, str | None]:
    row = session.execute(visible().where(col(Comment.id) == comment_id)).first()
    article = session.get(Article, row.article_id) if row else None
    if row is None or article is None:
        raise NotFound("There is no such comment.")
    return comment_view(row, article), row.parent_id


def _policy(session: Session, judges: Judges, site_id: str) -> Policy:
    site = session.get(Site, site_id)
    return judges.under(site.policy if site else "").policy


def _mine(session: Session, policy: Policy, row: Any, article: Article, window: int) -> Mine:
    everybodys = comment_view(row, article)
    reaction = session.get(Reaction, (row.id, row.author_id))
    fields: dict[str, Any] = {name: getattr(everybodys, name) for name in CommentView.__struct_fields__}
    fields["gone"] = row.gone
    return Mine(
        **fields,
        status=row.status,
        text=row.text,
        edit_until=_edit_until(row, window),
        public_version=row.public,
        reasons=_reasons(session, policy, row.id, row.latest) if row.status != APPROVED else [],
        mine=[reaction.kind] if reaction else [],
    )


def _edit_until(row: Any, window: int) -> str | None:
    """When a public comment can be changed no more; None for what is gone, and for what may be mended at any time."""
    if row.gone is not None or row.public is None:
        return None
    return moment(row.created_at + timedelta(seconds=window))


def _reasons(session: Session, policy: Policy, comment_id: str, version: int) -> list[Reason]:
    """Why the latest text has its status: a person's reason where a person decided, else each finding that asked."""
    query = (
        select(Decision)
        .where(Decision.comment_id == comment_id, Decision.version == version)
        .order_by(col(Decision.revision).desc())
    )
    for decision in session.exec(query):
        if decision.verb == "reject" and decision.reason:
            return [Reason(decision.reason, _told(policy, decision.reason), [])]
        if decision.verb == "judge":
            return _found(policy, decision)
    return []


def _told(policy: Policy, code: str) -> str:
    reason = policy.reason(code)
    return reason.sentence if reason else policy.sentence(code)


def _found(policy: Policy, decision: Decision) -> list[Reason]:
    reasons: dict[str, Reason] = {}
    for finding in decision.judgement.get("findings", []):
        if finding["outcome"] == Outcome.APPROVE:
            continue
        code, spans = str(finding["code"]), [list(span) for span in finding.get("spans", [])]
        known = reasons.setdefault(code, Reason(code, policy.sentence(code), []))
        known.spans += [span for span in spans if span not in known.spans]
    return list(reasons.values())


def _as_cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"mine:{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        kind, _, number = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(":")
        if kind != "mine" or not number.isdecimal() or len(number) > 9:
            raise ValueError
    except (ValueError, binascii.Error):
        raise Invalid("This cursor is not one that we gave.", pointer="?cursor") from None
    return int(number)
