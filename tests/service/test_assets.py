"""The widget's files on the wire: compressed, for every origin, kept for ever under an address that changes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import brotli
import pytest
from flask.testing import FlaskClient

from config.settings import load
from service.app import create_app


@pytest.fixture
def web(sqlite_url: str) -> Iterator[FlaskClient]:
    """A client of the service."""
    app = create_app(load({"DATABASE_URL": sqlite_url, "SIGNING_KEYS": "k" * 40}))
    yield app.test_client()
    app.extensions["firstword"].database.close()


def test_what_a_page_names_leads_to_the_version_of_today(web: FlaskClient) -> None:
    answer = web.get("/widget/counter.js?site=courier")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/widget/")
    assert answer.headers["Location"].endswith("/counter.js?site=courier")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_files_of_a_version_are_compressed_for_everybody_and_kept_for_ever(web: FlaskClient) -> None:
    folder = web.get("/widget/embed.js").headers["Location"].removesuffix("embed.js")
    opened = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
    for name in ("embed.js", "comments.js", "widget.css", "locales/lt.json"):
        answers = {coding: web.get(folder + name, headers={"Accept-Encoding": coding}) for coding in opened}
        assert len({opened[coding](answer.data) for coding, answer in answers.items()}) == 1, name
        for coding, answer in answers.items():
            assert answer.headers.get("Content-Encoding", "") == coding
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.headers["Vary"] == "Accept-Encoding"


def test_a_version_of_yesterday_is_answered_with_today_and_not_kept(web: FlaskClient) -> None:
    answer = web.get("/widget/0123456789abcdef/comments.js")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("name", ["types.d.ts", "../embed.py", "..%2fembed.py", "locales/xx.json", "nothing.js"])
def test_nothing_else_is_served(web: FlaskClient, name: str) -> None:
    assert web.get(f"/widget/0123456789abcdef/{name}").status_code == 404
