"""A browser of the plainest kind: it keeps cookies, follows redirects, and fills in forms. Standard library only."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from email.message import Message
from html import unescape
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin

REDIRECTS = 5


def ask(
    method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Message[str, str], str]:
    """One HTTP request, redirects not followed: status, headers, body."""
    request = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with _opener.open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as other:
        with other:
            return other.code, other.headers, other.read().decode()


def ask_json(
    method: str, url: str, order: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, Message[str, str], str]:
    """One HTTP request with a JSON body."""
    if order is None:
        return ask(method, url, None, headers)
    return ask(method, url, json.dumps(order).encode(), {"Content-Type": "application/json", **(headers or {})})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Let the caller see the redirect."""


_opener = urllib.request.build_opener(_NoRedirects)


class Visitor:
    """One person with one browser; `page` and `url` are where they are."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self.url = self.page = ""

    def go(self, url: str) -> int:
        """Open a page; returns its status."""
        return self._load("GET", url, None)

    def send(self, form_id: str, **answers: str) -> int:
        """Send the form of that id (the first, for ""), with its hidden fields; returns the status at the end."""
        form = next(one for one in forms(self.page) if form_id in ("", one["id"]))
        fields = {**form["fields"], **answers}
        return self._load("POST", urljoin(self.url, form["action"]), urlencode(fields).encode())

    def _load(self, method: str, url: str, body: bytes | None) -> int:
        for _ in range(REDIRECTS):
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
            jar = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            status, headers, self.page = ask(method, url, body, {**kind, **(jar if self.cookies else {})})
            self.url = url
            for line in headers.get_all("Set-Cookie") or []:
                self.cookies.update({name: one.value for name, one in SimpleCookie(line).items()})
            if not headers.get("Location"):
                return status
            method, url, body = "GET", urljoin(url, headers["Location"]), None
        return status


def forms(page: str) -> list[dict[str, Any]]:
    """The forms of a page: id, action, hidden fields."""
    reader = _Forms()
    reader.feed(page)
    return reader.found


def words(page: str) -> str:
    """What a page says, without its markup and without the little numbers that refer to findings."""
    return unescape(re.sub(r"<sup>.*?</sup>|<[^>]*>", "", page))


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, or a hidden field of the last one."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append({"id": given.get("id", ""), "action": given.get("action", ""), "fields": {}})
        elif tag == "input" and given.get("type") == "hidden" and self.found:
            self.found[-1]["fields"][given.get("name", "")] = given.get("value", "")
