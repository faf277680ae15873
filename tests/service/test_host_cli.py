"""The commands for a host's keys and endpoints, as an operator types them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import jwt
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from psycopg.errors import UndefinedFunction, UndefinedTable
from sqlalchemy.exc import ProgrammingError

from service.cli.commands import firstword
from service.cli.opening import answering
from service.db import Database
from service.errors import Unauthenticated
from service.identity import api_keys, assertions
from service.models import Site
from tests.service import host_side as host
from tests.service.host_side import NOON, SITE

Type = Callable[..., Result]


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    with host.opened(sqlite_url) as database:
        host.add_site(database)
        yield database


@pytest.fixture
def type_(sqlite_url: str, db: Database, tmp_path: Path) -> Type:
    """Types a command, expects how it ends, and gives what it said."""
    environment = {"DATABASE_URL": sqlite_url, "DATA_DIR": str(tmp_path), "SIGNING_KEYS": "k" * 32}

    def run(*words: str, ends: int = 0) -> Result:
        result = CliRunner(env=environment).invoke(firstword, words)
        assert result.exit_code == ends, result.output
        return result

    return run


def test_an_api_key_is_printed_once_listed_without_it_and_revoked(type_: Type, db: Database) -> None:
    made = type_("apikey", "create", SITE, "--name", "newsroom", "--scope", "events")
    key = made.stdout.strip()
    assert api_keys.authenticate(db, key, "events", now=NOON).site_id == SITE
    listed = type_("apikey", "list", SITE).stdout
    assert key not in listed
    assert f"…{key[-4:]}" in listed
    type_("apikey", "revoke", listed.split()[0])
    with pytest.raises(Unauthenticated):
        api_keys.authenticate(db, key, "events", now=NOON)
    assert "revoked" in type_("apikey", "list", SITE).stdout


def test_a_host_key_signs_until_it_is_retired(type_: Type, db: Database, tmp_path: Path) -> None:
    secret = type_("hostkey", "add", SITE, "--kid", "k1", "--issuer", "https://gazette.example").stdout.strip()
    at = int(NOON.timestamp())
    claims = {"iss": "https://gazette.example", "aud": SITE, "sub": "1", "name": "Ada", "iat": at, "exp": at + 60}
    with db.write() as session:
        site = session.get_one(Site, SITE)
        assert assertions.exchange(session, site, jwt.encode(claims, secret), NOON).name == "Ada"
    pem = tmp_path / "key.pem"
    public = Ed25519PrivateKey.generate().public_key()
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    words = ["hostkey", "add", SITE, "--kid", "k2", "--issuer", "x", "--algorithm", "EdDSA", "--public-key", str(pem)]
    assert type_(*words).stdout == ""
    type_("hostkey", "retire", SITE, "k1")
    assert [line.split()[2] for line in type_("hostkey", "list", SITE).stdout.splitlines()] == ["retired", "live"]


def test_endpoints_are_added_listed_rotated_pinged_and_replayed(type_: Type, db: Database) -> None:
    url = "https://gazette.example/hook"
    assert type_("endpoint", "add", SITE, url, "--type", "ping").stdout.startswith("whsec_")
    id_ = type_("endpoint", "list", SITE).stdout.split()[0]
    assert type_("endpoint", "rotate", SITE, id_, "--scheme", "v1a").stdout.startswith("whpk_")
    type_("endpoint", "ping", SITE, id_)
    type_("endpoint", "enable", SITE, id_)
    assert "Queued 0" in type_("endpoint", "replay-failed", SITE, id_).stdout
    assert len(host.deliveries(db)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("apikey", "create", "nowhere", "--name", "x", "--scope", "events"),
        ("apikey", "revoke", "0" * 24),
        ("hostkey", "add", "nowhere", "--kid", "k", "--issuer", "x"),
        ("hostkey", "retire", SITE, "k9"),
        ("endpoint", "add", SITE, "http://127.0.0.1/"),
        ("endpoint", "ping", SITE, "0" * 24),
    ],
)
def test_a_refusal_is_one_line_and_no_traceback(type_: Type, words: tuple[str, ...]) -> None:
    result = type_(*words, ends=1)
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_no_text_is_no_public_key(type_: Type, tmp_path: Path) -> None:
    file = tmp_path / "key.der"
    file.write_bytes(b"\xff\xfe\x00")
    words = ("hostkey", "add", SITE, "--kid", "k", "--issuer", "x", "--algorithm", "EdDSA", "--public-key", str(file))
    assert type_(*words, ends=1).stderr == "Error: That is not a public key in PEM form, which is text.\n"


@pytest.mark.parametrize("hours", ["169", "-1", "99999999999"])
def test_two_keys_sign_together_for_a_week_at_most(type_: Type, hours: str) -> None:
    said = type_("endpoint", "rotate", SITE, "0" * 24, "--overlap-hours", hours, ends=2)
    assert "0<=x<=168" in said.stderr


# ---- a database that cannot be used ----

AWAY = "postgresql+psycopg://127.0.0.1:1/nothing"


@pytest.mark.parametrize(
    "words", [("apikey", "list", SITE), ("db", "upgrade"), ("db", "check"), ("db", "backup", "{folder}/copy.db")]
)
def test_without_the_folder_of_the_database_a_command_says_what_to_do(tmp_path: Path, words: tuple[str, ...]) -> None:
    environment = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/none/x.db",
        "DATA_DIR": str(tmp_path),
        "SIGNING_KEYS": "k" * 32,
    }
    said = CliRunner(env=environment).invoke(firstword, [word.format(folder=tmp_path) for word in words])
    assert said.exit_code == 1
    assert said.stderr.startswith(f"Error: There is no folder {tmp_path / 'none'} for the database. Make it, or set")
    assert said.stderr.count("\n") == 1
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///{folder}/new.db", "The database does not have the tables of this version. Run: python -m"),
        ("sqlite:///{folder}/rubbish.db", "The database cannot be used (file is not a database). Check DATABASE_URL"),
        (AWAY, "and that the server runs and lets you in"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_for_a_person_at_a_terminal(
    tmp_path: Path, url: str, sentence: str
) -> None:
    (tmp_path / "rubbish.db").write_text("no database at all " * 100)
    environment = {"DATABASE_URL": url.format(folder=tmp_path), "DATA_DIR": str(tmp_path), "SIGNING_KEYS": "k" * 32}
    said = CliRunner(env=environment).invoke(firstword, ["apikey", "list", SITE])
    assert said.exit_code == 1
    assert sentence in said.stderr
    assert "idempotency" not in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_server_without_tables_is_told_from_one_that_is_away() -> None:
    missing = ProgrammingError("SELECT", {}, UndefinedTable("relation is not there"))
    with pytest.raises(click.ClickException, match="does not have the tables"), answering(AWAY):
        raise missing
    with pytest.raises(ProgrammingError), answering(AWAY):
        raise ProgrammingError("SELECT", {}, UndefinedFunction("a mistake of ours"))
