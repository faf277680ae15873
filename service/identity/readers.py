"""Readers who write: guests with a name of their choice, and people whom the host vouches for by a signed token.

A guest's widget keeps a random renewal secret, stored here as a hash; with it the same author comes back. A ban
revokes it. Names pass the judgement's name check and may not look like a name of staff or of a host-signed reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from moderation import Policy, judge_name
from service.db import Database, add_if_absent
from service.errors import Forbidden, Invalid, NameUnfit, NotFound, ProofNeeded, Unauthenticated, barred_until
from service.identity import assertions, proof, tokens
from service.identity.tokens import Reader
from service.models import Article, Author, Comment, Moderator, Renewal, Role, Site, new_id

GUEST = "guest"
NAMES_KEPT = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """What a reader brings to get a token: a guest's name (with a proof of work), an assertion, or a renewal secret.

    `form` is the secret of one form without script: who sends that form again is the same guest.
    """

    site_id: str
    name: str | None = None
    assertion: str | None = None
    renewal: str | None = None
    network: str = ""
    proof: str | None = None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How long what is issued holds, in seconds, the keys it is signed with, the policy that names are judged by.

    `proof` is up to how many hashes a new guest has to compute first; 0 asks for none.
    """

    keys: Sequence[str]
    token_life: int
    renewal_life: int
    policy: Policy
    proof: int = 0


@dataclass(frozen=True, slots=True)
class Issued:
    """A commenter token, the secret that renews it (guests only), and whom it speaks for."""

    token: str
    expires_at: datetime
    renewal: str | None
    author: Author


def enter(db: Database, entry: Entry, terms: Terms, *, now: datetime) -> Issued:
    """Give a reader a commenter token; makes the author at their first visit."""
    with db.write() as session:
        site = session.get(Site, entry.site_id)
        if site is None:
            raise NotFound("There is no such site.")
        author, renewal = _author(session, site, entry, terms, now)
        refuse_banned(author)
        author.network = entry.network
        session.add(author)
        session.flush()
        token, expires = tokens.mint(terms.keys, Reader(author.id, site.id), now=now, life=terms.token_life)
    return Issued(token, expires, renewal, author)


def _author(session: Session, site: Site, entry: Entry, terms: Terms, now: datetime) -> tuple[Author, str | None]:
    if entry.assertion is not None:
        return _vouched(session, site, entry.assertion, terms.policy, now), None
    if entry.renewal is not None:
        author = _renewed(session, site, entry.renewal, terms, now)
        if entry.name is not None:
            rename(session, author, entry.name, terms.policy)
        return author, entry.renewal
    if entry.name is None:
        raise Invalid("Give a name, a host's assertion or a renewal secret.")
    if not site.guests:
        raise Forbidden("This site takes comments from its own members only.")
    if terms.proof:
        _prove(session, entry, terms, now)
    if entry.form is not None:
        author = _known_as(
            session, Author(site_id=site.id, issuer=GUEST, subject=tokens.hash_secret(entry.form), name=""), now
        )
        rename(session, author, entry.name, terms.policy)
        return author, None
    return _guest(session, site, entry.name, terms, now)


def _prove(session: Session, entry: Entry, terms: Terms, now: datetime) -> None:
    """Use up the proof of work that a new guest brings; who brings none is told what to compute."""
    if entry.proof is None:
        asked = proof.challenge(terms.keys, terms.proof, now=now)
        raise ProofNeeded("New guests are asked for a proof of work.", extra={"challenge": asked})
    proof.accept(session, terms.keys, entry.proof, now=now)


def _guest(session: Session, site: Site, name: str, terms: Terms, now: datetime) -> tuple[Author, str]:
    author = Author(site_id=site.id, issuer=GUEST, subject=new_id(), name="", created_at=now)
    rename(session, author, name, terms.policy)
    session.flush()
    secret = tokens.new_secret()
    ends = now + timedelta(seconds=terms.renewal_life)
    session.add(Renewal(hash=tokens.hash_secret(secret), author_id=author.id, created_at=now, expires_at=ends))
    return author, secret


def _renewed(session: Session, site: Site, secret: str, terms: Terms, now: datetime) -> Author:
    renewal = session.get(Renewal, tokens.hash_secret(secret))
    author = session.get(Author, renewal.author_id) if renewal else None
    if renewal is None or author is None or author.site_id != site.id:
        raise Unauthenticated("This renewal does not hold.")
    refuse_banned(author)
    if renewal.revoked_at is not None or renewal.expires_at <= now:
        raise Unauthenticated("This renewal has ended.")
    renewal.expires_at = now + timedelta(seconds=terms.renewal_life)
    session.add(renewal)
    return author


def _vouched(session: Session, site: Site, assertion: str, policy: Policy, now: datetime) -> Author:
    claims = assertions.exchange(session, site, assertion, now)
    author = _known_as(session, Author(site_id=site.id, issuer=claims.issuer, subject=claims.subject, name=""), now)
    author.verified = True
    rename(session, author, claims.name, policy)
    return author


def _known_as(session: Session, fresh: Author, now: datetime) -> Author:
    """The author whom an issuer names so; made at the first visit, and once where several come at the same moment."""
    theirs = select(Author).where(
        Author.site_id == fresh.site_id, Author.issuer == fresh.issuer, Author.subject == fresh.subject
    )
    known = session.exec(theirs).first()
    if known is None:
        fresh.created_at = now
        add_if_absent(session, fresh)
        known = session.exec(theirs).one()
    return known


def rename(session: Session, author: Author, name: str, policy: Policy) -> None:
    """Judge a display name and give it to an author; raises `NameUnfit` with what is wrong with it."""
    verdict = judge_name(name, (), policy)
    problem = verdict.problem
    if problem is None and not author.verified and _is_taken(session, author, verdict.skeleton):
        problem = "name.taken"
    if problem is not None:
        raise NameUnfit(policy.sentence(problem), pointer="/name")
    if verdict.name == author.name:
        return
    if author.name:
        show_anew(session, author.id)
        author.names = [*author.names, author.name][-NAMES_KEPT:]
    author.name, author.skeleton = verdict.name, verdict.skeleton
    session.add(author)


def show_anew(session: Session, author_id: str) -> None:
    """Let rendered threads with this author's name know that it changes; articles are locked before authors."""
    theirs = select(Comment.article_id).where(Comment.author_id == author_id)
    session.execute(
        update(Article)
        .where(col(Article.id).in_(theirs))
        .values(version=Article.version + 1)
        .execution_options(synchronize_session=False)
    )


def _is_taken(session: Session, author: Author, skeleton: str) -> bool:
    staff = (
        select(Moderator.id)
        .join(Role, col(Role.moderator_id) == Moderator.id)
        .where(Role.site_id == author.site_id, Moderator.skeleton == skeleton)
    )
    vouched = select(Author.id).where(
        Author.site_id == author.site_id, Author.skeleton == skeleton, col(Author.verified).is_(True)
    )
    return session.exec(staff).first() is not None or session.exec(vouched).first() is not None


def standing(author: Author, now: datetime) -> str:
    """The standing that counts now: `banned`, `muted`, `premoderated`, `trusted` or `normal`."""
    if author.banned_at is not None:
        return "banned"
    if author.muted_until is not None and author.muted_until > now:
        return "muted"
    if author.standing_ends_at is not None and author.standing_ends_at <= now:
        return "normal"
    return author.standing


def refuse_barred(author: Author, now: datetime) -> None:
    """Raise `AuthorBarred` for an author who may not write at the moment."""
    refuse_banned(author)
    if standing(author, now) == "muted":
        raise barred_until("You can read but not write for a while.", author.muted_until)


def refuse_banned(author: Author) -> None:
    """Raise `AuthorBarred` for an author who may not come back."""
    if author.banned_at is not None:
        raise barred_until("You can no longer write here.", None)
    if author.erased_at is not None:
        raise Unauthenticated("This author is no longer here.")
