"""A newsroom on a bad day, for pictures of the desk: long names and addresses, other scripts, many rows, many failures.

Made to be looked at. Nothing here is random, so that two pictures of the same page may be laid side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from moderation import Submission
from service import review
from service.identity import api_keys, second_step
from service.models import Article, Attempt, Delivery, Endpoint, Event, Moderator, Site
from service.review import Step, Verdict
from tests.browser.frontdesk import FrontDesk
from tests.service.newsroom import at_desk, finding, judgement, write

NAMES = [
    "Frieda Holm",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk",
    "عبد الرحمن بن محمد الكاتب",
    "Nigel Bartholomew Featherstonehaugh-Cholmondeley",
    "Piotr Łang",
    "Tomi",
]
ARTICLES = {
    "line-6": ("Local", "Line 6 will reach the hospital at last, and nobody knows yet who is to pay for it"),
    "housing": (
        "Politics",
        "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz: was vom Gesetz noch übrig ist",
    ),
    "pitch": ("Sport", "Three down, four up"),
    "nile": ("World", "الحكومة تعلن خطة جديدة للمياه"),
}
ADDRESS = (
    "https://www.daily-example.test/2026/05/05/local/tram/line-6?utm_source=newsletter&utm_campaign=" + "spring" * 14
)
TEXTS = [
    (
        "Forty-four signatures and not one of them thought of the night nurses. A bunch of selfish crybabies, if you "
        "ask me. The lane was never theirs.\n\nMy wife walks from Tollgate at six. Ask her about deliveries."
    ),
    "هذا المشروع فاشل منذ البداية، ومن يدافع عنه لا يسكن في الحي ولا يركب الترام كل صباح.",
    f"Read this before you shout: {ADDRESS} and then tell me again that nobody was asked.",
    "Die Straßenbahnhaltestellenverlegungsausschusssitzung war eine Farce. Wer hat das eigentlich beschlossen?",
    "No.",
    "I have read all eleven pages of the plan. " * 24,
]

FACTS = {
    **Submission("").facts(),
    "language": "en",
    "engines": {"bundled": "1"},
    "failures": {},
    "unfit": [],
    "spans": {},
}


def insult(score: float, *spans: tuple[int, int]) -> dict[str, Any]:
    """A text held for an insult, with a word of the list in it where two spans are given."""
    found = [finding("engine.insult", attribute="insult", score=score, spans=[list(span) for span in spans[:1]])]
    found += [finding("wordlist.mild", spans=[list(span)], params={"words": 1}) for span in spans[1:]]
    found += [finding("trust.new_author")]
    return judged(*found, insult=score, threat=0.02, toxicity=score, obscene=0.1)


def judged(*found: dict[str, Any], **scores: float) -> dict[str, Any]:
    """A judgement that a trial of another policy can be run on."""
    return {**judgement(*found), "scores": {"bundled": scores}, "facts": FACTS}


SEVERE = judged(finding("engine.threat", attribute="threat", score=0.98), threat=0.98, toxicity=0.96)
LINKS = judged(finding("links.too_many", params={"links": 9, "most": 2}), toxicity=0.03)
UNSCORED = judged(finding("engine.failed"))
FINE = judged(toxicity=0.04, insult=0.03)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the pages that name something lead."""

    author: str
    marked: str
    severe: str
    reply: str
    endpoint: str


def furnish(desk: FrontDesk) -> Places:
    """Fill the newsroom."""
    with desk.database.write() as session:
        _name(session)
    authors = [desk.reader(name) for name in NAMES]
    _past(desk, authors)
    marked, severe, reply = _waiting(desk, authors)
    _people(desk, authors[1])
    for name, scopes in (
        ("The content management system of the paper, production", api_keys.SCOPES),
        ("Test", ["events"]),
    ):
        api_keys.create_for(desk.database, "courier", name, scopes, now=datetime.now(UTC))
    return Places(authors[1], marked, severe, reply, _endpoints(desk))


def _name(session: Session) -> None:
    site = session.get_one(Site, "courier")
    site.name, site.origins = "The Upper Valley Courier", ["https://www.courier.example", "https://amp.courier.example"]
    for key, (section, title) in ARTICLES.items():
        row = session.get(Article, f"courier-{key}") or Article(
            id=f"courier-{key}", site_id="courier", key=key, url=f"{ADDRESS}&key={key}", created_at=datetime.now(UTC)
        )
        row.section, row.title, row.confirmed = section, title, key != "pitch"
        session.add(row)


def _past(desk: FrontDesk, authors: list[str]) -> None:
    """A fortnight of comments: most published unread, some decided by a person after a while."""
    now = datetime.now(UTC)
    for number in range(210):
        at = now - timedelta(hours=1.5 * number + 3)
        score = (number * 37 % 100) / 100
        held = number % 3 == 0
        found = insult(max(score, 0.4)) if held else FINE
        what = {"author": authors[number % 6], "article": list(ARTICLES)[number % 4]}
        one = write(desk.database, TEXTS[number % 6], judged=found, at=at, **what)
        if held and number % 11:
            _decide(desk, one, score > 0.6, at + timedelta(minutes=2 + number * 3 % 190))


def _decide(desk: FrontDesk, one: str, bad: bool, at: datetime) -> None:
    verdict = Verdict(one, 1, "reject" if bad else "approve", reason="abuse.insult" if bad else None)
    who = desk.room.mo if at.hour % 2 else desk.room.ines
    review.decide(desk.database, desk.app.extensions["firstword"].judges, at_desk(who), verdict, at)


def _waiting(desk: FrontDesk, authors: list[str]) -> tuple[str, str, str]:
    """What waits now; gives a card with marks, a severe one, and a reply deep in a thread."""
    marked = desk.hold(TEXTS[0], 41, judged=insult(0.81, (71, 99), (90, 99)), network="n1", fingerprint="f" * 16)
    severe = desk.hold("Somebody said what nobody should have to read at breakfast. " * 3, 70, judged=SEVERE)
    for reader in authors[:3]:
        desk.room.report(severe, reader, datetime.now(UTC), "abuse")
    desk.room.report(marked, authors[3], datetime.now(UTC), "personal")
    for number in range(60):
        found = (insult(0.5 + number % 9 / 20), LINKS, UNSCORED, SEVERE)[(0, 0, 1, 0, 2, 0, 3)[number % 7]]
        what = {
            "author": authors[number % 6],
            "article": list(ARTICLES)[number % 4],
            "network": "n1" if number % 5 else "",
        }
        desk.hold(TEXTS[number % 6], 5 + 11 * number, judged=found, **what)
    above = None
    for depth in range(5):
        found = FINE if depth < 4 else insult(0.64, (0, 8))
        above = desk.hold(TEXTS[(depth + 3) % 6], 30 - depth, author=authors[depth], parent=above, judged=found)
    review.escalate(desk.database, at_desk(desk.room.mo), severe, 1, "Names a person.", datetime.now(UTC))
    return marked, severe, str(above)


def _people(desk: FrontDesk, author: str) -> None:
    """An author with a history, and somebody at the desk with a second step."""
    now = datetime.now(UTC)
    for number, step in enumerate(
        (
            Step("note", note="Writes angrily and honestly, lives by the hospital."),
            Step("warn", reason="Attacks persons rather than what they say; asked to stop twice before."),
            Step("mute", reason="The same again under four articles in one evening.", days=7),
            Step("premoderate", reason="After the mute."),
        )
    ):
        review.act(desk.database, desk.room.ines, author, step, now - timedelta(days=4 - number))
    with desk.database.write() as session:
        row = session.exec(select(Moderator).where(Moderator.login == "ines")).one()
        row.totp_secret = second_step.new_secret()
        session.add(row)


def _endpoints(desk: FrontDesk) -> str:
    """Two endpoints, one of which fails, with a long log of deliveries."""
    now = datetime.now(UTC)
    busy = Endpoint(
        site_id="courier", url=f"{ADDRESS}/hooks/firstword", description="Comment counts on the front page", secrets=[],
        failing_since=now - timedelta(hours=5), created_at=now,
    )  # fmt: skip
    dead = Endpoint(
        site_id="courier", url="https://old.courier.example/hook", types=["comment.approved", "comment.rejected"],
        secrets=[], state="disabled", disabled_reason="410 Gone", created_at=now,
    )  # fmt: skip
    with desk.database.write() as session:
        session.add_all((busy, dead))
        session.flush()
        events = session.exec(select(Event).where(Event.site_id == "courier").order_by(col(Event.seq).desc()).limit(40))
        for number, event in enumerate(events.all()):
            _delivery(session, busy.id, event, number, now)
        return busy.id


def _delivery(session: Session, endpoint: str, event: Event, number: int, now: datetime) -> None:
    state = ("failed", "delivered", "due", "delivered")[number % 4]
    at = now - timedelta(minutes=7 * number)
    row = Delivery(site_id="courier", event_id=event.id, endpoint_id=endpoint, state=state, due_at=at, created_at=at)
    session.add(row)
    session.flush()
    bad = (None, "timeout", ""), (503, None, "<html><title>503 Service Temporarily Unavailable</title>" + "x" * 90)
    tries = {"failed": [*bad, *bad, *bad], "delivered": [(204, None, "")], "due": [*bad]}[state]
    for count, (status, error, answer) in enumerate(tries):
        when = at + timedelta(seconds=30 * 4**count)
        what = {"number": count + 1, "at": when, "latency_ms": 41 * (count + 1) ** 3}
        session.add(Attempt(delivery_id=row.id, status=status, error=error, answer=answer, **what))
