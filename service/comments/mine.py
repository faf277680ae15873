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
from service.comments.thread import CommentView, RepliesView, comment_view, moment
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
        query = select(Comment, Article).join(Article).where(Comment.author_id == author.id)
        if ask.key is not None:
            query = query.where(Article.key == ask.key)
        query = query.order_by(col(Comment.created_at).desc(), col(Comment.id).desc())
        rows = session.exec(query.offset(_offset(ask.cursor)).limit(ask.limit + 1)).all()
        policy = _policy(session, judges, reader.site_id)
        views = [_mine(session, policy, comment, article, author, window) for comment, article in rows[: ask.limit]]
    onward = _as_cursor(_offset(ask.cursor) + ask.limit) if len(rows) > ask.limit else None
    return MyComments(views, onward)


def one_of_mine(db: Database, judges: Judges, reader: Reader, comment_id: str, *, window: int) -> Mine:
    """One of the reader's own comments; raises `NotFound` for what is not theirs as for what is not there."""
    with db.read() as session:
        comment = session.get(Comment, comment_id)
        if comment is None or comment.author_id != reader.author_id or comment.site_id != reader.site_id:
            raise NotFound("There is no such comment.")
        article, author = session.get(Article, comment.article_id), session.get(Author, comment.author_id)
        if article is None or author is None:
            raise NotFound("There is no such comment.")
        return _mine(session, _policy(session, judges, reader.site_id), comment, article, author, window)


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
    comment = session.get(Comment, comment_id)
    if comment is None or not (comment.public is not None or comment.visible_replies):
        raise NotFound("There is no such comment.")
    article, author = session.get(Article, comment.article_id), session.get(Author, comment.author_id)
    if article is None or author is None:
        raise NotFound("There is no such comment.")
    version = _version(session, comment.id, comment.public) if comment.public is not None else None
    below = RepliesView(comment.visible_replies, [], None)
    return comment_view(comment, author, version, article, below), comment.parent_id


def _version(session: Session, comment_id: str, number: int) -> CommentVersion | None:
    query = select(CommentVersion).where(CommentVersion.comment_id == comment_id, CommentVersion.number == number)
    return session.exec(query).first()


def _policy(session: Session, judges: Judges, site_id: str) -> Policy:
    site = session.get(Site, site_id)
    return judges.under(site.policy if site else "").policy


def _mine(session: Session, policy: Policy, comment: Comment, article: Article, author: Author, window: int) -> Mine:
    latest = _version(session, comment.id, comment.latest)
    if latest is None:
        raise NotFound("There is no such comment.")
    shown = comment_view(comment, author, latest, article, RepliesView(comment.visible_replies, [], None))
    ends = comment.created_at + timedelta(seconds=window)
    reaction = session.get(Reaction, (comment.id, author.id))
    fields: dict[str, Any] = {name: getattr(shown, name) for name in CommentView.__struct_fields__}
    fields["gone"] = comment.gone
    return Mine(
        **fields,
        status=latest.status,
        text=latest.text,
        edit_until=moment(ends) if comment.gone is None else None,
        public_version=comment.public,
        reasons=_reasons(session, policy, comment) if latest.status != APPROVED else [],
        mine=[reaction.kind] if reaction else [],
    )


def _reasons(session: Session, policy: Policy, comment: Comment) -> list[Reason]:
    """Why the latest text has its status: a person's reason where a person decided, else each finding that asked."""
    query = (
        select(Decision)
        .where(Decision.comment_id == comment.id, Decision.version == comment.latest)
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
