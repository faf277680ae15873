"""Scoring for other systems: which attributes are live here, and the keys of the Perspective-compatible endpoints."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from service.errors import Invalid
from service.identity import scoring_keys
from service.identity.scoring_keys import Terms
from service.scoring import Scorer
from service.web.context import now, parts
from service.web.desk import pages
from service.web.desk.guard import administered, bp


@bp.get("/<site>/scoring")
def scoring(site: str) -> Any:
    """What is scored, by which engine, in which languages, how well; and who may ask."""
    administered(site)
    return _scoring(site)


@bp.post("/<site>/scoring")
def make_scoring_key(site: str) -> Any:
    """Make a key; it is shown this once."""
    administered(site)
    name = " ".join(request.form.get("name", "").split())[:80] or "unnamed"
    shown = scoring_keys.create_for(parts().database, site, name, Terms(*_terms()), now=now())
    return _scoring(site, shown)


@bp.post("/<site>/scoring/<id:key_id>")
def change_scoring_key(site: str, key_id: str) -> Any:
    """Put a key on another quota or mode."""
    administered(site)
    scoring_keys.change_for(parts().database, site, key_id, *_terms())
    return redirect(url_for("desk.scoring", site=site), 303)


def _terms() -> tuple[int, bool]:
    """The quota and the mode that a form asks for."""
    raw = request.form.get("per_minute", "")
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9:
        raise Invalid("A quota is a whole number of calls a minute.", pointer="/per_minute")
    return int(raw), request.form.get("lenient") == "yes"


def _scoring(site: str, fresh: str = "") -> str:
    scored = Scorer(lambda: parts().judges.engines, at_once=1).live()
    rows = scoring_keys.listed_for(parts().database, site)
    per_minute = scoring_keys.PER_MINUTE
    return render_template(
        "desk/scoring.html", **pages.frame(site), scored=scored, rows=rows, fresh=fresh, per_minute=per_minute
    )
