"""Word lists: what their entries mean, what is refused, and that no list can make the search explode."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from moderation import fold
from moderation.words import WordlistError, Wordlists, read_wordlist
from tests.moderation.cases import shipped

LIST: Mapping[str, Any] = {
    "severe": {"identity_attack": ["scoundrel*", "coon", "rapscallion"]},
    "strong": {
        "insult": ["piece of cake", "slut", "coño", "*monger", "rotter", "ratter slut on a ship"],
        "obscene": ["f.u.d.g.e"],
    },
    "mild": {"insult": ["ratter"]},
    "innocent": ["maine coon", "scoundrels of the sea"],
    "here_only": ["slut"],
    "exact": ["coño"],
}


def found(text: str, language: str = "en", table: Mapping[str, Any] = LIST) -> list[tuple[str, str]]:
    hits = Wordlists(read_wordlist("en", table)).find(fold(text), language)
    return [(hit.term.text, text[hit.span.start : hit.span.end]) for hit in hits]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("two scoundrelly fellows", [("scoundrel*", "scoundrelly")]),
        ("an arch-scoundrel", [("scoundrel*", "scoundrel")]),
        ("archscoundrel", []),
        ("a coon, no cooner", [("coon", "coon")]),
        ("con", []),
        ("cooooon", [("coon", "cooooon")]),
        ("a Maine Coon is a cat", []),
        ("the coon and the maine coon", [("coon", "coon")]),
        ("scoundrels of the sea, you scoundrel", [("scoundrel*", "scoundrel")]),
        ("a PIECE,\n of... cake", [("piece of cake", "PIECE,\n of... cake")]),
        ("apiece of cake", []),
        ("pieceofcake", [("piece of cake", "pieceofcake")]),
        ("rap-scal-lion", [("rapscallion", "rap-scal-lion")]),
        ("rap scal lion", []),
        ("what a r.o.t.t.e.r", [("rotter", "r.o.t.t.e.r")]),
        ("what a r o t t e r", [("rotter", "r o t t e r")]),
        ("r*tter", [("ratter", "r*tter")]),
        ("sc**ndrel", [("scoundrel*", "sc**ndrel")]),
        ("scoun", []),
        ("coño", [("coño", "coño")]),
        ("cono", []),
        ("a warmonger", [("*monger", "warmonger")]),
        ("mongers", []),
        ("fudge", [("f.u.d.g.e", "fudge")]),
        ("slut, a ratter slut on a ship", [("slut", "slut"), ("ratter slut on a ship", "ratter slut on a ship")]),
    ],
)
def test_an_entry_is_found_as_the_word_it_is(text: str, terms: list[tuple[str, str]]) -> None:
    assert found(text) == terms


def test_what_is_harmless_elsewhere_is_looked_for_at_home_only() -> None:
    assert found("slut", "en") == [("slut", "slut")]
    assert found("slut", "sv") == []


def test_a_word_of_a_script_without_spaces_is_found_inside_a_sentence() -> None:
    table = {"strong": {"insult": ["王八蛋", "クソ野郎"]}}
    assert found("你这个王八蛋真的", "zh", table) == [("王八蛋", "王八蛋")]
    assert found("この クソ・野郎 め", "ja", table) == [("クソ野郎", "クソ・野郎")]


def test_everything_that_is_wrong_with_a_list_is_said_at_once() -> None:
    with pytest.raises(WordlistError) as refused:
        read_wordlist(
            "xx",
            {
                "severe": {"weather": ["rain"], "insult": [3]},
                "strong": ["no table"],
                "gentle": {},
                "here_only": ["nowhere"],
                "innocent": ["***", "x" * 81],
            },
        )
    assert len(refused.value.problems) == 7
    assert all(problem.startswith("words.xx: ") for problem in refused.value.problems)


@pytest.mark.parametrize("term", ["(a+)+$", "(.*)*x", "a{1,99999}", "[a", "\\w", "(?P<x>a)", "a|b|", "^(([a-z])+.)+$"])
def test_a_pattern_is_only_text(term: str) -> None:
    table = {"severe": {"insult": [term]}}
    began = time.process_time()
    Wordlists(read_wordlist("en", table)).find(fold("a" * 50_000 + "!"), "en")
    assert time.process_time() - began < 10


def test_no_shipped_term_is_listed_twice_in_one_language() -> None:
    seen = [(term.language, term.text) for term in shipped().terms]
    assert sorted(seen) == sorted(set(seen))


def test_every_shipped_term_finds_itself() -> None:
    words = shipped().words
    unfound = [
        term.text
        for term in words.terms
        if term.severity != "innocent"
        and not any(hit.term.text == term.text for hit in words.find(fold(term.text.strip("*")), term.language))
    ]
    assert unfound == []


@pytest.mark.parametrize(
    "pattern", ["f*k ", "a-b", "a.", "f u ", "fuck ", "nig", "操.", "1i", "kill you ", "coon ", "maine coon "]
)
def test_searching_takes_time_in_proportion_to_the_text(pattern: str) -> None:
    folded = fold((pattern * 100_000)[:100_000])
    began = time.process_time()
    shipped().words.find(folded, "en")
    assert time.process_time() - began < 15
