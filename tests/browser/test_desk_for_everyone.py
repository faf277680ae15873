"""The desk for everyone: without scripts, on a phone, by night, with assistive technology."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from sqlmodel import select

from service.models import Article, Author, Endpoint
from tests.browser.frontdesk import FrontDesk
from tests.browser.test_desk_keys import until
from tests.service.newsroom import NOW, finding, judgement

PAGES = [
    "queue",
    "queue?view=decided",
    "queue?view=all&order=newest&q=lane",
    "queue?view=escalated",
    "filter",
    "many?attribute=insult&from=0.5&to=1",
    "authors/AUTHOR",
    "articles",
    "settings",
    "policy",
    "keys",
    "webhooks",
    "staff",
    "numbers?days=7&attribute=insult",
    "../me",
    "../me/second-step",
]


def furnish(desk: FrontDesk) -> list[str]:
    """A queue with a bit of everything."""
    marked = judgement(
        finding("engine.insult", attribute="insult", score=0.81, spans=[[0, 9]]),
        finding("wordlist.mild", spans=[[4, 9]], params={"words": 1}),
        scores={"insult": 0.81},
    )
    severe = judgement(finding("engine.threat", attribute="threat", score=0.99), scores={"insult": 0.6})
    ids = [desk.hold("The lane was never theirs. " * 3, minutes=60 - n, judged=marked) for n in range(4)]
    reported = desk.hold("Somebody said this about the lane.", judged=severe)
    desk.room.report(reported, desk.reader("Reader"))
    return [*ids, reported]


# ---- without scripts ----------------------------------------------------------------------------------------------


def test_without_scripts_a_moderator_decides_undoes_and_escalates(desk: FrontDesk) -> None:
    first, second = desk.hold("First.", 50), desk.hold("Second.", 40)
    page = desk.sign_in(java_script_enabled=False)
    expect(page.locator("#card")).to_have_attribute("data-id", first)
    page.click("text=Off topic")
    expect(page.get_by_text("Your comment is not about the article.")).to_be_visible()
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#card")).to_have_attribute("data-id", second)
    assert desk.statuses([first, second]) == ["rejected", "pending"]
    page.click("#undo-last")
    expect(page.locator("#card")).to_have_attribute("data-id", first)
    assert desk.statuses([first]) == ["pending"]
    page.get_by_role("button", name="Approve").click()
    assert desk.statuses([first]) == ["approved"]
    page.goto(f"{desk.url}/desk/courier/queue")
    page.get_by_role("button", name="Escalate").click()
    assert desk.room.state(second).escalated_at is not None


def test_without_scripts_many_are_decided_at_once_and_taken_back(desk: FrontDesk) -> None:
    ids = [desk.hold(f"Number {n}.") for n in range(3)]
    page = desk.sign_in(java_script_enabled=False)
    page.locator(".row [type=checkbox]").nth(0).check()
    page.locator(".row [type=checkbox]").nth(1).check()
    page.click("text=Decide these…")
    page.check("[name=read]")
    page.click("text=Approve 2")
    assert sorted(desk.statuses(ids)) == ["approved", "approved", "pending"]
    page.click("text=Undo all")
    assert desk.statuses(ids) == ["pending"] * 3


def test_without_scripts_views_are_filtered_and_kept(desk: FrontDesk) -> None:
    furnish(desk)
    page = desk.sign_in(java_script_enabled=False)
    page.click("text=Add filter")
    page.get_by_label("Threat").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".row")).to_have_count(1)
    page.click("text=Change filters")
    page.fill("#name", "Threats")
    page.click("text=Save view")
    page.click(".views >> text=Threats")
    expect(page.locator(".row")).to_have_count(1)


# ---- a phone ------------------------------------------------------------------------------------------------------

PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 700}, "has_touch": True, "is_mobile": True}


def test_on_a_phone_the_buttons_decide_and_the_panes_are_a_tap_away(desk: FrontDesk) -> None:
    first, second = desk.hold("First.", 50), desk.hold("Second.", 40)
    page = desk.sign_in(**PHONE)
    page.get_by_role("link", name="List 2").click()
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".row").first).to_be_visible()
    expect(page.locator("#card")).to_be_hidden()
    page.get_by_role("link", name="Context").click()
    expect(page.get_by_text("Waiting with it")).to_be_visible()
    page.get_by_role("link", name="Card").click()
    page.get_by_role("button", name="Reject").click()
    page.get_by_text("Spam or advertising").click()
    page.get_by_role("button", name="Reject").click()
    until(lambda: desk.statuses([first]) == ["rejected"])
    expect(page.locator("#card")).to_have_attribute("data-id", second)
    page.get_by_role("button", name="Approve").click()
    until(lambda: desk.statuses([second]) == ["approved"])


LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"


def lengthen(desk: FrontDesk) -> None:
    """Words without an end, wherever somebody else writes them."""
    with desk.database.write() as session:
        for row in session.exec(select(Author)):
            row.name = LONG[:50]
            session.add(row)
        for article in session.exec(select(Article)):
            article.title, article.section = LONG, LONG
            session.add(article)
        address = f"https://www.courier.example/{LONG}?{LONG}"
        session.add(Endpoint(site_id="courier", url=address, description=LONG, secrets=[], created_at=NOW))
    desk.hold(f"{LONG} https://www.courier.example/{LONG * 3}")


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_no_page_scrolls_sideways(desk: FrontDesk, width: int) -> None:
    furnish(desk)
    lengthen(desk)
    page = desk.sign_in("ada", viewport={"width": width, "height": 900})
    for place in PAGES:
        page.goto(address(desk, place))
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{place} is {wide} wide"


def test_on_touch_the_buttons_are_large_enough(desk: FrontDesk) -> None:
    furnish(desk)
    page = desk.sign_in(**PHONE)
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    boxes = [button.bounding_box() for button in page.locator(".act .go .b").all()]
    assert len(boxes) == 4
    assert [box for box in boxes if box is None or min(box["height"], box["width"]) < 44] == []


# ---- assistive technology -----------------------------------------------------------------------------------------


def address(desk: FrontDesk, place: str) -> str:
    """Where a page is."""
    return f"{desk.url}/desk/courier/{place}".replace("AUTHOR", desk.room.bo).replace("courier/../", "")


def serious(page: Page) -> list[str]:
    """What axe holds against a page, without what is minor."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:160]}"
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(desk: FrontDesk, scheme: str) -> None:
    furnish(desk)
    # axe itself is a foreign script, which the desk's policy would keep out.
    page = desk.sign_in("ada", color_scheme=scheme, bypass_csp=True)
    wrong = {}
    for place in PAGES:
        page.goto(address(desk, place))
        wrong[place] = serious(page)
    assert {place: found for place, found in wrong.items() if found} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_at_the_gate(
    desk: FrontDesk, new_context: Callable[..., BrowserContext], scheme: str
) -> None:
    page = new_context(color_scheme=scheme, bypass_csp=True).new_page()
    page.goto(f"{desk.url}/desk/login")
    assert serious(page) == []
    page.fill("#login", "mo")
    page.fill("#password", "wrong password here")
    page.click("text=Sign in")
    expect(page.get_by_role("alert")).to_be_visible()
    assert serious(page) == []


def test_by_night_the_page_is_dark(desk: FrontDesk) -> None:
    page = desk.sign_in(color_scheme="dark")
    paper, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert (paper, ink) == ("rgb(22, 23, 25)", "rgb(233, 231, 225)")


def test_with_twice_the_text_size_nothing_is_lost(desk: FrontDesk) -> None:
    furnish(desk)
    page = desk.sign_in(viewport={"width": 640, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    for name in ("Approve", "Reject", "Escalate"):
        expect(page.get_by_role("button", name=name)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
