"""Cuts a text of any length into windows that the encoder can read, each overlapping the one before."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tokenizers

START, END = 101, 102
WINDOW = 128
OVERLAP = 32

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Window:
    """Some tokens of one text, without the marks at both ends, and where each stands in it."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def place(self) -> slice:
        """Where in the text the window stands, from its first token to its last."""
        return slice(self.offsets[0][0], self.offsets[-1][1]) if self.offsets else slice(0)

    def part(self, start: int, end: int) -> "Window":
        """The tokens from `start` to `end`, exclusive."""
        return Window(self.ids[start:end], self.offsets[start:end])


def windows(tokenizer: tokenizers.Tokenizer, text: str) -> list[Window]:
    """Every token of the text in at least one window; a text without tokens has one empty window."""
    read = tokenizer.encode(text, add_special_tokens=False)
    whole = Window(tuple(read.ids), tuple(read.offsets))
    return list(cut(whole, WINDOW - 2, OVERLAP))


def cut(whole: Window, size: int, overlap: int) -> Iterator[Window]:
    """Windows of at most `size` tokens; the last one is as long as the rest."""
    start = 0
    while True:
        yield whole.part(start, start + size)
        if start + size >= len(whole):
            return
        start += size - overlap


def as_read(window: Window) -> dict[str, Ids]:
    """The model's input: ids, (1, tokens), with the marks at both ends."""
    return {"ids": np.array([(START, *window.ids, END)], np.int32)}
