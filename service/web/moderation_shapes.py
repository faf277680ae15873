"""Moderation by API: rows, cards, people and decisions as the JSON that the schemas document. No queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from service import review
from service.comments import moment
from service.review import Card, Person, Preview, Record, Row
from service.web import schemas_moderation as schemas

if TYPE_CHECKING:
    from moderation import Reason
    from service.models import Decision
    from service.review.card import Said
    from service.review.numbers import Numbers


def told_waiting(row: Row) -> dict[str, Any]:
    """One line of the queue."""
    return {
        "id": row.id,
        "version": row.version,
        "revision": row.revision,
        "status": row.status,
        "public": row.public,
        "author": {"id": row.author_id, "name": row.author},
        "new_author": row.new_author,
        "excerpt": row.excerpt,
        "article": {"key": row.article_key, "title": row.article, "section": row.section},
        "written_at": moment(row.written),
        "codes": row.triage.get("codes", []),
        "band": row.triage.get("band", "low"),
        "top": row.triage.get("top"),
        "scores": row.triage.get("scores", {}),
        "reports": row.reports,
        "escalated": row.escalated,
        "reader": row.reader,
    }


def told_card(found: Card) -> dict[str, Any]:
    """One comment with everything that a fair decision needs."""
    comment, article = found.comment, found.article
    judgement = found.judgement.to_json() if found.judgement else {"findings": [], "scores": {}}
    return {
        "id": comment.id,
        "version": comment.latest,
        "revision": comment.revision,
        "status": comment.status,
        "public_version": comment.public,
        "article": {"key": article.key, "title": article.title, "url": article.url, "section": article.section},
        "versions": [
            {"number": row.number, "status": row.status, "text": row.text, "written_at": moment(row.created_at)}
            for row in found.versions
        ],
        "findings": [{name: finding.get(name) for name in FINDING} for finding in judgement["findings"]],
        "scores": judgement["scores"],
        "chain": [told_said(said) for said in found.chain],
        "around": [told_said(said) for said in found.around],
        "author": told_record(found.record),
        "reports": [
            {
                "kind": report.door,
                "reason": report.reason,
                "note": report.note,
                "at": moment(report.at),
                "right": report.right,
                "judged": report.judged,
            }
            for report in found.reports
        ],
        "decisions": [told_decision(row) for row in found.decisions],
        "alike": {
            "author": [told_said(said) for said in found.alike.author],
            "network": [told_said(said) for said in found.alike.network],
            "words": [told_said(said) for said in found.alike.words],
        },
        "reader": found.holder.name if found.holder else None,
    }


FINDING = tuple(schemas.FindingOut().fields)


def told_said(said: Said) -> dict[str, Any]:
    """Another comment."""
    return {
        "id": said.id,
        "author": said.author,
        "text": said.text,
        "status": said.status,
        "written_at": moment(said.written),
    }


def told_record(record: Record) -> dict[str, Any]:
    """What is known of an author."""
    author = record.author
    return {
        "id": author.id,
        "name": author.name,
        "verified": author.verified,
        "standing": author.standing,
        "approved": author.approved,
        "rejected": author.rejected,
        "waiting": record.waiting,
        "last": list(record.last),
        "since": moment(author.created_at),
    }


def told_person(person: Person) -> dict[str, Any]:
    """An author with what was done about them."""
    author = person.record.author
    return {
        **told_record(person.record),
        "muted_until": moment(author.muted_until) if author.muted_until else None,
        "banned": author.banned_at is not None,
        "public": person.public,
        "comments": [told_said(said) for said in person.comments],
        "notes": [
            {
                "verb": note.verb,
                "reason": note.reason,
                "note": note.note,
                "by": name,
                "until": moment(note.ends_at) if note.ends_at else None,
                "at": moment(note.created_at),
            }
            for note, name in person.record.notes
        ],
    }


def told_decision(row: Decision) -> dict[str, Any]:
    """One decision."""
    return {
        "id": row.id,
        "revision": row.revision,
        "version": row.version,
        "actor": row.actor,
        "actor_name": row.actor_name,
        "verb": row.verb,
        "before": row.before,
        "after": row.after,
        "reason": row.reason,
        "note": row.note,
        "at": moment(row.created_at),
    }


def told_done(done: review.Done) -> dict[str, Any]:
    """What a verdict wrote."""
    return {
        "id": done.decision_id,
        "comment": done.comment_id,
        "version": done.version,
        "status": done.status,
        "revision": done.revision,
    }


def told_reasons(reasons: Mapping[str, Reason], above: str = "") -> list[dict[str, Any]]:
    """The tree of reasons, each with the sentence that an author reads."""
    return [
        {
            "code": f"{above}{code}",
            "key": reason.key,
            "label": reason.label,
            "sentence": reason.sentence,
            "finer": told_reasons(reason.children, f"{above}{code}."),
        }
        for code, reason in reasons.items()
    ]


def told_preview(preview: Preview) -> dict[str, Any]:
    """What deciding many at once would touch."""
    sample = [{"id": one.id, "author": one.author, "text": one.text, "score": one.score} for one in preview.sample]
    return {"count": preview.count, "being_read": preview.being_read, "sample": sample, "scores": list(preview.scores)}


def told_numbers(found: Numbers) -> dict[str, Any]:
    """The numbers of some days; a time that is not known yet is null, never left out."""
    curve, scores = found.survival, found.scores
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "days": [{"day": day.isoformat(), **of_day} for day, of_day in found.days.items()],
        "waits": [round(minutes, 1) for minutes in found.waits],
        "latency": {
            "held": curve.held,
            "decided": curve.decided,
            "half_within": curve.deciles[50],
            "nine_in_ten_within": curve.deciles[90],
            "steps": [[round(minutes, 2), round(share, 5)] for minutes, share in curve.steps],
        },
        "scores": {"attribute": scores.attribute, "published": scores.published, "rejected": scores.rejected}
        if scores
        else None,
    }
