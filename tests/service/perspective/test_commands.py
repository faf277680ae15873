"""`flask perspective …` and `flask score`: keys, labels, the map of a log, and files that are scored to the end."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service import labels
from service.cli.perspective import perspective
from service.cli.score import Journal, journal_of, part_of, score_
from tests.service.perspective.conftest import ANALYZE, SIGNING_KEY, SUGGEST, Service

Run = Callable[..., Result]
FOUL, FINE = "you fucking idiot", "what a fine day"


@pytest.fixture
def run(service: Service) -> Run:
    """Run a command on the service's database; fails the test when it fails."""

    def go(*words: str, command: Any = perspective, fails: bool = False) -> Result:
        environ = {"DATABASE_URL": service.settings.database_url, "SIGNING_KEYS": SIGNING_KEY, "ENGINE": "lexicon"}
        result = CliRunner().invoke(command, words, env={**environ, "COLUMNS": "400"}, catch_exceptions=False)
        assert (result.exit_code != 0) == fails, result.output
        return result

    return go


# ---- keys ----


def test_a_key_is_made_shown_once_listed_changed_and_ended(service: Service, run: Run) -> None:
    made = run("key", "add", "courier", "--name", "Coral", "--per-minute", "2")
    shown = made.stdout.strip()
    key_id = made.stderr.split()[0]
    body = {"comment": {"text": FINE}, "requestedAttributes": {"TOXICITY": {}}}
    assert [service.post(ANALYZE, body, key=shown).status_code for _ in range(3)] == [200, 200, 429]
    listed = run("key", "list", "courier").stdout
    assert shown not in listed
    assert f"…{shown[-4:]}" in listed
    assert "Coral  strict, 2/minute" in listed
    assert "lenient, 50/minute" in run("key", "set", key_id, "--lenient", "--per-minute", "50").stdout
    service.clock.pass_(seconds=1)
    assert service.post(ANALYZE, {**body, "languages": ["om"]}, key=shown).status_code == 200
    run("key", "revoke", key_id)
    service.clock.pass_(seconds=1)
    assert service.post(ANALYZE, body, key=shown).status_code == 400
    assert "revoked" in run("key", "list", "courier").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("key", "add", "nowhere", "--name", "x"),
        ("key", "add", "courier", "--name", "x", "--per-minute", "0"),
        ("key", "set", "0" * 24, "--lenient"),
        ("labels", "erase", "courier"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words, fails=True).stderr.startswith("Error: ")


def test_the_live_attributes_are_shown_with_engine_language_and_quality(run: Run) -> None:
    shown = run("attributes").stdout
    assert re.search(r"lexicon 1-\w+ +│ TOXICITY TOXICITY_EXPERIMENTAL TOXICITY_FAST +│ ar cs da", shown)
    assert re.search(r"spam 1 +│ SPAM +│ en +│ AUC", shown)
    assert "FLIRTATION" not in shown


# ---- labels ----


def test_labels_are_counted_exported_and_erased(service: Service, run: Run) -> None:
    for text, value in (("you idiot", 1), ("you idiot", 0), ("é day", 0)):
        scores = {"TOXICITY": {"summaryScore": {"value": value}}}
        service.post(SUGGEST, {"comment": {"text": text}, "attributeScores": scores, "communityId": "c1"})
    assert re.search(r"c1 +│ TOXICITY +│ 3 +│ 3 +│ 67% +│ 1 +│ 0 +│ 1 ", run("labels", "count", "courier").stdout)
    lines = [json.loads(line) for line in run("labels", "export", "courier", "--community", "c1").stdout.splitlines()]
    assert sorted(line["text"] for line in lines) == ["you idiot", "you idiot", "é day"]
    assert "Erased 0" in run("labels", "erase", "courier", "--community", "c2").stdout
    assert "Erased 3" in run("labels", "erase", "courier", "--everything").stdout
    assert list(labels.listed(service.db, "courier")) == []


# ---- the map of a log ----


def log_of(path: Path, rows: int = 120) -> Path:
    """A log in which Perspective gave 0.9 to what is foul and 0.1 to what is fine."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "comment_text", "TOXICITY@6", "TOXICITY@5", "FLIRTATION", "SPAM", "note"])
        for number in range(rows):
            foul = number % 3 == 0
            text = f"{FOUL if foul else FINE}\nnumber {number}"
            writer.writerow([number, text, 0.9 if foul else 0.1, 0.5, 0.3, "" if number else "0.1", "x"])
    return path


def test_a_log_is_mapped_and_a_key_answers_on_its_scale(service: Service, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "map.json"
    shown = run("map", str(log_of(tmp_path / "log.csv")), "--out", str(out))
    row = re.search(r"│ TOXICITY +│ 120 +│ ([\d.]+) +│ [\d.]+ +│ ([\d.]+)", shown.stdout)
    assert row
    assert float(row[1]) > 0.99
    assert float(row[2]) < 0.01
    assert FINE not in shown.output
    curves = json.loads(out.read_text())["curves"]
    assert set(curves) == {"TOXICITY"}, "of SPAM there was one score only"
    key = run("key", "add", "courier", "--name", "mapped", "--map", str(out)).stdout.strip()
    body = {"comment": {"text": "idiot"}, "requestedAttributes": {"TOXICITY": {}}}
    scored = service.post(ANALYZE, body, key=key).json["attributeScores"]["TOXICITY"]["summaryScore"]["value"]
    assert scored == pytest.approx(0.9)


def test_a_log_may_hold_whole_answers(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(60):
            foul = number % 2 == 0
            scores = {"TOXICITY": {"summaryScore": {"value": 0.8 if foul else 0.2}, "spanScores": []}, "NUANCE": None}
            file.write(json.dumps({"comment": {"text": FOUL if foul else FINE}, "attributeScores": scores}) + "\n")
    assert re.search(r"TOXICITY +│ 60 ", run("map", str(path)).stdout)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.csv", "text,other\nhello there,1\n", "No column of the log"),
        ("log.csv", "words,TOXICITY\nhello there,0.1\n", "Line 2 has no text"),
        ("log.jsonl", '{"text": "a", "TOXICITY": 1}\n{broken\n', "Line 2 is not JSON"),
        ("log.jsonl", "[1]\n", "Line 1 is not a JSON object"),
    ],
)
def test_a_log_that_is_none_is_refused_with_its_line(
    run: Run, tmp_path: Path, name: str, content: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert said in run("map", str(path), fails=True).stderr


def test_a_map_that_is_none_is_refused(run: Run, tmp_path: Path) -> None:
    for content in ("{", "{}", '{"curves": {"TOXICITY": [[0, 1], [1, 0]]}}', '{"curves": {"TOXICITY": [[0], [1]]}}'):
        path = tmp_path / "map.json"
        path.write_text(content)
        assert run("key", "add", "courier", "--name", "x", "--map", str(path), fails=True).stderr.startswith("Error: ")


# ---- files ----


def comments(path: Path, rows: int = 100) -> Path:
    """A file of comments: quotes, line ends and an empty one in it."""
    values = [{"id": str(number), "text": f'{number}: {FOUL} "and"\nmore'} for number in range(rows)]
    values[7]["text"] = " "
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["id", "text"])
            writer.writeheader()
            writer.writerows(values)
    else:
        path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


def test_a_csv_file_comes_out_with_its_scores_beside(run: Run, tmp_path: Path) -> None:
    file = comments(tmp_path / "c.csv")
    run(str(file), command=score_)
    with (tmp_path / "c.scored.csv").open(encoding="utf-8", newline="") as scored:
        rows = list(csv.DictReader(scored))
    assert [row["id"] for row in rows] == [str(number) for number in range(100)]
    assert rows[3]["text"] == f'3: {FOUL} "and"\nmore'
    assert float(rows[3]["toxicity"]) > 0.5
    assert rows[7]["toxicity"] == ""
    assert not journal_of(tmp_path / "c.scored.csv").exists()
    assert "finished already" in run(str(file), command=score_).stderr


def test_json_lines_come_out_with_a_scores_object(run: Run, tmp_path: Path) -> None:
    run(str(comments(tmp_path / "c.jsonl")), "--out", str(tmp_path / "out.jsonl"), command=score_)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 100
    assert set(rows[3]["scores"]) >= {"toxicity", "insult"}
    assert rows[7]["scores"] == {}


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_run_that_was_broken_off_goes_on_without_a_row_lost_or_twice(run: Run, tmp_path: Path, ending: str) -> None:
    file, target = comments(tmp_path / f"c.{ending}"), tmp_path / f"c.scored.{ending}"
    run(str(file), command=score_)
    whole = target.read_bytes()
    stat = file.stat()
    done = whole.index(b"\r\n64,") + 2 if ending == "csv" else len(b"".join(whole.splitlines(keepends=True)[:64]))
    engine = re.search(r"with (lexicon \S+)\.", run(str(file), "--afresh", command=score_).stderr)[1]
    journal = Journal(stat.st_size, stat.st_mtime_ns, engine, "text", rows=64, written=done)
    journal_of(target).write_text(json.dumps({name: getattr(journal, name) for name in Journal.__slots__}))
    part_of(target).write_bytes(whole[:done] + b'64,"half a ro')
    target.write_bytes(b"what an earlier run made stands until the next one is whole")
    run(str(file), command=score_)
    assert target.read_bytes() == whole
    assert not part_of(target).exists()
    part_of(target).write_bytes(whole[:done])
    journal_of(target).write_text(
        json.dumps({**{n: getattr(journal, n) for n in Journal.__slots__}, "engine": "other"})
    )
    assert "begun with another" in run(str(file), command=score_, fails=True).stderr
    run(str(file), "--afresh", command=score_)
    assert target.read_bytes() == whole


def test_a_file_without_the_column_is_refused(run: Run, tmp_path: Path) -> None:
    said = run(str(comments(tmp_path / "c.csv")), "--text", "words", command=score_, fails=True).stderr
    assert "Line 2 has no text under 'words'" in said


@pytest.mark.parametrize("name", ["c.csv", "link.csv", "hard.csv"])
def test_a_file_is_never_overwritten_with_its_own_scores(run: Run, tmp_path: Path, name: str) -> None:
    file = comments(tmp_path / "c.csv")
    (tmp_path / "link.csv").symlink_to(file)
    (tmp_path / "hard.csv").hardlink_to(file)
    before = file.read_bytes()
    said = run(str(file), "--out", str(tmp_path / name), "--afresh", command=score_, fails=True).stderr
    assert "choose another --out" in said
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("c.csv", "id,text\n1,fine\n2,fine,more\n", "Line 3 has more fields than line 1 has names (2)."),
        ("c.csv", "id,text,id\n1,fine,2\n", "Line 1 names two columns 'id'"),
        ("c.csv", "text,toxicity\nfine,0.5\n", "Line 2 has 'toxicity' already"),
        ("c.jsonl", '{"text": "a"}\n{"text": "a", "text": "b"}\n', "Line 2 has 'text' twice"),
        ("c.jsonl", '{"text": "a", "scores": {}}\n', "Line 1 has 'scores' already"),
        ("c.jsonl", '{"text": "a"}\n' * 99 + '{"text": 1}\n', "Line 100 has no text under 'text'"),
    ],
)
def test_a_row_that_could_not_come_out_whole_is_refused_before_anything_is_written(
    run: Run, tmp_path: Path, name: str, content: str, said: str
) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    assert said in run(str(file), command=score_, fails=True).stderr
    assert list(tmp_path.glob("c.*")) == [file]


def test_a_column_without_a_name_and_half_a_character_come_out_as_they_went_in(run: Run, tmp_path: Path) -> None:
    table, lines = tmp_path / "t.csv", tmp_path / "l.jsonl"
    table.write_text(",text\n7,fine\n", encoding="utf-8")
    lines.write_text('{"text": "\\ud800"}\n{"text": "é"}\n', encoding="utf-8")
    run(str(table), command=score_)
    run(str(lines), command=score_)
    assert (tmp_path / "t.scored.csv").read_text(encoding="utf-8").splitlines()[1].startswith("7,fine,")
    first, second = (tmp_path / "l.scored.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(first) == {"text": "\ud800", "scores": {}}
    assert second.startswith('{"text": "é"')


def test_three_lines_score_texts_in_a_notebook() -> None:
    from moderation import score

    scores = score(["Visit www.cheap-pills.example now, 50% off!", "A fine day."], "spam")
    assert scores[0]["spam"] > 0.8
    assert scores[1]["spam"] < 0.1
