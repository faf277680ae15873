"""`Bundled`: texts to calibrated probabilities, and the words that carried them.

Safe to call from many threads: what it holds is read-only but for the last few texts' numbers, which have a lock, and
onnxruntime runs one session from many threads.
Calls of different threads are not gathered into batches, because that was measured to gain nothing on a processor
(see docs/model-card.md): they run side by side.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from moderation.engines import EngineUnavailable
from moderation.engines.bundled import spans
from moderation.engines.bundled.recent import Recent
from moderation.engines.bundled.weights import SHIPPED, WeightsError, load
from moderation.engines.bundled.windows import Window, as_read, windows
from moderation.model import Span
from moderation.policy import Policy
from moderation.text import Folded

# What docs/model-card.md says of the shipped weights, in a few words.
QUALITY = {
    "toxicity": "AUC 0.98 on held-out rows, 0.970 on the Jigsaw test",
    "severe_toxicity": "AUC 0.99 on held-out rows",
    "identity_attack": "AUC 0.99 on held-out rows",
    "insult": "AUC 0.98 on held-out rows",
    "obscene": "AUC 0.99 on held-out rows",
    "threat": "AUC 0.94 on held-out rows",
}

Logits = npt.NDArray[np.float32]


class Bundled:
    """The shipped model. Opening it reads and checks its files; a second one in the same process shares them."""

    name = "bundled"
    languages: frozenset[str] | None = frozenset({"en"})

    def __init__(self, folder: Path = SHIPPED, threads: int = 1) -> None:
        self.weights = load(folder, threads)
        self.attributes = tuple(self.weights.curves)
        self.version = self.weights.version
        self.quality = QUALITY if folder == SHIPPED else {}
        self._recent = Recent()

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """For each canonical text the chance of each attribute, 0..1; of a long text's windows the highest counts."""
        folded = [self.read(text).text for text in texts]
        parts = [windows(self.weights.tokenizer, text) for text in folded]
        logits, marks = self.run([window for part in parts for window in part])
        ends = np.cumsum([len(part) for part in parts])
        places = [slice(end - len(part), end) for part, end in zip(parts, ends, strict=True)]
        for text, place in zip(folded, places, strict=True):
            self._recent.keep(text, (logits[place], marks[place]))
        return [
            self.chances(logits[place], self.beside(text, part))
            for text, part, place in zip(folded, parts, places, strict=True)
        ]

    def explain(self, text: str) -> dict[str, list[Span]]:
        """The spans of the canonical text that carried each attribute which scores high enough to be asked about."""
        folded = self.read(text)
        parts = windows(self.weights.tokenizer, folded.text)
        logits, marks = self._recent.said_of(folded.text) or self.run(parts)
        chances = self.chances(logits, self.beside(folded.text, parts))
        asked = {name: self.weights.curves[name].head for name, chance in chances.items() if chance >= spans.ASKED}
        found = spans.carriers(self.run, parts, logits, marks, asked, self.weights.mark)
        tidy = {name: [spans.trimmed(folded.text, place) for place in places] for name, places in found.items()}
        return {name: [folded.span(start, end) for start, end in places] for name, places in tidy.items() if places}

    def read(self, text: str) -> Folded:
        """The canonical text as both models read it: folded, and broken words mended."""
        return self.weights.spellings(text)

    def beside(self, text: str, parts: Sequence[Window]) -> Logits:
        """The linear model's logits for each window of a folded text, (windows, labels)."""
        return np.array([self.weights.linear(text[part.place]) for part in parts])

    def chances(self, encoder: Logits, linear: Logits) -> dict[str, float]:
        """Calibrated probabilities for one text, from both models' logits for its windows: the highest counts."""
        logits = self.weights.mixture.highest(encoder, linear)
        curves = self.weights.curves.items()
        return {name: curve.chance(logit) for (name, curve), logit in zip(curves, logits, strict=True)}

    def run(self, parts: Sequence[Window]) -> tuple[Logits, list[Logits]]:
        """Logits, (windows, heads), and for each window its tokens' marks.

        Each window by itself: what stands beside it cannot move its score, and nothing is padded.
        """
        said = [self.weights.session.run(None, as_read(part)) for part in parts]
        return np.array([heads[0] for heads, _ in said]), [tokens[0, 1:-1] for _, tokens in said]


def open_engine(argument: str, policy: Policy | None) -> Bundled:
    """The shipped model, or the one of a folder that `make train` wrote; the policy is not needed."""
    try:
        return Bundled(Path(argument) if argument else SHIPPED)
    except WeightsError as problem:
        raise EngineUnavailable(str(problem)) from problem
