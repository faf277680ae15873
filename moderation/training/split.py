"""Which rows training never saw, found again from the raw files: the same for the same files, whoever asks.

Half of them, chosen by their letters, serve to fit curves; what is measured on the other half was fitted nowhere.
"""

from functools import cache
from pathlib import Path

from moderation.training import rows, synthetic, written
from moderation.training.rows import Row


@cache
def both(data: Path) -> tuple[list[Row], list[Row]]:
    """Rows to train on and rows held out."""
    training, held, _ = rows.load(data, [*synthetic.generate(), *written.comments()])
    return training, held


def held_out(data: Path) -> list[Row]:
    return both(data)[1]


def for_curves(text: str) -> bool:
    """Whether a held-out row serves to fit curves; else it serves to measure them."""
    return rows.held_out(text + " curve", 50)
