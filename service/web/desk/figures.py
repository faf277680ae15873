"""The numbers page: each chart with a headline that is true of its data and a table behind it."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from moderation import Policy
from service.review.numbers import Numbers, numbers
from service.web.context import now, parts
from service.web.desk import charts, pages, words
from service.web.desk.guard import bp, staff_of

SPANS = {"1": "Today", "7": "7 days", "14": "14 days", "90": "90 days"}


@bp.get("/<site>/numbers")
def figures(site: str) -> Any:
    """Volume, waits, decisions and scores of some days."""
    span = request.args.get("days", "14")
    days = int(span) if span in SPANS else 14
    policy = parts().judges.under(pages.site_of(site).policy).policy
    attribute, thresholds = _attribute(policy, request.args.get("attribute", ""))
    found = numbers(parts().database, staff_of(site), site, days, attribute, now())
    waits = charts.waits(found.waits)
    drawn = [_drawn(found, waits, thresholds, frame) for frame in charts.FRAMES]
    return render_template(
        "desk/numbers.html",
        **pages.frame(site),
        found=found,
        days=str(days),
        SPANS=SPANS,
        attribute=attribute,
        attributes=sorted(_thresholds(policy)),
        thresholds=thresholds,
        drawn={name: [of_frame[name] for of_frame in drawn] for name in drawn[0]},
        waits_table=waits.rows,
        says=headlines(found, thresholds),
    )


def _drawn(
    found: Numbers, waits: charts.Waits, thresholds: dict[str, float], frame: charts.Frame
) -> dict[str, charts.Chart | None]:
    """Every chart of the page in one frame; each is drawn wide and narrow, and the page shows what fits."""
    return {
        "volume": charts.volume(found.days, frame),
        "waits": charts.waiting(waits, frame),
        "latency": charts.latency(found.survival, frame),
        "scores": charts.scores(found.scores, thresholds, frame) if found.scores else None,
    }


def _thresholds(policy: Policy) -> dict[str, dict[str, float]]:
    """Where each attribute holds and rejects, over all engines of the policy."""
    lines: dict[str, dict[str, float]] = {}
    for of_engine in policy.engines.values():
        for attribute, line in of_engine.items():
            pairs = (("holds from", line.hold), ("rejects from", line.reject))
            lines.setdefault(attribute, {}).update({name: at for name, at in pairs if at is not None})
    return lines


def _attribute(policy: Policy, asked: str) -> tuple[str, dict[str, float]]:
    lines = _thresholds(policy)
    chosen = asked if asked in lines else next((name for name in ("toxicity", *lines) if name in lines), "")
    return chosen, lines.get(chosen, {})


def headlines(found: Numbers, thresholds: dict[str, float]) -> dict[str, str]:
    """What each chart shows, in a sentence made from the same numbers."""
    return {
        "volume": _volume(found),
        "waits": _waits(found.waits),
        "latency": _latency(found),
        "scores": _scores(found, thresholds),
    }


def _volume(found: Numbers) -> str:
    total = sum(sum(day.values()) for day in found.days.values())
    unread = sum(day["unread"] for day in found.days.values())
    if not total:
        return "No comment came in these days"
    return f"{total:,} comments, {round(100 * unread / total)} in 100 published without anyone reading them first"


def _waits(minutes: Any) -> str:
    if not minutes:
        return "Nobody waits"
    over = sum(1 for wait in minutes if wait >= 60)
    return (
        f"{over:,} of {len(minutes):,} have waited an hour or longer"
        if over
        else "Nobody now waiting has waited an hour"
    )


def _latency(found: Numbers) -> str:
    curve = found.survival
    if not curve.held:
        return "Nothing was held in these days"
    half = curve.deciles[50]
    if half is None:
        return "Fewer than half of the held are decided"
    return f"Half of the held are decided within {charts.spell(half)}"


def _scores(found: Numbers, thresholds: dict[str, float]) -> str:
    line = thresholds.get("holds from")
    if found.scores is None or line is None:
        return "No score is held back"
    from_bin = round(line * len(found.scores.published))
    good, bad = (sum(side[from_bin:]) for side in (found.scores.published, found.scores.rejected))
    name = words.label(found.scores.attribute, found.scores.attribute).lower()
    if not good + bad:
        return f"Nothing that was decided scored {line:.2f} or more for {name}"
    share = round(100 * good / (good + bad))
    return f"Of what scored {line:.2f} or more for {name}, {share} in 100 were published in the end"
