"""The service with an engine that waits for a file before it judges. Served by `test_server.py`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from config.settings import load
from moderation import Span, open_engine, read_policy
from service.app import create_app
from service.judges import Judges

PATIENCE = 60.0


class Dawdling:
    """The lexicon, which says when it begins (`judging-…`) and goes on when it is told to (`go-on`)."""

    name, version, languages = "dawdling", "1", None

    def __init__(self) -> None:
        self._lexicon = open_engine("lexicon", read())
        self.attributes = self._lexicon.attributes

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        (settings.data_dir / f"judging-{secrets.token_hex(4)}").touch()
        ends = time.monotonic() + PATIENCE
        while not (settings.data_dir / "go-on").exists() and time.monotonic() < ends:
            time.sleep(0.02)
        return self._lexicon.score(texts)

    def explain(self, text: str) -> dict[str, Sequence[Span]]:
        return dict(self._lexicon.explain(text))


def read(override: str | None = None):  # type: ignore[no-untyped-def]
    """The shipped policy."""
    return read_policy(settings.policy_file, settings.wordlists, override)


settings = load()
application = create_app(settings, judges=Judges(read, lambda: [Dawdling()], PATIENCE))
