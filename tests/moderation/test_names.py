"""Display names: what an author may be called."""

from __future__ import annotations

import pytest

from moderation import judge_name
from tests.moderation.cases import shipped

PROTECTED = ("Mo Moderator", "Ada Lovelace", "Ian Willis")


@pytest.mark.parametrize(
    "name",
    [
        "Ada",
        "Bo",
        "José Ñandú",
        "O'Brien-Smith",
        "Εύα",
        "Анна Каренина",
        "محمد",
        "นภา",
        "李小龍",
        "さくら 🌸",
        "👩‍🚒 Jo",
        "Dick Smith",
        *("Admiral Ackbar", "Stafford", "Modesty", "Rooty", "J. R. R. Tolkien", "Mx 9", "می‌نا"),
    ],
)
def test_people_may_be_called_what_they_are_called(name: str) -> None:
    verdict = judge_name(name, PROTECTED, shipped())
    assert (verdict.problem, verdict.name) == (None, name)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "name.empty"),
        ("   ", "name.empty"),
        ("\u200b\u200d\u2060", "name.empty"),
        ("\u3164", "name.empty"),
        ("...", "name.empty"),
        ("x" * 51, "name.too_long"),
        ("x\0", "name.nul"),
        ("\ud800", "name.surrogate"),
        ("z" + "\u0301" * 60, "name.too_long"),
        ("z" + "\u0301\u0316" * 45, "name.marks"),
        ("\u202egro.live\u202c", "name.direction"),
        ("Ada\u2066", "name.direction"),
        ("Ada\x07", "name.direction"),
        ("buy at www.example.org", "name.link"),
        ("me@example.org", "name.link"),
        ("cheap-pills.com", "name.link"),
        ("admin", "name.reserved"),
        ("Admin", "name.reserved"),
        ("аdmin", "name.reserved"),
        ("ａｄｍｉｎ", "name.reserved"),
        ("a.d.m.i.n", "name.reserved"),
        ("a d m i n", "name.reserved"),
        ("adm1n", "name.reserved"),
        ("@dmin", "name.reserved"),
        ("ad\u200bmin", "name.reserved"),
        ("adrnin", "name.reserved"),
        ("Admin Team", "name.reserved"),
        ("the_moderator", "name.reserved"),
        ("MODERAT0R", "name.reserved"),
        ("Staff", "name.reserved"),
        ("Мо Mоdеrаtоr", "name.reserved"),
        ("Ada Lovelace", "name.taken"),
        ("ada lovelace", "name.taken"),
        ("AdaLovelace", "name.taken"),
        ("Аda Lоvelaсe", "name.taken"),
        ("Ada Love1ace", "name.taken"),
        ("lan Wiilis", "name.taken"),
        ("Motherfucker", "name.wordlist"),
        ("m0therfucker", "name.wordlist"),
    ],
)
def test_a_name_that_hides_or_pretends_is_refused(name: str, problem: str) -> None:
    assert judge_name(name, PROTECTED, shipped()).problem == problem


def test_spaces_around_a_name_are_not_part_of_it() -> None:
    assert judge_name("  Ada \t  King ").name == "Ada King"


@pytest.mark.parametrize(("one", "other"), [("Ian", "lan"), ("paypal", "раураl"), ("modern", "modem"), ("Zoë", "zoe")])
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert judge_name(one).skeleton == judge_name(other).skeleton
