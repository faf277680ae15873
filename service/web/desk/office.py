"""The settings of a site: itself, articles, policy, keys, webhooks, people. Administrators change, moderators look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for

from service.errors import Conflict, Invalid
from service.identity import api_keys, staff
from service.identity.staff import ADMIN
from service.review import office, overrides
from service.review.office import SiteChange
from service.sites import ArticleChange
from service.web.context import now, parts
from service.web.desk import pages
from service.web.desk.guard import administered, bp, inside, staff_of
from service.webhooks import EVENTS, endpoints, log
from service.webhooks.endpoints import Wish
from service.webhooks.log import Look
from service.webhooks.sending import open_door

# ---- the site and its articles ------------------------------------------------------------------------------------


@bp.get("/<site>/settings")
def settings(site: str) -> Any:
    """The site itself."""
    administered(site)
    return render_template("desk/settings.html", **pages.frame(site))


@bp.post("/<site>/settings")
def change_settings(site: str) -> Any:
    """Change the site itself."""
    form = request.form
    change = SiteChange(
        name=form.get("name"),
        prompt=form.get("prompt"),
        language=form.get("language"),
        premoderated=form.get("premoderated") == "yes",
        guests=form.get("guests") == "yes",
        origins=tuple(form.get("origins", "").split()),
        reactions=tuple(form.get("reactions", "").split()),
    )
    office.change_site(parts().database, staff_of(site), site, change)
    return _back("desk.settings", site)


@bp.get("/<site>/articles")
def articles(site: str) -> Any:
    """The articles, those with the latest comments first."""
    words = request.args.get("words", "")[:100]
    rows = office.articles(parts().database, staff_of(site), site, words)
    return render_template("desk/articles.html", **pages.frame(site), rows=rows, asked=words)


@bp.post("/<site>/articles/<id:article_id>")
def change_article(site: str, article_id: str) -> Any:
    """Open, close or pre-moderate an article, or ask another question under it."""
    form = request.form
    change = ArticleChange(
        prompt=form.get("prompt"), closed=_choice(form.get("closed")), premoderated=_choice(form.get("premoderated"))
    )
    office.change_article(parts().database, staff_of(site), article_id, change, now())
    back = form.get("back")
    return redirect(inside(back), 303) if back else _back("desk.articles", site)


def _choice(raw: str | None) -> bool | None:
    return {"yes": True, "no": False}.get(raw or "")


# ---- the policy ---------------------------------------------------------------------------------------------------


@bp.get("/<site>/policy")
def policy(site: str) -> Any:
    """The site's overrides over the shipped policy."""
    administered(site)
    kept = pages.site_of(site).policy
    return _policy(site, kept, problems=parts().judges.flaws(kept))


@bp.post("/<site>/policy")
def change_policy(site: str) -> Any:
    """Try overrides on the last comments, or keep them: what the fields change is put into the text."""
    staff, form = staff_of(site), request.form
    staff.require(site, ADMIN)
    written = form.get("policy", "").replace("\r\n", "\n")
    seen = form.get("seen")
    try:
        override = overrides.filled(written, parts().judges.engines, form, _drawn(form.get("drawn", ""), written))
        if form.get("act") == "keep":
            office.change_policy(parts().database, parts().judges, staff, site, override, seen)
            return _back("desk.policy", site)
        trial = office.try_policy(parts().database, parts().judges, staff, site, override)
    except Invalid as wrong:
        return _policy(site, written, typed=form, seen=seen, problems=wrong.detail.split("\n")), 400
    except Conflict as wrong:
        return _policy(site, written, typed=form, meanwhile=wrong.detail), 409
    return _policy(site, override, seen=seen, trial=trial)


def _drawn(raw: str, written: str) -> dict[str, str]:
    """What the fields were drawn with, as the form tells; without a word of it, what the text says."""
    try:
        told = json.loads(raw)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return overrides.marks(overrides.fields(written, _bars(written)))
    return {name: mark for name, mark in told.items() if isinstance(mark, str)}


def _bars(override: str) -> list[overrides.Bar]:
    judges = parts().judges
    return overrides.bars(judges.under().policy, judges.engines, override)


def _policy(
    site: str, override: str, typed: Mapping[str, str] | None = None, seen: str | None = None, **said: Any
) -> str:
    """The page: fields and text say `override`, or after a refusal what somebody typed over what was drawn before."""
    kept, bars = pages.site_of(site).policy, _bars(override)
    fields = overrides.fields(override, bars)
    again = typed if typed and typed.get("drawn") else None
    return render_template(
        "desk/policy.html",
        **pages.frame(site),
        **{"problems": (), "trial": None, "meanwhile": ""} | said,
        override=override,
        kept=kept,
        seen=seen or office.mark_of(kept),
        drawn=again["drawn"] if again else json.dumps(overrides.marks(fields)),
        policy=parts().judges.under(kept).policy,
        bars=bars,
        fields=fields | {name: again.get(name, value) for name, value in fields.items()} if again else fields,
    )


# ---- keys and webhooks --------------------------------------------------------------------------------------------


@bp.get("/<site>/keys")
def keys(site: str) -> Any:
    """The host's API keys."""
    administered(site)
    return _keys(site)


@bp.post("/<site>/keys")
def make_key(site: str) -> Any:
    """Make a key; it is shown this once."""
    administered(site)
    name = " ".join(request.form.get("name", "").split())[:80] or "unnamed"
    shown = api_keys.create_for(parts().database, site, name, request.form.getlist("scope"), now=now())
    return _keys(site, shown)


@bp.post("/<site>/keys/<id:key_id>/revocation")
def revoke_key(site: str, key_id: str) -> Any:
    """End a key at once."""
    administered(site)
    api_keys.revoke_of(parts().database, site, key_id, now=now())
    return _back("desk.keys", site)


def _keys(site: str, fresh: str = "") -> str:
    rows = api_keys.listed_for(parts().database, site)
    return render_template("desk/keys.html", **pages.frame(site), rows=rows, fresh=fresh, scopes=api_keys.SCOPES)


@bp.get("/<site>/webhooks")
def webhooks(site: str) -> Any:
    """The host's endpoints."""
    administered(site)
    return _webhooks(site)


@bp.post("/<site>/webhooks")
def make_webhook(site: str) -> Any:
    """Make an endpoint; its secret is shown this once."""
    administered(site)
    form = request.form
    wish = Wish(form.get("url", ""), form.get("description", "")[:200], form.getlist("type"), form.get("full") == "yes")
    _, shown = endpoints.register(parts().database, site, wish, open_door(parts().settings), now=now())
    return _webhooks(site, shown)


def _webhooks(site: str, fresh: str = "") -> str:
    rows = endpoints.listed(parts().database, site)
    return render_template("desk/webhooks.html", **pages.frame(site), rows=rows, fresh=fresh, events=EVENTS)


@bp.get("/<site>/webhooks/<id:endpoint_id>")
def webhook(site: str, endpoint_id: str) -> Any:
    """An endpoint with its delivery log."""
    administered(site)
    row = endpoints.one(parts().database, site, endpoint_id)
    look = Look(cursor=request.args.get("after") or None, state=request.args.get("state") or None)
    entries, after = log.entries(parts().database, site, endpoint_id, look)
    return render_template("desk/webhook.html", **pages.frame(site), row=row, entries=entries, after=after)


@bp.post("/<site>/webhooks/<id:endpoint_id>")
def change_webhook(site: str, endpoint_id: str) -> Any:
    """Test, switch on or off, forget, or send again what failed."""
    administered(site)
    db, verb = parts().database, request.form.get("verb", "")
    if verb == "delete":
        endpoints.delete(db, site, endpoint_id, now=now())
        return _back("desk.webhooks", site)
    if verb == "ping":
        endpoints.ping(db, site, endpoint_id, now=now())
    elif verb == "failed":
        log.replay_failed(db, site, endpoint_id, now=now())
    elif verb == "again":
        log.replay_one(db, site, endpoint_id, request.form.get("event", ""), now=now())
    elif verb in ("enable", "disable"):
        door = open_door(parts().settings)
        endpoints.change(db, site, endpoint_id, {"enabled": verb == "enable"}, door, now=now())
    else:
        raise Invalid("There is nothing of that name to do.", pointer="/verb")
    return redirect(url_for("desk.webhook", site=site, endpoint_id=endpoint_id), 303)


# ---- people -------------------------------------------------------------------------------------------------------


@bp.get("/<site>/staff")
def colleagues(site: str) -> Any:
    """Who works on this site."""
    administered(site)
    return _colleagues(site)


@bp.post("/<site>/staff")
def hire(site: str) -> Any:
    """Give somebody a role; a new account's password is shown this once."""
    form = request.form
    account = (form.get("login", ""), form.get("name", "") or form.get("login", ""))
    shown = office.hire(parts().database, staff_of(site), site, account, form.get("role", ""), now())
    return _colleagues(site, shown or "", form.get("login", ""))


@bp.post("/<site>/staff/<id:moderator_id>")
def set_role(site: str, moderator_id: str) -> Any:
    """Change or take away a role."""
    role = request.form.get("role", "")
    office.set_role(parts().database, staff_of(site), site, moderator_id, None if role == "none" else role)
    return _back("desk.colleagues", site)


def _colleagues(site: str, fresh: str = "", login: str = "") -> str:
    rows = staff.colleagues(parts().database, [site])
    frame = pages.frame(site)
    return render_template("desk/staff.html", **frame, rows=rows, fresh=fresh, login=login, ROLES=staff.ROLES)


def _back(endpoint: str, site: str) -> Any:
    return redirect(url_for(endpoint, site=site), 303)
