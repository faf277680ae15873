"""The rules of the house that no tool knows. Each says what it found and where."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parent.parent
ROOMS = ("config", "moderation", "service")

# Put together from pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.:/<-])/(?:" + "|".join(["work", "root", "Users", "home"]) + r")/[\w.-]+")
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|\bAKIA[0-9A-Z]{16}\b|\bghp_\w{36}\b")
DOM_FROM_STRINGS = re.compile(
    r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|parseHTMLUnsafe|createContextualFragment|srcdoc)\b"
    r"|\bdocument\.write(?:ln)?\b|\beval\s*\(|\bnew\s+Function\b|\bset(?:Timeout|Interval)\s*\(\s*['\"`]"
)
NOT_IN_A_LOCK = re.compile(r"://|^\s*-|^(?:torch|triton|cuda|nvidia)\b|==[^\s;]*\+", re.MULTILINE)


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that the repository holds, or would hold with the next commit."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    return tuple(HOUSE / name for name in listed.split("\0") if name and (HOUSE / name).is_file())


def under(*tops: str, suffix: str = ".py") -> list[Path]:
    """The tracked files of some top directories."""
    return [path for path in tracked() if path.suffix == suffix and path.relative_to(HOUSE).parts[0] in tops]


def text_of(path: Path) -> str:
    """A file's text; empty for what is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """Where a pattern is found, as `file:line`."""
    return [
        f"{path.relative_to(HOUSE)}:{number}"
        for path in paths
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


def names_used(path: Path) -> Iterator[tuple[int, str]]:
    """Dotted names that a Python file imports or reaches for, with their lines."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.lineno, ast.unparse(node)


def uses(paths: list[Path], *names: str) -> list[str]:
    """Where one of the dotted names, or something in it, is used."""
    return [
        f"{path.relative_to(HOUSE)}:{line} {used}"
        for path in paths
        for line, used in names_used(path)
        if any(used == name or used.startswith(f"{name}.") for name in names)
    ]


def headings(page: str) -> set[str]:
    """The headings of a page in docs/, without backticks."""
    lines = text_of(HOUSE / "docs" / page).splitlines()
    return {line.lstrip("#").strip().replace("`", "") for line in lines if line.startswith("#")}


# ---- code ----


def test_only_the_database_room_commits() -> None:
    calls = [
        f"{path.relative_to(HOUSE)}:{node.lineno}"
        for path in under(*ROOMS, "wsgi.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]
    assert [call for call in calls if not call.startswith("service/db.py:")] == []


def test_only_the_settings_read_the_environment() -> None:
    others = [path for path in under(*ROOMS, "wsgi.py") if path != HOUSE / "config" / "settings.py"]
    assert uses(others, "os.environ", "os.environb", "os.getenv", "os.putenv") == []


def test_nothing_of_ours_is_mocked() -> None:
    assert uses(under("tests", *ROOMS), "unittest.mock", "mock", "pytest_mock") == []


def test_tests_wait_for_what_they_want_and_never_just_sleep() -> None:
    waiting = [path for path in under("tests") if path.name.startswith("test_")]
    assert uses(waiting, "time.sleep", "asyncio.sleep") == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(HOUSE))
        for path in under(*ROOMS, "tests", "benchmarks", "wsgi.py")
        if not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert silent == []


def test_the_page_is_never_built_from_strings() -> None:
    scripts = [
        path
        for path in under("service", suffix=".js") + under("service", suffix=".mjs")
        if "static" in path.parts and "vendor" not in path.parts  # released files, which their hashes answer for
    ]
    assert lines_with(DOM_FROM_STRINGS, scripts) == []


def test_vendored_files_are_the_released_ones() -> None:
    for listing in (path for path in under("service", suffix=".md") if path.parent.name == "vendor"):
        told = dict(re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", text_of(listing), re.MULTILINE))
        kept = [path for path in listing.parent.iterdir() if path.suffix == ".js"]
        assert told == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def test_locales_have_the_same_keys() -> None:
    folders: dict[Path, dict[str, set[str]]] = {}
    for path in under("service", suffix=".json"):
        if path.parent.name == "locales":
            folders.setdefault(path.parent, {})[path.stem] = set(_keys(json.loads(text_of(path))))
    for locales in folders.values():
        everything = set().union(*locales.values())
        assert {name: sorted(everything - keys) for name, keys in locales.items() if everything - keys} == {}


def _keys(tree: dict[str, object], above: str = "") -> Iterator[str]:
    """Every key of a locale; plural forms, which languages have in different numbers, count as one."""
    plurals = {"zero", "one", "two", "few", "many", "other"}
    for key, value in tree.items():
        if isinstance(value, dict) and not set(value) <= plurals:
            yield from _keys(value, f"{above}{key}.")
        else:
            yield above + key


def test_every_route_says_who_may_ask() -> None:
    from config.settings import load
    from service.app import create_app

    app = create_app(
        load({"DEVELOPMENT": "1", "DEMO": "1", "SIGNING_KEYS": "a-key-for-tests-only-of-32-bytes-or-more"})
    )
    silent = [
        f"{rule} {method}"
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if not _says_who(app.view_functions[rule.endpoint], method)
    ]
    assert silent == []


def _says_who(view: Any, method: str) -> bool:
    """Whether a view, or the method of a view class that answers, is marked with its authenticator."""
    answering = getattr(getattr(view, "view_class", None), method.lower(), view)
    return hasattr(answering, "authenticator")


# ---- docs ----


def test_every_setting_is_documented_and_nothing_else() -> None:
    from config.settings import Settings

    written = {heading for heading in headings("settings.md") if re.fullmatch(r"[A-Z][A-Z0-9_]+", heading)}
    assert written - {"SIGNING_KEYS_FILE"} == {field.name.upper() for field in fields(Settings)}


def test_every_rule_is_documented() -> None:
    from moderation.rules import RULES

    assert set(RULES) - headings("rules.md") == set()


def test_every_event_is_documented() -> None:
    from service.webhooks import EVENTS

    assert set(EVENTS) - headings("webhooks.md") == set()


def test_every_problem_is_documented_and_nothing_else() -> None:
    from service.web.problems import TITLES

    written = {heading for heading in headings("problems.md") if re.fullmatch(r"[a-z]+(?:-[a-z]+)*", heading)}
    assert written == set(TITLES)


# ---- the repository ----


def test_locks_hold_hashes_and_no_addresses() -> None:
    locks = sorted((HOUSE / "requirements").glob("*.txt"))
    assert {lock.stem for lock in locks} == {"base", "test", "detoxify", "train"}
    for lock in locks:
        pinned = re.sub(r"^\s*#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", "")
        for line in pinned.splitlines():
            assert re.fullmatch(r"[\w.\[\],-]+==[\w.]+(?: ; [^-]+?)?(?: +--hash=sha256:[0-9a-f]{64})+ *", line), line
        assert NOT_IN_A_LOCK.findall(re.sub(r"--hash=\S+", "", pinned)) == []


def test_locks_agree_with_each_other() -> None:
    base = _pins(HOUSE / "requirements" / "base.txt")
    for name in ("test", "detoxify", "train"):
        other = _pins(HOUSE / "requirements" / f"{name}.txt")
        assert base - other == set(), name


def _pins(lock: Path) -> set[str]:
    return {line.split()[0] for line in text_of(lock).splitlines() if re.match(r"\w.*==", line)}


def test_locks_cover_what_the_project_asks_for() -> None:
    import tomllib

    project = tomllib.loads(text_of(HOUSE / "pyproject.toml"))
    asked = {
        "base": project["project"]["dependencies"],
        "test": project["project"]["dependencies"] + project["dependency-groups"]["dev"],
        **project["project"]["optional-dependencies"],
    }
    for name, wanted in asked.items():
        locked = {_normal(pin) for pin in _pins(HOUSE / "requirements" / f"{name}.txt")}
        assert {_normal(one) for one in wanted} - locked - {"torch"} == set(), f"{name}: run `make lock`"


def test_every_package_that_is_imported_is_locked() -> None:
    """What only happens to be installed for the tests, or on one machine, is not there for a newcomer."""
    from importlib.metadata import packages_distributions

    known, ours = packages_distributions(), {*ROOMS, "wsgi", "_typeshed"}
    locked = {_normal(pin) for pin in _pins(HOUSE / "requirements" / "base.txt")}
    optional = ("moderation/training/", "moderation/engines/detoxify")  # they have extras of their own
    missing = {
        f"{path.relative_to(HOUSE)}:{line} {name}"
        for path in under(*ROOMS, "wsgi.py")
        for line, name in _top_level_imports(path)
        if name not in sys.stdlib_module_names | ours and not {_normal(one) for one in known.get(name, [])} & locked
    }
    assert {one for one in missing if not one.startswith(optional)} == set()


def _top_level_imports(path: Path) -> Iterator[tuple[int, str]]:
    """The packages that a file imports, with their lines."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.split(".")[0]


def _normal(requirement: str) -> str:
    """A requirement's name as the packaging standards write it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]|(?===)", requirement)[0]).lower()


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert lines_with(MACHINE_PATH, list(tracked())) == []


def test_no_file_holds_a_secret() -> None:
    assert [str(path.relative_to(HOUSE)) for path in tracked() if SECRET.search(text_of(path))] == []
