"""The moderator's verdict on one version of one text, and its compensation. Append-only: nothing is ever unwritten.

A verdict names the version that was read. Where a person decided meanwhile, or the author changed the text, nothing is
written and `StaleVersion` says who, what and when. What belongs to another site does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from service.db import Database
from service.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from service.identity.staff import ADMIN, MODERATOR, Staff
from service.lifecycle import PEOPLE, Actor, Case, Change, history, locked, record, record_all, restored, weigh
from service.models import APPROVED, PENDING, REJECTED, Comment, Decision, Report, Site
from service.review import leases

if TYPE_CHECKING:
    from service.judges import Judges

APPROVE, REJECT, UNDO, ESCALATE = "approve", "reject", "undo", "escalate"
STATUS_OF = {APPROVE: APPROVED, REJECT: REJECTED}
NOTE_LIMIT = 2_000
DONE = {APPROVE: "approved", REJECT: "rejected", UNDO: "reopened", ESCALATE: "escalated", "withdraw": "withdrew"}


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, and their role on each site: a moderator at the desk, or a host by its key."""

    actor: Actor
    roles: Mapping[str, str]

    @classmethod
    def at_desk(cls, staff: Staff) -> Decider:
        """A member of staff."""
        return cls(Actor("moderator", staff.id, staff.name), staff.roles)

    @classmethod
    def host(cls, key_id: str, name: str, site_id: str) -> Decider:
        """A host site by its API key, on its own site."""
        return cls(Actor("host", key_id, name), {site_id: MODERATOR})

    def require(self, site_id: str) -> None:
        """Raise `NotFound` for a site that is not theirs, `Forbidden` for one that they may only read."""
        if site_id not in self.roles:
            raise NotFound("There is no such comment.")
        if self.roles[site_id] not in (ADMIN, MODERATOR):
            raise Forbidden("Your role on this site reads and does not decide.")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`approve` or `reject` for one version. To reverse what a person decided, `revision` names the state seen.

    `token` is that of the lease which the card was read under, where there is one.
    """

    comment_id: str
    version: int
    verdict: str
    reason: str | None = None
    note: str | None = None
    revision: int | None = None
    batch: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What was written: the decision's id, to undo it by, and the state that came of it."""

    decision_id: str
    comment_id: str
    version: int
    status: str
    revision: int


def decide(db: Database, judges: Judges, by: Decider, verdict: Verdict, now: datetime) -> Done:
    """Approve or reject one version; a rejection needs a reason from the site's policy."""
    check(verdict)
    with db.write() as session:
        case = opened(session, by, verdict.comment_id)
        if verdict.verdict == REJECT:
            check_reason(session, judges, case.comment.site_id, verdict.reason)
        refuse_stale(session, case, verdict)
        if by.actor.kind == "moderator":
            leases.refuse_if_held(session, by.actor.id, verdict.comment_id, now, verdict.token)
        return settle(session, case, by, verdict, now)


def settle(session: Session, case: Case, by: Decider, verdict: Verdict, now: datetime) -> Done:
    """Write a verdict that may be written, close its reports and free its card, in the caller's transaction."""
    return settle_all(session, [(case, verdict)], by, now)[0]


def settle_all(session: Session, cases: Sequence[tuple[Case, Verdict]], by: Decider, now: datetime) -> list[Done]:
    """The same for many cards of one site."""
    rows = record_all(session, [(case, _change(case, by, verdict)) for case, verdict in cases], now=now)
    _close(session, [case.comment for case, _ in cases], now)
    return [_done(row) for row in rows]


def _change(case: Case, by: Decider, verdict: Verdict) -> Change:
    removes = verdict.verdict == REJECT and case.comment.public == verdict.version
    return Change(
        actor=by.actor,
        verb=verdict.verdict,
        version=verdict.version,
        statuses={verdict.version: STATUS_OF[verdict.verdict]},
        public=_public_after(case, verdict),
        gone="removed" if removes else None,
        reason=verdict.reason if verdict.verdict == REJECT else None,
        note=verdict.note,
        batch=verdict.batch,
        kept={"desk": _desk_state(case.comment)},
    )


def undo(db: Database, by: Decider, decision_id: str, now: datetime) -> Done:
    """Take a verdict back by a decision that restores what was before it; only the latest one can be."""
    with db.write() as session:
        row = session.get(Decision, decision_id)
        if row is None or row.site_id not in by.roles:
            raise NotFound("There is no such decision.")
        case = opened(session, by, row.comment_id)
        if row.actor not in PEOPLE or row.verb not in (APPROVE, REJECT):
            raise Conflict("Only what a person approved or rejected can be undone.")
        if row.revision != case.comment.revision:
            raise overtaken(session, case)
        return take_back(session, case, by, row, now)


def take_back(
    session: Session, case: Case, by: Decider, row: Decision, now: datetime, batch: str | None = None
) -> Done:
    """Write the compensation of the latest decision, in the caller's transaction; reports that it closed open again."""
    return take_all_back(session, [(case, row)], by, now, batch)[0]


def take_all_back(
    session: Session, cases: Sequence[tuple[Case, Decision]], by: Decider, now: datetime, batch: str | None = None
) -> list[Done]:
    """The same for many cards of one site."""
    made = record_all(session, [(case, _compensation(case, by, row, batch)) for case, row in cases], now=now)
    _reopen(session, [(case.comment, row) for case, row in cases])
    return [_done(row) for row in made]


def _compensation(case: Case, by: Decider, row: Decision, batch: str | None) -> Change:
    statuses, public, gone = restored(case, row.previous)
    return Change(
        actor=by.actor,
        verb=UNDO,
        version=row.version,
        statuses=statuses,
        public=public,
        gone=gone,
        undoes=row.id,
        batch=batch,
        events=("decision.undone",),
    )


def escalate(db: Database, by: Decider, comment_id: str, version: int, note: str | None, now: datetime) -> Done:
    """Put a card before a senior colleague: it moves up, stays as it is for readers, and the history says who asked."""
    with db.write() as session:
        case = opened(session, by, comment_id)
        refuse_stale(session, case, Verdict(comment_id, version, ESCALATE, revision=case.comment.revision))
        change = Change(
            actor=by.actor,
            verb=ESCALATE,
            version=version,
            statuses={},
            public=case.comment.public,
            gone=case.comment.gone,
            note=_note(note),
        )
        decided_at = case.comment.decided_at
        row = record(session, case, change, now=now)
        case.comment.escalated_at, case.comment.decided_at = now, decided_at
        weigh(case.comment)
        leases.drop(session, [comment_id])
        session.add(case.comment)
        return _done(row)


def past(db: Database, by: Decider, comment_id: str) -> list[Decision]:
    """Every decision about a comment, oldest first."""
    with db.read() as session:
        comment = session.get(Comment, comment_id)
        if comment is None or comment.site_id not in by.roles:
            raise NotFound("There is no such comment.")
        return history(session, comment_id)


# ---- what may be written ------------------------------------------------------------------------------------------


def opened(session: Session, by: Decider, comment_id: str) -> Case:
    """The locked case of a comment that this decider may work on."""
    site_id = session.exec(select(Comment.site_id).where(Comment.id == comment_id)).first()
    if site_id is None:
        raise NotFound("There is no such comment.")
    by.require(site_id)
    return locked(session, comment_id)


def check_reason(session: Session, judges: Judges, site_id: str, reason: str | None) -> None:
    """Raise `Invalid` for a reason that the site's policy does not have."""
    site = session.get(Site, site_id)
    policy = judges.under(site.policy if site else "").policy
    if not reason or policy.reason(reason) is None:
        raise Invalid(f"A rejection needs a reason of this site: {', '.join(policy.reasons)}.", pointer="/reason")


def refuse_stale(session: Session, case: Case, verdict: Verdict) -> None:
    """Raise `StaleVersion` when the text changed or a person decided since it was read."""
    comment = case.comment
    if comment.gone == "withdrawn":
        raise overtaken(session, case)
    if verdict.version not in case.versions:
        raise NotFound("There is no such version.")
    if verdict.version != comment.latest:
        detail = f"The author changed the text: it is version {comment.latest} now. Nothing was written."
        raise StaleVersion(detail, extra={"latest": comment.latest, "revision": comment.revision})
    seen = verdict.revision
    last_is_human = seen is None and case.latest.status != PENDING and _latest(session, case).actor in PEOPLE
    if last_is_human or (seen is not None and seen != comment.revision):
        raise overtaken(session, case)


def overtaken(session: Session, case: Case) -> StaleVersion:
    """The `StaleVersion` that tells who decided last, what and when."""
    last = _latest(session, case)
    who = last.actor_name or {"author": "The author", "engine": "The judgement"}.get(last.actor, "Somebody")
    done = DONE.get(last.verb, "decided")
    return StaleVersion(
        f"{who} {done} this first. Nothing of yours was written.",
        extra={
            "by": who,
            "verb": last.verb,
            "at": last.created_at.isoformat(),
            "decision": last.id,
            "latest": case.comment.latest,
            "revision": case.comment.revision,
        },
    )


def check(verdict: Verdict) -> None:
    """Raise `Invalid` for a verdict that is none."""
    if verdict.verdict not in STATUS_OF:
        raise Invalid("A verdict is approve or reject.", pointer="/verdict")
    _note(verdict.note)


def _note(note: str | None) -> str | None:
    if note is not None and len(note) > NOTE_LIMIT:
        raise Invalid(f"A note has at most {NOTE_LIMIT} signs.", pointer="/note")
    return note or None


def _latest(session: Session, case: Case) -> Decision:
    return session.exec(
        select(Decision).where(Decision.comment_id == case.comment.id, Decision.revision == case.comment.revision)
    ).one()


# ---- what goes with it --------------------------------------------------------------------------------------------


def _public_after(case: Case, verdict: Verdict) -> int | None:
    """An approved version becomes the public one; rejecting an edit leaves the text that readers see."""
    if verdict.verdict == APPROVE:
        return verdict.version
    return None if case.comment.public == verdict.version else case.comment.public


def _desk_state(comment: Comment) -> dict[str, Any]:
    escalated = comment.escalated_at.isoformat() if comment.escalated_at else None
    legal = comment.triage.get("legal", False)
    return {"reports": comment.report_count, "escalated_at": escalated, "sampled": comment.sampled, "legal": legal}


def _close(session: Session, comments: Sequence[Comment], now: datetime) -> None:
    """Close the reports of decided comments, take them off the desk's lists and free their cards."""
    ids = [comment.id for comment in comments]
    session.execute(
        update(Report).where(col(Report.comment_id).in_(ids), col(Report.resolved_at).is_(None)).values(resolved_at=now)
    )
    for comment in comments:
        comment.report_count, comment.escalated_at, comment.sampled = 0, None, False
        weigh(comment, legal=False)
    leases.drop(session, ids)
    session.add_all(comments)


def _reopen(session: Session, undone: Sequence[tuple[Comment, Decision]]) -> None:
    """Open the reports again that these decisions closed, and put the comments back on the desk's lists."""
    for at in {row.created_at for _, row in undone}:
        ids = [row.comment_id for _, row in undone if row.created_at == at]
        closed = (col(Report.comment_id).in_(ids), col(Report.resolved_at) == at)
        session.execute(update(Report).where(*closed).values(resolved_at=None))
    for comment, row in undone:
        desk = row.previous.get("desk", {})
        comment.report_count = desk.get("reports", 0)
        comment.sampled = desk.get("sampled", False)
        escalated = desk.get("escalated_at")
        comment.escalated_at = datetime.fromisoformat(escalated) if escalated else None
        weigh(comment, legal=desk.get("legal", False))
        session.add(comment)


def _done(row: Decision) -> Done:
    return Done(row.id, row.comment_id, row.version, row.after, row.revision)
