"""The desk's settings over HTTP: who may change what, what is shown once, and a policy tried before it is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from markupsafe import escape
from sqlmodel import select

from moderation import Submission
from service.errors import BadCredentials
from service.identity import api_keys, staff
from service.identity.staff import Hours
from service.models import Article, CommentVersion, Site
from service.webhooks import endpoints
from service.webhooks.endpoints import Wish
from service.webhooks.sending import open_door
from tests.service.newsroom import NOW, PASSWORD, Newsroom, author, write
from tests.service.test_desk import NASTY, Browser
from tests.service.test_desk import app as app
from tests.service.test_desk import at_desk as at_desk
from tests.service.test_desk import clock as clock
from tests.service.test_desk import room as room

PAGES = ["settings", "policy", "keys", "webhooks", "webhooks/{endpoint}", "staff"]
FORMS = [
    "settings",
    "policy",
    "articles/{article}",
    "keys",
    "keys/{key}/revocation",
    "webhooks",
    "webhooks/{endpoint}",
    "staff",
    "staff/{moderator}",
]
FIELDS = {
    "name": "Taken over",
    "prompt": "Taken over?",
    "language": "en",
    "policy": "",
    "act": "keep",
    "closed": "yes",
    "scope": "events",
    "url": "https://eve.example/hook",
    "verb": "delete",
    "login": "eve",
    "role": "admin",
}
HOURS = Hours(timedelta(hours=1), timedelta(hours=12))


@pytest.fixture
def ids(app: Flask, room: Newsroom) -> dict[str, str]:
    """One of each thing that the Courier's administrators may change."""
    with room.db.write() as session:
        session.add(Article(id="a" * 24, site_id="courier", key="k", url="https://courier.example/k", created_at=NOW))
        key, _ = api_keys.create(session, "courier", "CMS", ["events"], now=NOW)
        key_id = key.id
    door = open_door(app.extensions["firstword"].settings)
    endpoint, _ = endpoints.register(room.db, "courier", Wish("https://host.example/hook"), door, now=NOW)
    return {"article": "a" * 24, "key": key_id, "endpoint": endpoint.id, "moderator": room.mo.id}


def untouched(room: Newsroom, ids: dict[str, str]) -> bool:
    """Whether everything of the Courier is as it was."""
    with room.db.read() as session:
        site, article = session.get_one(Site, "courier"), session.get_one(Article, ids["article"])
        keys = api_keys.listed(session, "courier")
    hooks = endpoints.listed(room.db, "courier")
    people = {one.login: one.roles["courier"] for one in staff.colleagues(room.db, ["courier"])}
    return (site.name, site.policy, article.closed, len(keys), keys[0].revoked_at, len(hooks)) == (
        "Courier",
        "",
        False,
        1,
        None,
        1,
    ) and people == {"mo": "moderator", "ines": "moderator", "ann": "analyst", "ada": "admin"}


@pytest.mark.parametrize("who", ["mo", "ann"])
def test_who_is_no_administrator_opens_and_changes_no_setting(
    room: Newsroom, at_desk: Callable[[str], Browser], ids: dict[str, str], who: str
) -> None:
    browser = at_desk(who)
    browser.get("/desk/courier/queue")
    csrf = browser.field("csrf")
    for page in PAGES:
        assert browser.get(f"/desk/courier/{page.format(**ids)}").status_code == 403, page
    for form in FORMS:
        if (who, form) != ("mo", "articles/{article}"):
            answer = browser.post(f"/desk/courier/{form.format(**ids)}", {**FIELDS, "csrf": csrf})
            assert answer.status_code == 403, form
    assert untouched(room, ids)


@pytest.mark.parametrize("site", ["courier", "canal", "nowhere"])
def test_eve_opens_and_changes_nothing_of_the_courier(
    room: Newsroom, at_desk: Callable[[str], Browser], ids: dict[str, str], site: str
) -> None:
    eve = at_desk("eve")
    eve.get("/desk/canal/queue")
    csrf = eve.field("csrf")
    for page in PAGES:
        expected = 200 if site == "canal" and "{" not in page else 404
        assert eve.get(f"/desk/{site}/{page.format(**ids)}").status_code == expected, page
    for form in FORMS:
        if site != "canal" or ("{" in form and form != "staff/{moderator}"):
            answer = eve.post(f"/desk/{site}/{form.format(**ids)}", {**FIELDS, "csrf": csrf})
            assert answer.status_code == 404, form
    assert untouched(room, ids)


def test_a_form_without_its_token_changes_no_setting(
    room: Newsroom, at_desk: Callable[[str], Browser], ids: dict[str, str]
) -> None:
    ada = at_desk("ada")
    for form in [*FORMS, "../me/password", "../me/second-step", "../me/keys", "../me/sessions/others/removal"]:
        assert ada.post(f"/desk/courier/{form.format(**ids)}".replace("courier/../", ""), FIELDS).status_code == 403
    assert untouched(room, ids)


@pytest.fixture
def ada(at_desk: Callable[[str], Browser]) -> Browser:
    browser = at_desk("ada")
    browser.get("/desk/courier/settings")
    return browser


def send(browser: Browser, path: str, **fields: object) -> object:
    return browser.post(path, {"csrf": browser.field("csrf"), **fields})


# ---- the site and its articles ------------------------------------------------------------------------------------


def test_an_administrator_changes_the_site(room: Newsroom, ada: Browser) -> None:
    origins = "https://a.example\nhttps://B.example:443"
    fields = {"name": NASTY[:90], "prompt": "What do you say?", "language": "en", "origins": origins}
    send(ada, "/desk/courier/settings", **fields, reactions="like thanks", premoderated="yes")
    with room.db.read() as session:
        site = session.get_one(Site, "courier")
    assert site.origins == ["https://a.example", "https://b.example"]
    assert (site.premoderated, site.guests, site.reactions) == (True, False, ["like", "thanks"])
    page = ada.get("/desk/courier/settings").text
    assert "<img src=x" not in page


def test_a_new_question_reaches_articles_with_and_without_comments_at_once_and_rewrites_none(
    room: Newsroom, ada: Browser, ids: dict[str, str], app: Flask
) -> None:
    threads = [f"/api/v1/comments?site=courier&article={key}" for key in ("k", "nobody-wrote-here")]
    before = [app.test_client().get(thread) for thread in threads]
    fields = {"name": "Courier", "prompt": "And what do you say?", "language": "en", "origins": "https://a.example"}
    send(ada, "/desk/courier/settings", **fields)
    after = [app.test_client().get(thread) for thread in threads]
    assert [answer.json["article"]["prompt"] for answer in after] == ["And what do you say?"] * 2
    assert all(old.headers["ETag"] != new.headers["ETag"] for old, new in zip(before, after, strict=True))
    with room.db.read() as session:
        assert session.get_one(Article, ids["article"]).version == before[0].json["article"]["version"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"prompt": " "},
        {"origins": "not an origin"},
        {"reactions": "<b>"},
        {"language": "english"},
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_refused_and_nothing_is_kept(
    room: Newsroom, ada: Browser, wrong: dict[str, str]
) -> None:
    fields = {"name": "New", "prompt": "What?", "language": "en", "origins": "https://a.example", "reactions": "like"}
    ada.post("/desk/courier/settings", {"csrf": ada.field("csrf"), **fields, **wrong})
    assert ada.page is not None
    assert ada.page.status_code == 400
    with room.db.read() as session:
        assert session.get_one(Site, "courier").name == "Courier"


def test_one_button_holds_everything_on_an_article(
    room: Newsroom, at_desk: Callable[[str], Browser], ids: dict[str, str]
) -> None:
    mo = at_desk("mo")
    mo.get("/desk/courier/articles?words=k")
    assert "Hold everything" in mo.page.text  # type: ignore[union-attr]
    send(mo, f"/desk/courier/articles/{ids['article']}", premoderated="yes")
    mo.get("/desk/courier/articles?words=k")
    send(mo, f"/desk/courier/articles/{ids['article']}", closed="yes", prompt="And now?")
    with room.db.read() as session:
        row = session.get_one(Article, ids["article"])
    assert (row.premoderated, row.closed, row.prompt, row.confirmed) == (True, True, "And now?", False)


# ---- the policy ---------------------------------------------------------------------------------------------------

STRICTER = "[engines.any.insult]\nhold = 0.1\n"


def judged_for_real(app: Flask, room: Newsroom, text: str) -> str:
    """A comment as `submit` would store it."""
    judge = app.extensions["firstword"].judges.under("")
    decision = judge.decide(Submission(text))
    return write(room.db, text, author=author(room.db, "Reader"), judged=decision.to_json())


def test_a_policy_is_tried_on_the_last_comments_before_it_is_kept(app: Flask, room: Newsroom, ada: Browser) -> None:
    judged_for_real(app, room, "The lane was never theirs, the lane was never theirs.")
    ada.get("/desk/courier/policy")
    long = '[rules.length]\noutcome = "hold"\nmost = 10\n'
    send(ada, "/desk/courier/policy", policy=long, act="try")
    assert "1 of the last 1 would have been treated otherwise" in ada.page.text  # type: ignore[union-attr]
    assert "approve → hold" in ada.page.text  # type: ignore[union-attr]
    with room.db.read() as session:
        assert session.get_one(Site, "courier").policy == ""
    send(ada, "/desk/courier/policy", policy=long, act="keep")
    with room.db.read() as session:
        assert session.get_one(Site, "courier").policy == long.strip()


def test_a_policy_that_is_none_is_refused_with_all_that_is_wrong(room: Newsroom, ada: Browser) -> None:
    ada.get("/desk/courier/policy")
    for act in ("try", "keep"):
        send(ada, "/desk/courier/policy", policy='[rules.astrology]\nx = 1\n[trust]\nnew = "x"', act=act)
        assert ada.page is not None
        assert ada.page.status_code == 400
        assert "astrology" in ada.page.text
        assert "trust" in ada.page.text
    send(ada, "/desk/courier/policy", policy=NASTY, act="keep")
    assert "<img src=x" not in ada.page.text
    with room.db.read() as session:
        assert session.get_one(Site, "courier").policy == ""


@pytest.mark.parametrize("kept", ["[rules.astrology]", "[[[", NASTY])
def test_a_kept_policy_that_cannot_be_used_is_shown_with_what_is_wrong_and_mended(
    room: Newsroom, ada: Browser, kept: str
) -> None:
    held = room.comment()
    with room.db.write() as session:
        session.get_one(Site, "courier").policy = kept
    for path in ("queue", f"queue?card={held}", f"cards/{held}", "numbers", "many", "settings"):
        page = ada.get(f"/desk/courier/{path}")
        assert page.status_code == 200, path
        assert path.startswith("cards/") or "The policy of courier cannot be used" in page.text, path
    page = ada.get("/desk/courier/policy")
    assert (page.status_code, str(escape(kept)) in page.text) == (200, True)
    assert "This cannot be a policy.</b> Until it is mended" in page.text
    send(ada, "/desk/courier/policy", policy=STRICTER, act="try")
    assert ada.page.status_code == 200  # type: ignore[union-attr]
    send(ada, "/desk/courier/policy", policy='[sentences]\nfoo = "Well."', act="keep")
    page = ada.get("/desk/courier/policy")
    assert "cannot be" not in page.text


TOO_MUCH = [
    "a." * 2000 + "a=1",
    "[" * 5000,
    "a=" + "[" * 5000,
    "a." * 200 + "a=1",
    "a=" + "9" * 5000,
    "a=0x" + "f" * 5000,
]


@pytest.mark.parametrize("text", TOO_MUCH, ids=lambda text: text[:6])
def test_a_policy_that_is_nested_or_counts_without_end_is_refused(ada: Browser, text: str) -> None:
    ada.get("/desk/courier/policy")
    send(ada, "/desk/courier/policy", policy=text, act="try")
    assert ada.page is not None
    assert (ada.page.status_code, "This cannot be a policy" in ada.page.text) == (400, True)


def test_erased_texts_and_old_judgements_do_not_stop_a_trial(app: Flask, room: Newsroom, ada: Browser) -> None:
    held = judged_for_real(app, room, "Something that somebody wrote and took back.")
    room.comment("Judged before facts were kept.")
    with room.db.write() as session:
        version = session.get_one(CommentVersion, _latest(room, held))
        version.text = ""
        session.add(version)
    ada.get("/desk/courier/policy")
    send(ada, "/desk/courier/policy", policy=STRICTER, act="try")
    assert "2 could not be judged again" in ada.page.text  # type: ignore[union-attr]


def _latest(room: Newsroom, comment_id: str) -> str:
    with room.db.read() as session:
        return session.exec(select(CommentVersion.id).where(CommentVersion.comment_id == comment_id)).one()


# ---- keys and webhooks --------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_ends_at_once(room: Newsroom, ada: Browser) -> None:
    ada.get("/desk/courier/keys")
    send(ada, "/desk/courier/keys", name="CMS", scope=["events", "moderate"])
    shown = re.search(r"fwk_[\w-]{43}", ada.page.text)  # type: ignore[union-attr]
    assert shown
    assert api_keys.authenticate(room.db, shown.group(), "events", now=NOW).site_id == "courier"
    page = ada.get("/desk/courier/keys").text
    assert shown.group() not in page
    revoke = re.search(r'action="(/desk/courier/keys/\w+/revocation)"', page)
    assert revoke
    send(ada, revoke.group(1))
    assert "revoked" in ada.get("/desk/courier/keys").text


def test_an_endpoint_is_made_tested_switched_off_and_forgotten(room: Newsroom, ada: Browser) -> None:
    ada.get("/desk/courier/webhooks")
    send(ada, "/desk/courier/webhooks", url="https://host.example/hook", description=NASTY, type=["comment.approved"])
    assert "whsec_" in ada.page.text  # type: ignore[union-attr]
    row = endpoints.listed(room.db, "courier")[0]
    path = f"/desk/courier/webhooks/{row.id}"
    page = ada.get(path).text
    assert "<img src=x" not in page
    send(ada, path, verb="ping")
    assert "ping" in ada.get(path).text
    send(ada, path, verb="disable")
    assert endpoints.one(room.db, "courier", row.id).state != "active"
    ada.get(path)
    send(ada, path, verb="nonsense")
    assert ada.page.status_code == 400  # type: ignore[union-attr]
    ada.get(path)
    send(ada, path, verb="delete")
    assert endpoints.listed(room.db, "courier") == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/hook", "ftp://host.example", "javascript:alert(1)", ""])
def test_an_endpoint_at_an_address_that_we_never_call_is_refused(room: Newsroom, ada: Browser, url: str) -> None:
    ada.get("/desk/courier/webhooks")
    send(ada, "/desk/courier/webhooks", url=url)
    assert ada.page.status_code == 400  # type: ignore[union-attr]
    assert endpoints.listed(room.db, "courier") == []


# ---- people -------------------------------------------------------------------------------------------------------


def test_a_new_colleague_gets_a_password_that_is_shown_once(room: Newsroom, ada: Browser) -> None:
    ada.get("/desk/courier/staff")
    send(ada, "/desk/courier/staff", login="new@courier.example", name="New", role="moderator")
    shown = re.search(r"new@courier.example: ([\w-]{23})", ada.page.text)  # type: ignore[union-attr]
    assert shown
    _, entry = staff.sign_in(room.db, "new@courier.example", shown.group(1), "", HOURS, NOW)
    assert entry.staff.roles == {"courier": "moderator"}
    assert shown.group(1) not in ada.get("/desk/courier/staff").text


def test_somebody_of_another_site_gets_a_role_without_a_new_password(room: Newsroom, ada: Browser) -> None:
    ada.get("/desk/courier/staff")
    send(ada, "/desk/courier/staff", login="eve", role="analyst")
    roles = staff.sign_in(room.db, "eve", PASSWORD, "", HOURS, NOW)[1].staff.roles
    assert roles == {"courier": "analyst", "canal": "admin"}


def test_nobody_changes_their_own_role(room: Newsroom, ada: Browser) -> None:
    ada.get("/desk/courier/staff")
    send(ada, f"/desk/courier/staff/{room.ada.id}", role="none")
    assert ada.page.status_code == 409  # type: ignore[union-attr]
    ada.get("/desk/courier/staff")
    send(ada, f"/desk/courier/staff/{room.mo.id}", role="none")
    assert "mo" not in {one.login for one in staff.colleagues(room.db, ["courier"])}


# ---- one's own account --------------------------------------------------------------------------------------------


def test_changing_the_password_ends_every_session(room: Newsroom, ada: Browser) -> None:
    ada.get("/desk/me")
    new = "another-long-password"
    send(ada, "/desk/me/password", old="wrong-old-one", new=new, again=new)
    assert ada.page.status_code == 401  # type: ignore[union-attr]
    ada.get("/desk/me")
    send(ada, "/desk/me/password", old=PASSWORD, new=new, again="different")
    assert ada.page.status_code == 400  # type: ignore[union-attr]
    ada.get("/desk/me")
    send(ada, "/desk/me/password", old=PASSWORD, new=new, again=new)
    assert ada.get("/desk/me").status_code == 303
    with pytest.raises(BadCredentials):
        staff.sign_in(room.db, "ada", PASSWORD, "", HOURS, NOW)
    assert staff.sign_in(room.db, "ada", new, "", HOURS, NOW)


def test_the_second_step_is_switched_on_with_a_working_code_and_off_with_the_password(
    room: Newsroom, ada: Browser
) -> None:
    ada.get("/desk/me/second-step")
    secret = ada.field("secret")
    assert "<svg" in ada.page.text  # type: ignore[union-attr]
    send(ada, "/desk/me/second-step", secret=secret, code=pyotp.TOTP(secret).at(NOW))
    assert len(re.findall(r"<li>\w{5}-\w{5}</li>", ada.page.text)) == 10  # type: ignore[union-attr]
    assert staff.sign_in(room.db, "ada", PASSWORD, "", HOURS, NOW)[1].stage == staff.HALF
    ada.get("/desk/me")
    send(ada, "/desk/me/second-step/removal", password=PASSWORD)
    assert staff.sign_in(room.db, "ada", PASSWORD, "", HOURS, NOW)[1].stage == staff.FULL


def test_other_sessions_are_ended_one_by_one_or_all(
    room: Newsroom, ada: Browser, at_desk: Callable[[str], Browser]
) -> None:
    others = [at_desk("ada"), at_desk("ada")]
    page = ada.get("/desk/me").text
    one = re.search(r'action="(/desk/me/sessions/[0-9a-f]{64}/removal)"', page)
    assert one
    send(ada, one.group(1))
    assert sorted(other.get("/desk/me").status_code for other in others) == [200, 303]
    ada.get("/desk/me")
    send(ada, "/desk/me/sessions/others/removal")
    assert [other.get("/desk/me").status_code for other in others] == [303, 303]
    assert ada.get("/desk/me").status_code == 200


def test_keys_are_changed_and_switched_off(ada: Browser) -> None:
    ada.get("/desk/me")
    send(ada, "/desk/me/keys", approve="q", on="yes")
    assert "&#34;approve&#34;: &#34;q&#34;" in ada.get("/desk/courier/queue").text
    ada.get("/desk/me")
    send(ada, "/desk/me/keys", approve="q", reject="q", on="yes")
    assert ada.page.status_code == 400  # type: ignore[union-attr]
    ada.get("/desk/me")
    send(ada, "/desk/me/keys")
    assert "&#34;on&#34;: false" in ada.get("/desk/courier/queue").text
