"""A newsroom to test the desk with: two sites, their staff, authors, and comments that came through the one door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from service.db import Database
from service.identity import passwords
from service.identity.staff import Staff
from service.lifecycle import Actor, Case, Change, locked, record, weigh
from service.models import (
    APPROVED,
    PENDING,
    REJECTED,
    Article,
    Author,
    Comment,
    CommentVersion,
    Moderator,
    Report,
    Role,
    Site,
    SiteCounter,
    new_id,
)
from service.review import Decider

NOW = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
STATUS = {"approve": APPROVED, "hold": PENDING, "reject": REJECTED}


def finding(code: str = "engine.insult", outcome: str = "hold", **more: Any) -> dict[str, Any]:
    """One finding as a decision keeps it."""
    return {
        "code": code,
        "source": code.partition(".")[0],
        "outcome": outcome,
        "spans": [],
        "attribute": None,
        "score": None,
        "tone": False,
        "params": {},
        **more,
    }


def judgement(*findings: Mapping[str, Any], scores: Mapping[str, float] | None = None) -> dict[str, Any]:
    """What `moderation.Decision.to_json` gives for these findings."""
    outcomes = ["approve", "hold", "reject"]
    return {
        "outcome": max((found["outcome"] for found in findings), key=outcomes.index, default="approve"),
        "findings": [dict(found) for found in findings],
        "scores": {"lexicon": dict(scores or {})},
        "engines": {"lexicon": "1"},
        "policy_digest": "p" * 64,
        "language": "en",
        "fingerprint": "",
        "facts": {},
    }


INSULT = judgement(
    finding("engine.insult", attribute="insult", score=0.81, spans=[[4, 10]]), scores={"insult": 0.81, "threat": 0.02}
)


@dataclass(frozen=True, slots=True)
class Newsroom:
    """The cast: Mo and Ines moderate the Courier, Ann reads its numbers, Ada rules it; Eve is on another site."""

    db: Database
    mo: Staff
    ines: Staff
    ann: Staff
    ada: Staff
    eve: Staff
    bo: str

    def comment(self, text: str = "You selfish crybabies.", **what: Any) -> str:
        """A comment, judged; `author`, `parent`, `article`, `judged` and `at` may differ from the usual."""
        return write(self.db, text, **{"author": self.bo, **what})

    def edit(self, comment_id: str, text: str, judged: Mapping[str, Any] = INSULT, at: datetime = NOW) -> None:
        """A new text for a comment."""
        with self.db.write() as session:
            case = locked(session, comment_id)
            number = case.comment.latest + 1
            statuses = {number: STATUS[judged["outcome"]]}
            if case.latest.status == PENDING:
                statuses[case.comment.latest] = "deleted"
            case.versions[number] = _version(case.comment, number, text, at)
            case.comment.latest = number
            public = number if statuses[number] == APPROVED else case.comment.public
            change = Change(Actor("engine"), "judge", number, statuses, public, judgement=dict(judged))
            record(session, case, replace(change, events=("comment.edited",)), now=at)

    def report(self, comment_id: str, reader: str, at: datetime = NOW, reason: str = "attack") -> None:
        """A reader's report."""
        with self.db.write() as session:
            comment = session.get_one(Comment, comment_id)
            comment.report_count += 1
            weigh(comment)
            session.add_all(
                [
                    comment,
                    Report(
                        site_id=comment.site_id,
                        comment_id=comment_id,
                        author_id=reader,
                        version=comment.latest,
                        reason=reason,
                        created_at=at,
                    ),
                ]
            )

    def state(self, comment_id: str) -> Comment:
        """The comment's row as it stands."""
        with self.db.read() as session:
            return session.get_one(Comment, comment_id)


def open_newsroom(db: Database) -> Newsroom:
    """Two sites with one article each, five members of staff and a reader."""
    with db.write() as session:
        for site_id in ("courier", "canal"):
            session.add(Site(id=site_id, name=site_id.title(), created_at=NOW))
            session.flush()
            session.add(SiteCounter(site_id=site_id))
            session.add(_article(site_id, "line-6"))
    people = {
        name: _staff(db, name, {site: role})
        for name, site, role in (
            ("mo", "courier", "moderator"),
            ("ines", "courier", "moderator"),
            ("ann", "courier", "analyst"),
            ("ada", "courier", "admin"),
            ("eve", "canal", "admin"),
        )
    }
    return Newsroom(db, **people, bo=author(db, "Bo Karlsen"))


def author(db: Database, name: str, site: str = "courier", at: datetime = NOW - timedelta(days=3)) -> str:
    """A reader who writes."""
    with db.write() as session:
        row = Author(site_id=site, issuer="guest", subject=new_id(), name=name, created_at=at)
        session.add(row)
        session.flush()
        return row.id


def write(
    db: Database,
    text: str,
    *,
    author: str,
    site: str = "courier",
    article: str = "line-6",
    parent: str | None = None,
    judged: Mapping[str, Any] = INSULT,
    at: datetime = NOW - timedelta(minutes=30),
    title: str = "Line 6",
    **fields: Any,
) -> str:
    """A comment through the one door."""
    with db.write() as session:
        place = session.get(Article, f"{site}-{article}") or _article(site, article, title)
        session.add(place)
        session.flush()
        above = session.get(Comment, parent) if parent else None
        comment = Comment(
            site_id=site,
            article_id=place.id,
            author_id=author,
            parent_id=parent,
            thread_id=above.thread_id if above else "",
            depth=above.depth + 1 if above else 0,
            created_at=at,
            language=judged["language"],
            **fields,
        )
        comment.thread_id = comment.thread_id or comment.id
        session.add(comment)
        session.flush()
        version = _version(comment, 1, text, at)
        session.add(version)
        status = STATUS[judged["outcome"]]
        change = Change(
            Actor("engine"),
            "judge",
            1,
            {1: status},
            1 if status == APPROVED else None,
            judgement=dict(judged),
            events=("comment.created",),
        )
        case = Case(place, session.get_one(Author, author), comment, {1: version})
        record(session, case, change, now=at)
        return comment.id


def at_desk(who: Staff) -> Decider:
    """Somebody of the staff, as one who decides."""
    return Decider.at_desk(who)


def _staff(db: Database, login: str, roles: Mapping[str, str]) -> Staff:
    with db.write() as session:
        row = Moderator(login=login, name=login.title(), password_hash=_kept(), created_at=NOW)
        session.add(row)
        session.flush()
        session.add_all(Role(moderator_id=row.id, site_id=site, role=role) for site, role in roles.items())
        return Staff(row.id, login, row.name, roles)


@cache
def _kept() -> str:
    """One hash for everybody, because it is made to be slow."""
    return passwords.hashed(PASSWORD)


def hired(room: Newsroom, login: str) -> Staff:
    """One more moderator of the Courier."""
    return _staff(room.db, login, {"courier": "moderator"})


def _article(site: str, key: str, title: str = "Line 6") -> Article:
    return Article(
        id=f"{site}-{key}", site_id=site, key=key, url=f"https://{site}.example/{key}", title=title, created_at=NOW
    )


def _version(comment: Comment, number: int, text: str, at: datetime) -> CommentVersion:
    return CommentVersion(
        site_id=comment.site_id,
        comment_id=comment.id,
        number=number,
        status=PENDING,
        text=text,
        nodes=[text],
        created_at=at,
    )


def names(rows: Sequence[Any]) -> list[str]:
    """The texts of some rows, shortened to their first word."""
    return [row.excerpt.split()[0] for row in rows]
