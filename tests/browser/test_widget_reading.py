"""Reading: a thread on a page of a foreign origin, under the strictest content security policy."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.newspaper import PROMPT, Newspaper, listening


def test_an_article_without_comments_asks_its_question_and_invites_the_first(page: Page, newspaper: Newspaper) -> None:
    newspaper.register(prompt=PROMPT)
    page.goto(newspaper.article())
    expect(page.get_by_role("heading", name=PROMPT)).to_be_visible()
    expect(page.get_by_role("button", name="Leave the first comment")).to_be_visible()
    expect(page.get_by_role("heading", name="Comments", exact=True)).to_be_visible()


def test_one_request_for_json_paints_the_first_comment(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays, and eleven of them are used before seven.")
    with listening(page) as wire:
        page.goto(newspaper.article())
        expect(page.get_by_text("Nineteen bays")).to_be_visible()
    assert [path for path in wire.paths() if path.startswith("/api/")] == ["/api/v1/comments"]
    assert wire.paths("OPTIONS") == []
