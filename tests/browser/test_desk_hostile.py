"""Hostile text at the desk: a hundred strings wherever somebody may write one. Nothing fires, everything is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from service import review
from service.identity import staff
from service.models import Article, AuthorNote, Report, Site
from service.review import Decider, Step, Verdict
from service.webhooks import endpoints
from service.webhooks.endpoints import Wish
from service.webhooks.sending import open_door
from tests.browser.corpus import CORPUS
from tests.browser.frontdesk import FrontDesk
from tests.service.newsroom import finding, judgement

HOOK = "globalThis.shots = []; globalThis.fired = globalThis.alert = (...what) => { shots.push(String(what)); };"
FOREIGN = """() => [...document.querySelectorAll("*")].flatMap((element) => [
  ...(/^(iframe|object|embed|img|video|audio|style|base)$/i.test(element.localName) ? [element.localName] : []),
  ...[...element.attributes].filter(({ name, value }) => /^on/i.test(name) || name === "style" || name === "srcdoc"
    || (/^(href|src|action|formaction)$/.test(name) && /^\\s*(javascript|data|vbscript):/i.test(value)
        && value !== "data:,")).map(({ name, value }) => `${name}=${value}`),
])"""
PLACES = [
    "queue?view=all&order=newest",
    "queue?view=decided",
    "filter",
    "articles",
    "authors/AUTHOR",
    "many",
    "settings",
    "policy",
    "keys",
    "webhooks",
    "webhooks/ENDPOINT",
    "staff",
    "numbers",
]


def quiet(page: Page) -> None:
    """Nothing of it ran, and nothing of it became markup."""
    assert page.evaluate("shots") == []
    assert page.evaluate(FOREIGN) == []


@pytest.fixture
def page(desk: FrontDesk) -> Page:
    """An administrator's browser that notes every shot."""
    signed_in = desk.sign_in("ada")
    signed_in.add_init_script(HOOK)
    return signed_in


def test_every_string_as_comment_name_and_title_is_shown_as_text(desk: FrontDesk, page: Page) -> None:
    for number, text in enumerate(CORPUS):
        held = judgement(finding("engine.insult", attribute="insult", score=0.8, spans=[[0, 7], [3, 12]]))
        desk.hold(text, minutes=number, judged=held, author=desk.reader(text[:80]), article=f"a{number}", title=text)
    page.goto(f"{desk.url}/desk/courier/queue?order=newest")
    for text in CORPUS:
        expect(page.locator("#card .text")).to_be_visible()
        assert page.locator("#card .text").evaluate(
            "(box) => [...box.childNodes].map((one) => one.nodeName === 'MARK'"
            " ? [...one.childNodes].filter((part) => part.nodeName !== 'SUP').map((part) => part.textContent).join('')"
            " : one.textContent).join('')"
        ) == text.replace("\r\n", "\n").replace("\r", "\n")
        quiet(page)
        page.keyboard.press("j")
        if text != CORPUS[-1]:
            current = page.locator('.row[aria-current="true"]').get_attribute("data-id") or ""
            expect(page.locator("#card")).to_have_attribute("data-id", current)


@pytest.mark.parametrize("part", range(4))
def test_every_string_wherever_staff_and_hosts_write_is_shown_as_text(desk: FrontDesk, page: Page, part: int) -> None:
    places = scatter(desk, CORPUS[part::4])
    for place in PLACES:
        path = place.replace("AUTHOR", places["author"]).replace("ENDPOINT", places["endpoint"])
        page.goto(f"{desk.url}/desk/courier/{path}")
        expect(page.locator("body")).to_be_visible()
        for summary in page.locator("details:not([open]) > summary").all():
            if summary.is_visible():
                summary.click()
        quiet(page)


def scatter(desk: FrontDesk, texts: list[str]) -> dict[str, str]:
    """Put each string everywhere: notes, reasons, reports, questions, endpoints, saved views, the site's own name."""
    db, now, room = desk.database, datetime.now(UTC), desk.room
    endpoint = ""
    for number, text in enumerate(texts):
        held = desk.hold(text, author=room.bo)
        db_note = Step("note", reason=text, note=text)
        review.act(db, room.mo, room.bo, db_note, now)
        verdict = Verdict(held, 1, "reject", reason="spam", note=text)
        review.decide(db, desk.app.extensions["firstword"].judges, Decider.at_desk(room.mo), verdict, now)
        reported = desk.hold(text, author=desk.reader(text[:80]), article=f"b{number}", title=text)
        with db.write() as session:
            session.add(_report(reported, room.bo, text, now))
            for article in session.exec(select(Article)):
                article.prompt = article.section = text
                session.add(article)
        door = open_door(desk.app.extensions["firstword"].settings)
        if number < 15:  # a site has no room for more
            made, _ = endpoints.register(db, "courier", Wish("https://host.example/hook", text), door, now=now)
            endpoint = made.id
    with db.write() as session:
        site = session.get_one(Site, "courier")
        site.name, site.prompt, site.reactions = texts[0], texts[1], texts[:5]
        session.add(site)
        assert session.exec(select(AuthorNote)).first()
    views = [{"id": str(n), "site": "courier", "name": text, "query": text} for n, text in enumerate(texts)]
    staff.set_preferences(db, room.ada.id, {"views": views})
    return {"author": room.bo, "endpoint": endpoint}


def _report(comment_id: str, author_id: str, text: str, at: datetime) -> Report:
    report = Report(
        site_id="courier", comment_id=comment_id, author_id=author_id, version=1, reason=text, created_at=at
    )
    report.note = text
    return report


def test_a_policy_and_a_setting_that_are_refused_come_back_as_text(desk: FrontDesk, page: Page) -> None:
    for text in CORPUS[:20]:
        page.goto(f"{desk.url}/desk/courier/policy")
        page.locator("[name^='hold.']").first.fill(text)
        page.fill("[name='words.severe']", text)
        page.click("text=All of it as text")
        page.fill("#policy", text)
        page.click("text=Try on the last")
        expect(page.locator(".err")).to_contain_text("cannot be a policy")
        quiet(page)


@pytest.mark.parametrize(
    "query", ["q", "article", "code", "after", "since", "card", "done", "batch", "view", "language"]
)
def test_every_string_in_an_address_is_text_or_refused(desk: FrontDesk, page: Page, query: str) -> None:
    for text in CORPUS[::4]:
        page.goto(f"{desk.url}/desk/courier/queue?{query}={quote(text)}")
        expect(page.locator("body")).to_be_visible()
        quiet(page)
