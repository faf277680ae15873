"""Who is at the desk: the session cookie, the token against forged forms, and the headers that every page carries."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from service.errors import NotFound, Unauthenticated
from service.identity import staff
from service.identity.staff import ADMIN, FULL, Entry, Hours, Staff
from service.web.context import now, parts

View = TypeVar("View", bound=Callable[..., Any])

COOKIE = "__Host-firstword"
FORM_COOKIE = "__Host-firstword-form"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SAFE = ("GET", "HEAD", "OPTIONS")
# A policy and its words are long, and a form sends a letter as up to twelve bytes.
POLICY_BYTES = 2 * 1024 * 1024
WIDER = {"/desk/": POLICY_BYTES}


class Desk(Blueprint):
    """The desk's routes. Whoever adds one gets a closed one: only what is marked public is open."""

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Add a route, for signed-in staff unless its view says otherwise."""
        if view_func is not None and not hasattr(view_func, "authenticator"):
            view_func.authenticator = ("staff", "a signed-in browser; the use case asks for the role")
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


bp = Desk("desk", __name__, url_prefix="/desk")


def public(why: str) -> Callable[[View], View]:
    """Mark a page of the desk as open to everybody, with the reason; every other one needs a signed-in browser."""

    def mark(view: View) -> View:
        view.authenticator = ("public", why)  # type: ignore[attr-defined]
        return view

    return mark


def entry() -> Entry:
    """The signed-in browser of this request."""
    return cast("Entry", g.entry)


def staff_of(site: str) -> Staff:
    """The signed-in member of staff with their role on this site alone; a site that is not theirs does not exist."""
    who = entry().staff
    if not who.may_see(site):
        raise NotFound("There is no such page.")
    return replace(who, roles={site: who.roles[site]})


def administered(site: str) -> Staff:
    """The same where only an administrator of the site may go on."""
    who = staff_of(site)
    who.require(site, ADMIN)
    return who


def hours() -> Hours:
    """How long a session lives on this installation."""
    settings = parts().settings
    return Hours(timedelta(seconds=settings.session_idle), timedelta(seconds=settings.session_life))


def nonce() -> str:
    """What lets this page's own scripts run."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def wants_json() -> bool:
    """Whether a script of ours asks, which wants an answer to read and not a page."""
    return request.accept_mimetypes.best == "application/json"


# ---- before ------------------------------------------------------------------------------------------------------


@bp.before_request
def admit() -> Any:
    """Let in who is signed in, with a form that is theirs; send everybody else to the login."""
    if request.endpoint == "desk.change_policy":
        request.max_content_length = request.max_form_memory_size = POLICY_BYTES
    refuse_nul()
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "authenticator", ("staff",))[0] == "public":
        return None
    try:
        g.entry = staff.entry_of(parts().database, request.cookies.get(COOKIE, ""), hours(), now())
    except Unauthenticated:
        if request.method in SAFE and not wants_json():
            return redirect(url_for("desk.login", next=request.full_path.rstrip("?")), 303)
        raise
    if g.entry.stage != FULL:
        return redirect(url_for("desk.second_step"), 303)
    if request.method not in SAFE:
        refuse_forged(g.entry.csrf)
    return None


def refuse_nul() -> None:
    """Answer 400 to an address or a form with a NUL, which no database column takes and nobody types."""
    typed = [value for values in (request.args, request.form) for _, value in values.items(multi=True)]
    if any("\0" in value for value in (*typed, *(request.view_args or {}).values())):
        abort(400, "This address or form holds a character that no text has.")


def refuse_forged(expected: str) -> None:
    """Answer 403 to a form that does not carry the token of this session, or that another site sent."""
    given = request.headers.get("X-CSRF") or request.form.get("csrf", "")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()) or _is_foreign():
        abort(403, "This form does not belong to your session. Open the page again and repeat what you did.")


def _is_foreign() -> bool:
    """Whether the browser says that another site's page sends this."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("Origin")
    return origin is not None and origin not in (request.host_url.rstrip("/"), parts().settings.public_url)


def form_token() -> str:
    """The token of a form before anybody is signed in: what the form cookie holds, or a new one."""
    if "form_token" not in g:
        g.form_token = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    return str(g.form_token)


# ---- after -------------------------------------------------------------------------------------------------------


@bp.after_request
def harden(answer: Response) -> Response:
    """Nothing of the desk is framed, cached, sniffed or run unless it is ours."""
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce()}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types htmx"
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers.setdefault("Cache-Control", "no-store")
    if "form_token" in g:
        set_cookie(answer, FORM_COOKIE, g.form_token)
    return answer


def set_cookie(answer: BaseResponse, name: str, value: str) -> None:
    """Set a cookie of the desk; an empty value takes it away."""
    answer.set_cookie(name, value, secure=True, httponly=True, samesite="Lax", path="/", max_age=None if value else 0)


def inside(target: str | None) -> str:
    """A page of the desk to go on to; anything that is none leads to the front of the desk.

    A target with a control character is none: reading an address drops some of them, and no header takes them.
    """
    if CONTROL.search(target or ""):
        return url_for("desk.front")
    try:
        place = urlsplit(target or "")
    except ValueError:  # such as //[, an address that never ends
        return url_for("desk.front")
    is_ours = not place.scheme and not place.netloc and place.path.startswith("/desk/") and "\\" not in place.path
    return str(target) if is_ours else url_for("desk.front")
