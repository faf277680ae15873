"""The numbers page: true headlines, what waits counted as waiting, and a table behind every chart."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from service.errors import NotFound
from service.review.numbers import numbers, survival
from service.web.desk import charts
from tests.service.newsroom import NOW, Newsroom, judgement
from tests.service.test_desk import Browser, decide
from tests.service.test_desk import app as app
from tests.service.test_desk import at_desk as at_desk
from tests.service.test_desk import clock as clock
from tests.service.test_desk import mo as mo
from tests.service.test_desk import room as room

CURVES = [
    ([], [], {50: None, 90: None}),
    ([(10, True)], [(10, 0.0)], {50: 10, 90: 10}),
    ([(10, True), (20, True)], [(10, 0.5), (20, 0.0)], {50: 10, 90: 20}),
    # One of three waits still: leaving it out would say that half were decided within ten minutes.
    ([(10, True), (5, False), (30, False)], [(10, 0.5)], {50: 10, 90: None}),
    ([(10, True), (30, False), (30, False)], [(10, 2 / 3)], {50: None, 90: None}),
    ([(5, False), (5, False)], [], {50: None, 90: None}),
    ([(10, True), (10, True), (10, False), (20, True)], [(10, 0.5), (20, 0.0)], {50: 10, 90: 20}),
]


@pytest.mark.parametrize(("spans", "steps", "deciles"), CURVES)
def test_what_waits_counts_as_waiting(
    spans: list[tuple[float, bool]], steps: list[tuple[float, float]], deciles: dict[int, float | None]
) -> None:
    curve = survival(spans)
    assert [(minutes, pytest.approx(share)) for minutes, share in curve.steps[1:]] == steps
    assert curve.deciles == deciles
    assert (curve.held, curve.decided) == (len(spans), sum(decided for _, decided in spans))


@pytest.mark.parametrize(("most", "end"), [(0, 4), (4, 4), (5, 8), (11, 12), (99, 100), (101, 120), (2_003, 4_000)])
def test_an_axis_ends_at_a_round_number_above(most: float, end: float) -> None:
    assert charts.nice(most) == end


def test_no_axis_says_a_number_that_it_does_not_stand_at() -> None:
    for most in range(3_000):
        end = charts.nice(most)
        assert most <= end <= 2.5 * max(most, 4)
        assert end % 4 == 0


def test_each_day_counts_what_became_of_its_comments(room: Newsroom, mo: Browser) -> None:
    fine = judgement(scores={"insult": 0.1})
    room.comment("unread", judged=fine, at=NOW - timedelta(days=1))
    room.comment("waiting", at=NOW - timedelta(minutes=90))
    decide(mo, room.comment("read", at=NOW - timedelta(minutes=40)))
    decide(mo, room.comment("rejected", at=NOW - timedelta(minutes=20)), "reject", reason="attack")
    room.comment("too old", judged=fine, at=NOW - timedelta(days=9))
    found = numbers(room.db, room.mo, "courier", 7, "insult", NOW)
    assert len(found.days) == 7
    days = list(found.days.values())
    assert days[-2] == {"unread": 1, "read": 0, "rejected": 0, "waiting": 0}
    assert days[-1] == {"unread": 0, "read": 1, "rejected": 1, "waiting": 1}
    assert found.waits == [90]
    assert (found.survival.held, found.survival.decided) == (3, 2)
    assert found.survival.deciles == {50: 40, 90: None}
    assert found.scores is not None
    assert (found.scores.published[2], found.scores.published[16], found.scores.rejected[16]) == (1, 1, 1)


def test_the_page_has_a_true_headline_and_a_table_for_every_chart(room: Newsroom, mo: Browser) -> None:
    decide(mo, room.comment("read", at=NOW - timedelta(minutes=40)))
    room.comment("waiting", at=NOW - timedelta(minutes=90))
    page = mo.get("/desk/courier/numbers?days=7&attribute=insult").text
    wide, narrow = (page.count(f'<svg class="plot chart {name}"') for name in ("wide", "narrow"))
    assert wide == narrow == page.count("As a table") == 4
    for headline in (
        "2 comments, 0 in 100 published without anyone reading them first",
        "1 of 1 have waited an hour or longer",
        "Half of the held are decided within 40 min",
        "Of what scored 0.62 or more for insult, 100 in 100 were published in the end",
    ):
        assert headline in page
    assert " style=" not in page


def test_an_empty_site_says_so_instead_of_dividing_by_nothing(room: Newsroom, mo: Browser) -> None:
    page = mo.get("/desk/courier/numbers?days=nonsense&attribute=nonsense").text
    assert "No comment came in these days" in page
    assert "Nobody waits" in page
    assert not re.search(r"\bnan\b|inf", page.replace("information", ""))


def test_a_clock_that_was_set_back_makes_no_wait_shorter_than_none(room: Newsroom, mo: Browser) -> None:
    room.comment("from the future", at=NOW + timedelta(hours=2))
    answer = mo.get("/desk/courier/numbers")
    assert answer.status_code == 200
    assert "1 waiting" in answer.text
    assert not re.search(r"-\d+(\.\d)? (min|h|d)\b", answer.text)


def test_eve_sees_no_numbers_of_another_site(room: Newsroom, at_desk: Callable[[str], Browser]) -> None:
    assert at_desk("eve").get("/desk/courier/numbers").status_code == 404
    assert at_desk("ann").get("/desk/courier/numbers").status_code == 200
    with pytest.raises(NotFound):
        numbers(room.db, room.eve, "courier", 7, "", NOW)
