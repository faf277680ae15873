"""The desk over HTTP, as plain forms: signing in, reading, deciding, and what a forged or foreign request meets."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from html import unescape
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import load
from moderation import load_policy
from service import review
from service.app import create_app
from service.db import Database
from service.identity import second_step, staff
from service.judges import AbsentEngine, Judges
from service.models import Moderator, StaffSession
from service.review import Ask, Decider, Selection, Verdict
from tests.service.newsroom import NOW, PASSWORD, Newsroom, author, finding, judgement, open_newsroom, write

POLICY = """
[sentences]
default = "A person will read it."
[engines.any.insult]
hold = 0.62
[reasons.attack]
key = "1"
label = "Attacks a person"
sentence = "It attacks a person."
"""
NASTY = "<img src=x onerror=alert(1)>\"'</textarea></script><script>alert(2)</script>{{7*7}}"
OVER_TLS = {"base_url": "https://desk.example"}


class Clock:
    """The time of a test; it stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(database_url: str, clock: Clock) -> Iterator[Flask]:
    environ = {
        "DATABASE_URL": database_url,
        "PUBLIC_URL": "https://desk.example",
        "SIGNING_KEYS": "k" * 40,
        "LIMIT_LOGIN": "author 3/hour, network 10/hour",
    }
    judges = Judges(lambda override: load_policy(POLICY, override), list, 1.0)
    made = create_app(load(environ), clock=clock, judges=judges)
    yield made
    made.extensions["firstword"].database.close()


@pytest.fixture
def room(app: Flask) -> Newsroom:
    database: Database = app.extensions["firstword"].database
    return open_newsroom(database)


class Browser:
    """A browser without scripts: it follows what it is given and sends the forms that it finds."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.page: TestResponse | None = None

    def get(self, path: str, **options: Any) -> TestResponse:
        self.page = self.client.get(path, **OVER_TLS, **options)
        return self.page

    def post(self, path: str, form: dict[str, Any], **options: Any) -> TestResponse:
        self.page = self.client.post(path, data=form, **OVER_TLS, **options)
        return self.page

    def sign_in(self, login: str, password: str = PASSWORD, **more: Any) -> TestResponse:
        self.get("/desk/login")
        return self.post("/desk/login", {"csrf": self.field("csrf"), "login": login, "password": password, **more})

    def field(self, name: str) -> str:
        assert self.page is not None
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page.text)
        assert found, f"the page has no field {name}"
        return unescape(found.group(1))


@pytest.fixture
def at_desk(app: Flask, room: Newsroom) -> Callable[[str], Browser]:
    def open_browser(login: str) -> Browser:
        """Somebody who signed in before the test began; logins have tests of their own."""
        browser, token = Browser(app), secrets.token_urlsafe(32)
        with room.db.write() as session:
            row = StaffSession(
                hash=sha256(token.encode()).hexdigest(), moderator_id=getattr(room, login).id, csrf=token[:8]
            )
            row.created_at = row.last_seen_at = NOW
            row.expires_at = NOW + timedelta(hours=12)
            session.add(row)
        browser.client.set_cookie("__Host-firstword", token, domain="desk.example", secure=True)
        return browser

    return open_browser


@pytest.fixture
def mo(at_desk: Callable[[str], Browser]) -> Browser:
    return at_desk("mo")


def decide(browser: Browser, comment: str, verdict: str = "approve", **more: Any) -> TestResponse:
    browser.get(f"/desk/courier/queue?card={comment}")
    form = {"csrf": browser.field("csrf"), "version": browser.field("version"), "verdict": verdict, **more}
    return browser.post(f"/desk/courier/comments/{comment}/decisions", form)


# ---- signing in ---------------------------------------------------------------------------------------------------


def test_the_cookie_is_first_party_only_and_out_of_reach_of_scripts(app: Flask, room: Newsroom) -> None:
    answer = Browser(app).sign_in("mo")
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("__Host-firstword="))
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


def test_whoever_is_not_signed_in_comes_to_the_login_and_back(app: Flask, room: Newsroom) -> None:
    browser = Browser(app)
    answer = browser.get("/desk/courier/queue?view=reported")
    assert answer.status_code == 303
    browser.get(answer.headers["Location"])
    back = browser.sign_in("mo", next="/desk/courier/queue?view=reported")
    assert back.headers["Location"] == "/desk/courier/queue?view=reported"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/desk/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/desk/\\..",
        "/",
        "//[",
        "/desk/\n",
        "/de\rsk/courier/queue",
        "\t/desk/",
        "/desk/\x7f",
    ],
)
def test_the_login_leads_nowhere_but_to_the_desk(app: Flask, room: Newsroom, target: str) -> None:
    assert Browser(app).sign_in("mo", next=target).headers["Location"] == "/desk/"


def test_a_decision_with_a_broken_return_address_still_leads_to_the_desk(room: Newsroom, mo: Browser) -> None:
    held = room.comment()
    mo.get(f"/desk/courier/queue?card={held}")
    form = {"csrf": mo.field("csrf"), "version": mo.field("version"), "back": "/desk/\n"}
    answer = mo.post(f"/desk/courier/comments/{held}/escalation", form)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/desk/")


@pytest.mark.parametrize("back", ["https://evil.example/", "javascript:alert(1)"])
def test_a_refusal_leads_back_to_nowhere_but_the_desk(mo: Browser, back: str) -> None:
    page = mo.post("/desk/me/keys", {"csrf": "forged", "back": back})
    assert page.status_code == 403
    assert back not in page.text
    assert 'href="/desk/"' in page.text


def test_a_wrong_password_and_an_unknown_login_get_the_same_page(app: Flask, room: Newsroom) -> None:
    wrong, unknown = (Browser(app).sign_in(login, "not the password") for login in ("mo", "nobody"))
    pages = [re.sub(r'value="[^"]*"|\?v=\w+', "", answer.text) for answer in (wrong, unknown)]
    assert (wrong.status_code, pages[0]) == (unknown.status_code, pages[1])
    assert wrong.status_code == 401


def test_trying_passwords_is_throttled_and_says_when(app: Flask, room: Newsroom) -> None:
    answers = [Browser(app).sign_in("mo", "not the password") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def _from(app: Flask, address: str) -> Browser:
    browser = Browser(app)
    browser.client.environ_base["REMOTE_ADDR"] = address
    return browser


def test_nobody_elsewhere_uses_up_the_tries_of_an_account(app: Flask, room: Newsroom) -> None:
    for number in range(9):
        _from(app, f"203.0.113.{number // 3}").sign_in("mo", "not the password")
    assert _from(app, "203.0.113.0").sign_in("mo").status_code == 429
    assert _from(app, "198.51.100.7").sign_in("mo").status_code == 303


@pytest.mark.usefixtures("early_in_a_minute")
def test_an_account_takes_only_so_many_tries_from_everywhere(app: Flask, room: Newsroom, monkeypatch: Any) -> None:
    monkeypatch.setattr("service.web.desk.login.A_MINUTE_ANYWHERE", 4)
    tries = [_from(app, f"203.0.113.{number}").sign_in("mo", "not the password") for number in range(5)]
    assert [answer.status_code for answer in tries] == [401, 401, 401, 401, 429]
    assert int(tries[-1].headers["Retry-After"]) > 0


@pytest.mark.usefixtures("early_in_a_minute")
def test_a_network_that_has_had_enough_costs_an_account_nothing(app: Flask, room: Newsroom, monkeypatch: Any) -> None:
    monkeypatch.setattr("service.web.desk.login.A_MINUTE_ANYWHERE", 1)
    for number in range(10):
        _from(app, "203.0.113.9").sign_in(f"somebody-{number}", "not the password")
    for _ in range(4):
        assert _from(app, "203.0.113.9").sign_in("mo").status_code == 429
    assert _from(app, "198.51.100.7").sign_in("mo").status_code == 303


def test_six_digits_are_tried_only_so_often_from_wherever(app: Flask, room: Newsroom) -> None:
    with room.db.write() as session:
        row = session.get_one(Moderator, room.mo.id)
        row.totp_secret = second_step.new_secret()
        session.add(row)
    statuses = []
    for number in range(4):
        browser = _from(app, f"203.0.113.{number}")
        browser.sign_in("mo")
        browser.get("/desk/login/second-step")
        form = {"csrf": browser.field("csrf"), "code": "000000"}
        statuses.append(browser.post("/desk/login/second-step", form).status_code)
    assert statuses == [401, 401, 401, 429]


def test_a_login_form_from_another_site_is_refused(app: Flask, room: Newsroom) -> None:
    browser = Browser(app)
    browser.get("/desk/login")
    for form in ({}, {"csrf": "guessed"}):
        assert browser.post("/desk/login", {"login": "mo", "password": PASSWORD, **form}).status_code == 403


def test_a_browser_that_keeps_no_cookie_is_told_so(app: Flask, room: Newsroom) -> None:
    answer = Browser(app).post("/desk/login", {"login": "mo", "password": PASSWORD, "csrf": "x"})
    assert answer.status_code == 403
    assert "did not keep our cookie" in answer.text


def test_over_plain_http_elsewhere_than_here_the_login_says_why_it_cannot(database_url: str) -> None:
    settings = load({"DATABASE_URL": database_url, "SIGNING_KEYS": "k" * 40, "PUBLIC_URL": "http://desk.example"})
    client = create_app(settings).test_client()
    assert "plain HTTP" in client.get("/desk/login", base_url="http://desk.example").text
    assert "plain HTTP" not in client.get("/desk/login", base_url="http://localhost:8000").text


def test_signing_out_ends_the_session(mo: Browser) -> None:
    mo.get("/desk/courier/queue")
    mo.post("/desk/logout", {"csrf": mo.field("csrf")})
    assert mo.get("/desk/courier/queue").status_code == 303


def test_a_session_ends_by_itself(mo: Browser, clock: Clock) -> None:
    clock.now = NOW + timedelta(hours=2)
    assert mo.get("/desk/courier/queue").status_code == 303


def test_half_a_session_opens_nothing_but_the_second_step(app: Flask, room: Newsroom) -> None:
    with room.db.write() as session:
        row = session.get_one(Moderator, room.mo.id)
        secret = row.totp_secret = second_step.new_secret()
        session.add(row)
    browser = Browser(app)
    assert browser.sign_in("mo").headers["Location"].startswith("/desk/login/second-step")
    assert browser.get("/desk/courier/queue").headers["Location"] == "/desk/login/second-step"
    browser.get("/desk/login/second-step")
    csrf = browser.field("csrf")
    assert browser.post("/desk/login/second-step", {"csrf": csrf, "code": "000000"}).status_code == 401
    code = pyotp.TOTP(secret).at(NOW)
    browser.post("/desk/login/second-step", {"csrf": csrf, "code": code})
    assert browser.get("/desk/courier/queue").status_code == 200


# ---- reading ------------------------------------------------------------------------------------------------------


def test_the_card_says_in_plain_words_what_was_found_and_marks_it(room: Newsroom, mo: Browser) -> None:
    held = room.comment("You crybaby, really.")
    page = mo.get(f"/desk/courier/queue?card={held}").text
    assert "Insult: high" in page
    assert "0.81, holds from 0.62" in page
    assert "<mark><sup>1</sup>crybab</mark>" in page
    assert "Nothing found for threat." in page


def test_everything_that_people_wrote_is_shown_as_text(room: Newsroom, mo: Browser) -> None:
    eve = author(room.db, NASTY)
    parent = write(room.db, NASTY, author=eve, judged=judgement())
    held = write(room.db, NASTY, author=eve, parent=parent, article=NASTY[:20])
    room.report(held, author(room.db, NASTY))
    decide(mo, parent, "reject", reason="attack", note=NASTY, revision="1")
    for path in (f"/desk/courier/queue?card={held}", f"/desk/courier/queue?view=decided&card={parent}"):
        page = mo.get(path).text
        assert "&lt;img src=x" in page
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert "{{7*7}}" in page.replace("{{7*7}}", "{{7*7}}", 1)
        assert ">49<" not in page


def test_a_page_of_the_desk_runs_its_own_scripts_only_and_is_never_framed_or_kept(mo: Browser) -> None:
    first, second = (mo.get("/desk/courier/queue") for _ in range(2))
    policy = first.headers["Content-Security-Policy"]
    for part in (
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert policy != second.headers["Content-Security-Policy"]
    assert first.headers["Cache-Control"] == "no-store"
    assert " style=" not in first.text


def test_a_view_that_means_nothing_is_a_clear_400(mo: Browser) -> None:
    early = "0001-01-01T00:00:00%2B14:00"
    for query in (
        "view=everything", "from=x&attribute=insult", "since=yesterday", "after=1", "order=best", f"since={early}",
        f"order=newest&after={early}/x", "from=nan&attribute=insult", "to=1e9&attribute=insult",
        "author=%00", "article=%00", "network=%00", "code=%00", "section=a%00b", "q=%00", "language=%00",
    ):  # fmt: skip
        assert mo.get(f"/desk/courier/queue?{query}").status_code == 400


def test_an_address_below_the_desk_that_leads_nowhere_is_a_page(app: Flask, mo: Browser) -> None:
    answer = mo.get("/desk/courier/nothing-of-that-name")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert app.test_client().get("/desk/courier/nothing-of-that-name").status_code == 303


def test_the_desk_says_when_judging_is_degraded(app: Flask, mo: Browser) -> None:
    assert "Judging is degraded" not in mo.get("/desk/courier/queue").text
    absent = AbsentEngine("bundled", "Engine bundled cannot be opened: <no model>")
    judges = Judges(lambda override: load_policy(POLICY, override), lambda: [absent], 1.0)
    app.extensions["firstword"] = replace(app.extensions["firstword"], judges=judges)
    page = mo.get("/desk/courier/queue").text
    assert "Judging is degraded" in page
    assert "&lt;no model&gt;" in page


def test_a_nul_in_a_page_or_a_form_of_the_desk_is_a_clear_400(app: Flask, room: Newsroom, mo: Browser) -> None:
    held = room.comment()
    mo.get(f"/desk/courier/queue?card={held}")
    csrf = mo.field("csrf")
    assert mo.get("/desk/courier/articles?words=%00").status_code == 400
    form = {"csrf": csrf, "version": "1", "verdict": "approve", "note": "a\0b"}
    assert mo.post(f"/desk/courier/comments/{held}/decisions", form).status_code == 400
    assert Browser(app).sign_in("m\0o").status_code == 400


def test_a_nul_in_any_path_of_the_desk_is_a_clear_4xx(app: Flask, room: Newsroom, mo: Browser) -> None:
    mo.get("/desk/courier/queue")
    form = {"csrf": mo.field("csrf")}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/desk/") or not rule.arguments:
            continue
        path = re.sub(r"<id:\w+>", "0" * 24, rule.rule)
        last = re.sub(r"<[^>]*>(?=[^<]*$)", "a%00b", path)
        for address in {re.sub(r"<[^>]*>", "a%00b", path), last.replace("<site>", "courier")}:
            for answer in (mo.get(address), mo.post(address, form)):
                assert 400 <= answer.status_code < 500, address


def test_reading_changes_nothing(room: Newsroom, mo: Browser) -> None:
    held = room.comment()
    before = room.state(held).model_dump()
    for path in (f"queue?card={held}", f"cards/{held}", "queue?view=decided", f"queue?done={held}"):
        assert mo.get(f"/desk/courier/{path}").status_code == 200
    for path in (f"comments/{held}/decisions", f"comments/{held}/lease", f"decisions/{held}/undo"):
        assert mo.get(f"/desk/courier/{path}").status_code in (404, 405)
    assert room.state(held).model_dump() == before


# ---- deciding -----------------------------------------------------------------------------------------------------


def test_approving_leads_to_the_next_card_with_an_undo(room: Newsroom, mo: Browser) -> None:
    held, other = room.comment("First."), room.comment("Second.", at=NOW)
    mo.get(f"/desk/courier/queue?card={held}")
    form = {"csrf": mo.field("csrf"), "version": "1", "verdict": "approve", "back": mo.field("back")}
    answer = mo.post(f"/desk/courier/comments/{held}/decisions", form)
    assert answer.status_code == 303
    page = mo.get(answer.headers["Location"])
    assert f'data-id="{other}"' in page.text
    assert "Approved" in page.text
    undo = re.search(r'action="(/desk/courier/decisions/\w+/undo)"', page.text)
    assert undo
    mo.post(undo.group(1), {"csrf": mo.field("csrf")})
    assert room.state(held).status == "pending"


def test_rejecting_needs_a_reason(room: Newsroom, mo: Browser) -> None:
    held = room.comment()
    assert decide(mo, held, "reject").status_code == 400
    assert decide(mo, held, "reject", reason="attack").status_code == 303
    assert room.state(held).status == "rejected"


def test_who_comes_second_sees_who_decided_what_and_when(
    room: Newsroom, at_desk: Callable[[str], Browser], mo: Browser
) -> None:
    held = room.comment()
    mo.get(f"/desk/courier/queue?card={held}")
    form = {"csrf": mo.field("csrf"), "version": "1", "verdict": "reject", "reason": "attack"}
    decide(at_desk("ines"), held)
    answer = mo.post(f"/desk/courier/comments/{held}/decisions", form)
    assert answer.status_code == 409
    assert "Ines approved this first" in answer.text
    assert "2026-05-05 09:00:00" in answer.text
    assert room.state(held).status == "approved"


def test_a_script_gets_the_same_refusal_as_a_problem(
    room: Newsroom, at_desk: Callable[[str], Browser], mo: Browser
) -> None:
    held = room.comment()
    mo.get(f"/desk/courier/queue?card={held}")
    form = {"csrf": mo.field("csrf"), "version": "1", "verdict": "approve"}
    decide(at_desk("ines"), held)
    answer = mo.post(f"/desk/courier/comments/{held}/decisions", form, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert (answer.json["code"], answer.json["by"]) == ("stale-version", "Ines")


@pytest.mark.parametrize("version", ["", "0", "-1", "1.5", "x", "9" * 30, "１"])
def test_a_version_that_is_none_is_a_clear_4xx(room: Newsroom, mo: Browser, version: str) -> None:
    held = room.comment()
    mo.get("/desk/courier/queue")
    form = {"csrf": mo.field("csrf"), "version": version, "verdict": "approve"}
    assert mo.post(f"/desk/courier/comments/{held}/decisions", form).status_code in (400, 404)
    assert room.state(held).status == "pending"


FORMS = [
    "comments/{comment}/decisions",
    "comments/{comment}/escalation",
    "comments/{comment}/lease",
    "comments/{comment}/release",
    "decisions/{decision}/undo",
    "many",
    "many/decisions",
    "batches/{batch}/undo",
    "authors/{author}/steps",
]


def bare(answer: TestResponse) -> str:
    """A page without what differs from one request to the next."""
    return re.sub(r'nonce="[^"]*"|[0-9a-f]{24}', "", answer.text)


@dataclass
class Scene:
    """A comment that waits, one that was decided by itself, one in a batch; and a form that fits every route."""

    held: str
    done: str
    batched: str
    decision: str
    batch: str
    author: str

    def path(self, site: str, form: str) -> str:
        """A route with what really is there."""
        return f"/desk/{site}/" + form.format(
            comment=self.held, decision=self.decision, batch=self.batch, author=self.author
        )

    def nothing(self, site: str, form: str) -> str:
        """The same route with what is nowhere."""
        return f"/desk/{site}/" + re.sub(r"\{\w+\}", "0" * 24, form)

    def fields(self, csrf: str) -> dict[str, Any]:
        """Everything that any of the forms asks for."""
        return {
            "csrf": csrf,
            "version": "1",
            "verdict": "approve",
            "token": "",
            "id": [self.held],
            "read": "yes",
            "until": "2030-01-01T00:00",
            "verb": "note",
            "note": "x",
        }

    def untouched(self, room: Newsroom) -> bool:
        """Whether nothing of it has changed."""
        revisions = [room.state(one).revision for one in (self.held, self.done, self.batched)]
        return revisions == [1, 2, 2] and not review.person(room.db, room.mo, self.author).record.notes


@pytest.fixture
def scene(room: Newsroom, mo: Browser) -> Scene:
    done = room.comment("Decided.")
    decision = decide(mo, done).headers["Location"].rpartition("done=")[2]
    batched = room.comment("In a batch.")
    ask = review.Ask("courier", until=NOW)
    judges: Judges = mo.client.application.extensions["firstword"].judges
    batch = review.decide_all(
        room.db, judges, review.Decider.at_desk(room.mo), review.Selection(ask), review.Verdict("", 0, "approve"), NOW
    )
    return Scene(room.comment(), done, batched, decision, batch.id, room.bo)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("forgery", ["no token", "wrong token", "another's token", "foreign site", "foreign origin"])
def test_a_forged_form_changes_nothing(
    room: Newsroom, at_desk: Callable[[str], Browser], mo: Browser, scene: Scene, form: str, forgery: str
) -> None:
    mo.get("/desk/courier/queue")
    token, headers = mo.field("csrf"), {}
    if forgery == "another's token":
        ines = at_desk("ines")
        ines.get("/desk/courier/queue")
        token = ines.field("csrf")
    elif forgery.endswith("token"):
        token = "x" * 32 if forgery == "wrong token" else ""
    else:
        headers = {"Sec-Fetch-Site": "cross-site"} if "site" in forgery else {"Origin": "https://evil.example"}
    assert mo.post(scene.path("courier", form), scene.fields(token), headers=headers).status_code == 403
    assert scene.untouched(room)


# ---- another site, another role -----------------------------------------------------------------------------------

PAGES = [
    "queue",
    "queue?card={comment}",
    "cards/{comment}",
    "rows",
    "counts",
    "filter",
    "many",
    "many?author={author}",
    "authors/{author}",
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("site", ["courier", "canal", "nowhere"])
def test_eve_reads_nothing_of_the_courier_under_any_name(
    room: Newsroom, at_desk: Callable[[str], Browser], page: str, site: str
) -> None:
    held = room.comment("Only for the Courier.")
    eve = at_desk("eve")
    answer = eve.get(f"/desk/{site}/" + page.format(comment=held, author=room.bo))
    assert "Only for the Courier." not in answer.text
    assert "Bo Karlsen" not in answer.text
    if site == "canal" and "{" not in page:
        assert answer.status_code == 200
    else:
        nothing = eve.get(f"/desk/{site}/" + page.format(comment="0" * 24, author="0" * 24))
        assert answer.status_code == (200 if (site, page[:4]) == ("canal", "many") else 404)
        assert answer.status_code == nothing.status_code
        assert bare(answer) == bare(nothing)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("site", ["courier", "canal", "nowhere"])
def test_eve_changes_nothing_of_the_courier_under_any_name(
    room: Newsroom, at_desk: Callable[[str], Browser], scene: Scene, form: str, site: str
) -> None:
    eve = at_desk("eve")
    eve.get("/desk/canal/queue")
    fields = scene.fields(eve.field("csrf"))
    real = eve.post(scene.path(site, form), fields)
    nothing = eve.post(scene.nothing(site, form), {**fields, "id": ["0" * 24]})
    assert (real.status_code, bare(real)) == (nothing.status_code, bare(nothing))
    allowed = {"comments/{comment}/release": 204, "many": 200, "many/decisions": 303} if site == "canal" else {}
    assert real.status_code == allowed.get(form, 404)
    assert scene.untouched(room)


def test_an_analyst_sees_the_card_without_buttons_and_may_not_decide(
    room: Newsroom, at_desk: Callable[[str], Browser]
) -> None:
    held = room.comment()
    ann = at_desk("ann")
    page = ann.get(f"/desk/courier/queue?card={held}")
    assert 'name="verdict"' not in page.text
    form = {"csrf": ann.field("csrf"), "version": "1", "verdict": "approve"}
    assert ann.post(f"/desk/courier/comments/{held}/decisions", form).status_code == 403


def test_somebody_without_a_site_is_told_so(app: Flask, room: Newsroom) -> None:
    staff.add_moderator(room.db, "new", "New", PASSWORD, {}, NOW)
    browser = Browser(app)
    browser.sign_in("new")
    assert browser.get("/desk/").status_code == 403


def test_a_new_finding_shows_even_without_words_for_it(room: Newsroom, mo: Browser) -> None:
    held = room.comment(judged=judgement(finding("astrology.mercury", params={"sign": "x"})))
    assert "Mercury" in mo.get(f"/desk/courier/queue?card={held}").text


# ---- filters, saved views, many at once, authors ---------------------------------------------------------------------


def test_a_filtered_view_is_an_address_and_can_be_kept_under_a_name(room: Newsroom, mo: Browser) -> None:
    room.comment("insult here")
    room.comment("links here", judged=judgement(finding("links.too_many", params={"links": 3, "most": 1})))
    page = mo.get("/desk/courier/filter")
    assert "Links <span>1</span>" in page.text
    page = mo.get("/desk/courier/queue?code=links.too_many&band=low")
    assert "links here" in page.text
    assert "insult here" not in page.text
    mo.get("/desk/courier/filter?code=links.too_many&band=low")
    kept = mo.post("/desk/courier/views", {"csrf": mo.field("csrf"), "query": mo.field("query"), "name": NASTY[:30]})
    assert "code=links.too_many" in kept.headers["Location"]
    page = mo.get("/desk/courier/queue")
    assert "&lt;img src=x onerror" in page.text
    mo.get("/desk/courier/filter")
    removal = re.search(r'action="(/desk/courier/views/\w+/removal)"', mo.get("/desk/courier/filter").text)
    assert removal
    csrf = mo.field("csrf")
    assert mo.post(removal.group(1), {"csrf": csrf}).status_code == 303
    assert mo.post(removal.group(1), {"csrf": csrf}).status_code == 404
    assert "&lt;img src=x onerror" not in mo.get("/desk/courier/queue").text


def test_many_are_decided_after_their_sample_was_read_and_taken_back_as_one(room: Newsroom, mo: Browser) -> None:
    ids = [room.comment(f"Number {number}.") for number in range(7)]
    page = mo.get("/desk/courier/many?attribute=insult&from=0.5&to=1")
    assert "It will decide 7." in page.text
    form = {"csrf": mo.field("csrf"), "until": mo.field("until"), "attribute": "insult", "from": "0.5", "to": "1"}
    assert mo.post("/desk/courier/many/decisions", {**form, "verdict": "approve"}).status_code == 400
    answer = mo.post("/desk/courier/many/decisions", {**form, "verdict": "reject", "reason": "attack", "read": "yes"})
    page = mo.get(answer.headers["Location"])
    assert "Rejected 7 comments." in page.text
    undo = re.search(r'action="(/desk/courier/batches/\w+/undo)"', page.text)
    assert undo
    mo.post(undo.group(1), {"csrf": mo.field("csrf")})
    assert {room.state(one).status for one in ids} == {"pending"}


def test_what_was_decided_is_taken_back_from_its_card_alone_or_with_its_batch(
    app: Flask, room: Newsroom, mo: Browser
) -> None:
    alone, *many = [room.comment(f"Pass {number}.") for number in range(4)]
    by, now = Decider.at_desk(room.mo), NOW + timedelta(minutes=1)
    judges: Judges = app.extensions["firstword"].judges
    review.decide(room.db, judges, by, Verdict(alone, 1, "reject", reason="attack"), NOW)
    review.decide_all(room.db, judges, by, Selection(Ask("courier", until=NOW)), Verdict("", 0, "approve"), now)
    recent = mo.get(f"/desk/courier/queue?view=decided&card={alone}").text
    assert "Mo rejected this" in recent
    assert "decided with it" not in recent
    form = {"csrf": mo.field("csrf"), "back": "/desk/courier/queue"}
    mo.post(_action(recent, "Take it back"), form)
    assert room.state(alone).status == "pending"
    recent = mo.get(f"/desk/courier/queue?view=decided&card={many[0]}").text
    mo.post(_action(recent, "Take back all that was decided with it"), form)
    assert {room.state(one).status for one in many} == {"pending"}


def _action(page: str, button: str) -> str:
    """Where the form of a button goes."""
    before = page[: page.index(f">{button}</button>")]
    return unescape(re.findall(r'<form method="post" action="([^"]+)"', before)[-1])


def test_the_ticked_cards_are_decided_and_no_others(room: Newsroom, mo: Browser) -> None:
    one, two = room.comment("One."), room.comment("Two.")
    mo.get("/desk/courier/queue")
    page = mo.post("/desk/courier/many", {"csrf": mo.field("csrf"), "id": [one]})
    assert "It will decide 1." in page.text
    form = {"csrf": mo.field("csrf"), "until": mo.field("until"), "id": [one], "verdict": "approve", "read": "yes"}
    mo.post("/desk/courier/many/decisions", form)
    assert (room.state(one).status, room.state(two).status) == ("approved", "pending")


def test_an_author_is_muted_with_a_reason_and_an_end(room: Newsroom, mo: Browser) -> None:
    path = f"/desk/courier/authors/{room.bo}"
    mo.get(path)
    form = {"csrf": mo.field("csrf"), "verb": "mute", "reason": NASTY, "days": "3"}
    for wrong in ({"days": ""}, {"days": "x"}, {"reason": ""}, {"verb": "exile"}):
        assert mo.post(f"{path}/steps", {**form, **wrong}).status_code == 400
    assert mo.post(f"{path}/steps", form).status_code == 303
    page = mo.get(path).text
    assert "muted until" in page
    assert "<img src=x" not in page


def test_search_shows_what_it_finds(room: Newsroom, mo: Browser) -> None:
    room.comment("about the lantern")
    room.comment("about the candle", judged=judgement())
    page = mo.get("/desk/courier/queue?view=all&order=newest&q=candle").text
    assert "about the candle" in page
    assert "about the lantern" not in page
