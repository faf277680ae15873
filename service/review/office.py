"""What the people of a site set in the desk: the site itself, its articles, its policy, who works on it.

Administrators change a site; moderators may open, close and pre-moderate an article. A policy is tried on the last
comments before it is kept: nobody has to guess what a threshold does.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from moderation import Judge, PolicyError, TextRefused
from service import sites
from service.db import Database
from service.errors import Conflict, Invalid, NotFound
from service.identity import staff as accounts
from service.identity.passwords import new_password
from service.identity.staff import ADMIN, MODERATOR, Staff
from service.lifecycle import lock
from service.models import Article, Comment, CommentVersion, Decision, Site
from service.sites import PROMPT_LIMIT, ArticleChange
from service.webhooks import emit

if TYPE_CHECKING:
    from service.judges import Judges

TRIED, EXAMPLES = 1_000, 12
POLICY_LIMIT, NAME_LIMIT = 64_000, 100
ARTICLES = 50
CHANGED_MEANWHILE = "Somebody else has kept another policy since you opened this page. Nothing of yours was kept yet."


@dataclass(frozen=True, slots=True)
class SiteChange:
    """What an administrator sets on a site; None leaves a field as it is."""

    name: str | None = None
    prompt: str | None = None
    language: str | None = None
    premoderated: bool | None = None
    guests: bool | None = None
    origins: tuple[str, ...] | None = None
    reactions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A comment that a new policy would treat otherwise."""

    id: str
    text: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a policy would have changed among the last comments: how many from which outcome to which."""

    tried: int
    skipped: int
    changed: Mapping[tuple[str, str], int]
    examples: Sequence[Example]


# ---- the site -----------------------------------------------------------------------------------------------------


def change_site(db: Database, staff: Staff, site_id: str, change: SiteChange) -> None:
    """Set something on a site, by one of its administrators."""
    staff.require(site_id, ADMIN)
    _check_site(change)
    with db.write() as session:
        site = lock(session, Site, site_id)
        for field in fields(SiteChange):
            value = getattr(change, field.name)
            if value is not None:
                setattr(site, field.name, list(value) if isinstance(value, tuple) else value)
        if change.origins is not None:
            site.origins = [sites.origin(text) for text in dict.fromkeys(change.origins)]
        site.version += 1  # a thread's version is its site's and its article's
        session.add(site)


def _check_site(change: SiteChange) -> None:
    if change.name is not None and not 0 < len(change.name.strip()) <= NAME_LIMIT:
        raise Invalid(f"A site's name has 1 to {NAME_LIMIT} signs.", pointer="/name")
    if change.prompt is not None and not 0 < len(change.prompt.strip()) <= PROMPT_LIMIT:
        raise Invalid(f"The question has 1 to {PROMPT_LIMIT} signs.", pointer="/prompt")
    if change.language is not None and not (2 <= len(change.language) <= 3 and change.language.isalpha()):
        raise Invalid("A language is a code such as en.", pointer="/language")
    for kind in change.reactions or ():
        if not (kind.isascii() and kind.isalpha() and kind.islower() and len(kind) <= 20):
            raise Invalid("A reaction is a word in small letters, such as like.", pointer="/reactions")


# ---- articles -----------------------------------------------------------------------------------------------------


def articles(db: Database, staff: Staff, site_id: str, words: str = "") -> list[Article]:
    """The articles with the latest comments first, or those whose title or key holds the words."""
    if not staff.may_see(site_id):
        raise NotFound("There is no such site.")
    query = select(Article).where(Article.site_id == site_id)
    if words:
        query = query.where(or_(col(Article.title).icontains(words, autoescape=True), col(Article.key) == words))
    latest = (col(Article.last_comment_at).desc().nulls_last(), col(Article.created_at).desc(), col(Article.id))
    with db.read() as session:
        return list(session.exec(query.order_by(*latest).limit(ARTICLES)))


def article(db: Database, staff: Staff, article_id: str) -> Article:
    """One article of a site that is theirs."""
    with db.read() as session:
        return _article(session, staff, article_id)


def change_article(db: Database, staff: Staff, article_id: str, change: ArticleChange, now: datetime) -> None:
    """Open, close, pre-moderate, or ask another question under one article."""
    if change.prompt is not None and len(change.prompt) > PROMPT_LIMIT:
        raise Invalid(f"The question has at most {PROMPT_LIMIT} signs.", pointer="/prompt")
    with db.write() as session:
        staff.require(_article(session, staff, article_id).site_id, ADMIN, MODERATOR)
        row = lock(session, Article, article_id)
        was_closed = row.closed
        row.closed = row.closed if change.closed is None else change.closed
        row.premoderated = row.premoderated if change.premoderated is None else change.premoderated
        row.prompt = row.prompt if change.prompt is None else change.prompt.strip() or None
        row.version += 1
        session.add(row)
        if row.closed != was_closed:
            type_ = "article.closed" if row.closed else "article.opened"
            emit(session, row.site_id, type_, {"article": {"key": row.key}, "actor": "moderator"}, now=now)


def _article(session: Session, staff: Staff, article_id: str) -> Article:
    row = session.get(Article, article_id)
    if row is None or not staff.may_see(row.site_id):
        raise NotFound("There is no such article.")
    return row


# ---- the policy ---------------------------------------------------------------------------------------------------


def change_policy(
    db: Database, judges: Judges, staff: Staff, site_id: str, override: str, seen: str | None = None
) -> None:
    """Put a site under the shipped policy with these overrides; `Invalid` lists everything that is wrong with them.

    `seen` is the mark of the overrides that somebody looked at: where others are kept by now, `Conflict` is raised.
    """
    staff.require(site_id, ADMIN)
    judge_under(judges, override)
    with db.write() as session:
        site = lock(session, Site, site_id)
        if seen is not None and mark_of(site.policy) != seen:
            raise Conflict(CHANGED_MEANWHILE)
        site.policy = override.strip()
        session.add(site)


def mark_of(override: str) -> str:
    """What tells a site's overrides from any others: a form carries it to say what it was drawn from."""
    return hashlib.sha256(override.encode()).hexdigest()[:16]


def try_policy(db: Database, judges: Judges, staff: Staff, site_id: str, override: str) -> Trial:
    """Judge a site's last comments again, under the policy as it is and as it would be, from their stored scores."""
    staff.require(site_id, ADMIN)
    new = judge_under(judges, override)
    with db.read() as session:
        old = judges.under(session.get_one(Site, site_id).policy)
        rows = session.execute(_last(site_id)).all()
    changed: Counter[tuple[str, str]] = Counter()
    examples: list[Example] = []
    skipped = 0
    for comment_id, text, judgement in rows:
        outcomes = _outcomes(text, judgement, old, new)
        if outcomes is None:
            skipped += 1
        elif outcomes[0] != outcomes[1]:
            changed[outcomes] += 1
            examples.append(Example(comment_id, text[:400], *outcomes))
    return Trial(len(rows) - skipped, skipped, changed, examples[:EXAMPLES])


def judge_under(judges: Judges, override: str) -> Judge:
    """The judge under some overrides; `Invalid` with everything that is wrong with them."""
    if len(override) > POLICY_LIMIT:
        raise Invalid(f"A policy has at most {POLICY_LIMIT} signs.", pointer="/policy")
    try:
        return judges.trial(override.strip())
    except PolicyError as wrong:
        raise Invalid("\n".join(wrong.problems), pointer="/policy") from None


def _last(site_id: str) -> Any:
    judged = and_(col(Decision.comment_id) == col(Comment.id), col(Decision.actor) == "engine")
    of_latest = and_(judged, col(Decision.version) == col(Comment.latest))
    latest = and_(col(CommentVersion.comment_id) == col(Comment.id), col(CommentVersion.number) == col(Comment.latest))
    return (
        select(col(Comment.id), col(CommentVersion.text), col(Decision.judgement))
        .join(CommentVersion, latest)
        .join(Decision, of_latest)
        .where(Comment.site_id == site_id)
        .order_by(col(Comment.created_at).desc(), col(Comment.id).desc())
        .limit(TRIED)
    )


def _outcomes(text: str, judgement: Mapping[str, Any], old: Judge, new: Judge) -> tuple[str, str] | None:
    """The outcome under both judges; None for what was stored before it could be judged again, or erased."""
    try:
        facts, scores = judgement["facts"], judgement["scores"]
        before, after = (judge.replay(text, facts, scores).outcome.value for judge in (old, new))
    except (KeyError, TextRefused):
        return None
    return before, after


# ---- who works here -----------------------------------------------------------------------------------------------


def hire(db: Database, staff: Staff, site_id: str, account: tuple[str, str], role: str, now: datetime) -> str | None:
    """Give a login a role on a site; returns a new account's password, shown once, or None where the account was there.

    `account` is a login and a name; the name counts for new accounts only.
    """
    staff.require(site_id, ADMIN)
    login, name = account
    try:
        known = accounts.id_of(db, login)
    except NotFound:
        password = new_password()
        accounts.add_moderator(db, login, name, password, {site_id: role}, now)
        return password
    set_role(db, staff, site_id, known, role)
    return None


def set_role(db: Database, staff: Staff, site_id: str, moderator_id: str, role: str | None) -> None:
    """Change or (None) take away somebody's role on a site, from their next request on. Nobody changes their own."""
    staff.require(site_id, ADMIN)
    if moderator_id == staff.id:
        raise Conflict("Your own role is for another administrator to change.")
    accounts.set_role(db, moderator_id, site_id, role)
