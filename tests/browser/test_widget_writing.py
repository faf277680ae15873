"""Writing: a first comment, drafts that survive, what became of a comment and why, and every way it can go wrong."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlmodel import Session

from moderation import Span
from service.identity import host_keys
from service.models import Site
from tests.browser.newspaper import FOUL, SITE, Newspaper, listening

FINE = "My father cannot walk from Tollgate any more."
SECRET = "a-secret-of-the-host-that-has-40-bytes-in"
BLOCKED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"


class Broken:
    """An engine that never answers with scores."""

    name, version = "lexicon", "broken"
    attributes = ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
    languages = None

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Raises."""
        raise RuntimeError("broken")

    def explain(self, text: str) -> dict[str, list[Span]]:
        """Nothing."""
        return {}


def write(page: Page, text: str, name: str | None = "Ines Moreau") -> None:
    """Open the box and write into it."""
    page.get_by_role("button", name=re.compile("Leave the first|Write a comment")).click()
    page.get_by_label("Your comment").fill(text)
    if name is not None:
        page.get_by_label("Your name").fill(name)


def post(page: Page, text: str, name: str | None = "Ines Moreau") -> None:
    """Write a comment and send it."""
    write(page, text, name)
    page.get_by_role("button", name="Post comment").click()


def published(page: Page) -> None:
    """Wait until the reader's comment is public."""
    expect(page.locator(".state.ok")).to_have_text("Published")


def focused(page: Page) -> str:
    """The text of what has the focus."""
    return str(
        page.evaluate("document.querySelector('firstword-comments').shadowRoot.activeElement?.textContent ?? ''")
    )


# ---- the straight way ----


def test_a_guest_of_a_site_that_asks_for_work_notices_nothing_and_is_asked_once(
    page: Page, open_newspaper: Callable[..., Newspaper]
) -> None:
    newspaper = open_newspaper(GUEST_PROOF="2000")
    page.goto(newspaper.article())
    with listening(page) as wire:
        post(page, FINE)
        published(page)
    assert wire.paths("POST").count("/api/v1/tokens") == 2
    page.reload()
    with listening(page) as wire:
        post(page, "And my mother neither.", name=None)
        published(page)
    assert "/api/v1/tokens" not in wire.paths("POST")


def test_a_first_comment_is_published_and_can_be_changed_for_a_while(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FINE)
    article = page.get_by_role("article").filter(has_text=FINE)
    expect(article).to_contain_text("Published")
    expect(article).to_contain_text(re.compile(r"Edit for [45]:\d\d more"))
    assert FINE in focused(page)
    expect(page.get_by_role("heading", name="Comments 1")).to_be_visible()
    expect(page.get_by_role("button", name="Write a comment")).to_be_visible()
    article.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Your change").fill("My father walks to Tollgate.")
    page.get_by_role("button", name="Resubmit").click()
    expect(page.get_by_role("article").filter(has_text="walks to Tollgate")).to_contain_text("edited")
    expect(page.get_by_text(FINE)).to_have_count(0)
    assert newspaper.thread()["comments"][0]["version"] == 2


def test_who_wrote_survives_a_reload_without_a_cookie(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FINE)
    published(page)
    page.reload()
    expect(page.get_by_role("article").filter(has_text=FINE)).to_contain_text("Edit for")
    assert page.context.cookies() == []
    write(page, "And another thing about the tram.", None)
    expect(page.get_by_text("As Ines Moreau")).to_be_visible()


def test_a_token_that_ended_is_renewed_without_a_word(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FINE)
    published(page)
    page.evaluate(
        "key => { localStorage[key] = JSON.stringify({ ...JSON.parse(localStorage[key]), expires: 0 }); }",
        f"firstword:{SITE}:me",
    )
    with listening(page) as wire:
        post(page, "And another thing about the tram.", None)
        expect(page.get_by_text("And another thing")).to_be_visible()
        assert wire.paths("POST").count("/api/v1/tokens") == 1
    names = {comment["author"]["id"] for comment in newspaper.thread()["comments"]}
    assert len(names) == 1


def test_a_reply_stands_under_what_it_answers(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    page.get_by_role("button", name="Reply to Ada").click()
    page.get_by_label("Your reply").fill("Did you count them?")
    page.get_by_label("Your name").fill("Ines Moreau")
    page.get_by_role("button", name="Post reply").click()
    expect(page.locator(".replies").first).to_contain_text("Did you count them?")
    assert newspaper.thread()["comments"][0]["replies"]["count"] == 1


def test_a_reply_quotes_what_it_answers(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.\n\nEleven are used.")
    page.goto(newspaper.article())
    page.get_by_role("button", name="Reply to Ada").click()
    page.get_by_role("button", name="Quote", exact=True).click()
    expect(page.get_by_label("Your reply")).to_have_value("> Nineteen bays.\n> \n> Eleven are used.\n\n")
    page.keyboard.type("You counted?")
    page.get_by_label("Your name").fill("Ines Moreau")
    page.get_by_role("button", name="Post reply").click()
    reply = page.locator(".replies article")
    expect(reply.locator("blockquote p")).to_have_text(["Nineteen bays.", "Eleven are used."])
    expect(reply.locator(".text > p")).to_have_text("You counted?")


def test_a_cancelled_reply_gives_the_focus_back(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    page.get_by_role("button", name="Reply to Ada").click()
    page.get_by_role("button", name="Cancel").click()
    assert focused(page) == "Reply"


# ---- the box ----


def test_letters_are_counted_as_people_count_them(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article(max_length="10"))
    write(page, "👩‍👩‍👧‍👦é", None)
    expect(page.get_by_text("8 left")).to_be_visible()
    page.get_by_label("Your comment").fill("12345678901")
    expect(page.get_by_text("1 too many")).to_be_visible()


def test_the_tools_write_markdown_that_undo_takes_back(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    write(page, "bays", None)
    area = page.get_by_label("Your comment")
    area.select_text()
    page.get_by_role("button", name="Bold").click()
    expect(area).to_have_value("**bays**")
    page.keyboard.press("ControlOrMeta+z")
    expect(area).to_have_value("bays")
    page.keyboard.press("End")
    page.get_by_role("button", name="Quote", exact=True).click()
    expect(area).to_have_value("bays\n> ")


def test_enter_sends_with_control_and_never_while_letters_are_composed(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    write(page, FINE)
    area = page.get_by_label("Your comment")
    area.focus()
    area.dispatch_event("keydown", {"key": "Enter", "ctrlKey": True, "isComposing": True})
    expect(page.get_by_role("button", name="Post comment")).to_be_visible()
    page.keyboard.press("Control+Enter")
    published(page)


def test_pasted_words_come_without_their_clothes(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    write(page, "", None)
    page.get_by_label("Your comment").evaluate(
        """area => {
          const data = new DataTransfer();
          data.setData("text/html", "<b>bays</b>"); data.setData("text/plain", "bays");
          area.focus();
          const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
          if (area.dispatchEvent(event)) document.execCommand("insertText", false, data.getData("text/plain"));
        }"""
    )
    expect(page.get_by_label("Your comment")).to_have_value("bays")


def test_markdown_is_shown_as_elements(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, "**bays** and *lanes*\n\n> nineteen\n\n- one\n- two\n\n`code` https://eastmere.example/budget")
    article = page.get_by_role("article").filter(has_text="nineteen")
    for element, text in {"strong": "bays", "em": "lanes", "blockquote": "nineteen", "code": "code"}.items():
        expect(article.locator(element)).to_have_text(text)
    expect(article.locator("li")).to_have_count(2)


def test_changing_the_order_keeps_what_is_being_written(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    newspaper.say("Bo", "Eleven of them before seven.")
    page.goto(newspaper.article())
    write(page, FINE)
    page.get_by_role("button", name="Oldest").click()
    expect(page.locator(".list > li").first).to_contain_text("Nineteen bays.")
    expect(page.get_by_label("Your comment")).to_have_value(FINE)


def test_a_network_that_comes_and_goes_takes_nothing_from_the_box(page: Page, newspaper: Newspaper) -> None:
    page.route("**/api/v1/comments?*", lambda route: route.abort())
    page.goto(newspaper.article())
    expect(page.get_by_text("The comments did not load.")).to_be_visible()
    page.unroute("**/api/v1/comments?*")
    page.get_by_role("button", name="Try again").click()
    write(page, FINE)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.get_by_label("Your comment").press("End")
    page.keyboard.type(" At all.")
    expect(page.get_by_label("Your comment")).to_have_value(f"{FINE} At all.")


# ---- drafts ----


def test_a_draft_outlives_its_tab(new_context: Callable[..., BrowserContext], newspaper: Newspaper) -> None:
    context = new_context()
    page = context.new_page()
    page.goto(newspaper.article())
    write(page, FINE, None)
    expect(page.get_by_text("Draft saved on this device.")).to_be_visible()
    page.close()
    page = context.new_page()
    page.goto(newspaper.article())
    expect(page.get_by_text("You left a draft here just now.")).to_be_visible()
    page.get_by_role("button", name="Go on writing").click()
    expect(page.get_by_label("Your comment")).to_have_value(FINE)


def test_a_draft_of_a_reply_is_found_again_and_can_be_thrown_away(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    page.get_by_role("button", name="Reply to Ada").click()
    page.get_by_label("Your reply").fill("Did you count them?")
    page.reload()
    page.get_by_role("button", name="Go on writing").click()
    expect(page.get_by_label("Your reply")).to_have_value("Did you count them?")
    page.reload()
    page.get_by_role("button", name="Throw it away").click()
    page.reload()
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    expect(page.get_by_text("You left a draft")).to_have_count(0)


def test_an_answer_that_got_lost_doubles_nothing(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/v1/comments", lose)
    post(page, FINE)
    expect(page.get_by_text("Not sent. Your text is safe here.")).to_be_visible()
    expect(page.get_by_label("Your comment")).to_have_value(FINE)
    page.unroute("**/api/v1/comments")
    page.reload()
    page.get_by_role("button", name="Go on writing").click()
    page.get_by_role("button", name="Post comment").click()
    published(page)
    assert newspaper.thread()["article"]["count"] == 1


def test_a_lost_answer_and_another_text_after_it_are_told_apart(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/v1/comments", lose)
    post(page, FINE)
    expect(page.get_by_text("Not sent.")).to_be_visible()
    page.unroute("**/api/v1/comments")
    page.get_by_label("Your comment").fill("He walks to Tollgate, my father.")
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_text("An earlier text of this had arrived.")).to_be_visible()
    expect(page.get_by_label("Your comment")).to_have_value("He walks to Tollgate, my father.")
    assert newspaper.thread()["article"]["count"] == 1


def test_offline_in_the_middle_of_sending_loses_nothing(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    write(page, FINE)
    page.context.set_offline(True)
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_text("You are offline.")).to_be_visible()
    expect(page.get_by_label("Your comment")).to_have_value(FINE)
    page.context.set_offline(False)
    page.get_by_role("button", name="Post comment").click()
    published(page)
    assert newspaper.thread()["article"]["count"] == 1


def test_a_network_that_goes_while_a_comment_is_under_way_neither_loses_nor_doubles_it(
    page: Page, newspaper: Newspaper
) -> None:
    page.goto(newspaper.article())

    def cut(route: Route) -> None:
        route.fetch()
        page.context.set_offline(True)
        route.abort("internetdisconnected")

    page.route("**/api/v1/comments", cut)
    post(page, FINE)
    expect(page.get_by_text("You are offline.")).to_be_visible()
    expect(page.get_by_label("Your comment")).to_have_value(FINE)
    page.unroute("**/api/v1/comments")
    page.context.set_offline(False)
    page.get_by_role("button", name="Post comment").click()
    published(page)
    assert newspaper.thread()["article"]["count"] == 1


def test_two_tabs_with_one_draft_make_one_comment(
    new_context: Callable[..., BrowserContext], newspaper: Newspaper
) -> None:
    context = new_context()
    first, second = context.new_page(), context.new_page()
    first.goto(newspaper.article())
    write(first, FINE)
    expect(first.get_by_text("Draft saved")).to_be_visible()
    second.goto(newspaper.article())
    second.get_by_role("button", name="Go on writing").click()
    first.get_by_role("button", name="Post comment").click()
    published(first)
    expect(second.get_by_text("As Ines Moreau")).to_be_visible()
    second.get_by_role("button", name="Post comment").click()
    published(second)
    assert newspaper.thread()["article"]["count"] == 1


# ---- being told ----


def test_a_foul_text_is_asked_about_once_and_waits_when_it_is_meant(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FOUL)
    nudge = page.get_by_role("alertdialog", name="Before you post")
    expect(nudge).to_contain_text("may hurt someone")
    expect(nudge.locator("mark")).to_be_visible()
    assert newspaper.held() == []
    nudge.get_by_role("button", name="Post as it is").click()
    mine = page.get_by_role("article").filter(has_text="Waiting for a moderator")
    expect(mine).to_contain_text("seen only by you")
    expect(mine.locator("mark").first).to_be_visible()
    assert len(newspaper.held()) == 1
    assert newspaper.thread()["comments"] == []


def test_rephrased_words_are_not_asked_about_again(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FOUL)
    page.get_by_role("button", name="Change my words").click()
    marked = page.evaluate(
        "(() => { const area = document.querySelector('firstword-comments').shadowRoot.activeElement;"
        " return area.value.slice(area.selectionStart, area.selectionEnd); })()"
    )
    assert marked
    assert marked in FOUL
    page.get_by_label("Your comment").fill(FOUL.replace("everybody", "anybody"))
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_text("Waiting for a moderator").first).to_be_visible()


def test_what_waits_survives_a_reload_with_its_reason_and_can_be_mended(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FOUL)
    page.get_by_role("button", name="Post as it is").click()
    expect(page.get_by_text("Waiting for a moderator").first).to_be_visible()
    page.reload()
    mine = page.get_by_role("article").filter(has_text="Waiting for a moderator")
    expect(mine).to_contain_text("Your comment")
    expect(mine.locator(".why")).not_to_be_empty()
    mine.get_by_role("button", name="Edit and resubmit").click()
    page.get_by_label("Your change").fill("Vance is wrong about this bridge.")
    page.get_by_role("button", name="Resubmit", exact=True).click()
    expect(page.get_by_role("article").filter(has_text="Vance is wrong")).to_contain_text("Published")
    assert newspaper.thread()["article"]["count"] == 1


def test_a_moderators_yes_reaches_the_page(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FOUL)
    page.get_by_role("button", name="Post as it is").click()
    expect(page.get_by_text("Waiting for a moderator").first).to_be_visible()
    newspaper.decide(newspaper.held()[0], "approve")
    page.evaluate("document.querySelector('firstword-comments').refresh()")
    page.get_by_role("button", name="1 new comment").click()
    expect(page.locator(".list")).to_contain_text(FOUL)
    expect(page.get_by_text("Waiting for a moderator")).to_have_count(0)


def test_a_moderators_no_says_why_and_can_be_put_away(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FOUL)
    page.get_by_role("button", name="Post as it is").click()
    expect(page.get_by_text("Waiting for a moderator").first).to_be_visible()
    newspaper.decide(newspaper.held()[0], "reject", "abuse")
    page.reload()
    mine = page.get_by_role("article").filter(has_text="Not published")
    expect(mine).to_contain_text("Your comment attacks somebody instead of answering what they say.")
    mine.get_by_role("button", name="Remove from my list").click()
    page.reload()
    expect(page.get_by_role("button", name="Leave the first comment")).to_be_visible()
    expect(page.get_by_text("Not published")).to_have_count(0)


def test_a_comment_is_withdrawn_and_brought_back(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FINE)
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("You withdrew this comment.")).to_be_visible()
    assert newspaper.thread()["comments"] == []
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("article").filter(has_text=FINE)).to_be_visible()
    assert newspaper.thread()["article"]["count"] == 1


def test_with_the_engine_down_a_person_reads_it(open_newspaper: Callable[..., Newspaper], page: Page) -> None:
    newspaper = open_newspaper(engine=Broken())
    page.goto(newspaper.article())
    post(page, FINE)
    mine = page.get_by_role("article").filter(has_text="Waiting for a moderator")
    expect(mine).to_contain_text("Our check did not work just now, so a moderator reads your comment first.")


@pytest.mark.usefixtures("early_in_a_minute")
def test_too_fast_says_until_when_and_keeps_the_text(open_newspaper: Callable[..., Newspaper], page: Page) -> None:
    newspaper = open_newspaper(LIMIT_COMMENT="author 1/minute, network 99/minute, site 99/minute")
    page.goto(newspaper.article())
    post(page, FINE)
    published(page)
    post(page, "And another thing about the tram.", None)
    expect(page.get_by_text("Slow down a little.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"Post in \d:\d\d"))).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_label("Your comment")).to_have_value("And another thing about the tram.")


def test_a_muted_author_is_told_until_when(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FINE)
    published(page)
    newspaper.mute("Ines Moreau", datetime.now(UTC) + timedelta(days=2))
    post(page, "And another thing about the tram.", None)
    expect(page.get_by_text("You cannot comment until")).to_be_visible()


def test_an_article_that_closes_meanwhile_says_so_and_keeps_the_draft(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    write(page, FINE)
    newspaper.register(closed=True)
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_role("alert").filter(has_text="closed")).to_be_visible()
    expect(page.get_by_label("Your comment")).to_have_value(FINE)


def test_a_name_that_cannot_be_is_refused_at_its_field(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FINE, "\u202eadmin")
    expect(page.locator(".bad")).not_to_be_empty()
    expect(page.get_by_label("Your name")).to_be_focused()
    page.get_by_label("Your name").fill("Ines Moreau")
    page.get_by_role("button", name="Post comment").click()
    published(page)


def test_a_comment_without_a_name_is_asked_for_one(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    post(page, FINE, "")
    expect(page.locator(".bad")).not_to_be_empty()
    expect(page.get_by_label("Your name")).to_be_focused()


def test_blocked_storage_still_reads_and_writes_and_says_what_it_costs(
    new_context: Callable[..., BrowserContext], newspaper: Newspaper
) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    context = new_context()
    context.add_init_script(BLOCKED)
    page = context.new_page()
    page.goto(newspaper.article())
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    write(page, FINE)
    expect(page.get_by_text("This browser keeps nothing for this page")).to_be_visible()
    page.get_by_role("button", name="Post comment").click()
    published(page)


# ---- the host's word ----


@pytest.fixture
def signed(newspaper: Newspaper) -> Callable[..., str]:
    """The host's signed token for a reader."""
    with newspaper.database.write() as session:
        offer = host_keys.Offer("k1", newspaper.origin, secret=SECRET)
        host_keys.add(session, SITE, offer, now=datetime.now(UTC))

    def sign(name: str, **more: object) -> str:
        now = datetime.now(UTC)
        claims = {"iss": newspaper.origin, "aud": SITE, "sub": name.lower(), "name": name, "iat": now}
        return jwt.encode({**claims, "exp": now + timedelta(minutes=5), **more}, SECRET, "HS256", headers={"kid": "k1"})

    return sign


def test_a_reader_signed_in_by_the_host_writes_without_a_name_field(
    page: Page, newspaper: Newspaper, signed: Callable[..., str]
) -> None:
    page.goto(newspaper.article(token=signed("Piotr")))
    write(page, FINE, None)
    expect(page.get_by_text("As Piotr")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_count(0)
    page.get_by_role("button", name="Post comment").click()
    published(page)
    page.reload()
    expect(page.get_by_role("article").filter(has_text=FINE)).to_contain_text("Edit for")


def test_a_stale_token_of_the_host_leaves_a_reader_who_can_read(
    page: Page, newspaper: Newspaper, signed: Callable[..., str]
) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    long_ago = datetime.now(UTC) - timedelta(hours=3)
    page.goto(newspaper.article(token=signed("Piotr", iat=long_ago, exp=long_ago + timedelta(minutes=5))))
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    write(page, FINE, None)
    expect(page.get_by_label("Your name")).to_be_visible()


def test_the_host_is_asked_by_its_callback_and_believed_when_its_reader_leaves(
    page: Page, newspaper: Newspaper, signed: Callable[..., str]
) -> None:
    page.goto(newspaper.article())
    expect(page.get_by_role("button", name="Leave the first comment")).to_be_visible()
    set_callback = "token => { document.querySelector('firstword-comments').tokenCallback = async () => token; }"
    page.evaluate(set_callback, signed("Piotr"))
    write(page, FINE, None)
    expect(page.get_by_text("As Piotr")).to_be_visible()
    page.evaluate(set_callback, None)
    expect(page.get_by_label("Your name")).to_be_visible()


def test_the_host_is_asked_again_when_its_word_has_ended(
    page: Page, newspaper: Newspaper, signed: Callable[..., str]
) -> None:
    page.goto(newspaper.article())
    page.expose_function("sign", lambda: signed("Piotr", jti=secrets.token_hex(8)))
    page.evaluate(
        "globalThis.asked = 0;"
        "document.querySelector('firstword-comments').tokenCallback = () => { asked += 1; return sign(); };"
    )
    write(page, FINE, None)
    expect(page.get_by_text("As Piotr")).to_be_visible()
    key = f"firstword:{SITE}:me"
    page.evaluate(
        "key => { localStorage[key] = JSON.stringify({ ...JSON.parse(localStorage[key]), expires: 0 }); }", key
    )
    before = page.evaluate("asked")
    page.get_by_role("button", name="Post comment").click()
    published(page)
    assert page.evaluate("asked") == before + 1
    assert page.evaluate("key => JSON.parse(localStorage[key]).expires > Date.now()", key)


def test_signing_in_is_the_hosts_own_dialog_where_it_wants_one(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article(sign_in="/sign-in", rules="/rules"))
    page.evaluate(
        "document.addEventListener('firstword:sign-in', event => { globalThis.told = true; event.preventDefault(); })"
    )
    write(page, FINE, None)
    page.get_by_role("link", name="sign in").click()
    assert page.evaluate("told") is True
    expect(page).to_have_url(f"{newspaper.origin}/line-6")
    expect(page.get_by_role("link", name="House rules")).to_have_attribute("href", "/rules")


# ---- taking part ----


def test_reactions_are_the_sites_own_words(page: Page, newspaper: Newspaper) -> None:
    def choose(session: Session) -> None:
        site = session.get_one(Site, SITE)
        site.reactions = ["new", "thanks"]
        session.add(site)

    newspaper.touch(choose)
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    expect(page.get_by_role("button", name="New to me")).to_be_visible()
    page.get_by_role("button", name="thanks", exact=True).click()
    dialog = page.get_by_role("dialog", name="Who are you?")
    dialog.get_by_label("Your name").fill("Ines Moreau")
    dialog.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="thanks 1", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_reader_agrees_once_and_can_take_it_back(page: Page, newspaper: Newspaper) -> None:
    made = newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    page.get_by_role("button", name="Agree").click()
    dialog = page.get_by_role("dialog", name="Who are you?")
    dialog.get_by_label("Your name").fill("Ines Moreau")
    dialog.get_by_role("button", name="Go on").click()
    agree = page.get_by_role("button", name="Agree 1")
    expect(agree).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(agree).to_have_attribute("aria-pressed", "true")
    agree.click()
    expect(page.get_by_role("button", name="Agree", exact=True)).to_have_attribute("aria-pressed", "false")
    assert newspaper.ask("GET", f"/comments/{made['id']}")["comment"]["reactions"].get("like", 0) == 0


def test_a_comment_is_reported_in_two_clicks(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    post(page, FINE)
    published(page)
    page.get_by_role("button", name="Report Ada’s comment").click()
    dialog = page.get_by_role("dialog", name="What is wrong with this comment?")
    dialog.get_by_role("button", name="Report", exact=True).click()
    expect(dialog).to_contain_text("Thank you.")
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).to_have_count(0)
    assert focused(page) == ""


def test_a_notice_under_the_law_asks_which_why_and_who_and_has_a_number(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    post(page, FINE)
    published(page)
    page.get_by_role("button", name="Report Ada’s comment").click()
    dialog = page.get_by_role("dialog", name="What is wrong with this comment?")
    dialog.get_by_text("I think it is illegal").click()
    dialog.get_by_label("Which kind of law").select_option("privacy")
    dialog.get_by_label("Why you think so").fill("It names my street.")
    dialog.get_by_label("Your name").fill("Ines Moreau")
    dialog.get_by_label("E-mail").fill("ines@eastmere.example")
    dialog.get_by_label("What I say here is accurate").check()
    dialog.get_by_role("button", name="Send the notice").click()
    expect(dialog).to_contain_text(re.compile(r"Your notice has the number [0-9a-f]{24}\."))


def test_the_page_is_told_of_what_happens(page: Page, newspaper: Newspaper) -> None:
    newspaper.article()
    page.goto(f"{newspaper.origin}/line-6")
    page.evaluate(
        "globalThis.told = [];"
        "document.addEventListener('firstword:posted', ({ detail }) => told.push(['posted', detail.status]));"
        "document.addEventListener('firstword:count', ({ detail }) => told.push(['count', detail.count]));"
    )
    post(page, FINE)
    published(page)
    assert page.evaluate("told").count(["posted", "approved"]) == 1
    assert ["count", 1] in page.evaluate("told")
