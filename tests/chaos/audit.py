"""The audit: what must be true of the books after the storm, each a function that yields what is not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

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
    SiteCounter,
)
from tests.chaos.crowd import Posted
from tests.receiver import Received

APPROVED, REJECTED = "approved", "rejected"


@dataclass
class Books:
    """Everything of one site, read once."""

    articles: dict[str, Article]
    authors: dict[str, Author]
    comments: dict[str, Comment]
    versions: dict[str, dict[int, CommentVersion]] = field(default_factory=lambda: defaultdict(dict))
    decisions: dict[str, list[Decision]] = field(default_factory=lambda: defaultdict(list))
    keys: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: list[Event] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    numbered: int = 0

    @classmethod
    def read(cls, session: Session, site_id: str) -> Books:
        """Read them."""

        def rows(table: Any, *order: Any) -> Sequence[Any]:
            return session.exec(select(table).where(table.site_id == site_id).order_by(*order)).all()

        books = cls(*({row.id: row for row in rows(table)} for table in (Article, Author, Comment)))
        for version in rows(CommentVersion):
            books.versions[version.comment_id][version.number] = version
        for decision in rows(Decision, col(Decision.revision)):
            books.decisions[decision.comment_id].append(decision)
        kept = session.exec(select(Idempotency).where(col(Idempotency.author_id).in_(list(books.authors)))).all()
        books.keys = Counter((row.key, row.comment_id) for row in kept)
        books.events = list(rows(Event, col(Event.seq)))
        books.deliveries, books.endpoints = list(rows(Delivery)), list(rows(Endpoint))
        books.numbered = session.exec(select(SiteCounter.event_seq).where(SiteCounter.site_id == site_id)).one()
        return books


def promises(books: Books, posted: Sequence[Posted]) -> Iterator[str]:
    """Every acknowledged comment is there exactly once, every other one at most once."""
    found: dict[str, list[str]] = defaultdict(list)
    for comment_id, versions in books.versions.items():
        words = versions[1].text.split()
        found[next(word.rstrip(".") for word in words if word.startswith("m"))].append(comment_id)
    for one in posted:
        there = found.pop(one.marker, [])
        if one.comment_id is not None and there != [one.comment_id]:
            yield f"acknowledged as {one.comment_id}, found as {there}"
        if len(there) > 1:
            yield f"one comment was stored {len(there)} times"
        for comment_id in there:
            if books.keys[one.key, comment_id] != 1:
                yield f"{comment_id} is not under its idempotency key"
    if found:
        yield f"{len(found)} comments that nobody posted"


def publication(books: Books) -> Iterator[str]:
    """What is public was approved in exactly that version, and last."""
    for comment in books.comments.values():
        if comment.public is None:
            continue
        if books.versions[comment.id][comment.public].status != APPROVED:
            yield f"{comment.id} shows version {comment.public}, which is not approved"
        about = [row for row in books.decisions[comment.id] if row.version == comment.public]
        if not any(row.after == APPROVED for row in about):
            yield f"{comment.id} shows version {comment.public}, which nobody approved"


def history(books: Books) -> Iterator[str]:
    """The state of every comment is the fold of its decisions: each begins where the one before it ended."""
    for comment in books.comments.values():
        rows = books.decisions[comment.id]
        if [row.revision for row in rows] != list(range(1, comment.revision + 1)):
            yield f"{comment.id} has revisions {[row.revision for row in rows]} and counts {comment.revision}"
            continue
        now = {str(number): row.status for number, row in books.versions[comment.id].items()}
        ends = [*(row.previous for row in rows[1:]), {"public": comment.public, "gone": comment.gone, "statuses": now}]
        for row, after in zip(rows, ends, strict=True):
            if after["statuses"].get(str(row.version)) != row.after:
                yield f"{comment.id}: decision {row.revision} says {row.after}, the state after it does not"
        if comment.status != now[str(comment.latest)]:
            yield f"{comment.id} repeats {comment.status} for a version that is {now[str(comment.latest)]}"


def totals(books: Books) -> Iterator[str]:
    """What is counted equals the rows."""
    public = [comment for comment in books.comments.values() if comment.public is not None]
    for what, rows, key in (("article", books.articles, "article_id"), ("author", books.authors, "author_id")):
        counted = Counter(getattr(comment, key) for comment in public)
        for id_, row in rows.items():
            told = row.count if what == "article" else row.approved
            if told != counted[id_]:
                yield f"{what} {id_} counts {told} public comments and has {counted[id_]}"


def telling(books: Books) -> Iterator[str]:
    """Every decision has its event, numbered without gaps; every event its delivery to every endpoint."""
    if [event.seq for event in books.events] != list(range(1, books.numbered + 1)):
        yield f"the events are not numbered 1 to {books.numbered}"
    told = {(e.comment_id, e.payload["comment"]["revision"]) for e in books.events if "comment" in e.payload}
    for comment_id, rows in books.decisions.items():
        for row in rows:
            if (comment_id, row.revision) not in told:
                yield f"nobody was told of decision {row.revision} about {comment_id}"
    for endpoint in books.endpoints:
        reached = {row.event_id for row in books.deliveries if row.endpoint_id == endpoint.id}
        if missing := [event.seq for event in books.events if event.id not in reached]:
            yield f"events {missing[:5]} have no delivery"


def arrival(books: Books, received: Sequence[Received]) -> Iterator[str]:
    """The receiver has every event under its one id, and nothing else; what came twice was the same."""
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for request in received:
        bodies[request.headers["webhook-id"]].add(request.body)
    events = {f"msg_{event.id}" for event in books.events}
    if lost := events - set(bodies):
        yield f"{len(lost)} events never arrived"
    if invented := set(bodies) - events:
        yield f"{len(invented)} webhooks tell of no event"
    if differing := [id_ for id_, seen in bodies.items() if len(seen) > 1]:
        yield f"{len(differing)} events came in different words"
    if waiting := [row.id for row in books.deliveries if row.state != "delivered"]:
        yield f"{len(waiting)} deliveries are not settled"


def silence(books: Books, pages: Sequence[str]) -> Iterator[str]:
    """No text that is not public stands in what readers get."""
    everything = "\n".join(pages)
    for comment in books.comments.values():
        marker = next(word.rstrip(".") for word in books.versions[comment.id][1].text.split() if word.startswith("m"))
        if comment.public is None and marker in everything:
            yield f"{comment.id} is {comment.status} and can be read"
        if comment.public is not None and marker not in everything:
            yield f"{comment.id} is public and cannot be read"


def check(
    books: Books, posted: Sequence[Posted], received: Sequence[Received], pages: Sequence[str]
) -> Mapping[str, list[str]]:
    """What is wrong, by invariant; empty lists all over when nothing is."""
    return {
        "acknowledged comments exactly once, others at most once": list(promises(books, posted)),
        "public only what was approved in that version": list(publication(books)),
        "state equals the fold of the history": list(history(books)),
        "totals equal the rows": list(totals(books)),
        "every decision told, every event on its way": list(telling(books)),
        "the receiver has every event once by its id": list(arrival(books, received)),
        "readers see what is public and nothing else": list(silence(books, pages)),
    }
