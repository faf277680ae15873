"""The policy's form at the desk: fields become a part of the site's TOML, and nothing that stood there is lost."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from config.settings import load
from moderation import Engine, Policy, load_policy, open_engine
from service.app import create_app
from service.errors import Invalid
from service.models import Site
from service.review import overrides
from service.review.overrides import Bar
from tests.moderation import cases
from tests.service.newsroom import Newsroom
from tests.service.test_desk import Browser, Clock
from tests.service.test_desk import at_desk as at_desk
from tests.service.test_desk import clock as clock
from tests.service.test_desk import room as room
from tests.service.test_desk_office import ada as ada
from tests.service.test_desk_office import judged_for_real

WRITTEN = """# Agreed in May.
[engines.bundled.insult]  # too many of these
hold = 0.30  # was 0.25
tone = true

[words.site]
strong = { insult = ["grobian"] }

[reasons.off_topic]
key = "6"
label = "Elsewhere"
sentence = "Your comment belongs elsewhere."
"""


@pytest.fixture(scope="module")
def shipped() -> Policy:
    return cases.shipped()


@pytest.fixture(scope="module")
def engines(shipped: Policy) -> list[Engine]:
    return [open_engine("bundled", shipped)]


@pytest.fixture(scope="module")
def bars(shipped: Policy, engines: list[Engine]) -> list[Bar]:
    return overrides.bars(shipped, engines, "")


Fill = Callable[[str, dict[str, str], str], str]


@pytest.fixture(scope="module")
def fill(engines: list[Engine], bars: list[Bar]) -> Fill:
    """Some text with what was typed into fields that were drawn from another."""
    return lambda text, typed, drawn: overrides.filled(
        text, engines, typed, overrides.marks(overrides.fields(drawn, bars))
    )


def test_each_attribute_has_a_bar_that_tells_what_is_shipped(shipped: Policy, bars: list[Bar]) -> None:
    found = {bar.attribute: (bar.engine, bar.shipped["hold"]) for bar in bars}
    assert found["insult"] == ("bundled", shipped.engines["bundled"]["insult"].hold)
    assert found.keys() == set(open_engine("bundled", shipped).attributes)
    plain = overrides.bars(shipped, [open_engine("lexicon", shipped)], "")
    assert {bar.engine for bar in plain} == {"any"}
    own = overrides.bars(shipped, [open_engine("lexicon", shipped)], "[engines.lexicon.insult]\nhold = 0.9")
    assert {bar.attribute: bar.engine for bar in own}["insult"] == "lexicon"


def test_what_fields_change_is_put_in_and_all_else_stays_as_it_was_written(fill: Fill, bars: list[Bar]) -> None:
    typed = {"hold.bundled.insult": " 0,4 ", "reject.bundled.threat": "0.99", "words.mild": "twit\r\n\r\n twit\r\noaf*"}
    text = fill(WRITTEN, typed, WRITTEN)
    assert text.startswith("# Agreed in May.\n[engines.bundled.insult]  # too many of these\nhold = 0.4  # was 0.25\n")
    assert "[reasons.off_topic]" in text
    said = overrides.fields(text, bars)
    assert (said["hold.bundled.insult"], said["reject.bundled.threat"]) == ("0.4", "0.99")
    assert (said["words.mild"], said["words.strong"]) == ("twit\noaf*", "grobian")


def test_an_emptied_field_leaves_the_value_to_the_shipped_policy(fill: Fill) -> None:
    text = fill(WRITTEN, {"hold.bundled.insult": "", "words.strong": " \n"}, WRITTEN)
    assert overrides.read(text) == {
        "engines": {"bundled": {"insult": {"tone": True}}},
        "reasons": overrides.read(WRITTEN)["reasons"],
    }
    once = fill("", {"hold.bundled.hate": "0.5"}, "")
    assert fill(once, {"hold.bundled.hate": ""}, once).strip() == ""


def test_fields_that_nobody_touched_do_not_undo_what_was_changed_in_the_text(fill: Fill, bars: list[Bar]) -> None:
    drawn = "[engines.bundled.insult]\nhold = 0.3\n"
    text = "[engines.bundled.insult]\nhold = 0.6\n"
    untouched = overrides.fields(drawn, bars)
    assert fill(text, untouched, drawn) == text
    assert overrides.read(fill(text, {**untouched, "words.severe": "oaf"}, drawn)) == {
        "engines": {"bundled": {"insult": {"hold": 0.6}}},
        "words": {"site": {"severe": {"identity_attack": ["oaf"]}}},
    }


@pytest.mark.parametrize("typed", ["high", "1.01", "-0.1", "nan", "inf", "0.5.5", "٫", "1e999"])
def test_a_field_that_is_no_score_is_named(fill: Fill, typed: str) -> None:
    with pytest.raises(Invalid, match="insult, hold must be a number from 0 to 1"):
        fill(WRITTEN, {"hold.bundled.insult": typed}, WRITTEN)


@pytest.mark.parametrize(
    "text",
    [
        'engines = { bundled = { insult = { hold = 0.2 } } }\nlanguage = "en"',
        "engines.bundled.insult.hold = 0.2",
        "[engines]\nbundled.insult.hold = 0.2\n[words.site.mild]\ninsult = []\n[engines.any.threat]\nhold = 0.1",
        "[engines.bundled]\n[engines.bundled.threat]\nhold = 0.1\n[languages]\n[engines.bundled.insult]\nhold = 0.2",
    ],
)
def test_however_a_text_is_written_fields_change_what_they_name(fill: Fill, text: str) -> None:
    before = overrides.read(text)
    tree = overrides.read(fill(text, {"hold.bundled.insult": "0.7", "words.mild": "oaf"}, text))
    assert tree["engines"]["bundled"].pop("insult") == {"hold": 0.7}
    assert tree.pop("words") == {"site": {"mild": {"insult": ["oaf"]}}}
    before.pop("words", None)
    before["engines"]["bundled"].pop("insult", None)
    assert tree == before


@pytest.mark.parametrize("text", ["[engines]\nbundled = 3", "words = []", "[[engines]]\nbundled = 3"])
def test_a_text_that_has_no_place_for_a_field_is_left_to_its_writer(fill: Fill, text: str) -> None:
    with pytest.raises(Invalid, match="write it into the text itself"):
        fill(text, {"hold.bundled.insult": "0.7", "words.mild": "oaf"}, text)


def test_never_switches_a_score_off(fill: Fill, shipped: Policy) -> None:
    text = fill("", {"hold.bundled.insult": "Never"}, "")
    assert overrides.read(text) == {"engines": {"bundled": {"insult": {"hold": "never"}}}}
    assert load_policy(shipped.source, text).thresholds("bundled")["insult"].hold is None
    assert load_policy(shipped.source, text).thresholds("bundled")["insult"].tone is True


def test_what_stands_in_grey_is_what_counts_when_the_field_is_emptied(shipped: Policy) -> None:
    own = "[engines.lexicon.insult]\nhold = 0.9"
    found = {bar.attribute: bar for bar in overrides.bars(shipped, [open_engine("lexicon", shipped)], own)}
    assert found["insult"].shipped["hold"] == shipped.engines["any"]["insult"].hold


def test_thousands_of_words_are_put_in_at_once(fill: Fill) -> None:
    words = "\n".join(f'w"ord\\{number}ü' for number in range(5_000))
    text = fill("", {"words.innocent": words}, "")
    assert overrides.read(text)["words"]["site"]["innocent"] == words.split("\n")


@pytest.fixture
def app(database_url: str, clock: Clock) -> Iterator[Flask]:
    """The service under the shipped policy, with word lists and an engine."""
    environ = {"DATABASE_URL": database_url, "PUBLIC_URL": "https://desk.example", "SIGNING_KEYS": "k" * 40}
    made = create_app(load({**environ, "ENGINE": "lexicon"}), clock=clock)
    yield made
    made.extensions["firstword"].database.close()


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the policy's form."""
    form = page[page.index('<form class="overrides"') :]
    form = form[: form.index("</form>")]
    plain = re.findall(r'<input[^>]* name="([^"]*)" value="([^"]*)"', form)
    large = re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL)
    return {name: html.unescape(value) for name, value in (*plain, *large)}


def kept(room: Newsroom) -> str:
    with room.db.read() as session:
        return session.get_one(Site, "courier").policy


def test_an_administrator_tries_a_threshold_and_a_word_and_keeps_them(app: Flask, room: Newsroom, ada: Browser) -> None:
    judged_for_real(app, room, "The old grobian of Mill Street is at it again, they say.")
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    wanted = {**drawn, "words.severe": "grobian*", "hold.any.insult": "0.45"}
    page = ada.post("/desk/courier/policy", {**wanted, "act": "try"})
    assert "1 of the last 1 would have been treated otherwise" in page.text
    assert kept(room) == ""
    tried = fields_of(page.text)
    assert (tried["words.severe"], tried["hold.any.insult"]) == ("grobian*", "0.45")
    assert 'identity_attack = ["grobian*"]' in tried["policy"]
    assert ada.post("/desk/courier/policy", {**tried, "act": "keep"}).status_code == 303
    assert overrides.read(kept(room)) == {
        "engines": {"any": {"insult": {"hold": 0.45}}},
        "words": {"site": {"severe": {"identity_attack": ["grobian*"]}}},
    }
    judge = app.extensions["firstword"].judges.under(kept(room))
    assert judge.policy.thresholds("lexicon")["insult"].hold == 0.45


def test_what_cannot_be_kept_comes_back_as_it_was_typed(room: Newsroom, ada: Browser) -> None:
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    page = ada.post("/desk/courier/policy", {**drawn, "hold.any.insult": "a lot", "words.mild": "oaf", "act": "keep"})
    again = fields_of(page.text)
    assert (page.status_code, again["hold.any.insult"], again["words.mild"]) == (400, "a lot", "oaf")
    assert "insult, hold must be a number" in page.text
    page = ada.post(
        "/desk/courier/policy", {**again, "hold.any.insult": "0.8", "reject.any.insult": "0.2", "act": "keep"}
    )
    again = fields_of(page.text)
    assert (page.status_code, again["reject.any.insult"], again["words.mild"]) == (400, "0.2", "oaf")
    assert "rejects at a lower score than it holds at" in html.unescape(page.text)
    assert kept(room) == ""


def test_a_threshold_that_a_policy_cannot_have_is_mended_in_its_field(room: Newsroom, ada: Browser) -> None:
    with room.db.write() as session:
        session.get_one(Site, "courier").policy = "[engines.any.insult]\nhold = 7"
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    assert drawn["hold.any.insult"] == "7"
    ada.post("/desk/courier/policy", {**drawn, "hold.any.insult": "0.7", "act": "keep"})
    assert kept(room) == "[engines.any.insult]\nhold = 0.7"


def test_of_two_administrators_the_second_learns_what_the_first_has_kept(
    room: Newsroom, ada: Browser, at_desk: Callable[[str], Browser]
) -> None:
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    other = at_desk("ada")
    theirs = fields_of(other.get("/desk/courier/policy").text)
    other.post("/desk/courier/policy", {**theirs, "hold.any.insult": "0.9", "act": "keep"})
    page = ada.post("/desk/courier/policy", {**drawn, "hold.any.threat": "0.2", "act": "keep"})
    assert page.status_code == 409
    assert "Somebody else has kept another policy" in page.text
    assert overrides.read(kept(room)) == {"engines": {"any": {"insult": {"hold": 0.9}}}}
    mine = fields_of(page.text)
    assert mine["hold.any.threat"] == "0.2"
    assert ada.post("/desk/courier/policy", {**mine, "act": "keep"}).status_code == 303
    assert overrides.read(kept(room)) == {"engines": {"any": {"threat": {"hold": 0.2}}}}


@pytest.mark.parametrize("text", ["[engines]\nlexicon = 3", "[engines]\nany = true", "engines = 1", "words = 2"])
def test_tables_that_are_none_are_shown_and_mended(room: Newsroom, ada: Browser, text: str) -> None:
    with room.db.write() as session:
        session.get_one(Site, "courier").policy = text
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    page = ada.post("/desk/courier/policy", {**drawn, "act": "try"})
    assert (page.status_code, "must be a table" in page.text) == (400, True)
    assert ada.post("/desk/courier/policy", {**drawn, "policy": "", "act": "keep"}).status_code == 303
    assert kept(room) == ""


@pytest.mark.parametrize("slip", [{"hold.any.threat": "a lot"}, {"policy": "[engines.any.insult]\nhold = 0.5 x"}])
def test_a_slip_does_not_undo_what_was_written_into_the_text(
    room: Newsroom, ada: Browser, slip: dict[str, str]
) -> None:
    with room.db.write() as session:
        session.get_one(Site, "courier").policy = "[engines.any.insult]\nhold = 0.3"
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    wanted = "[engines.any.insult]\nhold = 0.5"
    page = ada.post("/desk/courier/policy", {**drawn, "policy": wanted, **slip, "act": "keep"})
    again = fields_of(page.text)
    assert page.status_code == 400
    ada.post("/desk/courier/policy", {**again, "policy": wanted, "hold.any.threat": "", "act": "keep"})
    assert kept(room) == wanted


def test_a_try_in_between_does_not_hide_what_somebody_else_has_kept(room: Newsroom, ada: Browser) -> None:
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    with room.db.write() as session:
        session.get_one(Site, "courier").policy = "[engines.any.threat]\nhold = 0.2"
    tried = fields_of(ada.post("/desk/courier/policy", {**drawn, "hold.any.insult": "0.6", "act": "try"}).text)
    assert ada.post("/desk/courier/policy", {**tried, "act": "keep"}).status_code == 409
    assert kept(room) == "[engines.any.threat]\nhold = 0.2"


def test_a_policy_of_its_full_size_is_taken_in(room: Newsroom, ada: Browser) -> None:
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    long = "# ц\n" * 15_000
    assert ada.post("/desk/courier/policy", {**drawn, "policy": long, "act": "keep"}).status_code == 303
    assert kept(room) == long.strip()
    assert ada.post("/desk/courier/policy", {**drawn, "policy": long * 2, "act": "try"}).status_code == 400
    assert ada.post("/desk/courier/staff", {"csrf": drawn["csrf"], "login": "x" * 70_000}).status_code == 413


def test_enter_tries_and_never_keeps(ada: Browser) -> None:
    drawn = fields_of(ada.get("/desk/courier/policy").text)
    page = ada.post("/desk/courier/policy", {**drawn, "act": "try"}).text
    assert re.findall(r'<button[^>]*name="act" value="(\w+)"', page) == ["try", "keep"]


def test_the_page_says_what_comes_of_a_word(ada: Browser) -> None:
    page = ada.get("/desk/courier/policy").text
    assert "a comment with one waits, a name with one waits" in page
    assert "a comment with one is left to its scores, a name with one waits" in page
    assert "a comment with 5 different ones waits<" in page
    off = ada.post("/desk/courier/policy", {**fields_of(page), "policy": "[rules.wordlist]\non = false", "act": "keep"})
    assert off.status_code == 303
    assert "switched off" in ada.get("/desk/courier/policy").text
