"""The signers in docs/identity.md, run by their languages, make tokens that the exchange accepts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.identity import api_keys, assertions, host_keys
from service.identity.host_keys import Offer
from service.models import Site
from tests.contracts.snippets import DOCS, GO, NODE, PHP, PYTHON, RUBY, Language, code, run
from tests.service import host_side as host

ISSUER = "https://news.example"
PEOPLE = [("17", "Ada"), ("a/b+c=", 'Zoë "Zo" O’Neil <b>'), ("读者", "👩‍👩‍👧 & co")]


@pytest.mark.parametrize("language", [PYTHON, NODE, PHP, RUBY, GO], ids=lambda language: language.heading)
def test_a_signer_from_the_docs_is_believed(language: Language, sqlite_url: str, tmp_path: Path) -> None:
    with host.opened(sqlite_url) as db:
        host.add_site(db)
        now = datetime.now(UTC)
        with db.write() as session:
            secret = host_keys.add(session, host.SITE, Offer("2026-05", ISSUER), now=now).secret
        cases = [[secret, "2026-05", ISSUER, host.SITE, sub, name] for sub, name in PEOPLE]
        tokens = run(language, code("identity.md", language.heading), "assertion", cases, tmp_path)
        with db.write() as session:
            site = session.get_one(Site, host.SITE)
            found = [assertions.exchange(session, site, token, datetime.now(UTC)) for token in tokens]
    assert [(claims.issuer, claims.subject, claims.name) for claims in found] == [(ISSUER, *one) for one in PEOPLE]


def test_every_scope_is_documented() -> None:
    text = (DOCS / "identity.md").read_text(encoding="utf-8")
    assert [scope for scope in api_keys.SCOPES if f"| `{scope}` |" not in text] == []
