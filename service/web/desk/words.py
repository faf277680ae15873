"""Findings in plain words for a moderator, and small things that pages say: bands, waits, decisions.

A band comes first, the number on demand. The words for authors are the policy's; these are for the desk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moderation import Finding, Outcome, Policy
from service.triage import band

TICKS = {"low": 1, "some": 2, "high": 3, "severe": 4}
ATTRIBUTES = {
    "toxicity": "Hostile",
    "severe_toxicity": "Very hostile",
    "obscene": "Crude",
    "identity_attack": "Hatred of a group",
    "insult": "Insult",
    "threat": "Threat",
    "sexual_explicit": "Sexual content",
    "unfit": "Like what moderators hold",
    "abuse": "Attack",
    "hate": "Hatred of a group",
    "incitement": "Calls for violence",
    "dehumanisation": "Dehumanising",
    "coded": "Hatred in code",
    "sexism": "Sexism",
}
LABELS = {
    "length.too_long": "Very long",
    "links.too_many": "Links",
    "repeats.same_text": "Said already",
    "wordlist.severe": "Word list, severe",
    "wordlist.strong": "Word list, strong",
    "wordlist.threat": "Word list, threat",
    "wordlist.mild": "Word list, mild",
    "wordlist.severe_told": "Told of, not said",
    "wordlist.threat_told": "Told of, not said",
    "wordlist.name": "Name on a word list",
    "shouting.capitals": "Capitals",
    "trust.new_author": "New author",
    "trust.premoderated": "Author is read first",
    "article.premoderated": "Article is read first",
    "language.unfit": "Language not covered",
    "engine.failed": "Not scored",
    "engine.late": "Not scored",
    "policy.unreadable": "Policy unusable",
}
LISTS = {
    "severe": "Degrading words",
    "threat": "Threats",
    "strong": "Insults",
    "mild": "Rough words",
    "innocent": "Never meant badly",
}
COMES_OF = {"hold": "waits", "approve": "is left to its scores", "reject": "is rejected"}
INNOCENT = "inside these phrases no word counts"
SENTENCES = {
    "length.too_long": "{length} signs, where {most} pass unread",
    "links.too_many": "{links} links, where this author may set {most}",
    "repeats.same_text": "The same text by the same author, {repeats} times before",
    "wordlist.severe": "Degrading words: marked in the text",
    "wordlist.strong": "Strong language: marked in the text",
    "wordlist.threat": "Reads like a threat: marked in the text",
    "wordlist.mild": "Rough language: marked in the text",
    "wordlist.severe_told": "Degrading words are told of: the model finds no abuse in the text",
    "wordlist.threat_told": "A threat is told of: the model finds no abuse in the text",
    "wordlist.name": "The display name has a word on the site’s list in it",
    "shouting.capitals": "Capitals almost throughout",
    "trust.new_author": "The first comments of an author are read by a person",
    "trust.premoderated": "A moderator decided to read this author first",
    "article.premoderated": "Every comment under this article is read by a person",
    "language.unfit": "No engine here knows this language, so nothing was scored",
    "engine.failed": "The engine failed, so a person decides",
    "engine.late": "The engine took too long, so a person decides",
    "policy.unreadable": "The site’s own policy cannot be used, so a person decides",
}
VERBS = {
    "judge": "judged",
    "approve": "approved",
    "reject": "rejected",
    "undo": "took back",
    "escalate": "escalated",
    "withdraw": "withdrew",
    "restore": "restored",
    "edit": "edited",
}
REPORTS = {
    "abuse": "Attacks somebody",
    "spam": "Advertising",
    "off-topic": "Off topic",
    "personal": "Private details",
    "false": "False claim",
    "other": "Something else",
    "illegal": "Against the law",
}
STANDINGS = {"premoderated": "read first"}
STEPS = {
    "note": "noted",
    "warn": "warned",
    "mute": "muted",
    "unmute": "ended the mute",
    "ban": "banned",
    "unban": "lifted the ban",
    "premoderate": "had them read first",
    "trust": "trusted",
    "normal": "went back to normal",
    "mark_staff": "marked as one of this newspaper",
    "unmark": "took the mark away",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One finding as the card shows it; `number` is what its marks in the text carry, 0 for none."""

    number: int
    label: str
    sentence: str
    band: str
    ticks: int
    figure: str
    spans: Sequence[tuple[int, int]]


def findings(found: Sequence[Finding], policy: Policy) -> list[Said]:
    """The findings that asked for more than approval, the gravest first, numbered where they point into the text."""
    grave = [finding for finding in found if finding.outcome is not Outcome.APPROVE]
    said: list[Said] = []
    for finding in grave:
        number = 1 + sum(1 for before in said if before.number) if finding.spans else 0
        said.append(_said(finding, number, policy))
    return said


def _said(finding: Finding, number: int, policy: Policy) -> Said:
    scored = finding.score is not None
    word = band(finding.to_json()) if scored else ""
    return Said(
        number=number,
        label=label(finding.code, finding.attribute),
        sentence=_sentence(finding),
        band=word,
        ticks=TICKS.get(word, 0),
        figure=_figure(finding, policy),
        spans=[(span.start, span.end) for span in finding.spans],
    )


def lists(policy: Policy) -> list[tuple[str, str, str]]:
    """The site's own word lists: the name of each, its title, and what comes of a word on it under this policy."""
    rule = policy.rules.get("wordlist", {})
    if not rule or rule.get("on") is False:
        return [(name, title, "switched off: the policy has no such rule") for name, title in LISTS.items()]
    named = COMES_OF.get(str(rule.get("name")), "") if rule.get("name") != "approve" else ""
    most = rule.get("mild_from")
    found = []
    for name, title in LISTS.items():
        does = COMES_OF.get(str(rule.get(name)), "counts for nothing")
        many = f"a comment with {most} different ones" if name == "mild" and most != 1 else "a comment with one"
        of_names = f", a name with one {named}" if named and name != "mild" else ""
        found.append((name, title, INNOCENT if name == "innocent" else f"{many} {does}{of_names}"))
    return found


def label(code: str, attribute: str | None = None) -> str:
    """The few words for a finding's code."""
    if code in LABELS:
        return LABELS[code]
    name = attribute or code.rpartition(".")[2]
    return ATTRIBUTES.get(name, name.replace("_", " ").capitalize())


def _sentence(finding: Finding) -> str:
    if finding.score is not None:
        return "Marked: what moved the model most." if finding.spans else "The model read the whole text this way."
    try:
        return SENTENCES.get(finding.code, finding.code).format(**finding.params)
    except (KeyError, IndexError, ValueError):
        return label(finding.code)


def _figure(finding: Finding, policy: Policy) -> str:
    if finding.score is None or finding.attribute is None:
        return ""
    threshold = policy.thresholds(finding.source).get(finding.attribute)
    parts = [f"{finding.score:.2f}"]
    if threshold and threshold.hold is not None:
        parts.append(f"holds from {threshold.hold:.2f}")
    if threshold and threshold.reject is not None:
        parts.append(f"rejects from {threshold.reject:.2f}")
    return ", ".join(parts)


def clear(scores: Mapping[str, Mapping[str, float]], said: Sequence[Finding]) -> list[str]:
    """The attributes that were scored and gave no finding, in small letters for a sentence."""
    grave = {finding.attribute for finding in said}
    found = dict.fromkeys(name for of_engine in scores.values() for name in of_engine if name not in grave)
    return [ATTRIBUTES.get(name, name.replace("_", " ")).lower() for name in found]


def headline(triage: Mapping[str, Any]) -> tuple[str, str, int]:
    """What the list says first about a comment: a label, its band and its ticks."""
    top = triage.get("top")
    if not top:
        return "Nothing found", "", TICKS["low"]
    word = str(triage.get("band", "low"))
    return label(top["code"], top["attribute"]), word if top.get("score") is not None else "", TICKS[word]


def wait(since: datetime, now: datetime) -> str:
    """How long something has waited, in the two or three signs that a list has room for."""
    return span(max(now - since, timedelta()).total_seconds())


def span(seconds: float) -> str:
    """A time in the two or three signs that a list has room for."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def ago(since: datetime, now: datetime) -> str:
    """When something was done, seen from now."""
    return f"{wait(since, now)} ago" if now - since >= timedelta(minutes=1) else "just now"


def tally(published: int, rejected: int, waiting: int) -> str:
    """How many comments came to what, without those that none came to."""
    counted = {"published": published, "rejected": rejected, "waiting": waiting}
    return ", ".join(f"{many:,} {name}" for name, many in counted.items() if many) or "none yet"


def day(moment: datetime) -> str:
    """A moment as people write it, in UTC."""
    return f"{moment:%a} {moment.day} {moment:%b}, {moment:%H:%M}"


def ordinal(number: int) -> str:
    """first, second, third, 4th and so on."""
    named = {1: "first", 2: "second", 3: "third"}
    if number in named:
        return named[number]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"


def because(row: Any, now: datetime) -> list[str]:
    """Why a comment stands where it stands, in the order of weight."""
    name, word, _ = headline(row.triage)
    reasons = [f"{word} for {name[0].lower()}{name[1:]}"] if word in ("some", "high", "severe") else []
    if row.reports:
        reasons.append("1 report" if row.reports == 1 else f"{row.reports} reports")
    reasons += ["escalated"] if row.escalated else []
    reasons += ["readers see it now"] if row.public else []
    waited = wait(row.written, now)
    reasons.append(f"{waited} waiting" if row.status == "pending" else f"written {waited} ago")
    return [f"{reasons[0][0].upper()}{reasons[0][1:]}", *reasons[1:]]
