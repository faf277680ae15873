"""What a judgement rests on, gathered in one read; and the rows that a judgement becomes.

Shared by submitting and editing. Facts are compared again under lock before anything is stored: where one has changed,
the text is judged again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from moderation import ArticleFacts, AuthorFacts, Decision, Outcome, Submission, TextRefused
from service import sites
from service.db import add_if_absent
from service.errors import TextUnfit, Unauthenticated
from service.identity.readers import refuse_barred, standing
from service.identity.tokens import Reader
from service.judges import Judges
from service.lifecycle import Actor, Change
from service.markup import RENDERER_VERSION, render
from service.models import APPROVED, PENDING, REJECTED, Article, Author, Comment, CommentVersion, PolicyText, Site

STATUS_OF = {Outcome.APPROVE: APPROVED, Outcome.HOLD: PENDING, Outcome.REJECT: REJECTED}
RECENT_TEXTS = 20
RECENT_HOURS = 24
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a text: the comment, the version it became, that version's status, and whether it was known."""

    comment_id: str
    version: int
    status: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What a judgement rests on. Compared under lock: where it differs, the text is judged again."""

    policy: str
    standing: str
    premoderated: bool
    language: str


@dataclass(frozen=True, slots=True)
class Brief:
    """A submission and the facts that it was made of."""

    facts: Facts
    submission: Submission


class FactsChanged(Exception):
    """A fact that the judgement rested on is no longer so."""


def writer(session: Session, reader: Reader, now: datetime) -> Author:
    """The author behind a token; raises for one who may not write at the moment."""
    author = session.get(Author, reader.author_id)
    if author is None or author.site_id != reader.site_id:
        raise Unauthenticated("This token does not hold.")
    refuse_barred(author, now)
    return author


def facts_of(site: Site, article: Article | None, author: Author, now: datetime) -> Facts:
    """The facts as they stand in this transaction."""
    return Facts(site.policy, standing(author, now), sites.premoderated(site, article), site.language)


def submission(session: Session, text: str, author: Author, facts: Facts, now: datetime) -> Submission:
    """A new text with the facts about its author, their last texts and the article."""
    since = now - timedelta(hours=RECENT_HOURS)
    recent = session.exec(
        select(Comment.fingerprint)
        .where(Comment.author_id == author.id, Comment.created_at > since)
        .order_by(col(Comment.created_at).desc())
        .limit(RECENT_TEXTS)
    ).all()
    return Submission(
        text=text,
        name=author.name,
        author=AuthorFacts(
            standing=facts.standing,
            verified=author.verified,
            approved=author.approved,
            rejected=author.rejected,
            age_seconds=max(int((now - author.created_at).total_seconds()), 0),
            recent=tuple(recent),
        ),
        article=ArticleFacts(premoderated=facts.premoderated, language=facts.language),
    )


def judge(judges: Judges, brief: Brief) -> Decision:
    """Judge a submission; raises `TextUnfit` for a text that cannot be a comment."""
    try:
        return judges.under(brief.facts.policy).decide(brief.submission)
    except TextRefused as refused:
        raise TextUnfit(refused.detail, pointer="/text") from None


def new_version(comment: Comment, number: int, decision: Decision, now: datetime) -> CommentVersion:
    """The row of a new text, rendered once."""
    return CommentVersion(
        site_id=comment.site_id,
        comment_id=comment.id,
        number=number,
        status=PENDING,
        text=decision.text,
        nodes=render(decision.text),
        renderer=RENDERER_VERSION,
        created_at=now,
    )


def keep_policy(session: Session, judges: Judges, override: str, decision: Decision, now: datetime) -> None:
    """Keep the policy that decided, by its digest; raises `FactsChanged` where another counts by now."""
    known = session.exec(select(PolicyText.digest).where(PolicyText.digest == decision.policy_digest)).first()
    if known is None:
        policy = judges.under(override).policy
        if policy.digest != decision.policy_digest:  # an engine came back that the site's own policy does not fit
            raise FactsChanged
        add_if_absent(session, PolicyText(digest=policy.digest, source=policy.source, created_at=now))


def judged(decision: Decision, version: int, statuses: dict[int, str], public: int | None, told: str) -> Change:
    """What a judgement changes."""
    return Change(
        actor=Actor("engine"),
        verb="judge",
        version=version,
        statuses=statuses,
        public=public,
        judgement=decision.to_json(),
        policy_digest=decision.policy_digest,
        events=(told,),
    )
