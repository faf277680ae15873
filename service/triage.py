"""What the queue lists, filters and sorts by, worked out once from a judgement. Pure: knows no table and no request.

Urgency is a sum of credits in seconds minus the moment of writing. Every comment ages at the same pace, so the order of
two never changes by waiting: a stored number under an index is enough, and since credits have an end nothing starves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

HOUR = 3_600.0
SEVERITY = {"severe": 12 * HOUR, "high": 6 * HOUR, "some": 2 * HOUR, "low": 0.0}
SCORES = {"severe": 0.95, "high": 0.75, "some": 0.5, "low": 0.0}
WORDS = {"wordlist.severe": "high", "wordlist.threat": "high", "wordlist.strong": "some", "wordlist.mild": "some"}
BANDS = tuple(reversed(SEVERITY))
REPORT, REPORTS_AT_MOST = 2 * HOUR, 6
LEGAL, ESCALATED, VISIBLE = 24 * HOUR, 12 * HOUR, 6 * HOUR
ONE_IN = 20  # how many of those that nobody read are drawn for a second look


@dataclass(frozen=True, slots=True)
class Standing:
    """What weighs besides the judgement: readers' reports, a report by law, escalation, whether readers see it now."""

    reports: int = 0
    legal: bool = False
    escalated: bool = False
    visible: bool = False


def triage(judgement: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a judgement (`Decision.to_json()`) that the queue needs: codes, scores, and its gravest finding."""
    findings: Sequence[Mapping[str, Any]] = judgement.get("findings", ())
    top = max(findings, key=_weight, default=None)
    return {
        "codes": sorted({finding["code"] for finding in findings if finding["outcome"] != "approve"}),
        "scores": highest(judgement.get("scores", {})),
        "band": band(top) if top else "low",
        "top": {key: top[key] for key in ("code", "attribute", "score", "outcome")} if top else None,
    }


def highest(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The highest score of each attribute over all engines, rounded to what a person can use."""
    found: dict[str, float] = {}
    for of_engine in scores.values():
        for attribute, score in of_engine.items():
            found[attribute] = max(found.get(attribute, 0.0), round(float(score), 4))
    return found


def band(finding: Mapping[str, Any]) -> str:
    """How grave a finding is, in one of four words: by its score where it has one, else by its kind."""
    if finding["outcome"] == "reject":
        return "severe"
    if finding["outcome"] == "approve":
        return "low"
    score = finding.get("score")
    if score is None:
        return WORDS.get(finding["code"], "low")
    return next(word for word, least in SCORES.items() if score >= least)


def _weight(finding: Mapping[str, Any]) -> tuple[float, float]:
    return SEVERITY[band(finding)], float(finding.get("score") or 0.0)


def urgency(band_: str, standing: Standing, written: datetime) -> float:
    """The number that the queue sorts by, highest first: what is grave, reported, visible or old comes first."""
    credit = SEVERITY[band_] + REPORT * min(standing.reports, REPORTS_AT_MOST)
    credit += LEGAL * standing.legal + ESCALATED * standing.escalated + VISIBLE * standing.visible
    return credit - written.timestamp()


def is_drawn(comment_id: str) -> bool:
    """Whether a comment that was published unread belongs to the sample for a second look. Ids are random."""
    return int(comment_id[-8:], 16) % ONE_IN == 0
