"""Runs the code that stands in the docs: what a host copies is what is tested.

A page's fenced block under a heading is written to a file, a few lines are put after it that read cases from standard
input and print answers, both as JSON, and the language's own runtime runs it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SECONDS = 120


@dataclass(frozen=True)
class Language:
    """How a language's snippet becomes a program: file name, command, and the lines that call `NAME` for each case."""

    heading: str
    file: str
    command: tuple[str, ...]
    driver: str
    before: str = ""


PYTHON = Language(
    "Python",
    "snippet.py",
    (sys.executable, "snippet.py"),
    "import sys\nprint(json.dumps([NAME(*case) for case in json.load(sys.stdin)]))\n",
    "import json\n",
)
NODE = Language(
    "Node",
    "snippet.mjs",
    ("node", "snippet.mjs"),
    'import { readFileSync } from "node:fs";\n'
    "console.log(JSON.stringify(JSON.parse(readFileSync(0)).map((c) => NAME(...c))));\n",
)
PHP = Language(
    "PHP",
    "snippet.php",
    ("php", "snippet.php"),
    "echo json_encode(array_map(fn($c) => NAME(...$c), json_decode(file_get_contents('php://stdin'), true)));\n",
    "<?php\n",
)
RUBY = Language(
    "Ruby",
    "snippet.rb",
    ("ruby", "snippet.rb"),
    "puts JSON.generate(JSON.parse($stdin.read).map { |c| NAME(*c) })\n",
)
GO = Language(
    "Go",
    "snippet.go",
    ("go", "run", "snippet.go", "driver.go"),
    "",
)
GO_DRIVER = """package main

import (
	"encoding/json"
	"os"
)

func main() {
	var cases [][]string
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	answers := []any{}
	for _, c := range cases {
		answers = append(answers, NAME(c[0], c[1], c[2], c[3], c[4], c[5]))
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
"""


def code(page: str, heading: str) -> str:
    """The first fenced block under a heading of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^### {re.escape(heading)}\n+```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/{page} has no code under {heading}"
    return found[1]


def run(language: Language, snippet: str, name: str, cases: list[Any], folder: Path) -> list[Any]:
    """Call `name` of the snippet with each case; skips where the language is not installed."""
    program = shutil.which(language.command[0])
    if program is None:
        pytest.skip(f"NOT RUN: {language.command[0]} is not installed")
    driver = language.driver.replace("NAME", name)
    (folder / language.file).write_text(f"{language.before}{snippet}\n{driver}", encoding="utf-8")
    if language is GO:
        (folder / "driver.go").write_text(GO_DRIVER.replace("NAME", name), encoding="utf-8")
    done = subprocess.run(
        [program, *language.command[1:]],
        cwd=folder,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers
