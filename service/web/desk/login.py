"""Signing in and out: password, second step. The same words and time whether or not a login exists; throttled."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Response, abort, redirect, render_template, request, url_for

from service.errors import BadCredentials, Limited, Unauthenticated
from service.identity import staff
from service.identity.staff import FULL, Entry
from service.web.context import client_network, now, parts
from service.web.desk.guard import (
    COOKIE,
    FORM_COOKIE,
    bp,
    entry,
    form_token,
    hours,
    inside,
    public,
    refuse_forged,
    set_cookie,
)

A_MINUTE_ANYWHERE = 100  # tries for one account, from all networks together
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@bp.get("/login")
@public("nobody is signed in yet")
def login() -> Any:
    """The login page."""
    return _page()


@bp.post("/login")
@public("nobody is signed in yet")
def sign_in() -> Any:
    """Compare login and password; on success a new session begins, and the second step where there is one."""
    if not request.cookies.get(FORM_COOKIE):
        return _page("Your browser did not keep our cookie, so it cannot stay signed in.", status=403)
    refuse_forged(request.cookies[FORM_COOKIE])
    given = request.form.get("login", "")[:200]
    try:
        _count_try(given)
        token, opened = staff.sign_in(
            parts().database, given, request.form.get("password", ""), _agent(), hours(), now()
        )
    except BadCredentials as refused:
        return _page(refused.detail, status=401, login=given)
    except Limited as refused:
        return _page(refused.detail, status=429, login=given, retry_after=refused.retry_after)
    return _let_in(token, opened)


@bp.get("/login/second-step")
@public("the password was right, the second step is still to come")
def second_step() -> Any:
    """The page that asks for six digits."""
    return _second(_half(), request.args.get("next", ""))


@bp.post("/login/second-step")
@public("the password was right, the second step is still to come")
def finish() -> Any:
    """Take the six digits or a recovery code."""
    half = _half()
    refuse_forged(half.csrf)
    try:
        _count("second step", half.staff.login)
        token, opened = staff.finish(
            parts().database, half, request.form.get("code", "")[:40], _agent(), hours(), now()
        )
    except BadCredentials as refused:
        return _second(half, request.form.get("next", ""), refused.detail), 401
    except Limited as refused:
        return _second(half, request.form.get("next", ""), refused.detail), 429
    return _let_in(token, opened)


@bp.post("/logout")
def sign_out() -> Any:
    """End this browser's session."""
    staff.sign_out(parts().database, entry())
    answer = redirect(url_for("desk.login"), 303)
    set_cookie(answer, COOKIE, "")
    return answer


def _count_try(given: str) -> None:
    """Count a try for an account, known or not, from one network: nobody elsewhere uses up its owner's tries."""
    login = given.strip().lower()
    _count(client_network(), login)
    wait = parts().throttle.spend("login", A_MINUTE_ANYWHERE, login)
    if wait:
        raise Limited("Too many people try to sign in here. Try again in a minute.", retry_after=wait)


def _count(*who: str) -> None:
    """Count for the network first, so that one which has had enough costs nobody else anything."""
    parts().throttle.count("login", network=client_network())
    parts().throttle.count("login", author=" ".join(who))


def _agent() -> str:
    return request.headers.get("User-Agent", "")


def _half() -> Entry:
    """The browser whose password was right; everybody else starts at the login."""
    try:
        found = staff.entry_of(parts().database, request.cookies.get(COOKIE, ""), hours(), now())
    except Unauthenticated:
        abort(redirect(url_for("desk.login"), 303))
    if found.stage == FULL:
        abort(redirect(url_for("desk.front"), 303))
    return found


def _let_in(token: str, opened: Entry) -> Any:
    target = request.form.get("next", "")
    place = inside(target) if opened.stage == FULL else url_for("desk.second_step", next=target)
    answer = redirect(place, 303)
    set_cookie(answer, COOKIE, token)
    return answer


def _page(wrong: str = "", *, status: int = 200, login: str = "", retry_after: int = 0) -> Response:
    html = render_template(
        "desk/login.html",
        csrf=form_token(),
        wrong=wrong,
        login=login,
        status=status,
        next=request.values.get("next", ""),
        cannot=_why_not(),
    )
    answer = Response(html, status, content_type="text/html; charset=utf-8")
    if retry_after:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _second(half: Entry, target: str, wrong: str = "") -> str:
    return render_template("desk/second_step.html", csrf=half.csrf, next=target, wrong=wrong)


def _why_not() -> str:
    """Why nobody can sign in at this address, where browsers would drop the cookie."""
    host = (urlsplit(request.host_url).hostname or "").lower()
    if parts().settings.secure or request.is_secure or host in LOOPBACK or host.endswith(".localhost"):
        return ""
    return (
        "This page came over plain HTTP, where browsers do not keep the desk’s cookie. "
        "Reach the desk over HTTPS, or at localhost on the machine itself."
    )
