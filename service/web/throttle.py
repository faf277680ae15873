"""Rate limits on named actions, per author, per network and per site, from settings; counted by `limits`.

A refusal says when it will be accepted again. Limits in memory are right for one web process; Settings refuse several.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from flask import Response, g
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from config.settings import Settings
from service.errors import Limited

ACTIONS = ("comment", "edit", "report", "reaction", "token", "login", "article")
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
    """Counts actions; refuses those that come too often."""

    def __init__(self, settings: Settings, storage: Storage | None = None) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(storage or MemoryStorage())
        self._limits = {action: parse_rates(getattr(settings, f"limit_{action}")) for action in ACTIONS}

    def count(self, action: str, **who: str | None) -> Remaining | None:
        """Count one action of `author`, `network` and `site`; raises `Limited` when one of them has had enough."""
        tightest: Remaining | None = None
        for scope, item in self._limits[action]:
            if not who.get(scope):
                continue
            keys = (action, scope, str(who[scope]))
            allowed = self._limiter.hit(item, *keys)
            stats = self._limiter.get_window_stats(item, *keys)
            reset = max(1, math.ceil(stats.reset_time - time.time()))
            left = Remaining(action, item.amount, item.get_expiry(), stats.remaining if allowed else 0, reset)
            if not allowed:
                _announce(left)
                raise Limited(f"Too many requests. Try again in {_spoken(reset)}.", retry_after=reset)
            if tightest is None or left.left < tightest.left:
                tightest = left
        if tightest is not None:
            _announce(tightest)
        return tightest


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
