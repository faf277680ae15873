"""Proposes a policy's hold thresholds for an engine: `python -m moderation.training.thresholds DATA`.

Reads comments that training never saw: the held-out rows of our own and of Jigsaw, and the development half of the
news slice; no evaluation file. From holding nothing it goes, step by step, to the next lower threshold of whichever
attribute stops the most abuse for each publishable comment that it would hold, until as many are held as are allowed.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moderation.engines import open_engine
from moderation.evaluate import Numbers
from moderation.training.rows import Row, clean
from moderation.training.split import held_out

LEVELS = (*(round(0.98 - 0.02 * step, 2) for step in range(47)),)
MOST_CLEAN = 3_000


@dataclass(frozen=True)
class Sample:
    """A text, whether a moderator would hold it, and how much it counts."""

    text: str
    abusive: bool
    weight: float


def samples(data: Path, slices: Sequence[Path]) -> Iterator[Sample]:
    """Each set counts as much as another, whatever its size."""
    held = held_out(data)
    written = [row for row in held if row.source == "written"]
    neutral = [row for row in held if row.source in {"synthetic", "wiki_debias"} and row.targets.get("toxicity") == 0.0]
    clean_rows = [row for row in held if row.source == "jigsaw" and not max(row.targets.values())][:MOST_CLEAN]
    yield from weighed(written)
    yield from weighed(neutral)
    yield from weighed(clean_rows)
    for path in slices:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        yield from (Sample(line["text"], line["label"] == "hold", 1 / len(lines)) for line in lines)


def weighed(rows: Sequence[Row]) -> Iterator[Sample]:
    yield from (Sample(row.text, row.targets.get("unfit", 0.0) > 0.5, 1 / len(rows)) for row in rows)


def proposed(
    scores: Mapping[str, Numbers], abusive: Numbers, weights: Numbers, allowed: float
) -> Iterator[tuple[str, float, float, float]]:
    """The steps: attribute, its new threshold, share of abuse held after it, share of the publishable held after it."""
    bad, good = abusive * weights, (1 - abusive) * weights
    over = {name: [scores[name] >= level for level in LEVELS] for name in scores}
    stands = dict.fromkeys(scores, -1)
    held = np.zeros(len(abusive), bool)
    while True:
        best: tuple[float, str, int] | None = None
        for name, levels in over.items():
            for at in range(stands[name] + 1, len(levels)):
                fresh = levels[at] & ~held
                gain, cost = float(bad[fresh].sum()), float(good[fresh].sum())
                if gain > 0 and (good[held].sum() + cost) <= allowed * good.sum():
                    best = max(best or (0.0, "", 0), (gain / (cost + 0.002 * good.sum()), name, at))
        if best is None or not best[1]:
            return
        _, name, at = best
        stands[name], held = at, held | over[name][at]
        yield name, LEVELS[at], float(bad[held].sum() / bad.sum()), float(good[held].sum() / good.sum())


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m moderation.training.thresholds", description=__doc__)
    reader.add_argument("data", type=Path)
    reader.add_argument("--engine", default="bundled")
    reader.add_argument("--slice", type=Path, nargs="*", default=[Path("tests/data/news_slice_dev.jsonl")])
    reader.add_argument("--allowed", type=float, default=0.02, help="share of publishable comments that may be held")
    wanted = reader.parse_args()
    engine = open_engine(wanted.engine, None)
    pool = list(samples(wanted.data, wanted.slice))
    scored = [engine.score([clean(one.text)])[0] for one in pool]
    scores = {name: np.array([one[name] for one in scored]) for name in engine.attributes}
    abusive, weights = np.array([float(one.abusive) for one in pool]), np.array([one.weight for one in pool])
    thresholds: dict[str, float] = {}
    for name, level, stopped, lost in proposed(scores, abusive, weights, wanted.allowed):
        thresholds[name] = level
        print(f"{name:18} {level:.2f}   abuse held {stopped:.3f}   publishable held {lost:.4f}")
    for name, level in thresholds.items():
        print(f"[engines.{engine.name}.{name}]\nhold = {level}\n")


if __name__ == "__main__":
    main()
