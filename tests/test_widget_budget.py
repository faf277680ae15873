"""What a reader's line carries: every file of the widget gzipped by itself, as it is sent, within its budget."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parent.parent / "service" / "web"
WIDGET = WEB / "static" / "widget"
KILO = 1024


def weight(*files: Path) -> int:
    """The bytes of some files, each gzipped at level 9."""
    return sum(len(gzip.compress(file.read_bytes(), 9, mtime=0)) for file in files)


def scripts() -> set[Path]:
    """Every script of the widget but its loader, the counter, and the work that an operator may ask of guests."""
    return set(WIDGET.rglob("*.js")) - {WIDGET / "embed.js", WIDGET / "counter.js", WIDGET / "proof.js"}


@pytest.mark.parametrize(
    ("files", "budget"),
    [
        pytest.param([WIDGET / "embed.js"], 2 * KILO, id="loader"),
        pytest.param(sorted(scripts()), 16 * KILO, id="script"),
        pytest.param(sorted(WIDGET.rglob("*.css")), 4 * KILO, id="style"),
        pytest.param([WIDGET / "counter.js"], 0.8 * KILO, id="counter"),
        pytest.param([WIDGET / "proof.js"], 0.5 * KILO, id="proof"),
    ],
)
def test_the_widget_stays_within_its_budget(files: list[Path], budget: float) -> None:
    assert files
    assert weight(*files) <= budget


def test_every_kind_of_file_has_a_budget() -> None:
    assert {file.suffix for file in WIDGET.rglob("*") if file.is_file()} == {".js", ".css", ".ts"}


@pytest.mark.parametrize("locale", sorted((WEB / "locales").glob("*.json")), ids=lambda path: path.stem)
def test_a_language_is_one_small_file(locale: Path) -> None:
    assert weight(locale) <= 5 * KILO


def test_the_loader_offers_the_languages_that_there_are() -> None:
    offered = re.search(r"const languages = (\[.*?\]);", (WIDGET / "embed.js").read_text())
    assert offered
    assert sorted(json.loads(offered[1])) == sorted(path.stem for path in (WEB / "locales").glob("*.json"))


def test_every_text_that_the_widget_shows_is_in_its_locale() -> None:
    texts = json.loads((WEB / "locales" / "en.json").read_text())
    code = "\n".join(file.read_text() for file in scripts())
    asked = set(re.findall(r"""(?:\.t|pieces|\bt)\(\s*"([\w.]+)\"""", code))
    assert len(asked) > 60
    assert asked - set(texts) == set()


def test_no_text_of_a_locale_is_left_that_nobody_shows() -> None:
    shown = [
        *WIDGET.glob("*.js"),
        *(WEB / "templates").rglob("*.html"),
        *WEB.glob("*.py"),
        WEB.parent / "comments/thread.py",
    ]
    code = "\n".join(file.read_text() for file in shown)
    labels = [key for key in json.loads((WEB / "locales" / "en.json").read_text()) if " " not in key]
    assert len(labels) > 100

    def is_named(key: str) -> bool:
        """Whether it stands in the code, whole or put together from a part that varies."""
        first, _, rest = key.partition(".")
        return any(part in code for part in (f'"{key}"', f"`{first}.${{", *([f"}}.{rest}`"] if rest else [])))

    assert [key for key in labels if not is_named(key)] == []


def test_what_the_policy_tells_authors_is_said_in_every_language() -> None:
    policy = (WEB.parent.parent / "config" / "policy.toml").read_text()
    sentences = set(re.findall(r'^sentence = "(.+)"$', policy, re.M))
    sentences |= set(re.findall(r'^(?:default|"?[a-z_.]+"?) = "([A-Z].+\.)"$', policy.split("[sentences]")[1], re.M))
    assert len(sentences) > 30
    # A new sentence in config/policy.toml wants a line in each locale; its key is the English sentence itself.
    for locale in (WEB / "locales").glob("*.json"):
        assert sentences - set(json.loads(locale.read_text())) == set(), locale.stem


def test_the_widget_names_no_other_origin() -> None:
    for file in WIDGET.rglob("*"):
        named = set(re.findall(r"https?://[\w.-]+", file.read_text()))
        assert named <= {"http://www.w3.org"}, file.name
