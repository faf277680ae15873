"""What the model is made from: labels as each set means them, no row of an evaluation file, our own texts in order."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moderation.training import rows, spellings, synthetic, thresholds, written
from moderation.training.rows import HEADS, JIGSAW_COLUMNS, Row

SETS: dict[str, tuple[Sequence[str], str]] = {
    "train/train.csv": (("id", "comment_text", *JIGSAW_COLUMNS), ","),
    "train/wiki_debias.tsv": (("comment", "is_toxic"), "\t"),
    "train/context_toxicity_gn.csv": (("text", "label"), ","),
    "train/context_toxicity_gc.csv": (("text", "label"), ","),
    "train/toxic_spans_train.csv": (("spans", "text"), ","),
    "train/toxic_spans_trial.csv": (("spans", "text"), ","),
    "train/paradetox.tsv": (("toxic", "neutral1", "neutral2"), "\t"),
    "train/edos.csv": (("text", "label_category"), ","),
    "train/davidson.csv": (("class", "tweet"), ","),
    "train/hatexplain.csv": (("tweet", "label"), ","),
    "train/hatemoji_build.csv": (("text", "label_gold", "type"), ","),
    "eval/hatecheck.csv": (("test_case",), ","),
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with every set's file, each of them without rows."""
    for folder in ("train", "eval"):
        (tmp_path / folder).mkdir()
    for name in SETS:
        put(tmp_path, name)
    (tmp_path / "train/goemotions_train.tsv").write_text("", encoding="utf-8")
    (tmp_path / "eval/fox_news_comments.json").write_text("", encoding="utf-8")
    return tmp_path


def put(data: Path, name: str, *lines: Sequence[object]) -> None:
    columns, delimiter = SETS[name]
    with (data / name).open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=delimiter).writerows([columns, *lines])


def texts(data: Path, extra: Sequence[Row] = ()) -> set[str]:
    training, held, _ = rows.load(data, extra)
    return {row.text for row in (*training, *held)}


def test_the_whole_public_set_is_read_where_its_own_file_lies_in_the_folder(data: Path) -> None:
    put(
        data,
        "train/train.csv",
        (1, "You are rotten.", 1, 0, 0, 0, 1, 0),
        (2, "A bridge is a bridge.", 0, 0, 0, 0, 0, 0),
    )
    found = {row.text: row.targets for row in rows.jigsaw(data / "train")}
    assert found["You are rotten."]["insult"] == found["You are rotten."]["abuse"] == 1.0
    assert set(found["A bridge is a bridge."].values()) == {0.0}


def test_a_text_of_an_evaluation_file_is_never_trained_on_however_it_is_typed(data: Path) -> None:
    put(data, "train/train.csv", (1, "YOU -- are rotten!!", 1, 0, 0, 0, 1, 0), (2, "Fresh words.", 0, 0, 0, 0, 0, 0))
    put(data, "eval/hatecheck.csv", ("You are rotten",))
    (data / "eval/fox_news_comments.json").write_text(json.dumps({"text": "Of our own."}) + "\n", encoding="utf-8")
    assert texts(data, [Row("of our OWN", {"abuse": 0.0}, "written")]) == {"Fresh words."}
    _, _, leaks = rows.load(data)
    assert leaks == {"jigsaw": 1}


def test_a_phrase_that_differs_from_an_evaluation_row_by_who_is_meant_is_a_leak_too(data: Path) -> None:
    put(data, "eval/hatecheck.csv", ("I met a muslim woman on the ferry today.",))
    same = Row("I met a christian woman on the ferry today.", {"abuse": 0.0}, "synthetic")
    assert texts(data, [same]) == set()


def test_rows_are_held_out_by_their_letters_and_never_on_both_sides(data: Path) -> None:
    lines = [(number, f"Remark number {number} about the bridge.", 0, 0, 0, 0, 0, 0) for number in range(2_000)]
    put(data, "train/train.csv", *lines)
    training, held, _ = rows.load(data)
    assert 140 < len(held) < 260
    assert not {row.text for row in training} & {row.text for row in held}
    assert rows.load(data) == (training, held, {})


def test_our_comments_are_whole_each_of_a_known_category_and_none_is_there_twice() -> None:
    found = list(written.comments())
    assert len({rows.normalised(row.text) or row.text for row in found}) > 0.99 * len(found) > 4_000
    assert all(row.text == row.text.strip() and 2 <= len(row.text) <= 2_000 for row in found)
    assert all(set(row.targets) <= set(HEADS) for row in found)
    sides = Counter(row.targets["unfit"] for row in found)
    assert min(sides.values()) > 0.4 * len(found)


def test_our_phrases_are_the_same_for_the_same_seed_and_leave_jigsaws_labels_alone() -> None:
    found = list(synthetic.generate(seed=3))[:3_000]
    assert found == list(synthetic.generate(seed=3))[:3_000]
    assert not [row for row in found if any(row.targets.get(head) for head in rows.JIGSAW)]


def pool(**scores: list[float]) -> thresholds.Pool:
    """Three abusive and three publishable comments of one set, none of them held by a rule."""
    abusive = np.array([True, True, True, False, False, False])
    columns = {name: np.array(column) for name, column in scores.items()}
    return thresholds.Pool(columns, abusive, np.array(["slice"] * 6), np.zeros(6, bool))


def test_thresholds_hold_the_most_abuse_that_the_publishable_comments_allow() -> None:
    known = pool(sure=[0.93, 0.93, 0.0, 0.0, 0.0, 0.0], vague=[0.0, 0.0, 0.72, 0.63, 0.83, 0.1])
    start = {"sure": 0.99, "vague": 0.99}
    assert known.shares(start) == {"slice": (0.0, 0.0)}
    strict = thresholds.searched(known, start, {"slice": 0.0})
    assert list(known.shares(strict)["slice"]) == pytest.approx([2 / 3, 0.0])
    lenient = thresholds.searched(known, start, {"slice": 0.4})
    assert list(known.shares(lenient)["slice"]) == pytest.approx([1.0, 1 / 3])
    assert 0.63 < lenient["vague"] <= 0.72, "no more is held than that takes"
    assert thresholds.searched(known, start, {"slice": 0.4}) == lenient


def test_what_a_rule_holds_counts_against_what_may_be_held() -> None:
    known = pool(vague=[0.9, 0.9, 0.9, 0.9, 0.1, 0.1])
    ruled = replace(known, held=np.array([False] * 5 + [True]))
    start, allowed = {"vague": 0.95}, {"slice": 0.34}
    assert list(known.shares(thresholds.searched(known, start, allowed))["slice"]) == pytest.approx([1.0, 1 / 3])
    assert list(ruled.shares(thresholds.searched(ruled, start, allowed))["slice"]) == pytest.approx([0.0, 1 / 3])


@pytest.mark.parametrize(
    ("form", "word", "bad", "fine", "broken"),
    [
        ("idoit", "idiot", 0, 0, True),
        ("nigers", "niggers", 0, 1, False),
        ("hmo", "homo", 0, 0, False),
        ("fuk", "fuck", 25, 5, True),
        ("puss", "pussy", 3, 1, False),
        ("siht", "shit", 0, 0, True),
        ("hsit", "shit", 0, 0, False),
    ],
)
def test_a_short_form_is_mended_only_where_the_rows_show_it_in_abuse(
    form: str, word: str, bad: int, fine: int, broken: bool
) -> None:
    assert spellings.is_broken(form, word, bad, fine) is broken


def test_words_to_mend_are_those_that_stand_mostly_in_abuse() -> None:
    class Vocabulary:
        def token_to_id(self, word: str) -> int | None:
            return 1 if word == "sit" else None

    abusive = [Row(f"you shitty moron {n} people", {"toxicity": 1.0}, "jigsaw") for n in range(20)]
    fine = [Row(f"some people read {n}, muron", {"toxicity": 0.0}, "jigsaw") for n in range(20)]
    found = spellings.learned([*abusive, *fine], Vocabulary())  # type: ignore[arg-type]
    assert set(found.words) == {"shitty", "moron"}
    assert found.forms["moorn"] == "moron"
    assert "people" not in found.words
