"""What the encoder said of the last few texts, so that explaining a text that was just scored does not read it again.

Keeps no text: each is known by its digest, with numbers alone. Safe to use from many threads.
"""

import hashlib
from collections import OrderedDict
from threading import Lock

import numpy as np
import numpy.typing as npt

MOST = 32

Logits = npt.NDArray[np.float32]
Said = tuple[Logits, list[Logits]]


class Recent:
    """The last few texts' logits and marks, window by window."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, Said] = OrderedDict()
        self._lock = Lock()

    def keep(self, text: str, said: Said) -> None:
        """Keep what was said of a text; the oldest goes where there are too many."""
        with self._lock:
            self._kept[_digest(text)] = said
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def said_of(self, text: str) -> Said | None:
        """What was said of a text, if it was one of the last few."""
        with self._lock:
            return self._kept.get(_digest(text))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
