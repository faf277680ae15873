"""The news slice keeps the shape its README promises.

This file checks the rows as objects. It must not judge them, and it must not print a text: a failure names ids only, so
that a broken build does not unseal the sealed half.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
HALVES = ("dev", "sealed")
SEALED_SHA256 = "224c5fd2740804f3e87b70f50dba606ab175d3174f28f1ebec30e22ee830621e"
ROWS_A_CATEGORY_AND_HALF = 13
LONGEST_RUN_OF_WORDS_IN_COMMON = 4
LABELS = {
    "criticism": "publish",
    "sarcasm": "publish",
    "profanity": "publish",
    "counter_speech": "publish",
    "quoting": "publish",
    "identity_mention": "publish",
    "disagreement": "publish",
    "grief_anger": "publish",
    "violence_report": "publish",
    "joke": "publish",
    "insult": "hold",
    "threat": "hold",
    "dehumanisation": "hold",
    "incitement": "hold",
    "dog_whistle": "hold",
    "identity_attack": "hold",
    "sexual_harassment": "hold",
    "intimidation": "hold",
    "obfuscated": "hold",
}

Row = dict[str, str]


def file_of(half: str) -> Path:
    return DATA / f"news_slice_{half}.jsonl"


def rows_of(half: str) -> list[Row]:
    return [json.loads(line) for line in file_of(half).read_text(encoding="utf-8").splitlines()]


def all_rows() -> list[Row]:
    return [row for half in HALVES for row in rows_of(half)]


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())


def ids_that_share(keys_of_row: dict[str, set[str]]) -> set[frozenset[str]]:
    """The groups of ids that have a key in common."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for row_id, keys in keys_of_row.items():
        for key in keys:
            owners[key].add(row_id)
    return {frozenset(ids) for ids in owners.values() if len(ids) > 1}


def runs_of_words(text: str, length: int) -> set[str]:
    words = words_of(text)
    return {" ".join(words[at : at + length]) for at in range(len(words) - length + 1)}


def test_ids_are_unique_over_both_halves() -> None:
    repeated = [row_id for row_id, times in Counter(row["id"] for row in all_rows()).items() if times > 1]
    assert repeated == []


@pytest.mark.parametrize("half", HALVES)
def test_each_row_has_exactly_the_five_fields_as_strings(half: str) -> None:
    fields = {"id", "category", "label", "text", "article"}
    misshapen = [
        row.get("id") for row in rows_of(half) if set(row) != fields or not all(type(v) is str for v in row.values())
    ]
    assert misshapen == []


@pytest.mark.parametrize("half", HALVES)
def test_each_half_holds_the_same_number_of_every_category(half: str) -> None:
    counts = Counter(row["category"] for row in rows_of(half))
    assert counts == dict.fromkeys(LABELS, ROWS_A_CATEGORY_AND_HALF)


def test_a_category_has_one_label() -> None:
    mislabelled = [row["id"] for row in all_rows() if row["label"] != LABELS[row["category"]]]
    assert mislabelled == []


def test_an_id_says_its_category() -> None:
    pattern = re.compile(r"[a-z-]+-\d\d")
    strange = [
        row["id"]
        for row in all_rows()
        if not pattern.fullmatch(row["id"]) or row["id"][:-3] != row["category"].replace("_", "-")
    ]
    assert strange == []


def test_texts_and_headlines_are_trimmed_and_of_a_comment_s_size() -> None:
    outside = [
        row["id"]
        for row in all_rows()
        if row["text"] != row["text"].strip()
        or not 3 <= len(row["text"]) <= 1_500
        or row["article"] != row["article"].strip()
        or not 5 <= len(row["article"]) <= 100
    ]
    assert outside == []


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("label", ["publish", "hold"])
def test_both_labels_have_short_and_long_comments_in_each_half(half: str, label: str) -> None:
    lengths = [len(words_of(row["text"])) for row in rows_of(half) if row["label"] == label]
    assert sum(length <= 6 for length in lengths) >= 5
    assert sum(60 <= length <= 150 for length in lengths) >= 5


def test_no_text_stands_twice_whatever_its_case_and_punctuation() -> None:
    assert ids_that_share({row["id"]: {" ".join(words_of(row["text"]))} for row in all_rows()}) == set()


def test_no_headline_stands_twice() -> None:
    assert ids_that_share({row["id"]: {row["article"].casefold()} for row in all_rows()}) == set()


def test_no_two_texts_share_a_run_of_words() -> None:
    length = LONGEST_RUN_OF_WORDS_IN_COMMON + 1
    assert ids_that_share({row["id"]: runs_of_words(row["text"], length) for row in all_rows()}) == set()


def test_the_sealed_half_is_the_one_that_was_sealed() -> None:
    assert hashlib.sha256(file_of("sealed").read_bytes()).hexdigest() == SEALED_SHA256


def test_the_readme_names_every_category_with_its_rows() -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert [name for name in LABELS if f"| `{name}` |" not in readme] == []
    assert [
        half for half in HALVES if not re.search(rf"news_slice_{half}\.jsonl`.*\| {len(rows_of(half))} \|", readme)
    ] == []
