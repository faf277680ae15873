"""Reading: a thread on a page of a foreign origin, under the strictest content security policy."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode
from urllib.request import urlopen

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.newspaper import KEY, PROMPT, SITE, Newspaper, listening

WIDGET = "document.querySelector('firstword-comments')"


def refresh(page: Page) -> None:
    """Ask for news now, as the clock would."""
    with page.expect_response(lambda answer: "/api/v1/comments" in answer.url):
        page.evaluate(f"{WIDGET}.refresh()")


def focused(page: Page) -> str:
    """The text of what has the focus."""
    return str(page.evaluate(f"{WIDGET}.shadowRoot.activeElement?.textContent ?? ''"))


def chain(newspaper: Newspaper, depth: int) -> list[str]:
    """Comments that each answer the one before; their ids."""
    ids: list[str] = []
    for n in range(depth):
        name = ("Ada", "Bo")[n % 2]
        ids.append(newspaper.say(name, f"Remark number {n} about the tram.", ids[-1] if ids else None)["id"])
    return ids


def test_an_article_without_comments_asks_its_question_and_invites_the_first(page: Page, newspaper: Newspaper) -> None:
    newspaper.register(prompt=PROMPT)
    page.goto(newspaper.article())
    expect(page.get_by_role("heading", name=PROMPT)).to_be_visible()
    expect(page.get_by_role("button", name="Leave the first comment")).to_be_visible()
    expect(page.get_by_role("heading", name="Comments", exact=True)).to_be_visible()


def test_one_request_for_json_paints_the_first_comment_and_none_asks_permission(
    page: Page, newspaper: Newspaper
) -> None:
    newspaper.say("Ada", "Nineteen bays, and eleven of them are used before seven.")
    with listening(page) as wire:
        page.goto(newspaper.article())
        expect(page.get_by_text("Nineteen bays")).to_be_visible()
    assert [path for path in wire.paths() if path.startswith("/api/")] == ["/api/v1/comments"]
    assert wire.paths("OPTIONS") == []
    assert {url.split("/")[2] for _, url in wire.urls} == {newspaper.origin[7:], newspaper.url[7:]}
    assert page.context.cookies() == []


def test_nothing_is_fetched_until_the_reader_comes_near(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    newspaper.article()
    newspaper.pages["/line-6"].body = newspaper.pages["/line-6"].body.replace("<firstword", "<br>" * 400 + "<firstword")
    with listening(page) as wire:
        page.goto(f"{newspaper.origin}/line-6")
        page.wait_for_load_state("networkidle")
        assert {path.rsplit("/", 1)[1] for path in wire.paths()} == {"line-6", "embed.js"}
        page.mouse.wheel(0, 20_000)
        expect(page.get_by_text("Nineteen bays.")).to_be_visible()


def test_a_permalink_is_fetched_at_once_however_far_down_it_is(page: Page, newspaper: Newspaper) -> None:
    made = newspaper.say("Ada", "Nineteen bays.")
    newspaper.article()
    newspaper.pages["/line-6"].body = newspaper.pages["/line-6"].body.replace("<firstword", "<br>" * 400 + "<firstword")
    page.goto(f"{newspaper.origin}/line-6#comment-{made['id']}")
    expect(page.locator(".here")).to_contain_text("Nineteen bays.")
    expect(page.locator(".here")).to_be_in_viewport()


def test_three_levels_are_shown_and_deeper_ones_say_whom_they_answer(page: Page, newspaper: Newspaper) -> None:
    chain(newspaper, 5)
    page.goto(newspaper.article())
    expect(page.get_by_role("article")).to_have_count(6)
    assert page.locator(".replies").count() - page.locator(".replies:empty").count() == 2
    expect(page.get_by_text("in reply to Ada")).to_have_count(1)
    expect(page.get_by_text("in reply to Bo")).to_have_count(1)


def test_a_thread_folds_and_says_how_much_it_hides(page: Page, newspaper: Newspaper) -> None:
    chain(newspaper, 3)
    page.goto(newspaper.article())
    page.get_by_role("button", name="Fold Ada’s thread").click()
    expect(page.get_by_text("Remark number 1")).to_be_hidden()
    page.get_by_role("button", name="reply").and_(page.locator("[aria-expanded=false]")).click()
    expect(page.get_by_text("Remark number 1")).to_be_visible()


def test_the_order_is_the_readers_and_is_remembered(page: Page, newspaper: Newspaper) -> None:
    for n in range(3):
        newspaper.say("Ada", f"Remark number {n} about the tram.")
    page.goto(newspaper.article())
    expect(page.locator(".list > li").first).to_contain_text("number 2")
    page.get_by_role("button", name="Oldest").click()
    expect(page.locator(".list > li").first).to_contain_text("number 0")
    page.reload()
    expect(page.locator(".list > li").first).to_contain_text("number 0")
    expect(page.get_by_role("button", name="Oldest")).to_have_attribute("aria-pressed", "true")


def test_more_comments_come_when_asked_for_and_the_first_of_them_has_the_focus(
    page: Page, newspaper: Newspaper
) -> None:
    for n in range(23):
        newspaper.say("Ada", f"Remark number {n} about the tram.")
    page.goto(newspaper.article())
    expect(page.get_by_text("20 of 23 shown")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("Remark number 0 ")).to_be_visible()
    assert "number 2 about" in focused(page)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


def test_long_replies_have_a_button_of_their_own(page: Page, newspaper: Newspaper) -> None:
    above = newspaper.say("Ada", "What do the shops say to this?")["id"]
    for n in range(13):
        newspaper.say("Bo", f"Answer number {n} of the shops.", above)
    page.goto(newspaper.article())
    expect(page.get_by_text("Answer number 9")).to_be_visible()
    page.get_by_role("button", name="Show more replies").click()
    expect(page.get_by_text("Answer number 12")).to_be_visible()
    assert "number 10" in focused(page)


def test_a_permalink_loads_what_is_not_on_the_page_and_goes_there(page: Page, newspaper: Newspaper) -> None:
    ids = chain(newspaper, 3)
    for n in range(22):
        newspaper.say("Ada", f"Later remark {n} about something else.")
    page.goto(f"{newspaper.article()}#comment-{ids[2]}")
    expect(page.locator(".here")).to_contain_text("Remark number 2")
    expect(page.get_by_text("Remark number 0")).to_be_visible()
    expect(page.locator(".here")).to_be_in_viewport()
    assert "Remark number 2" in focused(page)


def test_a_permalink_to_nothing_says_so(page: Page, newspaper: Newspaper) -> None:
    page.goto(f"{newspaper.article()}#comment-{'0' * 24}")
    expect(page.get_by_text("That comment is not here any more.").first).to_be_visible()


def test_the_time_of_a_comment_is_its_address(page: Page, newspaper: Newspaper) -> None:
    made = newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    page.get_by_role("link", name="just now").click()
    expect(page).to_have_url(f"{newspaper.origin}/line-6#comment-{made['id']}")
    expect(page.locator(".here")).to_contain_text("Nineteen bays.")


def test_news_waits_behind_a_button_and_moves_nothing(page: Page, newspaper: Newspaper) -> None:
    first = newspaper.say("Ada", "Nineteen bays.")["id"]
    page.goto(newspaper.article())
    before = page.get_by_text("Nineteen bays.").bounding_box()
    newspaper.say("Bo", "Eleven of them before seven.")
    newspaper.say("Bo", "You counted?", first)
    refresh(page)
    pill = page.get_by_role("button", name="2 new comments")
    expect(pill).to_be_visible()
    after = page.get_by_text("Nineteen bays.").bounding_box()
    assert before is not None
    assert after is not None
    assert after == before
    expect(page.get_by_text("Eleven of them")).to_have_count(0)
    name, over = page.get_by_role("heading", name="Ada").bounding_box(), pill.bounding_box()
    assert name is not None
    assert over is not None
    assert over["y"] + over["height"] <= name["y"]
    pill.click()
    expect(page.get_by_text("Eleven of them")).to_be_visible()
    expect(page.get_by_text("You counted?")).to_be_visible()
    expect(pill).to_have_count(0)
    assert "Eleven of them" in focused(page)


def test_what_is_shown_is_kept_true_in_its_place(page: Page, newspaper: Newspaper) -> None:
    made = newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    newspaper.ask("PATCH", f"/comments/{made['id']}", {"text": "Twenty bays.", "version": 1}, newspaper.token("Ada"))
    refresh(page)
    expect(page.get_by_text("Twenty bays.")).to_be_visible()
    expect(page.get_by_text("edited")).to_be_visible()


def test_news_is_asked_for_by_itself_and_never_before_twenty_seconds(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.clock.install()
    page.goto(newspaper.article())
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    newspaper.say("Bo", "Eleven of them before seven.")
    with listening(page) as wire:
        page.clock.run_for(19_000)
        assert [path for path in wire.paths() if path.startswith("/api/")] == []
        page.clock.run_for(21_000)
        expect(page.get_by_role("button", name="1 new comment")).to_be_visible()


def test_a_question_whether_anything_is_new_is_answered_without_a_body(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    refresh(page)
    refresh(page)
    answers = newspaper.app.extensions["firstword"].metrics.requests
    assert answers.labels("thread, kept", "304")._value.get() == 2


def test_a_hidden_tab_does_not_ask(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => globalThis.away ?? true, configurable: true })"
    )
    with listening(page) as wire:
        page.evaluate(f"{WIDGET}.refresh()")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.evaluate(f"fetch('{newspaper.url}/api/v1/counts?site={SITE}&article={KEY}').then(() => 0)")
        assert wire.paths() == ["/api/v1/counts"]
    page.evaluate("globalThis.away = false")
    with page.expect_response(lambda answer: "/api/v1/comments" in answer.url):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_featured_comments_stand_first_with_their_replies(page: Page, newspaper: Newspaper) -> None:
    ids = chain(newspaper, 2)
    newspaper.say("Ada", "Something later.")
    newspaper.feature(ids[0])
    page.goto(newspaper.article())
    expect(page.get_by_text("Featured by the newsroom")).to_be_visible()
    expect(page.locator(".picks")).to_contain_text("Remark number 0")
    expect(page.locator(".picks")).to_contain_text("Remark number 1")
    expect(page.get_by_text("Remark number 0")).to_have_count(1)


def test_a_withdrawn_comment_with_replies_leaves_its_place(page: Page, newspaper: Newspaper) -> None:
    ids = chain(newspaper, 2)
    newspaper.ask("DELETE", f"/comments/{ids[0]}", token=newspaper.token("Ada"))
    page.goto(newspaper.article())
    expect(page.get_by_text("Withdrawn by its author")).to_be_visible()
    expect(page.get_by_text("Remark number 1")).to_be_visible()


def test_a_closed_article_can_be_read_and_not_written(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    newspaper.register(closed=True)
    page.goto(newspaper.article())
    expect(page.get_by_text("This conversation is closed.")).to_be_visible()
    expect(page.get_by_role("button", name="Reply to Ada")).to_have_count(0)
    expect(page.get_by_role("button", name="Write a comment")).to_have_count(0)


def test_what_the_host_put_inside_stays_while_the_service_is_down(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.route("**/api/v1/**", lambda route: route.abort())
    page.goto(newspaper.article(inside="<p>Printed by the host: nineteen bays.</p>"))
    expect(page.get_by_text("The comments did not load.")).to_be_visible()
    expect(page.get_by_text("Printed by the host")).to_be_visible()
    page.unroute("**/api/v1/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nineteen bays.", exact=True)).to_be_visible()
    expect(page.get_by_text("Printed by the host")).to_be_hidden()


def test_the_whole_service_out_of_reach_leaves_the_page_as_it_is(page: Page, newspaper: Newspaper) -> None:
    page.route("**/widget/*/comment*.js", lambda route: route.abort())
    page.goto(newspaper.article(inside="<p>Printed by the host.</p>"))
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("Printed by the host.")).to_be_visible()


def fragment(newspaper: Newspaper) -> str:
    """What the host's server includes."""
    query = urlencode({"site": SITE, "article": KEY, "url": f"{newspaper.origin}/line-6"})
    with urlopen(f"{newspaper.url}/embed/fragment?{query}") as answer:
        html: str = answer.read().decode()
    return html


def test_the_fragment_reads_without_script_and_leads_to_a_form_that_works_without(
    new_context: Callable[..., BrowserContext], newspaper: Newspaper
) -> None:
    above = newspaper.say("Ada", "Nineteen bays.")["id"]
    newspaper.say("Bo", "You counted?", above)
    page = new_context(java_script_enabled=False).new_page()
    page.goto(newspaper.article(inside=fragment(newspaper)))
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    page.get_by_role("link", name="Write a comment").click()
    page.get_by_role("link", name="Reply to Bo").click()
    page.get_by_label("Your comment").fill("From the van.")
    page.get_by_label("Your name").fill("Piotr")
    page.get_by_role("button", name="Post reply").click()
    expect(page.get_by_role("status")).to_have_text("Published.")
    expect(page.get_by_text("From the van.")).to_be_visible()
    page.get_by_role("link", name="Back to the article").click()
    expect(page).to_have_url(f"{newspaper.origin}/line-6")
    assert newspaper.thread()["article"]["count"] == 3


def test_the_element_takes_the_place_of_its_fragment(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    inside = fragment(newspaper)
    with page.expect_response(lambda answer: "/api/v1/comments" in answer.url):
        page.goto(newspaper.article(inside=inside))
    expect(page.get_by_role("button", name="Reply to Ada")).to_be_visible()
    expect(page.get_by_role("link", name="Write a comment")).to_be_hidden()
    expect(page.get_by_text("Nineteen bays.").filter(visible=True)).to_have_count(1)


def test_an_element_that_is_moved_or_given_another_article_starts_once(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    page.evaluate(
        f"const element = {WIDGET}; document.body.append(element); element.wake(); document.body.prepend(element)"
    )
    expect(page.get_by_text("Nineteen bays.")).to_have_count(1)
    page.evaluate(f"{WIDGET}.setAttribute('article', 'another')")
    expect(page.get_by_role("button", name="Leave the first comment")).to_be_visible()
    expect(page.get_by_text("Nineteen bays.")).to_have_count(0)


def test_back_and_forward_find_the_thread_again(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    page.goto(newspaper.publish("/other", "<p>Another page.</p>"))
    newspaper.say("Bo", "Eleven of them before seven.")
    page.go_back()
    expect(page.get_by_text("Eleven of them").or_(page.get_by_role("button", name="1 new comment"))).to_be_visible()


def test_list_pages_get_their_numbers_and_no_zero(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    counter = f'<script type="module" src="{newspaper.url}/widget/counter.js?site={SITE}"></script>'
    places = f'<a data-firstword="{KEY}">comments</a><span data-firstword="nobody-wrote" hidden>0</span>'
    page.goto(newspaper.publish("/list", places, script=counter))
    expect(page.locator("a")).to_have_text("1")
    expect(page.locator("span")).to_be_hidden()


def test_the_most_discussed_articles_stand_below(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    newspaper.register(title="Line 6 <b>reaches</b> the hospital", section="Transport")
    page.goto(newspaper.publish("/next", f'<firstword-discussed site="{SITE}"></firstword-discussed>'))
    expect(page.get_by_role("heading", name="Most discussed")).to_be_visible()
    link = page.get_by_role("link", name="Line 6 <b>reaches</b> the hospital")
    expect(link).to_have_attribute("href", f"{newspaper.origin}/line-6")
    expect(page.get_by_text("1 comment")).to_be_visible()
    page.goto(newspaper.publish("/next", f'<firstword-discussed site="{SITE}" article="{KEY}">-</firstword-discussed>'))
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("heading", name="Most discussed")).to_have_count(0)


def test_an_ignored_author_is_hidden_in_this_browser(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    page.get_by_role("button", name="Report Ada’s comment").click()
    page.get_by_role("button", name="Ignore Ada").click()
    expect(page.get_by_text("Nineteen bays.")).to_have_count(0)
    page.reload()
    page.get_by_role("button", name="You ignore this author. Show").click()
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()


def test_a_link_is_copied(new_context: Callable[..., BrowserContext], newspaper: Newspaper) -> None:
    made = newspaper.say("Ada", "Nineteen bays.")
    page = new_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(newspaper.article())
    page.get_by_role("button", name="Copy the link to Ada’s comment").click()
    expect(page.get_by_text("Link copied").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{newspaper.origin}/line-6#comment-{made['id']}"


def test_a_thousand_comments_can_be_read_to_their_end(page: Page, newspaper: Newspaper) -> None:
    above = newspaper.say("Ada", "What do the shops say to this?")["id"]
    newspaper.multiply(above, 1_000)
    page.goto(newspaper.article())
    more = page.get_by_role("button", name="Show more", exact=True)
    for shown in range(40, 1_001, 20):
        more.click()
        expect(page.locator(".list > li > .comment")).to_have_count(min(shown, 1_001))
    expect(page.get_by_text("1,000 of 1,001 shown")).to_be_visible()
    page.get_by_role("button", name="Oldest").click()
    expect(page.locator(".list > li").first).to_contain_text("What do the shops say")
