"""Every page of the desk as pictures, on a bad day, at a desk's and a phone's width, in light and in dark.

`make look` writes them beside those of the widget. For people to look at; what can be checked without
eyes is in `test_desk_for_everyone.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyotp

from service.migrations import upgrade
from service.review import Verdict, claim, decide, release
from tests.browser.busyday import TEXTS, Places, furnish
from tests.browser.frontdesk import FrontDesk
from tests.service.newsroom import PASSWORD, at_desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS, SCHEMES = (1280, 320), ("light", "dark")
PHONE = 600
PAGES = {
    "queue": "courier/queue",
    "queue-card": "courier/queue?card=MARKED",
    "queue-severe": "courier/queue?card=SEVERE",
    "queue-thread": "courier/queue?card=REPLY",
    "queue-reported": "courier/queue?view=reported",
    "queue-edited": "courier/queue?view=edited",
    "queue-sample": "courier/queue?view=sample",
    "queue-escalated": "courier/queue?view=escalated",
    "queue-decided": "courier/queue?view=decided",
    "queue-mine": "courier/queue?view=mine",
    "queue-filtered": "courier/queue?attribute=insult&from=0.5&code=engine.insult&band=high&section=Politics&q=lane",
    "search": "courier/queue?view=all&order=newest&q=nurses",
    "search-nothing": "courier/queue?view=all&q=zeppelin",
    "filter": "courier/filter?code=engine.insult&band=some",
    "many": "courier/many?attribute=insult&from=0.5&to=0.8",
    "author": "courier/authors/AUTHOR",
    "articles": "courier/articles",
    "settings": "courier/settings",
    "policy": "courier/policy",
    "keys": "courier/keys",
    "scoring": "courier/scoring",
    "webhooks": "courier/webhooks",
    "webhook": "courier/webhooks/ENDPOINT",
    "staff": "courier/staff",
    "numbers": "courier/numbers?days=14&attribute=insult",
    "me": "me",
    "second-step-new": "me/second-step",
    "not-found": "courier/nothing-of-that-name",
    "not-readable": "courier/queue?from=abc",
}


def choose_reason(page: Page) -> None:
    """A reason is chosen and its sentence is shown."""
    if page.locator(".act .pal").is_hidden():
        page.get_by_role("button", name="Reject").click()
    page.locator(".why-not label").first.click()


def select_some(page: Page) -> None:
    """Three cards are ticked."""
    if page.locator(".tabs").is_visible():
        page.click(".tabs a[href='#list']")
    for at in range(3):
        page.locator(".row [type=checkbox]:enabled").nth(at).check()


def preview_ticked(page: Page) -> None:
    """What deciding three ticked cards would do."""
    select_some(page)
    page.click("text=Decide these…")


def try_policy(page: Page) -> None:
    """Thresholds and a word, and what they would have changed."""
    page.fill("[name='hold.bundled.insult']", "0.55")
    page.fill("[name='reject.bundled.insult']", "0.9")
    page.fill("[name='words.strong']", "crybabies\nnimby*")
    page.click("text=Try on the last")


def break_policy(page: Page) -> None:
    """A number and a text that are none."""
    page.click("text=All of it as text")
    page.fill("#policy", "[engines.any.insult]\nhold = 7\n[rules.nothing]\nx = 1\n")
    page.click("text=Try on the last")


def make_key(page: Page) -> None:
    """A key, shown this once."""
    page.fill("#name", "The archive")
    page.locator("[name=scope]").first.check()
    page.get_by_role("button", name="Make").click()


def recover(page: Page) -> None:
    """The recovery codes of a new second step."""
    secret = page.locator("input[name=secret]").get_attribute("value") or ""
    page.fill("#code", pyotp.TOTP(secret).now())
    page.click("text=Switch it on")
    page.locator("ul.mono li").first.wait_for()


STEPS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "queue-reason": ("courier/queue?card=MARKED", choose_reason),
    "queue-selected": ("courier/queue", select_some),
    "queue-menu": ("courier/queue", lambda page: page.click(".menu.end summary")),
    "queue-list": ("courier/queue#list", lambda page: None),
    "queue-side": ("courier/queue?card=REPLY#side", lambda page: None),
    "queue-unfolded": ("courier/queue?card=SEVERE", lambda page: page.click(".veil summary")),
    "queue-help": ("courier/queue", lambda page: page.keyboard.press("?")),
    "queue-toast": ("courier/queue", lambda page: page.get_by_role("button", name="Escalate").click()),
    "many-ticked": ("courier/queue", preview_ticked),
    "policy-tried": ("courier/policy", try_policy),
    "policy-refused": ("courier/policy", break_policy),
    "keys-fresh": ("courier/keys", make_key),
    "webhook-failed": ("courier/webhooks/ENDPOINT?state=failed", lambda page: None),
}


def draw(chromium: Browser, out: Path) -> int:
    """Write the pictures; gives how many."""
    with TemporaryDirectory() as folder:
        with FrontDesk(_database(folder, "busy"), chromium.new_context) as desk:
            places = furnish(desk)
            busy = sum(_tour(desk, places, look) for look in _looks(out))
        with FrontDesk(_database(folder, "calm"), chromium.new_context, ENGINE="detoxify:absent") as desk:
            calm = sum(_calm(desk, look) for look in _looks(out))
    return busy + calm


@dataclass
class Look:
    """One width in one scheme."""

    out: Path
    width: int
    scheme: str
    drawn: int = 0

    def options(self, **more: Any) -> dict[str, Any]:
        """What a browser needs for it; the narrow one is a phone."""
        phone = {"has_touch": True, "is_mobile": True} if self.width < PHONE else {}
        return {"viewport": {"width": self.width, "height": 800}, "color_scheme": self.scheme, **phone, **more}

    def shoot(self, page: Page, name: str) -> None:
        """One picture of the whole page. A phone is made as tall, because a picture beyond its edge forgets touch."""
        if self.width < PHONE:
            page.set_viewport_size({"width": self.width, "height": 800})
            tall = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": self.width, "height": tall})
        path = self.out / f"desk-{name}-{self.width}-{self.scheme}.png"
        page.screenshot(path=path, full_page=self.width >= PHONE)
        if self.width < PHONE:
            page.set_viewport_size({"width": self.width, "height": 800})
        self.drawn += 1


def _looks(out: Path) -> list[Look]:
    return [Look(out, width, scheme) for width in WIDTHS for scheme in SCHEMES]


def _database(folder: str, name: str) -> str:
    url = f"sqlite:///{folder}/{name}.db"
    upgrade(url)
    return url


def _tour(desk: FrontDesk, places: Places, look: Look) -> int:
    page = desk.sign_in("ada", **look.options())
    for name, place in PAGES.items():
        page.goto(_address(desk, place, places))
        look.shoot(page, name)
    for name, (place, act) in STEPS.items():
        page.goto(_address(desk, place, places))
        act(page)
        page.wait_for_load_state("networkidle")
        look.shoot(page, name)
    page.context.close()
    _beside_others(desk, places, look)
    return look.drawn


def _beside_others(desk: FrontDesk, places: Places, look: Look) -> None:
    """Without scripts; a card that a colleague reads, and has decided when the answer comes."""
    page = desk.sign_in("mo", **look.options(java_script_enabled=False))
    page.goto(_address(desk, PAGES["queue-card"], places))
    look.shoot(page, "queue-without-scripts")
    card = desk.hold(TEXTS[0], 2)
    page.goto(_address(desk, f"courier/queue?card={card}", places))
    grant = claim(desk.database, desk.room.ines, card, datetime.now(UTC))
    page.reload()
    look.shoot(page, "queue-read-by-another")
    release(desk.database, desk.room.ines, card, grant.token)
    page.goto(_address(desk, f"courier/queue?card={card}", places))
    judges = desk.app.extensions["firstword"].judges
    decide(desk.database, judges, at_desk(desk.room.ines), Verdict(card, 1, "approve"), datetime.now(UTC))
    page.get_by_role("button", name="Approve").click()
    look.shoot(page, "stale")
    page.goto(_address(desk, "courier/settings", places))
    look.shoot(page, "not-allowed")
    page.context.clear_cookies()
    page.goto(f"{desk.url}/desk/login")
    page.fill("#login", "ines")
    page.fill("#password", PASSWORD)
    page.click(".gate-b")
    look.shoot(page, "login-second-step")
    page.context.close()


def _address(desk: FrontDesk, place: str, places: Places) -> str:
    for name in ("author", "marked", "severe", "reply", "endpoint"):
        place = place.replace(name.upper(), getattr(places, name))
    return f"{desk.url}/desk/{place}"


def _calm(desk: FrontDesk, look: Look) -> int:
    """Nothing there yet, and judging does not work; the gate."""
    page = desk.sign_in("ada", **look.options())
    for name in ("queue", "queue?view=decided", "articles", "filter", "webhooks", "keys", "numbers"):
        page.goto(f"{desk.url}/desk/courier/{name}")
        look.shoot(page, f"empty-{name.partition('=')[2] or name}")
    page.goto(f"{desk.url}/desk/me/second-step")
    recover(page)
    look.shoot(page, "me-codes")
    page.fill("#password", PASSWORD)
    page.click("text=Switch it off")
    page.click(".menu.end summary")
    page.click("text=Sign out")
    look.shoot(page, "login")
    page.fill("#login", "mo")
    page.fill("#password", "not the password")
    page.click(".gate-b")
    look.shoot(page, "login-refused")
    page.context.close()
    return look.drawn
