"""`flask engine`: what can be had without the extra. With it: tests/detoxify."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.commands import firstword


def run(*words: str, **environ: str) -> Result:
    """Run a command."""
    return CliRunner(env=environ).invoke(firstword, ["engine", *words], catch_exceptions=False)


def test_an_engine_is_opened_and_tells_what_it_scores_in_which_languages() -> None:
    said = run("open", "spam")
    assert said.exit_code == 0
    assert re.fullmatch(r"spam 1: opened in [\d.]+ s, a text in \d+ ms\nspam\nen\n", said.stdout)


def test_without_a_name_the_settings_engine_is_opened() -> None:
    said = run("open", ENGINE="lexicon", SIGNING_KEYS="k" * 40)
    assert said.exit_code == 0
    assert said.stdout.startswith("lexicon 1-")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("open", "nonsense"), "There is no engine 'nonsense'; there are "),
        (("open", "detoxify:modern"), "There is no Detoxify model 'modern'."),
        (("open", "detoxify:/nowhere/model.ckpt"), "give its SHA-256"),
        (("convert", "lexicon", "FOLDER"), "There is nothing to convert in 'lexicon'"),
        (("convert", "detoxify:modern", "FOLDER"), "There is no Detoxify model 'modern'."),
    ],
)
def test_what_cannot_be_is_said_in_a_line_and_leaves_nothing(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    folder = tmp_path / "folder"
    said = run(*(str(folder) if word == "FOLDER" else word for word in words))
    assert said.exit_code == 1
    assert said.stderr.splitlines()[-1].startswith("Error: ")
    assert sentence in said.stderr
    assert not folder.exists()
