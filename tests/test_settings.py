"""How settings are read: what is empty, what goes before what."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import fields
from pathlib import Path

import pytest

from config.settings import Settings, SettingsRefused, load

COMPOSE = Path(__file__).parents[1] / "compose.yaml"
KEPT, GIVEN = "k" * 40, "g" * 40


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    """A mounted secret."""
    file = tmp_path / "signing.keys"
    file.write_text(KEPT)
    return str(file)


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_variable_counts_as_unset(key_file: str, empty: str) -> None:
    settings = load({"SIGNING_KEYS": empty, "SIGNING_KEYS_FILE": key_file, "PORT": empty})
    assert settings.signing_keys == (KEPT,)
    assert settings.port == 8000


def test_signing_keys_that_are_given_go_before_those_in_a_file(key_file: str) -> None:
    assert load({"SIGNING_KEYS": GIVEN, "SIGNING_KEYS_FILE": key_file}).signing_keys == (GIVEN,)


def test_the_shipped_set_of_containers_trusts_the_gateway_of_its_own_network_and_nobody_else() -> None:
    text = COMPOSE.read_text()
    patterns = (r"TRUSTED_PROXIES: \$\{TRUSTED_PROXIES:-([\d./]+)\}", r"subnet: ([\d./]+)", r"gateway: ([\d.]+)")
    trusted, subnet, gateway = (re.findall(pattern, text) for pattern in patterns)
    proxies = load({"SIGNING_KEYS": GIVEN, "TRUSTED_PROXIES": trusted[0]}).trusted_proxies
    assert proxies == (ipaddress.ip_network(gateway[0]),)
    assert ipaddress.ip_address(gateway[0]) in ipaddress.ip_network(subnet[0])
    assert "127.0.0.1:${PORT:-8000}:8000" in text


def refused(**environ: str) -> list[str]:
    """The names of the settings that are refused in an environment."""
    with pytest.raises(SettingsRefused) as refusal:
        load({"SIGNING_KEYS": KEPT, **environ})
    return [problem.split(":")[0] for problem in refusal.value.problems]


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e300", "0", "-1"])
def test_a_time_that_never_or_always_ends_is_refused(number: str) -> None:
    assert refused(JUDGE_TIMEOUT=number) == ["JUDGE_TIMEOUT"]
    assert refused(WEBHOOK_TIMEOUT=number) == ["WEBHOOK_TIMEOUT"]


def test_every_number_has_an_upper_bound_and_none_may_be_negative() -> None:
    numbers = {field.name.upper() for field in fields(Settings) if type(field.default) in (int, float)}
    for number in (10**40, -1):
        assert set(refused(**dict.fromkeys(numbers, str(number)))) >= numbers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "foo"),
        ("PUBLIC_URL", "https://a.example:0"),
        ("REDIS_URL", "redis://h:abc"),
        ("REDIS_URL", "redis://h:99999"),
        ("REDIS_URL", "redis://[::1"),
        ("DATABASE_URL", "sqlite:foo"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite://host/file.db"),
        ("DATABASE_URL", "postgresql+psycopg:x"),
        ("DATABASE_URL", "postgresql+psycopg://h:abc/x"),
        ("DATABASE_URL", "postgresql+psycopg://h:99999/x"),
        ("PUBLIC_URL", "https://a.example?x=1"),
        ("PUBLIC_URL", "https://a.example#x"),
        ("PUBLIC_URL", "https://u:p@a.example"),
        ("SIGNING_KEYS", "k" * 40 + "\udcff"),
    ],
)
def test_what_would_end_in_an_error_later_is_refused_before_anything_starts(name: str, value: str) -> None:
    assert refused(**{name: value}) == [name]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///var/firstword.db",
        "postgresql+psycopg://h/x",
        "postgresql+psycopg://u:p?a#s/s@h:5432/x?sslmode=require",
        "postgresql+psycopg://u@[::1]:5432/x",
        "postgresql+psycopg:///x?host=/run/postgresql",
    ],
)
def test_an_address_that_the_database_library_reads_is_taken(url: str) -> None:
    assert load({"SIGNING_KEYS": KEPT, "DATABASE_URL": url}).database_url == url


def test_a_file_of_keys_that_is_no_text_is_refused_with_what_makes_one(tmp_path: Path) -> None:
    file = tmp_path / "signing.keys"
    file.write_bytes(b"\xff" * 40)
    with pytest.raises(SettingsRefused, match=r"SIGNING_KEYS_FILE: is not UTF-8 text.*openssl"):
        load({"SIGNING_KEYS_FILE": str(file)})
