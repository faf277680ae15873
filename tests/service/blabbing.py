"""The service with an engine that quotes in its errors what it was given. Served by `test_leaks.py`."""

from __future__ import annotations

from collections.abc import Sequence

from config.settings import load
from moderation import Span, open_engine, read_policy
from service.app import create_app
from service.judges import Judges


class Blabbing:
    """The lexicon, until a text asks it to explode."""

    name, version, languages = "blabbing", "1", None

    def __init__(self) -> None:
        self._lexicon = open_engine("lexicon", read())
        self.attributes = self._lexicon.attributes

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        if "explode" in texts[0]:
            raise RuntimeError(f"cannot score {texts[0]!r}")
        return self._lexicon.score(texts)

    def explain(self, text: str) -> dict[str, Sequence[Span]]:
        if "unclear" in text:
            raise RuntimeError(f"cannot explain {text!r}")
        return dict(self._lexicon.explain(text))


def read(override: str | None = None):  # type: ignore[no-untyped-def]
    """The shipped policy."""
    return read_policy(settings.policy_file, settings.wordlists, override)


settings = load()
application = create_app(settings, judges=Judges(read, lambda: [Blabbing()], 5.0))
