"""Rate limits on named actions, per author, per network and per site, from settings; counted by `limits`.

A refusal says when it will be accepted again. Limits in memory are right for one web process; Settings refuse several.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from flask import Response, g
from limits import RateLimitItem, RateLimitItemPerMinute, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from prometheus_client import Gauge

from config.settings import Settings, SettingsRefused
from service.errors import Limited

ACTIONS = ("comment", "edit", "report", "reaction", "token", "login", "article", "host")
REDIS_SECONDS = 0.25
RETRY_SECONDS = 5.0
SCOPES = ("author", "network", "site")


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of the tightest limit that counted this request; times in seconds."""

    action: str
    limit: int
    window: int
    left: int
    reset: int


class Throttle:
    """Counts actions; refuses those that come too often.

    With `redis_url` the counts are shared by all processes. While Redis does not answer, this process counts alone
    (never unlimited, never an error), says so in a metric, and asks Redis again every few seconds.
    """

    def __init__(self, settings: Settings, degraded: Gauge | None = None) -> None:
        self._alone = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = _shared(settings.redis_url)
        self._limits = _read_limits(settings)
        self._degraded = degraded
        self._retry_at = 0.0

    def count(self, action: str, **who: str | None) -> Remaining | None:
        """Count one action of `author`, `network` and `site`; raises `Limited` when one of them has had enough."""
        tightest: Remaining | None = None
        for scope, item in self._limits[action]:
            if not who.get(scope):
                continue
            allowed, left = self._hit(action, item, (action, scope, str(who[scope])))
            if not allowed:
                _announce(left)
                raise Limited(f"Too many requests. Try again in {_spoken(left.reset)}.", retry_after=left.reset)
            if tightest is None or left.left < tightest.left:
                tightest = left
        if tightest is not None:
            _announce(tightest)
        return tightest

    def spend(self, action: str, per_minute: int, who: str) -> int:
        """Count one of somebody's so many a minute; returns the seconds to wait where none is left, else 0."""
        allowed, left = self._hit(action, RateLimitItemPerMinute(per_minute), (action, "key", who))
        return 0 if allowed else left.reset

    def _hit(self, action: str, item: RateLimitItem, keys: tuple[str, ...]) -> tuple[bool, Remaining]:
        if self._shared is not None and time.monotonic() >= self._retry_at:
            try:
                answer = _ask(self._shared, action, item, keys)
            except (StorageError, OSError):
                self._retry_at = time.monotonic() + RETRY_SECONDS
                self._say_degraded(True)
            else:
                self._say_degraded(False)
                return answer
        return _ask(self._alone, action, item, keys)

    def _say_degraded(self, degraded: bool) -> None:
        if self._degraded is not None:
            self._degraded.set(int(degraded))


def _shared(redis_url: str) -> SlidingWindowCounterRateLimiter | None:
    if not redis_url:
        return None
    patience = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
    storage = RedisStorage(redis_url, wrap_exceptions=True, key_prefix="firstword", **patience)  # type: ignore[arg-type]
    return SlidingWindowCounterRateLimiter(storage)


def _ask(
    limiter: SlidingWindowCounterRateLimiter, action: str, item: RateLimitItem, keys: tuple[str, ...]
) -> tuple[bool, Remaining]:
    allowed = limiter.hit(item, *keys)
    stats = limiter.get_window_stats(item, *keys)
    reset = max(1, math.ceil(stats.reset_time - time.time()))
    return allowed, Remaining(action, item.amount, item.get_expiry(), stats.remaining if allowed else 0, reset)


def _read_limits(settings: Settings) -> dict[str, list[tuple[str, RateLimitItem]]]:
    """The limits of every action; raises `SettingsRefused` with all that cannot be read."""
    found, problems = {}, []
    for action in ACTIONS:
        try:
            found[action] = parse_rates(getattr(settings, f"limit_{action}"))
        except ValueError as wrong:
            problems.append(f"LIMIT_{action.upper()}: {wrong}")
    if problems:
        raise SettingsRefused(problems)
    return found


def parse_rates(text: str) -> list[tuple[str, RateLimitItem]]:
    """Read `author 4/minute 40/hour, network 20/minute` into (scope, limit) pairs; raises ValueError."""
    found: list[tuple[str, RateLimitItem]] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        scope, _, rates = part.partition(" ")
        if scope not in SCOPES or not rates.strip():
            raise ValueError(f"{part!r}: write a scope ({', '.join(SCOPES)}) and its rates, as in author 4/minute")
        found += [(scope, item) for item in parse_many(";".join(rates.split()))]
    return found


def _announce(remaining: Remaining) -> None:
    g.remaining = remaining


def _spoken(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds" if seconds > 1 else "a second"
    return f"{math.ceil(seconds / 60)} minutes"


def add_headers(answer: Response) -> Response:
    """Tell the tightest limit in `RateLimit` and `RateLimit-Policy` where a limit counted this request."""
    remaining: Remaining | None = g.get("remaining")
    if remaining is not None:
        answer.headers["RateLimit-Policy"] = f'"{remaining.action}";q={remaining.limit};w={remaining.window}'
        answer.headers["RateLimit"] = f'"{remaining.action}";r={remaining.left};t={remaining.reset}'
    return answer
