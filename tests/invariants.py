"""What must be true of a database at rest, whoever died while writing it. Reads every row; says everything wrong.

The states of comments are worked out again from the history of decisions, by rules written down here a second time, so
that a mistake in the service does not excuse itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, SQLModel, select

from service.db import Database
from service.models import (
    Article,
    Author,
    Comment,
    CommentVersion,
    Decision,
    Delivery,
    Endpoint,
    Event,
    Idempotency,
    Reaction,
    SiteCounter,
)


@dataclass
class State:
    """A comment as its decisions say that it is."""

    statuses: dict[int, str] = field(default_factory=dict)
    public: int | None = None
    gone: str | None = None

    @classmethod
    def told(cls, previous: dict[str, Any]) -> State:
        """A state as a decision wrote it down."""
        return cls({int(n): s for n, s in previous["statuses"].items()}, previous["public"], previous["gone"])


@dataclass
class Rows:
    """Every row that the rules below speak of."""

    comments: dict[str, Comment]
    versions: dict[str, dict[int, CommentVersion]]
    decisions: dict[str, list[Decision]]
    articles: dict[str, Article]
    authors: dict[str, Author]
    events: list[Event]
    deliveries: list[Delivery]
    endpoints: list[Endpoint]
    reactions: list[Reaction]
    keys: list[Idempotency]
    counters: dict[str, int]


def broken(db: Database) -> list[str]:
    """Everything that is not as it must be, one sentence each; empty for a sound database."""
    with db.read() as session:
        rows = _read(session)
    rules = (_histories, _publications, _totals, _replies, _reactions, _events, _deliveries, _keys)
    return [sentence for rule in rules for sentence in rule(rows)]


def _read(session: Session) -> Rows:
    def every(table: type[SQLModel]) -> list[Any]:
        return list(session.exec(select(table)))

    versions: dict[str, dict[int, CommentVersion]] = defaultdict(dict)
    for version in every(CommentVersion):
        versions[version.comment_id][version.number] = version
    decisions: dict[str, list[Decision]] = defaultdict(list)
    for decision in every(Decision):
        decisions[decision.comment_id].append(decision)
    for history in decisions.values():
        history.sort(key=lambda decision: decision.revision)
    return Rows(
        {comment.id: comment for comment in every(Comment)},
        versions,
        decisions,
        {article.id: article for article in every(Article)},
        {author.id: author for author in every(Author)},
        every(Event),
        every(Delivery),
        every(Endpoint),
        every(Reaction),
        every(Idempotency),
        {counter.site_id: counter.event_seq for counter in every(SiteCounter)},
    )


# ---- the rules ----


def _histories(rows: Rows) -> Iterator[str]:
    """A comment's state is what its decisions make of it, one after the other, and none is missing."""
    for id_, comment in rows.comments.items():
        history = rows.decisions[id_]
        if [decision.revision for decision in history] != list(range(1, comment.revision + 1)):
            yield f"{id_}: decisions {[d.revision for d in history]} for revision {comment.revision}"
            continue
        state = State()
        for decision in history:
            before = State.told(decision.previous)
            if decision.revision > 1 and (before.public, before.gone) != (state.public, state.gone):
                yield f"{id_}: decision {decision.revision} was made in another state than the one before left"
            state = _after(decision, state, history)
        kept = {number: version.status for number, version in rows.versions[id_].items()}
        if (state.statuses, state.public, state.gone) != (kept, comment.public, comment.gone):
            yield f"{id_}: {kept} {comment.public} {comment.gone}, by its history {state}"
        if comment.latest != max(kept, default=0) or comment.status != kept.get(comment.latest):
            yield f"{id_}: latest {comment.latest} {comment.status} and versions {kept}"


def _after(decision: Decision, state: State, history: list[Decision]) -> State:
    """What one decision makes of a state."""
    statuses, version = {**state.statuses, decision.version: decision.after}, decision.version
    if decision.verb == "judge":
        if statuses.get(version - 1) == "pending":
            statuses[version - 1] = "deleted"
        return State(statuses, version if decision.after == "approved" else state.public, None)
    if decision.verb == "approve":
        return State(statuses, version, None)
    if decision.verb == "reject":
        removes = state.public == version
        return State(statuses, None if removes else state.public, "removed" if removes else None)
    if decision.verb == "withdraw":
        return State(dict.fromkeys(state.statuses, "deleted"), None, "withdrawn")
    if decision.verb in ("undo", "restore"):
        [undone] = [one for one in history if one.id == decision.undoes]
        earlier = State.told(undone.previous)
        return State({**state.statuses, **earlier.statuses}, earlier.public, earlier.gone)
    return state


def _publications(rows: Rows) -> Iterator[str]:
    """What is public was approved in exactly that version."""
    for id_, comment in rows.comments.items():
        if comment.public is None:
            continue
        approved = any(d.version == comment.public and d.after == "approved" for d in rows.decisions[id_])
        if not approved or rows.versions[id_][comment.public].status != "approved":
            yield f"{id_}: version {comment.public} is public and was not approved"


def _totals(rows: Rows) -> Iterator[str]:
    """Articles count their public comments, authors what was approved and rejected of theirs."""
    public = Counter(c.article_id for c in rows.comments.values() if c.public is not None)
    approved = Counter(c.author_id for c in rows.comments.values() if c.public is not None)
    rejected = Counter(c.author_id for c in rows.comments.values() if c.status == "rejected")
    for id_, article in rows.articles.items():
        if article.count != public[id_]:
            yield f"article {article.key}: counts {article.count}, has {public[id_]}"
    for id_, author in rows.authors.items():
        if (author.approved, author.rejected) != (approved[id_], rejected[id_]):
            yield f"author {id_}: {author.approved}/{author.rejected}, by rows {approved[id_]}/{rejected[id_]}"


def _replies(rows: Rows) -> Iterator[str]:
    """A comment counts the replies that readers see."""
    seen = Counter(
        c.parent_id for c in rows.comments.values() if c.parent_id and (c.public is not None or c.visible_replies)
    )
    for id_, comment in rows.comments.items():
        if comment.visible_replies != seen[id_]:
            yield f"{id_}: counts {comment.visible_replies} visible replies, has {seen[id_]}"


def _reactions(rows: Rows) -> Iterator[str]:
    """A comment's totals equal its rows."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for reaction in rows.reactions:
        found[reaction.comment_id][reaction.kind] += 1
    for id_, comment in rows.comments.items():
        if comment.reaction_counts != dict(found[id_]) or comment.score != found[id_].total():
            yield f"{id_}: reactions {comment.reaction_counts}, by rows {dict(found[id_])}"


def _events(rows: Rows) -> Iterator[str]:
    """Events are numbered without gaps, each decision has the one of the status that came of it."""
    numbers: dict[str, list[int]] = defaultdict(list)
    told = set()
    for event in rows.events:
        numbers[event.site_id].append(event.seq)
        if event.comment_id and "comment" in event.payload:
            told.add((event.comment_id, event.payload["comment"]["revision"], event.type))
    for site, last in rows.counters.items():
        if sorted(numbers[site]) != list(range(1, last + 1)):
            yield f"site {site}: {len(numbers[site])} events, the counter says {last}"
    for id_, history in rows.decisions.items():
        for decision in history:
            if (id_, decision.revision, f"comment.{decision.after}") not in told:
                yield f"{id_}: decision {decision.revision} ({decision.verb}) has no event"


def _deliveries(rows: Rows) -> Iterator[str]:
    """Every event goes once to every endpoint that listened when it happened."""
    made = Counter((delivery.event_id, delivery.endpoint_id) for delivery in rows.deliveries if delivery.replay == 0)
    for event in rows.events:
        for endpoint in rows.endpoints:
            listens = endpoint.site_id == event.site_id and endpoint.created_at <= event.created_at
            if listens and not endpoint.types and event.type != "ping" and made[event.id, endpoint.id] != 1:
                yield f"event {event.seq} ({event.type}) has {made[event.id, endpoint.id]} deliveries"


def _keys(rows: Rows) -> Iterator[str]:
    """An idempotency key stands for one comment of its author, and that comment is there."""
    of = Counter(key.comment_id for key in rows.keys)
    for key in rows.keys:
        comment = rows.comments.get(key.comment_id)
        if comment is None or comment.author_id != key.author_id or of[key.comment_id] != 1:
            yield f"key {key.key}: stands for {key.comment_id}"
