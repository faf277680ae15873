"""The small model beside the encoder: hashed runs of letters and words, one weight each, numpy alone.

It sees spellings that the encoder's word pieces break up, costs a fifth of a millisecond, and is weak where meaning
counts; the engine adds its logits to the encoder's with weights that were fitted on held-out comments.
"""

import io
import re
import zlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

BITS = 18
BUCKETS = 1 << BITS
LONGEST_RUN = 5
LONGEST_TEXT = 4_000

_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+")

Places = npt.NDArray[np.int64]


def places(text: str) -> Places:
    """The buckets that a folded text falls into, each once, in order: letters in the lower half, words in the upper."""
    text = _SPACE.sub(" ", text[:LONGEST_TEXT])
    return np.unique(np.concatenate((*letter_runs(f" {text} "), word_runs(text))))


def letter_runs(text: str) -> list[Places]:
    """Hashes of every run of two to five letters."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64)
    hashes, found = codes, []
    for length in range(2, LONGEST_RUN + 1):
        if len(codes) < length:
            break
        hashes = (hashes[:-1] * np.uint64(1_000_003) + codes[length - 1 :]) & np.uint64(0xFFFFFFFF)
        mixed = (hashes * np.uint64(2_654_435_761) + np.uint64(length)) & np.uint64(0xFFFFFFFF)
        found.append((mixed >> np.uint64(32 - BITS)).astype(np.int64))
    return found


def word_runs(text: str) -> Places:
    """Hashes of every word and of every two words in a row."""
    words = _WORD.findall(text)
    runs = [*words, *(f"{one} {other}" for one, other in pairwise(words))]
    return np.array([BUCKETS + (zlib.crc32(run.encode()) >> (32 - BITS)) for run in runs], np.int64)


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights of each label, (labels, 2 * buckets) as int8, their scales and biases."""

    weights: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]
    biases: npt.NDArray[np.float32]

    def __call__(self, text: str) -> npt.NDArray[np.float32]:
        """One logit a label for a folded text."""
        found = places(text)
        sums = self.weights[:, found].sum(axis=1, dtype=np.int64)
        logits: npt.NDArray[np.float32] = (sums * self.scales / max(1.0, len(found) ** 0.5) + self.biases).astype(
            np.float32
        )
        return logits

    def written(self) -> bytes:
        """The weights as a compressed archive."""
        target = io.BytesIO()
        np.savez_compressed(target, weights=self.weights, scales=self.scales, biases=self.biases)
        return target.getvalue()


def read(content: bytes) -> Linear:
    """The weights that `written` wrote."""
    with np.load(io.BytesIO(content)) as archive:
        return Linear(archive["weights"], archive["scales"], archive["biases"])
