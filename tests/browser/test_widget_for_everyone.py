"""For everyone: every state drawn, axe, keyboard, small screens, large text, right to left, forced colours, paper."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.newspaper import FOUL, KEY, PROMPT, SITE, Newspaper

LOCALES = Path(__file__).parents[2] / "service" / "web" / "locales"
WIDTHS = (320, 768, 1280)
DRAWN = {
    "in-use": "of this newspaper",
    "no-comments-yet": "Leave the first comment",
    "composer-open": "Your name, as others will see it",
    "reply-near-the-limit": "12 left",
    "a-nudge-to-reconsider": "We ask only once.",
    "sending": "Sending…",
    "published": "Edit for",
    "waiting-for-a-moderator": "Waiting for a moderator",
    "waiting-being-edited": "Keep the old text",
    "not-published": "It attacks a person rather than what the person said.",
    "withdrawn-can-be-undone": "You withdrew this comment.",
    "not-sent": "Your text is safe here.",
    "name-refused": "This name looks like the name of a member of staff.",
    "too-fast": "Slow down a little.",
    "offline": "You are offline.",
    "storage-blocked": "This browser keeps nothing for this page",
    "signed-out": "sign in",
    "draft-found": "You left a draft here 1 day ago.",
    "no-automatic-check": "Our check did not work just now",
    "read-before-publication": "Every comment here is read before it appears.",
    "closed": "This conversation is closed.",
    "muted": "You cannot comment until",
    "failed": "The comments did not load.",
    "service-down-fragment-stays": "The comments did not load.",
    "new-comments": "3 new comments",
    "folded-ignored": "You ignore this author.",
    "report": "Open it by itself",
    "report-under-the-law": "Open it by itself",
    "read-next": "Most discussed",
    "right-to-left": "اختارته هيئة التحرير",
    "german": "Wartet auf die Moderation",
    "french": "En attente de modération",
    "lithuanian": "Laukia moderatoriaus",
    "nothing-set-by-the-host": "Sell smaller tiles.",
}


@pytest.fixture
def states(open_newspaper: Callable[..., Newspaper]) -> str:
    """Where every state is drawn."""
    newspaper = open_newspaper(DEVELOPMENT="1", DEMO="1")
    return f"{newspaper.url}/demo/states"


def draw(page: Page, states: str, state: str = "") -> None:
    """Open the sheet, or one state of it, and wait until it is drawn."""
    page.goto(f"{states}?state={state}" if state else states)
    page.wait_for_selector("html[data-drawn]", timeout=30_000)


def findings(page: Page) -> list[str]:
    """What axe finds serious or worse."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_every_state_is_drawn_at_every_width_without_a_sideways_scroll(page: Page, states: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        draw(page, states)
        assert page.locator(".specimen").count() == len(DRAWN) + 1  # and one that loads for ever
        for state, words in DRAWN.items():
            expect(page.locator(f"#{state}")).to_contain_text(words)
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_state(
    new_context: Callable[..., BrowserContext], states: str, scheme: str
) -> None:
    page = new_context(color_scheme=scheme).new_page()
    draw(page, states)
    assert findings(page) == []
    for state in ("report", "report-under-the-law"):
        draw(page, states, state)
        assert findings(page) == []


@pytest.mark.parametrize("host", ["globe", "review", "none"])
def test_axe_finds_nothing_serious_in_the_dress_of_other_hosts(page: Page, states: str, host: str) -> None:
    for theme in ("light", "dark"):
        draw(page, states, f"published&host={host}&theme={theme}")
        expect(page.locator(f"[data-host={host}][data-theme={theme}] .state.ok")).to_be_visible()
        assert findings(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_plain_page(
    new_context: Callable[..., BrowserContext], newspaper: Newspaper, scheme: str
) -> None:
    above = newspaper.say("Ada", "Nineteen bays.")["id"]
    newspaper.say("Bo", "You counted?", above)
    page = new_context(color_scheme=scheme, viewport={"width": 320, "height": 700}).new_page()
    page.goto(f"{newspaper.url}/embed/comments?site={SITE}&article={KEY}&lang=ar")
    page.get_by_role("textbox").first.fill(FOUL)
    page.get_by_role("textbox").last.fill("Ines")
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert findings(page) == []


def test_the_flag_of_a_comment_never_stands_on_a_line_of_its_own(page: Page, states: str) -> None:
    page.set_viewport_size({"width": 320, "height": 900})
    draw(page, states)
    alone = """[...document.querySelectorAll("firstword-comments")].flatMap(({ shadowRoot }) =>
      [...shadowRoot.querySelectorAll(".end")].filter((end) => end.offsetWidth).filter((end) => {
        const { top } = end.lastElementChild.getBoundingClientRect();
        return ![...end.closest(".actions").querySelectorAll("button")]
          .some((button) => button !== end.lastElementChild && button.offsetWidth
            && Math.abs(button.getBoundingClientRect().top - top) < 8);
      })).length"""
    assert page.evaluate(alone) == 0


def test_everything_that_is_pressed_is_large_enough(new_context: Callable[..., BrowserContext], states: str) -> None:
    small = """least => [...document.querySelectorAll("firstword-comments")].flatMap(({ shadowRoot }) =>
      [...shadowRoot.querySelectorAll("button, input, select, summary")].map((element) => {
        const { width, height } = element.getBoundingClientRect();
        const wide = element.closest("label") ? least : width;
        const tall = element.closest("label:not(.ui)") ? least : height;
        return [element.textContent || element.title || element.name, wide, tall];
      }).filter(([, width, height]) => width && (width < 24 || height < least)))"""
    page = new_context().new_page()
    draw(page, states)
    assert page.evaluate(small, 24) == []
    finger = new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 800}).new_page()
    draw(finger, states)
    assert finger.evaluate(small, 44) == []


def test_text_at_twice_its_size_still_fits(page: Page, states: str) -> None:
    page.set_viewport_size({"width": 640, "height": 900})
    draw(page, states)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_a_comment_can_be_written_by_keyboard_alone(page: Page, newspaper: Newspaper) -> None:
    newspaper.register(prompt=PROMPT)
    page.goto(newspaper.article())
    expect(page.get_by_role("button", name="Leave the first comment")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("My father cannot walk from Tollgate any more.")
    for _ in range(7):
        page.keyboard.press("Tab")
    page.keyboard.type("Ines Moreau")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".state.ok")).to_have_text("Published")
    expect(page.get_by_role("status")).to_have_text("Published")


def test_a_dialog_keeps_the_focus_and_gives_it_back(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    flag = page.get_by_role("button", name="Report Ada’s comment")
    flag.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(flag).to_be_focused()


def test_headings_make_an_outline(page: Page, newspaper: Newspaper) -> None:
    newspaper.register(prompt=PROMPT)
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article(heading_level="3"))
    expect(page.get_by_role("heading", name="Comments 1", level=3)).to_be_visible()
    expect(page.get_by_role("heading", name=PROMPT, level=4)).to_be_visible()
    expect(page.get_by_role("heading", name="Ada", level=5)).to_be_visible()
    expect(page.get_by_role("article", name="Ada")).to_be_visible()


def test_arabic_reads_from_the_right_and_names_keep_their_own_direction(page: Page, newspaper: Newspaper) -> None:
    above = newspaper.say("سلمى الحداد", "أعمل ممرضة في المستشفى.")["id"]
    newspaper.decide(above, "approve")
    newspaper.say("Piotr", "My sister too.", above)
    page.goto(newspaper.article(lang="ar"))
    expect(
        page.get_by_role("heading", name="التعليقات ٢").or_(page.get_by_role("heading", name="التعليقات 2"))
    ).to_be_visible()
    reply, list_ = page.locator(".replies").first.bounding_box(), page.locator(".list").bounding_box()
    assert reply is not None
    assert list_ is not None
    assert reply["x"] == list_["x"]
    assert reply["width"] < list_["width"]
    direction = "element => getComputedStyle(element).direction"
    assert page.get_by_text("My sister too.").evaluate(direction) == "ltr"
    assert page.get_by_text("أعمل ممرضة").evaluate(direction) == "rtl"
    expect(page.locator("bdi", has_text="Piotr")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de-AT", "Den ersten Kommentar schreiben"),
        ("fr", "Laisser le premier commentaire"),
        ("lt", "Parašykite pirmąjį komentarą"),
        ("ar", "اكتب أول تعليق"),
        ("xx", "Leave the first comment"),
    ],
)
def test_the_page_decides_the_language(page: Page, newspaper: Newspaper, language: str, words: str) -> None:
    page.goto(newspaper.article(lang=language))
    expect(page.get_by_role("button", name=words)).to_be_visible()


def test_every_language_has_the_plurals_that_it_counts_by(page: Page, newspaper: Newspaper) -> None:
    page.goto(newspaper.article())
    forms = "tag => new Intl.PluralRules(tag).resolvedOptions().pluralCategories"
    for locale in sorted(LOCALES.glob("*.json")):
        wanted = set(page.evaluate(forms, locale.stem))
        plurals = {key: set(text) for key, text in json.loads(locale.read_text()).items() if isinstance(text, dict)}
        assert plurals == dict.fromkeys(("left", "nComments", "new", "replies"), wanted), locale.stem


def test_numbers_choose_their_words_by_the_rules_of_the_language(page: Page, newspaper: Newspaper) -> None:
    above = newspaper.say("Ada", "Nineteen bays.")["id"]
    for n in range(2):
        newspaper.say("Bo", f"Answer number {n} of the shops.", above)
    for lang, two in {"lt": "2 atsakymai", "ar": "ردان", "de": "2 Antworten", "fr": "2 réponses"}.items():
        page.goto(newspaper.article(lang=lang))
        page.locator(".fold").click()
        expect(page.locator(".fold")).to_have_text(two)


def test_on_paper_stands_what_people_wrote_and_nothing_to_press(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article())
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    buttons = page.get_by_role("button")
    expect(buttons.first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_text("Nineteen bays.")).to_be_visible()
    expect(buttons).to_have_count(0)


def test_forced_colours_keep_edges_and_marks(new_context: Callable[..., BrowserContext], newspaper: Newspaper) -> None:
    page = new_context(forced_colors="active").new_page()
    page.goto(newspaper.article())
    page.get_by_role("button", name="Leave the first comment").click()
    page.get_by_label("Your comment").fill(FOUL)
    page.get_by_label("Your name").fill("Ines Moreau")
    post = page.get_by_role("button", name="Post comment")
    assert post.evaluate("element => getComputedStyle(element).borderStyle") == "solid"
    post.click()
    mark = page.locator("mark").first
    expect(mark).to_be_visible()
    assert mark.evaluate("element => getComputedStyle(element).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_less_motion_is_no_motion(new_context: Callable[..., BrowserContext], newspaper: Newspaper) -> None:
    page = new_context(reduced_motion="reduce").new_page()
    page.goto(newspaper.article())
    button = page.get_by_role("button", name="Leave the first comment")
    assert button.evaluate("element => getComputedStyle(element).transitionDuration") == "0s"


def test_the_host_sets_colours_type_and_parts(page: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    page.goto(newspaper.article(theme="dark"))
    text = page.get_by_text("Nineteen bays.")
    colour = "element => getComputedStyle(element).color"
    assert text.evaluate(colour) == "rgb(233, 231, 225)"
    page.evaluate(
        "() => { const sheet = new CSSStyleSheet(); sheet.replaceSync("
        "'firstword-comments { --fw-ink: rgb(1, 2, 3); --fw-size: 2rem } "
        "firstword-comments::part(text) { font-style: italic }');"
        " document.adoptedStyleSheets = [sheet]; }"
    )
    assert text.evaluate(colour) == "rgb(1, 2, 3)"
    assert text.evaluate("element => getComputedStyle(element).fontSize") == "34px"
    assert text.evaluate("element => getComputedStyle(element).fontStyle") == "italic"
