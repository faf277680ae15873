"""What is read without script: the fragment, linked data, the plain page in five languages, and the feeds."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from jinja2 import UndefinedError
from sqlmodel import select

from service.models import Author, Comment, Site
from service.web.i18n import words
from tests.service.conftest import FINE, FOUL, ORIGIN, Build, Newsroom, Reader

PLACE = f"site=courier&article=bridge&url={ORIGIN}/bridge"
FRAGMENT, PAGE = f"/embed/fragment?{PLACE}", f"/embed/comments?{PLACE}"
ATOM, JSON = "/feeds/comments.atom?site=courier", "/feeds/comments.json?site=courier"
SPACE = {
    "a": "http://www.w3.org/2005/Atom",
    "h": "http://www.w3.org/1999/xhtml",
    "t": "http://purl.org/syndication/thread/1.0",
}
NASTY = "</script><script>fired()</script> & ]]> <img src=x onerror=fired()> *so*"


def linked(html: str) -> dict[str, Any]:
    """The linked data in a page."""
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert len(found) == 1
    data: dict[str, Any] = json.loads(found[0])
    return data


def entries(room: Newsroom, address: str = ATOM) -> list[ElementTree.Element]:
    """The entries of an Atom feed."""
    return ElementTree.fromstring(room.client.get(address).data).findall("a:entry", SPACE)


class Tags(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


# ---- the fragment ----


def test_the_demo_page_holds_the_fragment_of_its_article(build: Build) -> None:
    room = build(DEVELOPMENT="1", DEMO="1")
    address = f"{ORIGIN}/bridge"
    facts = {"site": "courier", "article": "bridge", "article_url": address, "desk_url": f"{ORIGIN}/desk/"}
    (room.settings.data_dir / "demo.json").write_text(json.dumps(facts), encoding="utf-8")
    for _ in range(2):
        page = room.client.get("/demo/article").text
        assert room.client.get(FRAGMENT).text.strip() in page
        room.reader("Ada Berg").post(FINE)
    assert linked(page)["commentCount"] == 1


def test_a_value_that_a_template_was_not_given_is_a_mistake_and_not_an_empty_place(room: Newsroom) -> None:
    with pytest.raises(UndefinedError):
        room.client.application.jinja_env.from_string("{{ forgotten }}").render()


def test_the_fragment_has_the_published_comments_and_changes_its_etag_with_them(room: Newsroom, ada: Reader) -> None:
    ada.post("Good **news**, see https://eastmere.example/budget")
    ada.post(FOUL)
    first = room.client.get(FRAGMENT)
    assert "<strong>news</strong>" in first.text
    assert "idiot" not in first.text
    links = [traits for tag, traits in Tags(first.text).found if tag == "a" and "eastmere" in (traits["href"] or "")]
    assert [link["rel"] for link in links] == ["nofollow ugc noopener"]
    again = room.client.get(FRAGMENT, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    ada.post("And another good thing about the bridge.")
    assert room.client.get(FRAGMENT, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_the_fragment_carries_its_comments_as_linked_data(room: Newsroom, ada: Reader, bo: Reader) -> None:
    room.article(title="The bridge")
    top = ada.post(FINE).json
    bo.post("Twenty minutes is a lot.", parent=top["id"])
    room.client.put(f"/api/v1/comments/{top['id']}/reactions/like", headers=bo.headers)
    data = linked(room.client.get(FRAGMENT).text)
    assert (data["@context"], data["@id"], data["headline"]) == ("https://schema.org", f"{ORIGIN}/bridge", "The bridge")
    assert data["commentCount"] == 2
    (comment,) = data["comment"]
    assert (comment["@type"], comment["text"], comment["author"]["name"]) == ("Comment", FINE, "Ada Berg")
    assert comment["url"] == f"{ORIGIN}/bridge#comment-{top['id']}"
    assert comment["upvoteCount"] == 1
    assert [reply["text"] for reply in comment["comment"]] == ["Twenty minutes is a lot."]


def test_linked_data_leaves_out_what_is_gone_and_keeps_what_answered_it(
    room: Newsroom, ada: Reader, bo: Reader
) -> None:
    top = ada.post(FINE).json["id"]
    bo.post("Twenty minutes is a lot.", parent=top)
    ada.withdraw(top)
    assert [comment["text"] for comment in linked(room.client.get(FRAGMENT).text)["comment"]] == [
        "Twenty minutes is a lot."
    ]


def test_an_article_without_comments_or_address_has_no_linked_data(room: Newsroom, ada: Reader) -> None:
    assert "ld+json" not in room.client.get(FRAGMENT).text


def test_hostile_text_stays_text_in_the_fragment_and_its_data(room: Newsroom, ada: Reader) -> None:
    ada.post(NASTY)
    html = room.client.get(FRAGMENT).text
    assert [tag for tag, _ in Tags(html).found if tag in ("script", "img")] == ["script"]
    assert linked(html)["comment"][0]["text"].startswith("</script><script>fired()</script> & ]]>")


# ---- the plain page ----


def test_the_plain_page_leads_back_only_to_the_sites_own_pages(room: Newsroom) -> None:
    for url in ("https://evil.example/", "javascript:alert(1)", "//evil.example", "x", ORIGIN + ".evil.example/"):
        answer = room.client.get("/embed/comments", query_string={"site": "courier", "article": "bridge", "url": url})
        assert answer.status_code == 200
        assert "Back to the article" not in answer.text, url
    assert f'<a href="{ORIGIN}/bridge">Back to the article</a>' in room.client.get(PAGE).text


def test_the_plain_page_says_why_a_comment_waits(room: Newsroom) -> None:
    said = room.client.post(PAGE, data={"name": "Di", "text": FOUL}, follow_redirects=True).text
    assert "Waiting for a moderator" in said
    assert re.search(r"<b>Waiting for a moderator\.</b> Your comment .+\.", said)


def test_the_plain_page_says_what_is_wrong_with_a_name_and_keeps_the_text(room: Newsroom) -> None:
    answer = room.client.post(PAGE, data={"name": "", "text": FINE})
    assert answer.status_code == 400
    assert "Not sent." in answer.text
    assert FINE in answer.text


def test_a_comment_is_answered_on_the_plain_page(room: Newsroom, ada: Reader) -> None:
    top = ada.post(FINE).json["id"]
    href = next(t["href"] for tag, t in Tags(room.client.get(PAGE).text).found if tag == "a" and t.get("aria-label"))
    form = room.client.get(href).text
    assert f'<input type="hidden" name="parent" value="{top}">' in form
    answer = {"name": "Cy", "text": "It is.", "parent": top}
    assert "Published." in room.client.post(href, data=answer, follow_redirects=True).text
    assert room.thread()["comments"][0]["replies"]["count"] == 1


def once(room: Newsroom) -> str:
    """The secret of a freshly rendered form."""
    found = next(
        traits["value"] for _, traits in Tags(room.client.get(PAGE).text).found if traits.get("name") == "once"
    )
    assert found
    return found


def stored(room: Newsroom, table: type[Any]) -> list[Any]:
    """All rows of a table."""
    with room.db.read() as session:
        return list(session.exec(select(table)))


def test_a_form_sent_twice_makes_one_comment_and_leads_away_from_itself(room: Newsroom) -> None:
    form = {"name": "Cy", "text": FINE, "once": once(room)}
    first, again = (room.client.post(PAGE, data=form) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (303, again.headers["Location"])
    assert "Published." in room.client.get(first.headers["Location"]).text
    assert [author.name for author in stored(room, Author)] == ["Cy"]
    assert len(stored(room, Comment)) == 1


def test_another_text_in_the_same_form_is_another_comment_of_the_same_guest(room: Newsroom) -> None:
    form = {"name": "Cy", "once": once(room)}
    for text in (FINE, "And it is well lit at night."):
        assert room.client.post(PAGE, data={**form, "text": text}).status_code == 303
    assert (len(stored(room, Author)), len(stored(room, Comment))) == (1, 2)
    room.client.post(PAGE, data={"name": "Cy", "once": once(room), "text": "I am somebody else of that name."})
    assert len(stored(room, Author)) == 2


def test_a_receipt_that_does_not_hold_tells_nothing(room: Newsroom) -> None:
    where = room.client.post(PAGE, data={"name": "Di", "text": FOUL}).headers["Location"]
    room.clock.pass_(hours=2)
    token = room.reader("Ada Berg").token
    for address in (where, f"{where}x", f"{PAGE}&receipt=x", f"{PAGE}&receipt={token}"):
        answer = room.client.get(address)
        assert answer.status_code == 200
        assert "Waiting" not in answer.text


@pytest.mark.parametrize(
    "wrong", [{"parent": "\0"}, {"parent": "x"}, {"once": "\0"}, {"name": "C\0y"}, {"text": "a\0b"}]
)
def test_a_form_made_by_hand_is_a_4xx(room: Newsroom, ada: Reader, wrong: dict[str, str]) -> None:
    ada.post(FINE)
    answer = room.client.post(PAGE, data={"name": "Cy", "text": "A good text.", **wrong})
    assert 400 <= answer.status_code < 500
    assert len(stored(room, Comment)) == 1


def test_the_eleventh_reply_is_reached_without_script(room: Newsroom, ada: Reader) -> None:
    top = ada.post(FINE).json["id"]
    for number in range(13):
        room.clock.pass_(seconds=1)
        ada.post(f"Reply number {number} to what was said.", parent=top)
    for address in (PAGE, FRAGMENT):
        html = room.client.get(address).text
        assert ("Reply number 9 " in html, "Reply number 10 " in html) == (True, False)
        [more] = [traits["href"] for _, traits in Tags(html).found if "below=" in (traits.get("href") or "")]
        rest = room.client.get((more or "").removeprefix(room.settings.public_url)).text
        assert ("Reply number 9 " in rest, "Reply number 10 " in rest, "Reply number 12 " in rest) == (
            False,
            True,
            True,
        )


def test_where_guests_are_off_no_form_is_shown(room: Newsroom, ada: Reader) -> None:
    ada.post(FINE)
    assert "<form" in room.client.get(PAGE).text
    with room.db.write() as session:
        session.get_one(Site, "courier").guests = False
    page = room.client.get(PAGE).text
    assert ("<form" in page, "parent=" in page, "conversation is closed" in page, FINE in page) == (
        False,
        False,
        False,
        True,
    )
    assert "Write a comment" not in room.client.get(FRAGMENT).text
    assert room.client.post(PAGE, data={"name": "Cy", "text": FINE}).status_code == 403


def test_a_long_conversation_goes_on_behind_a_link(room: Newsroom, ada: Reader) -> None:
    for n in range(51):
        room.clock.pass_(seconds=1)
        ada.post(f"Good remark number {n} about the bridge.")
    more = next(t["href"] for tag, t in Tags(room.client.get(PAGE).text).found if "cursor=" in (t.get("href") or ""))
    assert "remark number 0 " in room.client.get(more).text
    assert "cursor=" in room.client.get(FRAGMENT).text


@pytest.mark.parametrize(
    ("lang", "tag", "first"),
    [
        ("de-AT", "de", "Den ersten Kommentar schreiben"),
        ("ar", "ar", "اكتب أول تعليق"),
        ("xx", "en", "Leave the first comment"),
    ],
)
def test_pages_without_script_speak_the_readers_language(room: Newsroom, lang: str, tag: str, first: str) -> None:
    page = room.client.get(f"{PAGE}&lang={lang}").text
    assert f'<html lang="{tag}" dir="{"rtl" if tag == "ar" else "ltr"}">' in page
    assert first in page
    assert first in room.client.get(f"{FRAGMENT}&lang={lang}").text


def test_a_text_without_a_translation_is_said_as_it_is() -> None:
    assert words("de")("A sentence of the site's own with {braces}.") == "A sentence of the site's own with {braces}."
    assert words(None, "fr-CA")("replyTo", name="Ada {name}").endswith("Ada {name}")


# ---- feeds ----


def test_a_sites_feed_has_the_latest_public_comments_of_all_its_articles(
    room: Newsroom, ada: Reader, bo: Reader
) -> None:
    room.article(title="The bridge")
    top = ada.post(FINE).json["id"]
    bo.post("Good, **twenty** minutes.\n\n- one", article="ferry", parent=None)
    bo.post(FOUL)
    answer = bo.post("It is a lot of time.", parent=top).json["id"]
    found = room.client.get(ATOM)
    assert found.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(found.data)
    assert feed.findtext("a:title", namespaces=SPACE) == "The Courier: comments"
    shown = feed.findall("a:entry", SPACE)
    assert len(shown) == 3
    by_id = {entry.findtext("a:id", namespaces=SPACE): entry for entry in shown}
    base = room.settings.public_url
    reply = by_id[f"{base}/api/v1/comments/{answer}"]
    assert reply.find("t:in-reply-to", SPACE).attrib == {"ref": f"{base}/api/v1/comments/{top}"}  # type: ignore[union-attr]
    assert reply.findtext("a:title", namespaces=SPACE) == "Bo Lund: The bridge"
    assert reply.find("a:link", SPACE).attrib["href"] == f"{ORIGIN}/bridge#comment-{answer}"  # type: ignore[union-attr]
    assert any(entry.findtext(".//h:strong", namespaces=SPACE) == "twenty" for entry in shown)


def test_an_articles_feed_has_its_comments_alone_and_none_before_the_first(room: Newsroom, ada: Reader) -> None:
    assert entries(room, f"{ATOM}&article=bridge") == []
    ada.post(FINE)
    ada.post("Something about the ferry.", article="ferry")
    (entry,) = entries(room, f"{ATOM}&article=bridge")
    assert "".join(entry.find("a:content", SPACE).itertext()) == FINE  # type: ignore[union-attr]
    (item,) = room.client.get(f"{JSON}&article=bridge").json["items"]
    assert item["content_text"] == FINE


def test_the_json_feed_says_the_same(room: Newsroom, ada: Reader) -> None:
    made = ada.post("Good, **twenty** minutes.").json
    ada.edit(made["id"], "Good, **thirty** minutes.")
    found = room.client.get(JSON)
    assert found.headers["Content-Type"] == "application/feed+json; charset=utf-8"
    feed = found.json
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"{room.settings.public_url}/feeds/comments.json?site=courier"
    (item,) = feed["items"]
    assert item["content_html"] == "<div><p>Good, <strong>thirty</strong> minutes.</p></div>"
    assert item["url"] == f"{ORIGIN}/bridge#comment-{made['id']}"
    assert item["authors"] == [{"name": "Ada Berg"}]
    assert item["date_modified"] >= item["date_published"]


def test_what_is_withdrawn_leaves_the_feed_even_where_its_place_stays(room: Newsroom, ada: Reader, bo: Reader) -> None:
    top = ada.post(FINE).json["id"]
    bo.post("It is a lot of time.", parent=top)
    ada.withdraw(top)
    assert len(entries(room)) == 1
    assert FINE not in room.client.get(ATOM).text


def test_a_feed_asked_for_again_is_not_sent_again_until_it_changes(room: Newsroom, ada: Reader) -> None:
    ada.post(FINE)
    for address in (ATOM, JSON):
        tag = room.client.get(address).headers["ETag"]
        assert room.client.get(address, headers={"If-None-Match": tag}).status_code == 304
    ada.post("Another thing.")
    assert room.client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_hostile_text_stays_text_in_feeds(room: Newsroom, ada: Reader) -> None:
    ada.post(NASTY)
    ada.post("Bells \x07 and \ufffe whistles.")
    names = {element.tag.rpartition("}")[2] for entry in entries(room) for element in entry.iter()}
    assert names <= {
        "entry",
        "id",
        "title",
        "published",
        "updated",
        "link",
        "author",
        "name",
        "content",
        "div",
        "p",
        "em",
    }
    html = " ".join(item["content_html"] for item in room.client.get(JSON).json["items"])
    assert {tag for tag, _ in Tags(html).found} <= {"div", "p", "em"}


@pytest.mark.parametrize("path", ["/embed/fragment", "/embed/comments", "/feeds/comments.atom", "/feeds/comments.json"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("site=courier&article=", 400),
        ("site=courier&article=%00", 400),
        ("site=%00&article=bridge", 400),
        ("site=nobody&article=bridge", 404),
        (f"site=courier&article={'k' * 201}", 400),
    ],
)
def test_a_bad_address_is_refused(room: Newsroom, path: str, query: str, status: int) -> None:
    assert room.client.get(f"{path}?{query}").status_code == status
