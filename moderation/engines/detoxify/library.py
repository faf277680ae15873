"""Runs the Detoxify library's own class. The only file of the service's side that imports torch.

Adds what the class leaves to its caller: the digest is checked before a checkpoint is unpickled, long text is cut into
overlapping windows instead of losing its end, answers have one shape, and a missing network is told in plain words.
"""

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moderation.engines import EngineUnavailable
from moderation.engines.detoxify import sizes
from moderation.model import Span
from moderation.text import fold

LANGUAGES = {"multilingual": frozenset({"en", "fr", "es", "it", "pt", "tr", "ru"})}
BATCH = 8
# What the library lets through where a file is no checkpoint, or one of another network than it says.
NO_CHECKPOINT = (pickle.UnpicklingError, ValueError, LookupError, TypeError, AttributeError, EOFError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint on this disk whose digest has been checked."""

    path: Path
    digest: str


def imported() -> Any:
    """The library, or what to do to have it."""
    try:
        import detoxify
    except ImportError as problem:
        raise EngineUnavailable(
            "Detoxify is not installed. `make run ENGINE=detoxify:original` installs it; by hand: "
            "pip install torch, then pip install 'firstword[detoxify]'."
        ) from problem
    return detoxify


def fetched(name: str) -> Checkpoint:
    """A published checkpoint, fetched with a progress bar where this disk does not have it yet."""
    imported()
    import torch
    from detoxify.detoxify import MODEL_URLS

    address = MODEL_URLS[name]
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / address.rpartition("/")[2]
    beginning = path.stem.rpartition("-")[2]
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(address, str(path), hash_prefix=beginning, progress=True)
        except OSError as problem:
            raise EngineUnavailable(
                f"Detoxify's model {name!r} is not on this disk and could not be fetched ({problem}). Connect this "
                f"machine once, or copy {address} to {path} and the Hugging Face cache of a machine that has run it."
            ) from problem
    return checked(path, beginning)


def checked(path: Path, beginning: str) -> Checkpoint:
    """The checkpoint, if its SHA-256 begins as it should; unpickling any other could run anything."""
    try:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as problem:
        raise EngineUnavailable(f"The checkpoint {path} cannot be read: {problem.strerror}.") from problem
    if len(beginning) < 8 or not digest.startswith(beginning.lower()):
        raise EngineUnavailable(f"The checkpoint {path} has the SHA-256 {digest}, not {beginning}. It was not opened.")
    return Checkpoint(path, digest)


class LibraryDetoxify:
    """One Detoxify model in this process. It gives no explanation: the library has none."""

    def __init__(self, name: str, checkpoint: Checkpoint) -> None:
        library = imported()
        try:
            self.model = library.Detoxify(checkpoint=str(checkpoint.path))
        except OSError as problem:
            raise EngineUnavailable(
                f"Detoxify's {name} needs its tokenizer and configuration, which are not on this disk and could not be "
                f"fetched: {problem}. Connect this machine once, or convert the model where there is a network: "
                "`flask engine convert`."
            ) from problem
        except NO_CHECKPOINT as problem:
            raise EngineUnavailable(
                f"{checkpoint.path} is no checkpoint that Detoxify can load ({type(problem).__name__})."
            ) from problem
        self.name = f"detoxify:{name}"
        self.attributes: tuple[str, ...] = tuple(self.model.class_names)
        self.version = f"{checkpoint.digest[:12]}"
        self.languages: frozenset[str] | None = LANGUAGES.get(name, frozenset({"en"}))

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """The highest score of each text's windows, by attribute."""
        return [self.highest(self.windows(readable(text))) for text in texts]

    def explain(self, text: str) -> dict[str, list[Span]]:
        """Nothing: the library does not say where its scores come from."""
        return {}

    def windows(self, text: str) -> list[str]:
        """Overlapping pieces of the text that the model reads in full."""
        read = self.model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        places = read["offset_mapping"]
        length = int(self.model.tokenizer.model_max_length)
        size, shared = sizes.window(length), sizes.overlap(length)
        if len(places) <= size:
            return [text]
        starts = range(0, len(places) - shared, size - shared)
        return [text[places[at][0] : places[min(at + size, len(places)) - 1][1]] for at in starts]

    def highest(self, pieces: Sequence[str]) -> dict[str, float]:
        found = dict.fromkeys(self.attributes, 0.0)
        for start in range(0, len(pieces), BATCH):
            for name, scores in predicted(self.model, pieces[start : start + BATCH]).items():
                found[name] = max(found[name], *scores)
        return found


def predicted(model: Any, pieces: Sequence[str]) -> Mapping[str, Sequence[float]]:
    """The library's answer as lists, also for one text, for which it gives bare numbers."""
    answer = model.predict(list(pieces))
    return {name: scores if isinstance(scores, list) else [scores] for name, scores in answer.items()}


def readable(text: str) -> str:
    """The text as its author wrote it, unless it is disguised: then without the disguise."""
    folded = fold(text).text
    return text if folded == text.lower() else folded
