"""The desk by keyboard: two keystrokes a decision, the next card before the answer, undo, leases, lost races."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.frontdesk import FrontDesk
from tests.service.newsroom import PASSWORD


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something of the server's; fails when it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        Event().wait(0.05)


def shown(page: Page) -> str:
    """The id of the card on screen."""
    return page.locator("#card").get_attribute("data-id") or ""


def test_two_hundred_cards_are_decided_by_keyboard(desk: FrontDesk) -> None:
    ids = [desk.hold(f"Number {number} of two hundred.", minutes=400 - number) for number in range(200)]
    page = desk.sign_in()
    for number, one in enumerate(ids):
        expect(page.locator("#card")).to_have_attribute("data-id", one)
        if number % 2:
            page.keyboard.press("r")
            page.keyboard.press("5")
        else:
            page.keyboard.press("a")
    expect(page.locator("#card")).to_contain_text("last card")
    until(lambda: "pending" not in desk.statuses(ids))
    assert desk.statuses(ids) == ["approved", "rejected"] * 100


def test_the_next_card_is_on_screen_before_the_answer_returns(desk: FrontDesk) -> None:
    first, second = desk.hold("First.", 50), desk.hold("Second.", 40)
    page = desk.sign_in()
    waiting: list[Route] = []
    page.route("**/decisions", lambda route: waiting.append(route))
    page.wait_for_load_state("networkidle")
    with page.expect_request("**/decisions"):
        page.keyboard.press("a")
    expect(page.locator("#card")).to_have_attribute("data-id", second)
    assert desk.statuses([first]) == ["pending"]
    waiting[0].continue_()
    page.wait_for_load_state("networkidle")
    until(lambda: desk.statuses([first]) == ["approved"])


def test_a_digit_shows_what_the_author_will_read_and_the_same_again_rejects(desk: FrontDesk) -> None:
    held = desk.hold("First.", 50)
    desk.hold("Second.", 40)
    page = desk.sign_in()
    page.keyboard.press("6")
    expect(page.get_by_text("Your comment is not about the article.")).to_be_visible()
    assert desk.statuses([held]) == ["pending"]
    page.keyboard.press("6")
    until(lambda: desk.statuses([held]) == ["rejected"])


def test_escape_takes_a_chosen_reason_back(desk: FrontDesk) -> None:
    held = desk.hold("First.")
    page = desk.sign_in()
    page.keyboard.press("6")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("[name=reason]:checked")).to_have_count(0)
    assert desk.statuses([held]) == ["pending"]


def test_undo_brings_the_card_back(desk: FrontDesk) -> None:
    held = desk.hold("First.", 50)
    desk.hold("Second.", 40)
    page = desk.sign_in()
    page.keyboard.press("s")
    expect(page.locator(".toast")).to_contain_text("Rejected")
    until(lambda: desk.statuses([held]) == ["rejected"])
    page.keyboard.press("u")
    page.wait_for_url(f"**card={held}*")
    assert desk.statuses([held]) == ["pending"]
    expect(page.locator("#card")).to_have_attribute("data-id", held)


def test_keys_do_nothing_while_somebody_writes(desk: FrontDesk) -> None:
    held = desk.hold("First.")
    page = desk.sign_in()
    page.click("text=Add a note for colleagues")
    page.locator("#note").press_sequentially("a jar of spam 55")
    expect(page.locator("#note")).to_have_value("a jar of spam 55")
    assert desk.statuses([held]) == ["pending"]


def test_next_and_previous_go_about_without_deciding(desk: FrontDesk) -> None:
    first, second = desk.hold("First.", 50), desk.hold("Second.", 40)
    page = desk.sign_in()
    page.keyboard.press("j")
    expect(page.locator("#card")).to_have_attribute("data-id", second)
    assert f"card={second}" in page.url
    page.keyboard.press("k")
    expect(page.locator("#card")).to_have_attribute("data-id", first)
    assert desk.statuses([first, second]) == ["pending", "pending"]


def test_the_help_lists_every_key_and_closes(desk: FrontDesk) -> None:
    page = desk.sign_in()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Reject, then the digit of a reason")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_severe_text_is_folded_until_its_key(desk: FrontDesk) -> None:
    from tests.service.newsroom import finding, judgement

    grave = judgement(finding("engine.threat", attribute="threat", score=0.99), scores={"threat": 0.99})
    desk.hold("Words that nobody wants to read unasked.", judged=grave)
    page = desk.sign_in()
    expect(page.get_by_text("Words that nobody wants")).to_be_hidden()
    page.keyboard.press("b")
    expect(page.get_by_text("Words that nobody wants")).to_be_visible()


def test_of_two_moderators_on_one_card_the_second_sees_who_reads_it(desk: FrontDesk) -> None:
    held = desk.hold("First.", 50)
    mo = desk.sign_in("mo")
    expect(mo.locator("#lease")).to_contain_text("Yours for 1:")
    ines = desk.sign_in("ines")
    expect(ines.locator("#card")).to_contain_text("Mo is reading this card")
    ines.keyboard.press("a")
    expect(ines.locator(".toast.wrong")).to_contain_text("Mo is reading this card")
    assert desk.statuses([held]) == ["pending"]
    mo.keyboard.press("a")
    until(lambda: desk.statuses([held]) == ["approved"])


def test_the_loser_of_a_race_sees_who_what_and_when(desk: FrontDesk) -> None:
    held = desk.hold("First.", 50)
    desk.hold("Second.", 40)
    mo = desk.sign_in("mo")
    expect(mo.locator("#lease")).to_contain_text("Yours")
    with desk.database.write() as session:
        from service.review import leases

        leases.drop(session, [held])
    ines = desk.sign_in("ines")
    expect(ines.locator("#lease")).to_contain_text("Yours")
    ines.keyboard.press("a")
    until(lambda: desk.statuses([held]) == ["approved"])
    mo.keyboard.press("s")
    expect(mo.locator(".toast.wrong")).to_contain_text("Ines approved this first")
    assert desk.statuses([held]) == ["approved"]


def test_a_card_that_is_left_is_given_back(desk: FrontDesk) -> None:
    desk.hold("First.", 50)
    desk.hold("Second.", 40)
    mo = desk.sign_in("mo")
    expect(mo.locator("#lease")).to_contain_text("Yours")
    mo.keyboard.press("j")
    expect(mo.locator("#card")).to_contain_text("Second.")
    expect(mo.locator("#lease")).to_contain_text("Yours")
    ines = desk.sign_in("ines")
    expect(ines.locator("#lease")).to_contain_text("Yours")


def with_note(page: Page, note: str) -> None:
    """Write a note beside the card and leave the field."""
    page.click("text=Add a note for colleagues")
    page.fill("#note", note)
    page.locator("#note").blur()


def test_what_could_not_be_sent_comes_back_with_its_note_and_says_so(desk: FrontDesk) -> None:
    held = desk.hold("First.", 50)
    desk.hold("Second.", 40)
    page = desk.sign_in()
    page.route("**/decisions", lambda route: route.abort())
    with_note(page, "Ask the author first.")
    page.keyboard.press("a")
    expect(page.locator(".toast.wrong")).to_contain_text("nothing of yours is on this card so far")
    expect(page.locator("#card")).to_have_attribute("data-id", held)
    expect(page.locator("#note")).to_have_value("Ask the author first.")
    assert desk.statuses([held]) == ["pending"]


@pytest.mark.parametrize("answer", ["none", "a proxy's"])
def test_a_decision_whose_answer_was_lost_is_found_on_the_card_and_can_be_taken_back(
    desk: FrontDesk, answer: str
) -> None:
    held, second = desk.hold("First.", 50), desk.hold("Second.", 40)
    page = desk.sign_in()

    def lose(route: Route) -> None:
        route.fetch()
        if answer == "none":
            route.abort()
        else:
            route.fulfill(status=504, body="<h1>Gateway Timeout</h1>", content_type="text/html")

    page.route("**/decisions", lose)
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("Approved")
    expect(page.locator(".toast.wrong")).to_have_count(0)
    expect(page.locator("#card")).to_have_attribute("data-id", second)
    assert desk.statuses([held]) == ["approved"]
    page.keyboard.press("u")
    until(lambda: desk.statuses([held]) == ["pending"])


def test_while_the_server_is_away_the_desk_does_not_claim_to_know_and_looks_again(desk: FrontDesk) -> None:
    held, second = desk.hold("First.", 50), desk.hold("Second.", 40)
    page = desk.sign_in()
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.keyboard.press("a")
    expect(page.locator(".toast.wrong")).to_contain_text("We do not know whether it was recorded.")
    expect(page.locator("#card")).to_have_attribute("data-id", second)
    page.context.set_offline(False)
    page.get_by_role("button", name="Look again").click()
    expect(page.locator(".toast.wrong")).to_contain_text("Please decide again")
    expect(page.locator("#card")).to_have_attribute("data-id", held)


def test_who_was_signed_out_finds_the_card_and_the_note_again(desk: FrontDesk) -> None:
    held, second = desk.hold("First.", 50), desk.hold("Second.", 40)
    page = desk.sign_in()
    page.wait_for_load_state("networkidle")
    with_note(page, "Ask the author first.")
    page.context.clear_cookies()
    answers: list[Route] = []
    page.route("**/decisions", lambda route: answers.append(route))
    page.keyboard.press("a")
    expect(page.locator("#card")).to_have_attribute("data-id", second)
    until(lambda: bool(page.evaluate("true") and answers))
    answers[0].continue_()  # now that the key is up: a page that leaves under a key can keep Chromium from saying so
    page.fill("#login", "mo")  # where the answer has led
    page.fill("#password", PASSWORD)
    page.click("text=Sign in", no_wait_after=True)
    expect(page.locator("#card")).to_have_attribute("data-id", held)
    expect(page.locator("#card")).to_contain_text("This was not recorded.")
    expect(page.locator("#note")).to_have_value("Ask the author first.")
    assert desk.statuses([held]) == ["pending"]


def test_the_list_grows_as_it_is_worked_off(desk: FrontDesk) -> None:
    for number in range(70):
        desk.hold(f"Number {number}.", minutes=200 - number)
    page = desk.sign_in()
    expect(page.locator(".row")).to_have_count(50)
    page.locator(".row").nth(45).click()
    expect(page.locator(".row")).to_have_count(70)
