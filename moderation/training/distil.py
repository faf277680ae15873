"""A shallower encoder that learns from a deeper one: four of six layers, a third faster, judged as well.

It starts as the deeper one without some of its layers, and learns both from the rows' labels and from what the deeper
one makes of each row: its logits for every head, whatever the row's set speaks of, its marks, and its last layer.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from moderation.training.encoder import Encoder
from moderation.training.train import Batch

# Of the pairs tried, leaving these two of six out moved the scores of held-out rows least before any training.
KEPT = (0, 2, 4, 5)
# How it learns: the rates of its layers and of its heads, and how many tokens of a text are read.
RATE, HEAD_RATE, LENGTH = 2e-4, 4e-4, 104
# What a token's last layer and its mark weigh beside the chance of one head.
LAST_LAYER, MARKS = 2.0, 2.0
# Our comments teach what the deeper one knows least about: there the labels say more than it does.
DOUBTED = 0.3


def cut(whole: Encoder, kept: Sequence[int] = KEPT) -> Encoder:
    """The encoder with only these of its layers; the parameters are copies."""
    state = whole.state_dict()
    vocabulary, positions = state["words.weight"].shape[0], state["positions.weight"].shape[0]
    made = Encoder(state["heads.weight"].shape[0], vocabulary, positions, len(kept))
    made.load_state_dict(dict(renumbered(state, kept)))
    return made


def renumbered(state: Mapping[str, Tensor], kept: Sequence[int]) -> Sequence[tuple[str, Tensor]]:
    """The parameters, those of the kept layers under their new numbers."""
    found = []
    for name, value in state.items():
        if not name.startswith("blocks."):
            found.append((name, value))
        elif int(name.split(".")[1]) in kept:
            _, number, rest = name.split(".", 2)
            found.append((f"blocks.{kept.index(int(number))}.{rest}", value))
    return found


def blended(one: Mapping[str, Tensor], other: Mapping[str, Tensor], share: float = 0.5) -> dict[str, Tensor]:
    """The mean of two courses of training from the same base weights, parameter by parameter."""
    return {name: value.lerp(other[name].to(value.device), share) for name, value in one.items()}


class Deeper:
    """The deeper encoder as a teacher. Read-only, so that all workers share it."""

    def __init__(self, encoder: Encoder, device: str) -> None:
        self.encoder = encoder.to(device).bfloat16().eval().requires_grad_(False)

    def unlike(self, batch: Batch, hidden: Tensor, logits: Tensor, tokens: Tensor) -> Tensor:
        """Cross-entropy with the deeper one's chances and marks, and the distance of the last layers, over the rows."""
        with torch.no_grad():
            read = self.encoder.read(batch.ids, batch.mask)
            judged, marked = self.encoder.judged(read, batch.mask)
        trust = torch.where(batch.doubted, DOUBTED, 1.0)
        each = functional.binary_cross_entropy_with_logits(logits.float(), judged.float().sigmoid(), reduction="none")
        real = batch.mask.float()
        marks = functional.binary_cross_entropy_with_logits(tokens.float(), marked.float().sigmoid(), reduction="none")
        apart = (hidden.float() - read.float()).square().mean(-1)
        a_token = ((MARKS * marks + LAST_LAYER * apart) * real).sum(1) / real.sum(1)
        return ((each.sum(1) + a_token) * trust).sum()
