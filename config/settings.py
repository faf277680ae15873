"""The settings of one installation: the only reader of the environment.

A `Settings` is frozen and complete. Combinations that cannot work are refused, all at once, before anything starts.
Every field is documented in docs/settings.md under its own heading; `tests/test_house.py` compares the two.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

HERE = Path(__file__).resolve().parent
MIN_KEY_BYTES = 32
MOST_PROOF = 5_000_000
TEN_YEARS = 10 * 365 * 86_400
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
BOUNDS: Mapping[str, tuple[float, float]] = {
    "port": (1, 65_535),
    "web_processes": (1, 256),
    "web_threads": (1, 512),
    "engine_calls": (1, 512),
    "judge_timeout": (0.01, 600),
    "body_limit": (1, 100 * 1_048_576),
    "edit_window": (0, TEN_YEARS),
    "token_life": (1, TEN_YEARS),
    "renewal_life": (1, TEN_YEARS),
    "session_idle": (1, TEN_YEARS),
    "session_life": (1, TEN_YEARS),
    "delivery_lease": (1, 86_400),
    "deliveries_at_once": (1, 4_096),
}
SQLITE = re.compile(r"sqlite:///(?!:memory:)[^?]+")
POSTGRES = re.compile(
    r"postgresql\+psycopg://(?:[^:/]*(?::[^@]*)?@)?"  # who signs in, read as the database's library reads it
    r"(?:\[[^/?]+\]|[^/:?]*)(?::(?P<port>\d*))?(?:/[^?]*)?(?:\?.*)?"
)


class SettingsRefused(Exception):
    """The configuration cannot work; `problems` lists everything that is wrong, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation. Times are in seconds unless a name says otherwise."""

    data_dir: Path = Path("var")
    database_url: str = ""
    redis_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    web_processes: int = 1
    web_threads: int = 4
    engine: str = "bundled"
    engine_calls: int = 2
    policy_file: Path = HERE / "policy.toml"
    wordlists: Path = HERE / "wordlists"
    judge_timeout: float = 2.0
    signing_keys: tuple[str, ...] = ()
    trusted_proxies: tuple[IPNetwork, ...] = ()
    development: bool = False
    demo: bool = False
    outbound_allow: frozenset[tuple[str, int]] = frozenset()
    body_limit: int = 65_536
    edit_window: int = 300
    token_life: int = 900
    renewal_life: int = 90 * 86_400
    session_idle: int = 3_600
    session_life: int = 43_200
    webhook_timeout: float = 15.0
    delivery_lease: int = 60
    deliveries_at_once: int = 32
    guest_proof: int = 0
    limit_comment: str = "author 4/minute 40/hour, network 20/minute 200/hour, site 600/minute"
    limit_edit: str = "author 10/minute, network 40/minute, site 600/minute"
    limit_report: str = "author 10/minute 60/hour, network 30/minute, site 600/minute"
    limit_reaction: str = "author 60/minute, network 200/minute, site 3000/minute"
    limit_token: str = "network 20/minute 200/hour, site 1200/minute"  # noqa: S105 - a rate, not a secret
    limit_login: str = "author 5/minute 30/hour, network 20/minute 100/hour"
    limit_article: str = "author 10/hour, network 20/hour, site 300/hour"
    limit_host: str = "author 1200/minute, site 6000/minute"
    log_level: str = "INFO"

    @property
    def is_sqlite(self) -> bool:
        """Whether the truth lives in one file beside the service."""
        return self.database_url.startswith("sqlite")

    @property
    def secure(self) -> bool:
        """Whether readers and staff reach the service over TLS."""
        return self.public_url.startswith("https://")


@dataclass(slots=True)
class _Reading:
    """One pass over an environment, collecting what is wrong instead of stopping at the first."""

    environ: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def take(self, name: str, default: Any) -> Any:
        """The value of one setting, converted to the type of its default."""
        raw = self.environ.get(name.upper())
        if name == "signing_keys":
            return self._signing_keys(raw)
        if raw is None or not raw.strip():
            return default
        try:
            return _convert(name, raw.strip(), default)
        except ValueError as wrong:
            self.problems.append(f"{name.upper()}: {wrong}")
            return default

    def _signing_keys(self, raw: str | None) -> tuple[str, ...]:
        path = self.environ.get("SIGNING_KEYS_FILE")
        if not (raw or "").strip() and path:
            try:
                raw = Path(path).read_text(encoding="utf-8")
            except OSError as wrong:
                self.problems.append(f"SIGNING_KEYS_FILE: cannot be read ({wrong.strerror})")
            except UnicodeDecodeError:
                self.problems.append("SIGNING_KEYS_FILE: is not UTF-8 text; a key as text: openssl rand -hex 32")
        return tuple((raw or "").split())


def _convert(name: str, raw: str, default: Any) -> Any:
    if name == "trusted_proxies":
        return tuple(ipaddress.ip_network(part) for part in raw.replace(",", " ").split())
    if name == "outbound_allow":
        return frozenset(_host_port(part) for part in raw.replace(",", " ").split())
    if isinstance(default, bool):
        return _boolean(raw)
    if isinstance(default, int):
        return _number(raw, int)
    if isinstance(default, float):
        return _number(raw, float)
    return Path(raw) if isinstance(default, Path) else raw


def _boolean(raw: str) -> bool:
    if raw not in ("0", "1"):
        raise ValueError("must be 0 or 1")
    return raw == "1"


def _number(raw: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(raw)
    except ValueError:
        raise ValueError(f"must be {'a whole number' if kind is int else 'a number'}, not {raw!r}") from None


def _host_port(raw: str) -> tuple[str, int]:
    host, colon, port = raw.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65_536 or not host:
        raise ValueError(f"{raw!r} is no host:port pair")
    return host.strip("[]").lower(), int(port)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from an environment (the process's own by default); raises `SettingsRefused` with all problems."""
    reading = _Reading(os.environ if environ is None else environ)
    values = {f.name: reading.take(f.name, f.default) for f in fields(Settings)}
    values["data_dir"] = Path(values["data_dir"]).absolute()
    values["database_url"] = values["database_url"] or f"sqlite:///{values['data_dir'] / 'firstword.db'}"
    values["public_url"] = (values["public_url"] or f"http://localhost:{values['port']}").rstrip("/")
    settings = Settings(**values)
    problems = reading.problems + check(settings)
    if problems:
        raise SettingsRefused(problems)
    return settings


def check(settings: Settings) -> list[str]:
    """Everything about these settings that cannot work, one sentence each."""
    return [sentence for wrong, sentence in _rules(settings) if wrong]


def _has_port(url: str) -> bool:
    """Whether an address can be taken apart and its port, where it names one, is a port."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _is_origin(url: str) -> bool:
    """Whether an address is a scheme, a host and perhaps a port, and nothing beside or after them."""
    if not _has_port(url) or any(mark in url for mark in "?#@\\ "):
        return False
    parts = urlsplit(url)
    return bool(parts.hostname) and parts.scheme in ("http", "https") and parts.path in ("", "/")


def _is_database(url: str) -> bool:
    """Whether an address is a SQLite file's or a PostgreSQL server's, in the form that the database's library reads."""
    server = POSTGRES.fullmatch(url)
    if server is None:
        return SQLITE.fullmatch(url) is not None
    return 0 < int(server["port"] or 1) < 65_536


def _is_redis(url: str) -> bool:
    return url.startswith(("redis://", "rediss://", "unix://")) and _has_port(url)


def _is_utf8(text: str) -> bool:
    """Whether a text from the environment was text, and no bytes that only pass through it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _rules(s: Settings) -> list[tuple[bool, str]]:
    return [*_address_rules(s), *_key_rules(s), *_other_rules(s), *_number_rules(s)]


def _address_rules(s: Settings) -> list[tuple[bool, str]]:
    return [
        (
            not _is_database(s.database_url),
            "DATABASE_URL: must be sqlite:/// and a file's path, or postgresql+psycopg://user:password@host[:port]/name",
        ),
        (
            s.is_sqlite and s.web_processes > 1,
            "WEB_PROCESSES: several web processes need PostgreSQL; SQLite is served by one process with threads",
        ),
        (
            s.web_processes > 1 and not s.redis_url,
            "WEB_PROCESSES: several web processes with limits in memory would each count alone; set REDIS_URL",
        ),
        (
            bool(s.redis_url) and not _is_redis(s.redis_url),
            "REDIS_URL: must start with redis://, rediss:// or unix://, and its port must be a number",
        ),
        (not _is_origin(s.public_url), "PUBLIC_URL: must be http(s)://host[:port], with nothing before or after it"),
    ]


def _key_rules(s: Settings) -> list[tuple[bool, str]]:
    return [
        (not s.signing_keys, "SIGNING_KEYS: none; `make run` makes one, or: openssl rand -hex 32"),
        (len(s.signing_keys) > 2, "SIGNING_KEYS: at most two, the newest first"),
        (
            not all(_is_utf8(key) for key in s.signing_keys),
            "SIGNING_KEYS: must be UTF-8 text; a key as text: openssl rand -hex 32",
        ),
        (
            any(len(key.encode(errors="replace")) < MIN_KEY_BYTES for key in s.signing_keys),
            f"SIGNING_KEYS: each must have at least {MIN_KEY_BYTES} bytes",
        ),
    ]


def _other_rules(s: Settings) -> list[tuple[bool, str]]:
    return [
        (
            bool(s.outbound_allow) and not s.development,
            "OUTBOUND_ALLOW: opens a hole to private addresses and is for DEVELOPMENT=1 only",
        ),
        (s.demo and not s.development, "DEMO: needs DEVELOPMENT=1"),
        (not s.policy_file.is_file(), f"POLICY_FILE: no such file ({s.policy_file.name})"),
        (s.log_level.upper() not in LOG_LEVELS, f"LOG_LEVEL: must be one of {', '.join(LOG_LEVELS)}"),
    ]


def _number_rules(s: Settings) -> list[tuple[bool, str]]:
    """The numbers within their bounds; written so that what is no number at all (`nan`) is outside of all of them."""
    return [
        *(
            (not low <= getattr(s, name) <= high, f"{name.upper()}: must be between {low} and {high}")
            for name, (low, high) in BOUNDS.items()
        ),
        (not 0 < s.webhook_timeout < s.delivery_lease, "WEBHOOK_TIMEOUT: must be above 0 and below DELIVERY_LEASE"),
        (
            not 0 <= s.guest_proof <= MOST_PROOF,
            f"GUEST_PROOF: must be between 0 (off) and {MOST_PROOF}, or readers wait for minutes",
        ),
    ]


def demo_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of `make run`: development on embedded defaults, whatever was set by hand kept.

    The one hole in the outbound door is the demo's own receiver; the signing key lives beside the data, mode 600.
    """
    given = dict(os.environ if environ is None else environ)
    given = {name: value for name, value in given.items() if value != ""}
    port, folder = given.get("PORT", "8000"), Path(given.get("DATA_DIR", "var")).absolute()
    defaults = {
        "PORT": port,
        "DEVELOPMENT": "1",
        "DEMO": "1",
        "LOG_LEVEL": "WARNING",
        "PUBLIC_URL": f"http://localhost:{port}",
        "OUTBOUND_ALLOW": f"localhost:{port} 127.0.0.1:{port}",
    }
    if "SIGNING_KEYS" not in given:
        defaults["SIGNING_KEYS_FILE"] = str(folder / "signing.keys")
    return {**defaults, **given, "DATA_DIR": str(folder)}
