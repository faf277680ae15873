"""How settings are read: what is empty, what goes before what."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import pytest

from config.settings import load

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
