"""Hostile text: a hundred strings in every place that readers, hosts and moderators fill, and an API that lies."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Route, expect
from sqlmodel import Session, select

from service.models import Author
from tests.browser.corpus import CORPUS
from tests.browser.newspaper import KEY, SITE, Newspaper

HOOK = "globalThis.shots = []; globalThis.fired = globalThis.alert = (...what) => { shots.push(String(what)); };"
LOOK = """() => {
  const found = [];
  const barred = /^(script|iframe|object|embed|img|video|audio|link|style|base|meta|template)$/i;
  const leads = /^(href|src|action|formaction|data)$/;
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (barred.test(element.localName)) found.push(element.localName);
      for (const { name, value } of element.attributes) {
        if (/^on/i.test(name) || name === "style" || name === "srcdoc") found.push(name);
        if (leads.test(name) && !/^(https?:|mailto:|#)/.test(value)) found.push(`${name}=${value}`);
      }
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  for (const host of document.querySelectorAll("firstword-comments")) look(host.shadowRoot);
  return found;
}"""


@pytest.fixture(params=["strict", "none"])
def hostile(request: pytest.FixtureRequest, page: Page, newspaper: Newspaper) -> Page:
    """A page that notes every shot; once under the strictest policy, once without any, where only the widget guards."""
    page.add_init_script(HOOK)
    newspaper.article()
    if request.param == "none":
        newspaper.pages["/line-6"].headers.clear()
    return page


def show(page: Page, newspaper: Newspaper) -> None:
    """Open the article and everything in it."""
    page.goto(f"{newspaper.origin}/line-6")
    expect(page.locator(".comment").first).to_be_visible()
    more = page.get_by_role("button", name="Show more", exact=True)
    while more.count():
        before = page.locator(".list > li").count()
        more.click()
        expect(page.locator(".list > li").nth(before)).to_be_visible()


def assert_nothing_fired(page: Page) -> None:
    assert page.evaluate("shots") == []
    assert page.evaluate(LOOK) == []


def test_the_corpus_has_a_hundred_different_strings() -> None:
    assert len(set(CORPUS)) == 100


def test_a_hundred_hostile_comments_and_their_edits_stay_text(hostile: Page, newspaper: Newspaper) -> None:
    ids = [newspaper.say("Eve", f"Plain remark {n} about the tram.")["id"] for n in range(len(CORPUS))]
    for text in CORPUS:
        newspaper.say("Eve", text)
    for held in newspaper.held():
        newspaper.decide(held, "approve")
    show(hostile, newspaper)
    assert_nothing_fired(hostile)
    for comment, text in zip(ids, CORPUS, strict=True):
        newspaper.ask("PATCH", f"/comments/{comment}", {"text": text, "version": 1}, newspaper.token("Eve"))
    for held in newspaper.held():
        newspaper.decide(held, "approve")
    show(hostile, newspaper)
    assert_nothing_fired(hostile)


def test_hostile_names_titles_and_questions_stay_text(hostile: Page, newspaper: Newspaper) -> None:
    for n in range(20):
        newspaper.say(f"Reader {n}", f"Plain remark {n} about the tram.")
    for start in range(0, len(CORPUS), 20):

        def rename(session: Session, start: int = start) -> None:
            for author, name in zip(session.exec(select(Author)), CORPUS[start : start + 20], strict=True):
                author.name = name
                session.add(author)

        newspaper.touch(rename)
        newspaper.register(title=CORPUS[start + 1], prompt="\n".join(CORPUS[start : start + 20])[:300])
        show(hostile, newspaper)
        expect(hostile.locator(".byline bdi").first).not_to_be_empty()
        assert set(hostile.locator(".byline bdi").all_text_contents()) == set(CORPUS[start : start + 20])
        assert_nothing_fired(hostile)


def test_hostile_reasons_and_own_texts_stay_text(hostile: Page, newspaper: Newspaper) -> None:
    hostile.goto(f"{newspaper.origin}/line-6")
    token = newspaper.ask("POST", "/tokens", {"site": "courier", "name": "Eve"})
    me = {"token": token["token"], "expires": 9e15, "renewal": None, "author": token["author"]}
    hostile.evaluate("me => { localStorage['firstword:courier:me'] = JSON.stringify(me); }", me)
    model = newspaper.say("Eve", "A plain remark about the tram.")

    def lie(route: Route) -> None:
        mine = [
            {
                **model,
                "id": f"{n:024x}",
                "status": ("pending", "rejected")[n % 2],
                "text": text,
                "public_version": None,
                "reasons": [{"code": text, "sentence": text, "spans": [[0, 3], [2, 9], [-4, 2], [7, 10**9]]}],
            }
            for n, text in enumerate(CORPUS)
        ]
        route.fulfill(json={"comments": mine, "next": None}, headers={"Access-Control-Allow-Origin": "*"})

    hostile.route("**/api/v1/me/comments*", lie)
    hostile.reload()
    expect(hostile.locator(".own")).to_have_count(100)
    assert_nothing_fired(hostile)


def test_an_api_that_lies_gets_no_further_than_text(hostile: Page, newspaper: Newspaper) -> None:
    newspaper.say("Ada", "Nineteen bays.")
    nodes: list[Any] = [
        {"t": "script", "c": ["fired()"]},
        {"t": "img", "src": "x", "onerror": "fired()", "c": []},
        {"t": "a", "href": "javascript:fired()", "c": ["one"]},
        {"t": "a", "href": " javascript:fired()", "c": ["two"]},
        {"t": "a", "href": "https://x.example/", "onclick": "fired()", "c": ["three"]},
        {"t": "p", "onclick": "fired()", "style": "color:red", "c": ["four", {"t": "iframe", "c": ["five"]}]},
        {"t": "__proto__", "c": ["six"]},
    ]

    def lie(route: Route) -> None:
        thread = json.loads(route.fetch().body())
        thread["comments"][0] |= {"nodes": nodes, "permalink": "javascript:fired()"}
        thread["comments"][0]["author"]["badge"] = "<script>fired()</script>"
        thread["article"]["reactions"] = ["like", "<img src=x onerror=fired()>"]
        route.fulfill(json=thread, headers={"Access-Control-Allow-Origin": "*"})

    hostile.route("**/api/v1/comments?*", lie)
    hostile.goto(f"{newspaper.origin}/line-6")
    for words in ("one", "two", "four", "five", "six"):
        hostile.locator(".text").get_by_text(words).first.click()
    expect(hostile.get_by_role("link", name="three")).to_have_attribute("href", "https://x.example/")
    expect(hostile.get_by_role("link", name="three")).to_have_attribute("rel", "nofollow ugc noopener")
    assert_nothing_fired(hostile)


def test_words_typed_into_the_widget_stay_text(hostile: Page, newspaper: Newspaper) -> None:
    hostile.goto(f"{newspaper.origin}/line-6")
    hostile.get_by_role("button", name="Leave the first comment").click()
    for text in CORPUS:
        hostile.get_by_label("Your comment").fill(text)
        hostile.get_by_label("Your name").fill(text)
    hostile.reload()
    expect(hostile.get_by_text("You left a draft here")).to_be_visible()
    assert_nothing_fired(hostile)


def test_hostile_text_stays_text_without_the_widget(hostile: Page, newspaper: Newspaper) -> None:
    for text in CORPUS:
        newspaper.say("Eve", text)
    for held in newspaper.held():
        newspaper.decide(held, "approve")

    def rename(session: Session) -> None:
        for author in session.exec(select(Author)):
            author.name = CORPUS[0]
            session.add(author)

    newspaper.touch(rename)
    newspaper.register(title=CORPUS[1], prompt=CORPUS[2], section=CORPUS[3])
    query = urlencode({"site": SITE, "article": KEY, "url": f"{newspaper.origin}/line-6"})
    with urlopen(f"{newspaper.url}/embed/fragment?{query}") as answer:
        fragment = answer.read().decode()
    address = newspaper.publish("/fragment", f"<div>{fragment}</div>")
    newspaper.pages["/fragment"].headers = newspaper.pages["/line-6"].headers  # the policy, or none
    hostile.goto(address)
    expect(hostile.locator("article").first).to_be_visible()
    assert hostile.evaluate("shots") == []
    assert hostile.evaluate("document.querySelectorAll('div script, div img, div svg, div iframe').length") == 1
    hostile.goto(f"{newspaper.url}/embed/comments?{query}")
    expect(hostile.locator("article").first).to_be_visible()
    assert hostile.evaluate("document.querySelectorAll('script, img, svg, iframe').length") == 0
    hostile.goto(newspaper.publish("/next", f'<firstword-discussed site="{SITE}"></firstword-discussed>'))
    expect(hostile.get_by_role("link", name=CORPUS[1])).to_be_visible()
    assert hostile.evaluate("shots") == []
