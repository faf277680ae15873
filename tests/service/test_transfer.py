"""A site out as JSON lines and in again: equal, whole or not at all, and without credentials."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlmodel import SQLModel, select

from config.settings import load
from service import transfer
from service.cli.commands import firstword
from service.db import Database
from service.errors import Conflict, Invalid, NotFound
from service.judges import try_policy
from service.models import CommentVersion, Site
from tests.service import host_side as host
from tests.service.conftest import FINE, FOUL, KEY, Newsroom, Reader
from tests.service.test_event_goldens import a_day

TRY = partial(try_policy, load({"SIGNING_KEYS": KEY}))


@pytest.fixture
def lines(room: Newsroom, ada: Reader, bo: Reader) -> list[str]:
    """The export of a site where much has happened."""
    a_day(room, ada, bo)
    top = ada.post(f"{FINE} *Really*: <https://courier.example/x> «ünï 👩‍👩‍👧»").json["id"]
    reply = bo.post("Is it so?", parent=top).json["id"]
    ada.post("It is.", parent=reply)
    room.client.put(f"/api/v1/comments/{top}/reactions/like", headers=bo.headers)
    held = bo.post(f"{FOUL} again").json["id"]
    verdict = {"verdict": "approve", "version": 1, "note": "let it stand"}
    assert room.host("POST", f"/api/v1/comments/{held}/decisions", json=verdict).status_code == 201
    return list(transfer.write(room.db, room.site, now=room.clock()))


@pytest.fixture
def elsewhere(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """Another installation, without the site."""
    path = tmp_path / "elsewhere.db"
    path.write_bytes(sqlite_template.read_bytes())
    with host.opened(f"sqlite:///{path}") as db:
        yield db


def test_a_site_comes_back_equal_in_another_installation(room: Newsroom, lines: list[str], elsewhere: Database) -> None:
    counts = transfer.read(elsewhere, lines, TRY)
    assert list(transfer.write(elsewhere, room.site, now=room.clock())) == lines
    for table in ("article", "author", "comment", "decision", "event", "reaction", "report", "idempotency"):
        assert counts[table] > 0
    with room.db.read() as here, elsewhere.read() as there:
        query = select(CommentVersion.id, CommentVersion.nodes).order_by(CommentVersion.id)
        assert here.exec(query).all() == there.exec(query).all()


def test_nothing_of_another_site_goes_out(room: Newsroom, lines: list[str]) -> None:
    assert '"other"' not in "".join(lines)
    (only,) = [json.loads(line)["row"] for line in lines if '"table":"site"' in line]
    assert only["id"] == room.site


def test_no_credential_goes_out(room: Newsroom, ada: Reader, lines: list[str]) -> None:
    everything = "".join(lines)
    assert ada.renewal not in everything
    assert room.api_key not in everything
    assert "whsec_" not in everything
    assert "hash" not in {key for line in lines for key in json.loads(line).get("row", {})}


def test_every_table_goes_out_or_says_why_not() -> None:
    parts = {part.name for part in transfer.PARTS}
    assert parts | set(transfer.LEFT_OUT) == set(SQLModel.metadata.tables)
    assert parts & set(transfer.LEFT_OUT) == set()


def test_a_site_that_is_here_is_not_imported_over(room: Newsroom, lines: list[str]) -> None:
    with pytest.raises(Conflict, match="here already"):
        transfer.read(room.db, lines, TRY)
    assert list(transfer.write(room.db, room.site, now=room.clock())) == lines


def without(table: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line for line in lines if f'"table":"{table}"' not in line]


def swapped(old: str, new: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line.replace(old, new) for line in lines]


Damage = Callable[[list[str]], list[str]]
DAMAGES: list[tuple[Damage, str]] = [
    (lambda lines: [], "ends before"),
    (lambda lines: lines[:-1], "ends before"),
    (lambda lines: lines[:-2] + lines[-1:], "as many rows"),
    (lambda lines: [*lines, lines[5]], "after the end"),
    (lambda lines: lines[1:], "not the export"),
    (lambda lines: ["[]\n"], "not an object"),
    (lambda lines: ["{"], "not JSON"),
    (lambda lines: [*lines[:3], "nonsense\n", *lines[3:]], "not JSON"),
    (lambda lines: [*lines[:3], '{"table": "api_key", "row": {}}\n', *lines[3:]], "no such table"),
    (lambda lines: [lines[0], *reversed(lines[1:-1]), lines[-1]], "order"),
    (swapped('"format":1', '"format":2'), "format"),
    (swapped('"origins":', '"origin":'), "not known here"),
    (swapped('"depth":0', '"depth":"0"'), "depth"),
    (swapped('"depth":0', f'"depth":{2**40}'), "depth"),
    (swapped('"depth":0', '"depth":true'), "depth"),
    (swapped('"depth":0', '"depth":null'), "depth"),
    (swapped('"created_at":"2026', '"created_at":"x'), "no time"),
    (swapped("+00:00", ""), "no zone"),
    (swapped("The Courier", "The \\ud800"), "half a character"),
    (
        lambda lines: [re.sub('"created_at":"[^"]+"', '"created_at":"0001-01-01T00:00:00+23:59"', x) for x in lines],
        "no time",
    ),
    (swapped("The Courier", "The \\u0000"), "not an object of ours"),
    (swapped('"site_id":"courier"', '"site_id":"other"'), "another site"),
    (swapped('"policy":""', '"policy":"[[["'), "Line 2: the site's policy cannot be used: override is not TOML"),
    (swapped('"policy":""', '"policy":"[rules.astrology]"'), "there is no such rule"),
    (swapped('"text":"', '"words":"'), "not known here"),
]


def test_six_typed_characters_are_no_nul(lines: list[str], elsewhere: Database) -> None:
    transfer.read(elsewhere, swapped("The Courier", r"The \\u0000 Courier")(lines), TRY)
    with elsewhere.read() as session:
        assert session.exec(select(Site.name)).one() == r"The \u0000 Courier"


def test_a_damaged_file_is_refused_and_nothing_is_half_written(lines: list[str], elsewhere: Database) -> None:
    for damage, says in DAMAGES:
        with pytest.raises(Invalid, match=says) as refusal:
            transfer.read(elsewhere, damage(lines), TRY)
        assert refusal.value.detail.startswith("Line ")
        with elsewhere.read() as session:
            assert session.exec(select(Site)).all() == []


def test_a_file_whose_comments_lack_their_article_is_refused(lines: list[str], elsewhere: Database) -> None:
    with pytest.raises(Conflict, match="lacks"):
        transfer.read(elsewhere, without("article")(lines), TRY)


def test_a_column_that_is_younger_than_the_file_gets_what_a_new_row_has(
    lines: list[str], elsewhere: Database, room: Newsroom
) -> None:
    older = swapped('"guests":true,', "")(lines)
    assert older != lines
    transfer.read(elsewhere, older, TRY)
    assert list(transfer.write(elsewhere, room.site, now=room.clock())) == lines


def test_a_column_without_which_a_row_means_nothing_is_asked_for(lines: list[str], elsewhere: Database) -> None:
    with pytest.raises(Invalid, match="issuer is missing"):
        transfer.read(elsewhere, swapped('"issuer":"guest",', "")(lines), TRY)


def test_a_site_that_is_not_there_cannot_be_exported(room: Newsroom) -> None:
    with pytest.raises(NotFound):
        next(transfer.write(room.db, "nowhere", now=room.clock()))


def test_an_operator_moves_a_site_with_two_commands(
    room: Newsroom, lines: list[str], elsewhere: Database, tmp_path: Path
) -> None:
    def type_(url: str, *words: str) -> str:
        environment = {"DATABASE_URL": url, "DATA_DIR": str(tmp_path), "SIGNING_KEYS": "k" * 32}
        result = CliRunner(env=environment).invoke(firstword, words)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    file = tmp_path / "courier.jsonl"
    file.write_text("what was kept before", encoding="utf-8")
    environment = {"DATABASE_URL": room.db.url, "DATA_DIR": str(tmp_path), "SIGNING_KEYS": "k" * 32}
    mistyped = ["site", "export", "curier", "--out", str(file)]
    assert "There is no such site." in CliRunner(env=environment).invoke(firstword, mistyped).output
    assert [one.name for one in tmp_path.iterdir() if "courier" in one.name] == [file.name]
    assert file.read_text(encoding="utf-8") == "what was kept before"
    type_(room.db.url, "site", "export", room.site, "--out", str(file))
    assert file.read_text(encoding="utf-8").splitlines(keepends=True)[1:] == lines[1:]
    assert "comment" in type_(elsewhere.url, "site", "import", str(file))
    assert list(transfer.write(elsewhere, room.site, now=room.clock())) == lines


def test_half_of_a_pair_that_is_whole_and_an_escape_that_is_text_are_imported(
    lines: list[str], elsewhere: Database, room: Newsroom
) -> None:
    transfer.read(elsewhere, swapped("The Courier", "The \\ud83d\\ude00 \\\\ud800")(lines), TRY)
    with elsewhere.read() as session:
        assert session.get_one(Site, room.site).name == "The 😀 \\ud800"


def test_a_packed_file_is_refused_with_what_to_do(elsewhere: Database, tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "courier.jsonl.gz"
    file.write_bytes(gzip.compress("".join(lines).encode()))
    environment = {"DATABASE_URL": elsewhere.url, "DATA_DIR": str(tmp_path), "SIGNING_KEYS": "k" * 32}
    result = CliRunner(env=environment).invoke(firstword, ["site", "import", str(file)])
    assert result.exit_code == 1
    assert "unpack" in result.stderr
    assert result.stderr.count("\n") == 1
