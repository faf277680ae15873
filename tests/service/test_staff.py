"""Who works at the desk: accounts, roles, sessions and the second step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from service.db import Database
from service.errors import BadCredentials, Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from service.identity import passwords, second_step, staff
from service.identity.staff import Entry, Hours
from service.models import Moderator, Site, StaffSession

NOW = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)
HOURS = Hours(idle=timedelta(hours=1), life=timedelta(hours=12))
PASSWORD = "correct-horse-battery"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    with database.write() as session:
        session.add_all(
            [Site(id="courier", name="Courier", created_at=NOW), Site(id="canal", name="C", created_at=NOW)]
        )
    yield database
    database.close()


@pytest.fixture
def mo(db: Database) -> str:
    return staff.add_moderator(db, "Mo@courier.example", "Mo Adeyemi", PASSWORD, {"courier": "moderator"}, NOW)


def sign_in(db: Database, password: str = PASSWORD, at: datetime = NOW) -> tuple[str, Entry]:
    return staff.sign_in(db, "mo@courier.example", password, "Firefox", HOURS, at)


# ---- passwords ----------------------------------------------------------------------------------------------------


def test_a_new_password_is_long_random_and_acceptable() -> None:
    made = {passwords.new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.matches(passwords.hashed(one), one) for one in list(made)[:2])
    assert staff.new_password is passwords.new_password


@pytest.mark.parametrize("bad", ["", "short", "elevensigns", "x" * 257])
def test_a_password_that_is_too_short_or_too_long_is_refused(bad: str) -> None:
    with pytest.raises(Invalid):
        passwords.hashed(bad)


def test_an_accent_typed_in_two_strokes_is_the_same_password() -> None:
    kept = passwords.hashed("café-au-lait-noir")
    assert passwords.matches(kept, "cafe\u0301-au-lait-noir")


def test_nothing_matches_no_password_and_takes_as_long_as_a_wrong_one() -> None:
    kept = passwords.hashed(PASSWORD)

    def cost(of: str | None) -> float:
        started = time.process_time()
        for _ in range(5):
            assert not passwords.matches(of, "something else")
        return time.process_time() - started

    cost(kept)
    assert 0.5 < cost(None) / cost(kept) < 2


# ---- accounts -----------------------------------------------------------------------------------------------------


def test_a_login_is_taken_once_whatever_its_case(db: Database, mo: str) -> None:
    with pytest.raises(Conflict):
        staff.add_moderator(db, "MO@courier.example", "Another", PASSWORD, {}, NOW)


@pytest.mark.parametrize(
    ("login", "name", "roles", "wrong"),
    [
        ("m", "Mo", {}, Invalid),
        ("mo mo", "Mo", {}, Invalid),
        ("mo", " ", {}, Invalid),
        ("mo", "Mo\u202e", {}, Invalid),
        ("mo", "Mo", {"courier": "king"}, Invalid),
        ("mo", "Mo", {"nowhere": "admin"}, NotFound),
    ],
)
def test_an_account_that_cannot_be_is_refused_and_leaves_nothing(
    db: Database, login: str, name: str, roles: dict[str, str], wrong: type[Exception]
) -> None:
    with pytest.raises(wrong):
        staff.add_moderator(db, login, name, PASSWORD, roles, NOW)
    assert staff.colleagues(db, ["courier", "canal"]) == []


def test_the_password_is_kept_as_argon2id(db: Database, mo: str) -> None:
    with db.read() as session:
        row = session.get(Moderator, mo)
    assert row is not None
    assert row.password_hash.startswith("$argon2id$")
    assert PASSWORD not in row.password_hash


def test_a_role_reaches_its_site_only(db: Database, mo: str) -> None:
    who = sign_in(db)[1].staff
    who.require("courier", staff.MODERATOR, staff.ADMIN)
    with pytest.raises(Forbidden):
        who.require("courier", staff.ADMIN)
    with pytest.raises(NotFound):
        who.require("canal", staff.MODERATOR)
    assert who.sites == ("courier",)


# ---- signing in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("login", "password"), [("mo@courier.example", "wrong-password"), ("nobody", PASSWORD)])
def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(
    db: Database, mo: str, login: str, password: str
) -> None:
    with pytest.raises(BadCredentials) as refused:
        staff.sign_in(db, login, password, "Firefox", HOURS, NOW)
    assert refused.value.detail == "That did not match. Check the login and the password."


def test_a_browser_holds_a_token_and_the_database_its_hash(db: Database, mo: str) -> None:
    token, entry = sign_in(db)
    with db.read() as session:
        kept = session.get(StaffSession, entry.hash)
    assert kept is not None
    assert token not in (kept.hash, kept.csrf)
    assert staff.entry_of(db, token, HOURS, NOW).staff.name == "Mo Adeyemi"


def test_a_session_ends_when_it_is_idle_and_lives_on_while_it_is_used(db: Database, mo: str) -> None:
    token, _ = sign_in(db)
    for minutes in (50, 100, 150):
        staff.entry_of(db, token, HOURS, NOW + timedelta(minutes=minutes))
    with pytest.raises(Unauthenticated):
        staff.entry_of(db, token, HOURS, NOW + timedelta(minutes=211))


def test_no_session_outlives_its_life(db: Database, mo: str) -> None:
    token, _ = sign_in(db)
    for minutes in range(50, 720, 50):
        staff.entry_of(db, token, HOURS, NOW + timedelta(minutes=minutes))
    with pytest.raises(Unauthenticated):
        staff.entry_of(db, token, HOURS, NOW + timedelta(hours=12))


def test_each_session_has_its_own_token_against_forged_forms(db: Database, mo: str) -> None:
    assert sign_in(db)[1].csrf != sign_in(db)[1].csrf


def test_signing_out_ends_this_browser_only(db: Database, mo: str) -> None:
    (first, entry), (second, _) = sign_in(db), sign_in(db)
    staff.sign_out(db, entry)
    with pytest.raises(Unauthenticated):
        staff.entry_of(db, first, HOURS, NOW)
    assert staff.entry_of(db, second, HOURS, NOW)


def test_signing_out_the_others_leaves_this_browser(db: Database, mo: str) -> None:
    (first, _), (_, entry) = sign_in(db), sign_in(db)
    staff.sign_out_others(db, entry)
    assert [row.hash for row in staff.sessions(db, mo, HOURS, NOW)] == [entry.hash]
    with pytest.raises(Unauthenticated):
        staff.entry_of(db, first, HOURS, NOW)


def test_nobody_ends_a_session_of_somebody_else(db: Database, mo: str) -> None:
    token, entry = sign_in(db)
    ines = staff.add_moderator(db, "ines", "Ines", PASSWORD, {"courier": "admin"}, NOW)
    staff.end_session(db, ines, entry.hash)
    assert staff.entry_of(db, token, HOURS, NOW)


@pytest.mark.parametrize("what", ["password", "last role taken", "disabled"])
def test_a_change_of_power_ends_every_session(db: Database, mo: str, what: str) -> None:
    token, _ = sign_in(db)
    if what == "password":
        staff.set_password(db, "mo@courier.example", "another-long-password")
    elif what == "disabled":
        staff.set_disabled(db, "mo@courier.example", True, NOW)
    else:
        staff.set_role(db, mo, "courier", None)
    with pytest.raises(Unauthenticated):
        staff.entry_of(db, token, HOURS, NOW)


@pytest.mark.parametrize("roles", [["moderator"], ["admin", "analyst"], ["admin", None]])
def test_no_site_signs_out_the_staff_of_another_but_a_role_counts_at_once(
    db: Database, mo: str, roles: list[str | None]
) -> None:
    token, entry = sign_in(db)
    before = dict(entry.staff.roles)
    for role in roles:
        staff.set_role(db, mo, "canal", role)
        here = {"canal": role} if role else {}
        assert staff.entry_of(db, token, HOURS, NOW).staff.roles == before | here


def test_a_closed_account_cannot_sign_in_and_an_opened_one_can(db: Database, mo: str) -> None:
    staff.set_disabled(db, "mo@courier.example", True, NOW)
    with pytest.raises(BadCredentials):
        sign_in(db)
    staff.set_disabled(db, "mo@courier.example", False, NOW)
    assert sign_in(db)


def test_changing_ones_own_password_needs_the_old_one(db: Database, mo: str) -> None:
    _, entry = sign_in(db)
    with pytest.raises(BadCredentials):
        staff.change_password(db, entry, "not-the-old-one", "another-long-password")
    staff.change_password(db, entry, PASSWORD, "another-long-password")
    assert sign_in(db, "another-long-password")


def test_preferences_merge_and_none_removes(db: Database, mo: str) -> None:
    staff.set_preferences(db, mo, {"keys": True, "views": [1]})
    staff.set_preferences(db, mo, {"keys": None})
    assert sign_in(db)[1].preferences == {"views": [1]}


# ---- the second step ----------------------------------------------------------------------------------------------


@pytest.fixture
def secret(db: Database, mo: str) -> str:
    made = second_step.new_secret()
    staff.enable_second_step(
        db, sign_in(db)[1], made, digits(made, NOW - timedelta(minutes=5)), NOW - timedelta(minutes=5)
    )
    return made


def digits(secret: str, at: datetime) -> str:
    return pyotp.TOTP(secret).at(at)


def test_the_second_step_is_switched_on_only_with_a_working_authenticator(db: Database, mo: str) -> None:
    _, entry = sign_in(db)
    for code in ("000000", "", "١٢٣٤٥٦", "abcdef"):
        with pytest.raises(Invalid):
            staff.enable_second_step(db, entry, second_step.new_secret(), code, NOW)
    for made in ("", "short", "1" * 32, "A" * 31):
        with pytest.raises(Invalid):
            staff.enable_second_step(db, entry, made, "000000", NOW)
    assert sign_in(db)[1].stage == staff.FULL


def test_a_password_alone_opens_half_a_session(db: Database, secret: str) -> None:
    token, half = sign_in(db)
    assert half.stage == staff.HALF
    full_token, full = staff.finish(db, half, digits(secret, NOW), "Firefox", HOURS, NOW)
    assert staff.entry_of(db, full_token, HOURS, NOW).stage == full.stage == staff.FULL
    with pytest.raises(Unauthenticated):
        staff.entry_of(db, token, HOURS, NOW)


def test_six_digits_count_once(db: Database, secret: str) -> None:
    staff.finish(db, sign_in(db)[1], digits(secret, NOW), "Firefox", HOURS, NOW)
    with pytest.raises(BadCredentials):
        staff.finish(db, sign_in(db)[1], digits(secret, NOW), "Firefox", HOURS, NOW)


def test_a_recovery_code_counts_once(db: Database, mo: str) -> None:
    made = second_step.new_secret()
    codes = staff.enable_second_step(db, sign_in(db)[1], made, digits(made, NOW), NOW)
    assert len(set(codes)) == 10
    staff.finish(db, sign_in(db)[1], codes[3].upper(), "Firefox", HOURS, NOW)
    with pytest.raises(BadCredentials):
        staff.finish(db, sign_in(db)[1], codes[3], "Firefox", HOURS, NOW)
    staff.finish(db, sign_in(db)[1], codes[4], "Firefox", HOURS, NOW)


@pytest.mark.parametrize("code", ["000000", "", "١٢٣٤٥٦", "aaaaa-aaaaa", "1" * 400])
def test_a_wrong_code_opens_nothing(db: Database, secret: str, code: str) -> None:
    with pytest.raises(BadCredentials):
        staff.finish(db, sign_in(db)[1], code, "Firefox", HOURS, NOW)


def test_the_second_step_is_switched_off_with_the_password(db: Database, secret: str) -> None:
    full = staff.finish(db, sign_in(db)[1], digits(secret, NOW), "Firefox", HOURS, NOW)[1]
    with pytest.raises(BadCredentials):
        staff.disable_second_step(db, full, "not-the-password")
    staff.disable_second_step(db, full, PASSWORD)
    assert sign_in(db)[1].stage == staff.FULL
