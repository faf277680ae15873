"""One run of training: rows in, checkpoints out. Seeded, resumable, at home on two cores and on a GPU.

The learning rate falls to the end of the run, whichever comes first of its passes and its minutes, and a moving
average of the weights is kept beside the weights: it is the average that ships.
"""

import copy
import math
import random
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from moderation.training import augment
from moderation.training.encoder import Encoder, base_folder, new_encoder
from moderation.training.rows import HEADS, SWEAR, Row

TOKENS_A_BATCH = 3072
POOL = 6144
SHARES = 4
AVERAGE = 0.998
SPAN_WEIGHT = 4.0
RARE = {"threat": 3, "incitement": 2, "dehumanisation": 3}
WRITTEN = 3
CHECKPOINT = "checkpoint.pt"


@dataclass
class Plan:
    """How long and how hard to train; `frozen` of the lowest layers rest, `length` is in tokens."""

    passes: float = 2.0
    minutes: float = math.inf
    rate: float = 1.6e-4
    head_rate: float = 1e-3
    seed: int = 7
    save_every: float = 180.0
    length: int = 112
    frozen: int = 0


def tokenizer(length: int) -> Tokenizer:
    made = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    made.enable_truncation(length)
    made.no_padding()
    return made


def copies(row: Row) -> int:
    """How often a pass shows this row: rare labels and whole comments of our own more than once."""
    if row.source == "written":
        return WRITTEN
    return max([RARE[head] for head in RARE if row.targets.get(head, 0) > 0.5 and row.source != "synthetic"], default=1)


def typed(row: Row, chance: random.Random) -> str:
    """The row's text as this pass shows it: mostly as it is, sometimes disguised, careless or with terms swapped."""
    if row.marked:
        return row.text
    text, luck = row.text, chance.random()
    if chance.random() < 0.4:
        text = augment.swap_identities(text, chance)
    bad = max(row.targets.values(), default=0.0) > 0.5
    if luck < (0.22 if bad else 0.08):
        return augment.disguise(text, SWEAR, chance)
    if luck > 0.9:
        return augment.carelessly(text, chance)
    return text


@dataclass
class Batch:
    """Tensors of one step.

    Ids, mask, targets, their weights, token targets, which token targets count, and in which rows the labels say more
    than a teacher can.
    """

    ids: Tensor
    mask: Tensor
    targets: Tensor
    weights: Tensor
    marks: Tensor
    counted: Tensor
    doubted: Tensor


def batches(rows: Sequence[Row], seed: int, reader: Tokenizer) -> Iterator[Batch]:
    """One pass over the rows in an order fixed by the seed, bucketed by length."""
    chance = random.Random(seed)
    order = [index for index, row in enumerate(rows) for _ in range(copies(row))]
    chance.shuffle(order)
    for start in range(0, len(order), POOL):
        pool = [rows[index] for index in order[start : start + POOL]]
        encoded = reader.encode_batch([typed(row, chance) for row in pool])
        by_length = sorted(range(len(pool)), key=lambda place: len(encoded[place].ids))
        groups = list(grouped(by_length, [len(one.ids) for one in encoded]))
        chance.shuffle(groups)
        for group in groups:
            yield collate([pool[place] for place in group], [encoded[place] for place in group])


def grouped(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Runs of places whose padded size stays under the token budget."""
    group: list[int] = []
    for place in order:
        if (group and (len(group) + 1) * max(lengths[place], 8) > TOKENS_A_BATCH) or len(group) >= 96:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def collate(rows: Sequence[Row], encoded: Sequence[Any]) -> Batch:
    width = max(len(one.ids) for one in encoded)
    ids = np.zeros((len(rows), width), np.int64)
    targets = np.full((len(rows), len(HEADS)), np.nan, np.float32)
    marks = np.zeros((len(rows), width), np.float32)
    counted = np.zeros((len(rows), width), np.float32)
    for place, (row, one) in enumerate(zip(rows, encoded, strict=True)):
        ids[place, : len(one.ids)] = one.ids
        for head, value in row.targets.items():
            targets[place, HEADS.index(head)] = value
        if row.marked is not None:
            for token, (start, end) in enumerate(one.offsets):
                counted[place, token] = float(end > start)
                marks[place, token] = float(any(at in row.marked for at in range(start, end)))
    weights = np.array([row.weight for row in rows], np.float32)[:, None] * ~np.isnan(targets)
    doubted = np.array([row.source == "written" for row in rows])
    arrays = (ids, ids != 0, np.nan_to_num(targets), weights, marks, counted, doubted)
    return Batch(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))


def split(batch: Batch, shares: int) -> Iterator[Batch]:
    """The batch in up to so many shares."""
    size = -(-batch.ids.shape[0] // shares)
    for start in range(0, batch.ids.shape[0], size):
        yield Batch(*(tensor[start : start + size] for tensor in vars(batch).values()))


def loss_of(logits: Tensor, token_logits: Tensor, batch: Batch) -> Tensor:
    """Binary cross-entropy, summed over rows and the heads that each row's set speaks of.

    Where a row has marked characters, the mean over its tokens is added, several times over: few rows have them.
    """
    each = functional.binary_cross_entropy_with_logits(logits.float(), batch.targets, reduction="none")
    marks = functional.binary_cross_entropy_with_logits(token_logits.float(), batch.marks, reduction="none")
    spans = (marks * batch.counted).sum(1) / batch.counted.sum(1).clamp(min=1.0)
    return (each * batch.weights).sum() + SPAN_WEIGHT * spans.sum()


class Teacher(Protocol):
    """A larger encoder that shows what it makes of every row."""

    def unlike(self, batch: Batch, hidden: Tensor, logits: Tensor, tokens: Tensor) -> Tensor:
        """How far from the teacher's a batch was read and judged, summed over its rows."""


class Run:
    """The state of training, saved and found again.

    The weights are kept in full precision; one half-precision copy a worker computes gradients. Two workers of one
    thread each, fed with small shares of a batch, outrun one worker of two threads on cores that others use too.
    """

    def __init__(
        self, plan: Plan, folder: Path, device: str, start: Encoder | None = None, teacher: Teacher | None = None
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.folder, self.device, self.teacher = plan, folder, device, teacher
        self.encoder: Encoder = (start or new_encoder(len(HEADS))).to(device)
        self.encoder.words.weight.requires_grad_(device != "cpu")
        self.average = {name: value.detach().clone() for name, value in self.encoder.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.groups(), lr=plan.rate, weight_decay=0.01, betas=(0.9, 0.98))
        self.step, self.done, self.elapsed = 0, 0.0, 0.0
        self.stopping = False
        self.copies = [copy.deepcopy(self.encoder).bfloat16().train() for _ in range(1 if device == "cuda" else 2)]
        for one in self.copies:
            self.freeze(one)
        self.workers = ThreadPoolExecutor(len(self.copies))

    def freeze(self, encoder: Encoder) -> None:
        """Let the lowest layers, and the embeddings below them, rest: late in a run they move little and cost much."""
        if self.plan.frozen:
            resting = [
                encoder.words,
                encoder.positions,
                encoder.kinds,
                encoder.norm,
                *encoder.blocks[: self.plan.frozen],
            ]
            for part in resting:
                part.requires_grad_(False)

    def groups(self) -> list[dict[str, Any]]:
        fresh = [*self.encoder.heads.parameters(), *self.encoder.tokens.parameters()]
        known = {id(parameter) for parameter in fresh}
        rest = [one for one in self.encoder.parameters() if one.requires_grad and id(one) not in known]
        return [{"params": rest, "peak": self.plan.rate}, {"params": fresh, "peak": self.plan.head_rate}]

    def set_rate(self) -> None:
        spent = min(1.0, max(self.done / self.plan.passes, self.elapsed / (self.plan.minutes * 60)))
        scale = min(1.0, (self.step + 1) / 200) * max(0.03, 1.0 - spent)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * scale

    def learn(self, batch: Batch) -> float:
        """One step on one batch; its loss a row."""
        self.set_rate()
        shares = SimpleQueue[Batch]()
        for share in split(batch, 1 if self.device == "cuda" else SHARES):
            shares.put(share)
        size = batch.ids.shape[0]
        losses = list(self.workers.map(lambda encoder: self.gradients(encoder, shares, size), self.copies))
        self.gather()
        torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
        self.optimiser.step()
        self.scatter()
        self.step += 1
        if self.step % 4 == 0:
            self.blend(1.0 - min(AVERAGE, (self.step + 1) / (self.step + 40)) ** 4)
        return sum(losses)

    def gradients(self, encoder: Encoder, shares: SimpleQueue[Batch], size: int) -> float:
        """What one worker does: shares of the batch until none is left."""
        torch.set_num_threads(1)
        encoder.zero_grad()
        total = 0.0
        with suppress(Empty):
            while True:
                share = Batch(*(tensor.to(self.device) for tensor in vars(shares.get_nowait()).values()))
                hidden = encoder.read(share.ids, share.mask)
                logits, tokens = encoder.judged(hidden, share.mask)
                loss = loss_of(logits, tokens, share) / size
                if self.teacher:
                    loss = loss + self.teacher.unlike(share, hidden, logits, tokens) / size
                loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
                total += float(loss.detach())
        return total

    def gather(self) -> None:
        for kept, *parts in zip(*(one.parameters() for one in (self.encoder, *self.copies)), strict=True):
            found = [part.grad.float() for part in parts if part.grad is not None]
            kept.grad = sum(found[1:], start=found[0]) if found else None

    @torch.no_grad()
    def scatter(self) -> None:
        for kept, *parts in zip(*(one.parameters() for one in (self.encoder, *self.copies)), strict=True):
            if kept.requires_grad:
                for part in parts:
                    part.copy_(kept)

    def blend(self, share: float) -> None:
        for name, value in self.encoder.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, share)

    def save(self) -> None:
        state = {
            "encoder": self.encoder.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "counters": (self.step, self.done, self.elapsed),
        }
        part = self.folder / "checkpoint.part"
        torch.save(state, part)
        part.replace(self.folder / CHECKPOINT)

    def resume(self) -> bool:
        """Take up the last checkpoint of the folder; False where there is none."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return False
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.encoder.load_state_dict(state["encoder"])
        self.average = state["average"]
        self.scatter()
        self.optimiser.load_state_dict(state["optimiser"])
        for group, fresh in zip(self.optimiser.param_groups, self.groups(), strict=True):
            group["peak"] = fresh["peak"]
        self.step, self.done, self.elapsed = state["counters"]
        return True


def averaged(checkpoint: Path) -> dict[str, Tensor]:
    """The moving average of the weights, which is what ships, from a run's checkpoint."""
    found: dict[str, Tensor] = torch.load(checkpoint, map_location="cpu", weights_only=True)["average"]
    return found


def device() -> str:
    """What there is to train on."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def train(
    rows: Sequence[Row], plan: Plan, folder: Path, start: Encoder | None = None, teacher: Teacher | None = None
) -> Encoder:
    """Train until the plan is spent, from the last checkpoint where there is one; the averaged encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(plan, folder, device(), start, teacher)
    run.resume()
    signal.signal(signal.SIGTERM, lambda *_: setattr(run, "stopping", True))
    shown = sum(copies(row) for row in rows)
    reader = tokenizer(plan.length)
    while not is_spent(run):
        one_pass(run, rows, reader, shown)
        if run.stopping:
            run.save()
            raise SystemExit("stopped; the same command goes on from here")
    run.save()
    run.encoder.load_state_dict(run.average)
    return run.encoder


def is_spent(run: Run) -> bool:
    return run.done >= run.plan.passes - 1e-6 or run.elapsed >= run.plan.minutes * 60


def one_pass(run: Run, rows: Sequence[Row], reader: Tokenizer, shown: int) -> None:
    """What is left of the current pass (or all of the next), saving on the way."""
    number = int(run.done + 1e-6)
    skip = round((run.done - number) * shown)
    saved = started = time.monotonic()
    before, seen, smooth = run.elapsed, 0, math.nan
    with tqdm(total=shown, desc=f"pass {number + 1}", unit="rows", mininterval=10, smoothing=0.05) as bar:
        for batch in batches(rows, run.plan.seed * 1000 + number, reader):
            size = batch.ids.shape[0]
            seen += size
            bar.update(size)
            if seen <= skip:  # shown before the checkpoint
                continue
            loss = run.learn(batch)
            smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
            bar.set_postfix(loss=f"{smooth:.4f}", step=run.step, refresh=False)
            run.done = number + seen / shown
            run.elapsed = before + time.monotonic() - started
            if time.monotonic() - saved > run.plan.save_every:
                run.save()
                saved = time.monotonic()
            if run.stopping or is_spent(run):
                return
    run.done = float(number + 1)
