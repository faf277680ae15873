"""What happens when many do something at the same moment, with threads and with processes, on both databases.

After every race all that must be true of a database at rest is checked again (`tests/invariants.py`).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from typing import Any

import jwt
import pytest
from flask import Flask
from sqlmodel import select

from config.settings import load
from moderation import Span
from service import comments, review, sites
from service.app import create_app
from service.comments import Draft, Edit
from service.comments.facts import ROUNDS
from service.db import Database
from service.errors import FirstwordError, StaleVersion, Unauthenticated
from service.identity import host_keys, staff
from service.identity.host_keys import Offer
from service.identity.staff import Hours
from service.identity.tokens import Reader as Known
from service.judges import Judges, open_judges
from service.lifecycle import Actor
from service.models import Article, Author, Comment, CommentVersion, Event, SpentNudge, StaffSession
from service.review import Decider, Verdict
from tests.invariants import broken
from tests.service.conftest import FINE, FOUL, KEY, ORIGIN, START, UNLIMITED, Build, Newsroom, Reader
from tests.service.racing import Troupe, at_once

TRIES = 200
SHOUTED = "THIS BRIDGE WILL COST US MORE THAN ANYBODY TOLD US."  # a rule holds it, whatever an engine thinks
RETRY_SECONDS = 60.0
LATER = START.replace(day=9)
Contestants = Callable[..., AbstractContextManager[Callable[[int], Any]]]
Race = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def troupe() -> Iterator[Troupe]:
    """Processes that take part in every race of this module."""
    processes = Troupe(2)
    yield processes
    processes.close()


@pytest.fixture(params=["threads", "processes"])
def race(request: pytest.FixtureRequest, database_url: str) -> Race:
    """Let so many contestants loose at once on the test's database, in threads or in processes of threads."""

    def run(number: int, contestants: Contestants, **facts: Any) -> list[Any]:
        facts["url"] = database_url
        if request.param == "processes":
            troupe: Troupe = request.getfixturevalue("troupe")
            return troupe.race(number, f"{__name__}:{contestants.__name__}", facts)
        with contestants(**facts) as contestant:
            return at_once(number, contestant)

    return run


@pytest.fixture(autouse=True)
def sound(room: Newsroom) -> Iterator[None]:
    """Whatever happened, the database is sound afterwards."""
    yield
    assert broken(room.db) == []


def every(room: Newsroom, table: type[Any]) -> list[Any]:
    """All rows of a table."""
    with room.db.read() as session:
        return list(session.exec(select(table)))


# ---- contestants: context managers that give what one of many does, found by name in a process of its own ----


@cache
def shipped() -> Judges:
    """The shipped judgement, warm."""
    judges = open_judges(load({"SIGNING_KEYS": KEY, "ENGINE": "lexicon"}))
    judges.under()
    return judges


@contextmanager
def web(url: str) -> Iterator[Flask]:
    """A service of one's own on the database that everybody shares."""
    environ = {"DATABASE_URL": url, "SIGNING_KEYS": KEY, "LOG_LEVEL": "CRITICAL", "WEB_THREADS": "60", **UNLIMITED}
    app = create_app(load(environ), clock=lambda: START, judges=shipped())
    yield app
    app.extensions["firstword"].database.close()


def insisting(ask: Callable[[], Any]) -> Any:
    """An answer other than 503, which asks to be asked again; `answer.refusals` is how often it did."""
    deadline, refusals = time.monotonic() + RETRY_SECONDS, 0
    while (answer := ask()).status_code == 503 and time.monotonic() < deadline:
        refusals += 1
    answer.refusals = refusals
    return answer


@contextmanager
def posting(url: str, tokens: Sequence[str], keys: Sequence[str], articles: Sequence[str]) -> Iterator[Any]:
    """Post a comment: the same again and again where there is one token, one key and one article."""
    with web(url) as app:

        def post(lane: int) -> list[Any]:
            key, article = keys[lane % len(keys)], articles[lane % len(articles)]
            headers = {"Authorization": f"Bearer {tokens[lane % len(tokens)]}", "Idempotency-Key": key}
            text = FINE if len(keys) == 1 else f"{FINE} That is my opinion number {lane}."
            body = {"site": "courier", "article": {"key": article, "url": f"{ORIGIN}/{article}"}, "text": text}
            answer = insisting(lambda: app.test_client().post("/api/v1/comments", json=body, headers=headers))
            return [answer.status_code, answer.json.get("id"), answer.json.get("code"), answer.refusals]

        yield post


@contextmanager
def reacting(url: str, tokens: Sequence[str], comment: str) -> Iterator[Any]:
    """React, take it back, and react again, where one's number is odd."""
    with web(url) as app:

        def react(lane: int) -> int:
            headers = {"Authorization": f"Bearer {tokens[lane]}"}
            path = f"/api/v1/comments/{comment}/reactions/like"
            methods = ("PUT", "DELETE", "PUT") if lane % 2 else ("PUT", "DELETE")
            client = app.test_client()
            statuses = [insisting(lambda m=method: client.open(path, method=m, headers=headers)) for method in methods]
            return max(answer.status_code for answer in statuses)

        yield react


@contextmanager
def deciding(url: str, comment: str) -> Iterator[Any]:
    """Approve or reject version 1 as one of many moderators; what was done, or who was faster."""
    judges, db = shipped(), Database(url, pool_size=30)

    def decide(lane: int) -> list[Any]:
        by = Decider(Actor("moderator", f"m{lane}", f"Moderator {lane}"), {"courier": "moderator"})
        verdict, reason = ("reject", "abuse") if lane % 2 else ("approve", None)
        try:
            done = review.decide(db, judges, by, Verdict(comment, 1, verdict, reason=reason), START)
        except StaleVersion as late:
            return ["late", late.extra["by"], late.extra["verb"]]
        return ["done", by.actor.name, verdict, done.status]

    yield decide
    db.close()


@contextmanager
def withdrawing(url: str, tokens: Sequence[str], ids: Sequence[str]) -> Iterator[Any]:
    """Withdraw one of the comments, restore it, and report or answer another."""
    with web(url) as app:

        def withdraw(lane: int) -> list[int]:
            client, headers = app.test_client(), {"Authorization": f"Bearer {tokens[lane]}"}
            mine, theirs = f"/api/v1/comments/{ids[lane]}", ids[(lane + 1) % len(ids)]
            place = {"key": "bridge", "url": f"{ORIGIN}/bridge"}
            reply = {"site": "courier", "article": place, "parent": theirs, "text": f"An answer of number {lane}."}
            answers = [
                insisting(lambda: client.post("/api/v1/comments", json=reply, headers=headers)),
                insisting(lambda: client.delete(mine, headers=headers)),
                insisting(lambda: client.post(f"{mine}/restoration", headers=headers)),
            ]
            return [answer.status_code for answer in answers]

        yield withdraw


@contextmanager
def entering(url: str, assertion: str) -> Iterator[Any]:
    """Come in with what the host signed; the status and whose token it is."""
    with web(url) as app:

        def enter(_: int) -> list[Any]:
            body = {"site": "courier", "assertion": assertion}
            answer = insisting(lambda: app.test_client().post("/api/v1/tokens", json=body))
            return [answer.status_code, answer.json.get("author", {}).get("id")]

        yield enter


# ---- entering ----


def test_the_first_visits_of_one_signed_reader_in_many_tabs_make_one_author(room: Newsroom, race: Race) -> None:
    with room.db.write() as session:
        host_keys.add(session, "courier", Offer("k1", ORIGIN, secret="s" * 40), now=START)
    at = int(START.timestamp())
    claims = {"iss": ORIGIN, "aud": "courier", "sub": "ada-17", "name": "Ada Berg", "iat": at, "exp": at + 600}
    answers = race(16, entering, assertion=jwt.encode(claims, "s" * 40, "HS256", headers={"kid": "k1"}))
    [author] = every(room, Author)
    assert (author.name, author.verified, author.names) == ("Ada Berg", True, [])
    assert {tuple(answer) for answer in answers} == {(201, author.id)}


# ---- submitting ----


def test_fifty_posts_with_one_key_make_one_comment(room: Newsroom, ada: Reader, race: Race) -> None:
    answers = race(50, posting, tokens=[ada.token], keys=["the-one-key"], articles=["bridge"])
    assert {status for status, *_ in answers} == {201}
    assert len({id_ for _, id_, *_ in answers}) == 1
    assert (len(every(room, Comment)), room.thread()["article"]["count"]) == (1, 1)


def test_of_two_texts_under_one_key_one_is_stored_and_the_other_refused(
    room: Newsroom, ada: Reader, race: Race
) -> None:
    articles = ["bridge", "tunnel"]
    answers = race(12, posting, tokens=[ada.token], keys=["the-one-key"], articles=articles)
    assert Counter(status for status, *_ in answers) == {201: 6, 409: 6}
    assert {code for status, _, code, _ in answers if status == 409} == {"idempotency-key-reused"}
    assert len(every(room, Comment)) == 1


def test_first_comments_on_a_new_article_make_one_article(room: Newsroom, race: Race) -> None:
    tokens = [room.reader(f"Reader {number}").token for number in range(12)]
    keys = [f"key-{number}" for number in range(12)]
    answers = race(12, posting, tokens=tokens, keys=keys, articles=["new"])
    assert {status for status, *_ in answers} == {201}
    assert len(every(room, Article)) == 1
    assert len([event for event in every(room, Event) if event.type == "article.created"]) == 1
    assert room.thread("new")["article"]["count"] == 12


def test_one_author_in_many_tabs_on_old_and_new_articles_never_waits_in_a_circle(
    room: Newsroom, ada: Reader, race: Race
) -> None:
    ada.post(FINE, article="old")
    keys, articles = [f"tab-{number}" for number in range(24)], ["old", "new-1", "old", "new-2", "old", "new-3"]
    answers = race(24, posting, tokens=[ada.token], keys=keys, articles=articles)
    assert {status for status, *_ in answers} == {201}
    if not room.db.is_sqlite:  # which has one writer at a time, so that somebody may have to wait for too long
        assert sum(refusals for *_, refusals in answers) == 0


def test_a_nudge_is_answered_once(room: Newsroom, ada: Reader) -> None:
    text = "Only a fucking idiot would build a bridge there."
    token = ada.post(text, nudge=True).json["nudge_token"]
    app = room.client.application
    headers = {"Authorization": f"Bearer {ada.token}"}
    place = {"key": "bridge", "url": f"{ORIGIN}/bridge"}
    body = {"site": "courier", "article": place, "text": text, "nudge": True, "nudge_token": token}
    statuses = at_once(
        8, lambda _: insisting(lambda: app.test_client().post("/api/v1/comments", json=body, headers=headers))
    )
    assert Counter(answer.status_code for answer in statuses) == {202: 1, 409: 7}
    assert len(every(room, SpentNudge)) == 1


# ---- deciding ----


def test_twenty_moderators_on_one_comment_make_one_decision(room: Newsroom, ada: Reader, race: Race) -> None:
    held = ada.post(FOUL).json["id"]
    answers = race(20, deciding, comment=held)
    [(_, name, verdict, status)] = [answer for answer in answers if answer[0] == "done"]
    assert {tuple(answer[1:]) for answer in answers if answer[0] == "late"} == {(name, verdict)}
    with room.db.read() as session:
        comment = session.get_one(Comment, held)
        history = [decision.verb for decision in review.past(room.db, _anyone(), held)]
    assert (comment.status, history) == (status, ["judge", verdict])


def _anyone() -> Decider:
    return Decider(Actor("moderator", "m", "Mo"), {"courier": "moderator"})


def test_an_approval_of_version_1_that_races_an_edit_never_publishes_version_2(
    room: Newsroom, ada: Reader, interloper: Interloper
) -> None:
    won: Counter[str] = Counter()
    for number in range(TRIES):
        held = _submit(room, ada, f"{SHOUTED} {number}")
        judged = threading.Event()
        interloper.acts.append(judged.set)
        edited, decided = at_once(2, lambda lane: (_edit, _approve_when)[lane](room, ada, held, judged))  # noqa: B023
        with room.db.read() as session:
            comment = session.get_one(Comment, held)
        assert edited == "pending"
        assert (decided, comment.public) in (("approved", 1), ("stale-version", None)), (edited, decided)
        won[decided] += 1
    assert len(won) == 2, f"one of the two was always first, which is no race: {won}"


def _submit(room: Newsroom, ada: Reader, text: str) -> str:
    """A comment that waits for a person, without the detour over HTTP."""
    draft = Draft(Known(ada.id, "courier"), sites.Place("bridge", f"{ORIGIN}/bridge"), text)
    return comments.submit(room.db, _judges(room), draft, keys=[KEY], now=START).comment_id


def _judges(room: Newsroom) -> Judges:
    found: Judges = room.client.application.extensions["firstword"].judges
    return found


def _edit(room: Newsroom, ada: Reader, comment_id: str, _: threading.Event) -> str:
    """A new text that has to wait; while it is judged, the moderator is let loose."""
    change = Edit(Known(ada.id, "courier"), comment_id, 1, f"{SHOUTED} AGAIN")
    return _outcome(lambda: comments.edit(room.db, _judges(room), change, window=300, now=START).status)


def _approve_when(room: Newsroom, _: Reader, comment_id: str, judged: threading.Event) -> str:
    """A moderator who approves the text that they read."""
    assert judged.wait(RETRY_SECONDS)
    return _outcome(
        lambda: review.decide(room.db, shipped(), _anyone(), Verdict(comment_id, 1, "approve"), START).status
    )


def _outcome(act: Callable[[], str]) -> str:
    try:
        return act()
    except FirstwordError as refused:
        return refused.code


# ---- what changes between judging and writing ----


class Interloper:
    """An engine that lets something happen while it judges, and finds nothing wrong with the text."""

    name, version, languages = "interloper", "1", None
    attributes = ("toxicity", "severe_toxicity", "obscene", "insult", "threat", "identity_attack", "spam")

    def __init__(self) -> None:
        self.acts: list[Callable[[], Any]] = []

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        if self.acts:
            self.acts.pop(0)()
        return [dict.fromkeys(self.attributes, 0.0) for _ in texts]

    def explain(self, text: str) -> dict[str, list[Span]]:
        return {}


@pytest.fixture
def interloper() -> Interloper:
    return Interloper()


@pytest.fixture
def room(request: pytest.FixtureRequest, build: Build) -> Newsroom:
    """A newsroom; judged by the interloper where a test asks for it."""
    if "interloper" not in request.fixturenames:
        return build()
    engine = request.getfixturevalue("interloper")
    return build(judges=Judges(shipped()._read, lambda: [engine], 30.0))


def set_author(room: Newsroom, reader: Reader, **fields: Any) -> None:
    """What the desk does to an author."""
    with room.db.write() as session:
        author = session.get_one(Author, reader.id)
        for name, value in fields.items():
            setattr(author, name, value)


CHANGES: dict[str, tuple[Callable[..., Any], int, str]] = {
    "the article is closed": (lambda room, _: room.article(state="closed"), 409, "article-closed"),
    "the author is banned": (lambda room, ada: set_author(room, ada, banned_at=START), 403, "author-barred"),
    "the author is muted": (lambda room, ada: set_author(room, ada, muted_until=LATER), 403, "author-barred"),
    "the author is erased": (lambda room, ada: set_author(room, ada, erased_at=START), 401, "unauthenticated"),
    "the author is premoderated": (lambda room, ada: set_author(room, ada, standing="premoderated"), 202, ""),
    "the article is premoderated": (lambda room, _: room.article(moderation="pre"), 202, ""),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_while_a_comment_is_judged_is_noticed(
    room: Newsroom, ada: Reader, interloper: Interloper, what: str
) -> None:
    act, status, code = CHANGES[what]
    room.article()
    interloper.acts.append(lambda: act(room, ada))
    answer = ada.post(FINE)
    assert (answer.status_code, answer.json.get("code", "")) == (status, code)
    assert len(every(room, Comment)) == (1 if status == 202 else 0)
    assert room.thread()["comments"] == []


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_while_an_edit_is_judged_is_noticed(
    room: Newsroom, ada: Reader, interloper: Interloper, what: str
) -> None:
    act, status, code = CHANGES[what]
    room.article()
    made = ada.post(FINE).json["id"]
    interloper.acts.append(lambda: act(room, ada))
    answer = ada.edit(made, "I have thought about the bridge again.")
    if status == 202:
        assert (answer.status_code, answer.json["status"], answer.json["public_version"]) == (200, "pending", 1)
    else:
        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert len(every(room, CommentVersion)) == 1


@pytest.mark.parametrize("how", ["withdrawn", "removed"])
def test_a_parent_that_goes_while_its_reply_is_judged_gets_no_reply(
    room: Newsroom, ada: Reader, bo: Reader, judges: Judges, interloper: Interloper, how: str
) -> None:
    parent = ada.post(FINE).json["id"]
    verdict = Verdict(parent, 1, "reject", reason="abuse")
    withdrawn, removed = (
        lambda: ada.withdraw(parent),
        lambda: review.decide(room.db, judges, _anyone(), verdict, START),
    )
    interloper.acts.append(withdrawn if how == "withdrawn" else removed)
    assert bo.post("An answer to nobody.", parent=parent).status_code == 404
    assert len(every(room, Comment)) == 1


def test_a_comment_withdrawn_while_its_edit_is_judged_stays_withdrawn(
    room: Newsroom, ada: Reader, interloper: Interloper
) -> None:
    made = ada.post(FINE).json["id"]
    interloper.acts.append(lambda: ada.withdraw(made))
    assert ada.edit(made, "I have thought about the bridge again.").status_code == 409
    assert room.thread()["comments"] == []


def test_an_edit_that_is_rejected_by_a_person_while_the_next_is_judged_does_not_appear(
    room: Newsroom, ada: Reader, judges: Judges, interloper: Interloper
) -> None:
    made = ada.post(FINE).json["id"]
    verdict = Verdict(made, 1, "reject", reason="abuse")
    interloper.acts.append(lambda: review.decide(room.db, judges, _anyone(), verdict, START))
    assert ada.edit(made, "I have thought about the bridge again.").json.get("status") != "approved"
    assert room.thread()["comments"] == []


def test_two_edits_of_one_version_make_one(room: Newsroom, ada: Reader, interloper: Interloper) -> None:
    made = ada.post(FINE).json["id"]
    first = "The other tab was faster than this one."
    interloper.acts.append(lambda: ada.edit(made, first))
    late = ada.edit(made, "I have thought about the bridge again.")
    assert (late.status_code, late.json["code"]) == (409, "stale-version")
    assert [mine["text"] for mine in ada.mine()] == [first]


def test_another_policy_while_judging_is_the_one_that_counts(
    room: Newsroom, ada: Reader, interloper: Interloper
) -> None:
    def stricter() -> None:
        with room.db.write() as session:
            session.get_one(sites.Site, "courier").policy = '[rules.trust]\nnew = "hold"\n'

    interloper.acts.append(stricter)
    assert ada.post(FINE).status_code == 202


def test_what_never_settles_is_a_clear_503_and_stores_nothing(
    room: Newsroom, ada: Reader, interloper: Interloper
) -> None:
    room.article()
    modes = ("pre", "post")
    interloper.acts += [lambda n=n: room.article(moderation=modes[n % 2]) for n in range(ROUNDS)]
    answer = ada.post(FINE)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert every(room, Comment) == []


# ---- counting ----


def test_reactions_equal_their_rows_after_everybody_reacted_at_once(room: Newsroom, ada: Reader, race: Race) -> None:
    comment = ada.post(FINE).json["id"]
    tokens = [room.reader(f"Reader {number}").token for number in range(18)]
    assert set(race(18, reacting, tokens=tokens, comment=comment)) == {200}
    assert room.thread()["comments"][0]["reactions"] == {"like": 9}


def test_counts_equal_the_rows_while_everybody_answers_withdraws_and_restores(room: Newsroom, race: Race) -> None:
    readers = [room.reader(f"Reader {number}") for number in range(9)]
    ids = [reader.post(f"{FINE} This is number {n}.").json["id"] for n, reader in enumerate(readers)]
    tokens = [reader.token for reader in readers]
    answers = race(9, withdrawing, tokens=tokens, ids=ids)
    assert all(reply in (201, 404) and gone == back == 200 for reply, gone, back in answers)
    replies = sum(reply == 201 for reply, _, _ in answers)
    assert room.thread()["article"]["count"] == 9 + replies


# ---- staff ----


def test_a_sign_in_with_the_old_password_leaves_no_session_behind_the_change(room: Newsroom, mo: str) -> None:
    hours = Hours(START - START.replace(hour=8), START - START.replace(hour=1))
    password = "correct horse battery"
    for number in range(6):
        change = f"correct horse battery {number}"

        def sign_in(password: str = password) -> None:
            with suppress(Unauthenticated):
                staff.sign_in(room.db, "mo@courier.example", password, "", hours, START)

        at_once(2, lambda lane: (sign_in, lambda: staff.set_password(room.db, "mo@courier.example", change))[lane]())  # noqa: B023
        assert every(room, StaffSession) == []
        password = change
