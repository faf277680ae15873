"""One's own account: password, second step, sessions, keys."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import segno
from flask import Response, redirect, render_template, request, url_for

from service.errors import Forbidden, Invalid
from service.identity import second_step, staff
from service.web.context import now, parts
from service.web.desk import keyboard, pages
from service.web.desk.guard import COOKIE, bp, entry, hours, set_cookie


@bp.get("/me")
def me() -> Any:
    """The page of one's own account."""
    return _me()


@bp.post("/me/password")
def change_password() -> Any:
    """Change the password; every session ends, this one too."""
    form = request.form
    if form.get("new") != form.get("again"):
        raise Invalid("The new password was not repeated as it is.", pointer="/again")
    staff.change_password(parts().database, entry(), form.get("old", ""), form.get("new", ""))
    answer = redirect(url_for("desk.login"), 303)
    set_cookie(answer, COOKIE, "")
    return answer


@bp.get("/me/second-step")
def propose_second_step() -> Any:
    """A secret for an authenticator, as a picture and in letters. Nothing is kept until a code proves it."""
    secret = second_step.new_secret()
    address = second_step.address(secret, entry().staff.login)
    return render_template("desk/second_step_new.html", **_frame(), secret=secret, picture=_picture(address))


@bp.post("/me/second-step")
def enable_second_step() -> Any:
    """Ask for a code at every sign-in from now on; the recovery codes are shown this once."""
    form = request.form
    codes = staff.enable_second_step(
        parts().database, entry(), form.get("secret", ""), form.get("code", "")[:12], now()
    )
    return _me(codes=codes)


@bp.post("/me/second-step/removal")
def disable_second_step() -> Any:
    """Ask for the password only, from now on."""
    staff.disable_second_step(parts().database, entry(), request.form.get("password", ""))
    return redirect(url_for("desk.me"), 303)


@bp.post("/me/sessions/<key>/removal")
def end_session(key: str) -> Any:
    """End one session, or with `others` every one but this."""
    if key == "others":
        staff.sign_out_others(parts().database, entry())
    else:
        staff.end_session(parts().database, entry().staff.id, key)
    return redirect(url_for("desk.me"), 303)


@bp.post("/me/keys")
def choose_keys() -> Any:
    """Change single keys, or switch them all off."""
    chosen = keyboard.read(request.form.get("on") == "yes", request.form)
    staff.set_preferences(parts().database, entry().staff.id, {"keys": chosen})
    return redirect(url_for("desk.me"), 303)


def _me(codes: Sequence[str] = ()) -> str:
    rows = staff.sessions(parts().database, entry().staff.id, hours(), now())
    chosen = keyboard.chosen(entry().preferences)
    return render_template("desk/me.html", **_frame(), rows=rows, here=entry(), chosen=chosen, codes=codes)


def _frame() -> dict[str, Any]:
    sites = entry().staff.sites
    if not sites:
        raise Forbidden("You have no role on any site yet.")
    return pages.frame(sites[0])


def _picture(address: str) -> Response | str:
    """The address as a QR code, in SVG that carries no script and no style."""
    made = io.BytesIO()
    segno.make(address, error="m").save(made, kind="svg", xmldecl=False, svgns=True, scale=4, omitsize=True)
    return made.getvalue().decode()
