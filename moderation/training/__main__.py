"""`python -m moderation.training DATA`: from raw files to a folder that the bundled engine can read.

First a deep encoder learns from the rows, then a shallower one, which ships, from the rows and from it. Stopped and
started again with the same work folder it goes on where it was.
"""

import argparse
import math
from collections import Counter
from pathlib import Path

import torch

from moderation.engines.bundled.weights import SHIPPED
from moderation.engines.bundled.windows import WINDOW
from moderation.training import distil, linear, rows, spellings, synthetic, written
from moderation.training.package import package
from moderation.training.train import CHECKPOINT, Plan, averaged, device, tokenizer, train


def asked() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m moderation.training", description=__doc__)
    reader.add_argument("data", type=Path, help="a folder with train/ and eval/, as docs/model-card.md describes them")
    reader.add_argument("--out", type=Path, default=SHIPPED, help="where the engine's files go")
    reader.add_argument("--work", type=Path, default=Path("var/training"), help="where checkpoints are kept")
    reader.add_argument("--passes", type=float, default=2.0, help="passes of the deep encoder over the rows")
    reader.add_argument("--minutes", type=float, default=math.inf, help="stop the deep one after so many minutes")
    reader.add_argument("--shallow-passes", type=float, default=1.6, help="passes of the shallower one")
    reader.add_argument("--shallow-minutes", type=float, default=math.inf, help="stop the shallower one after so many")
    reader.add_argument(
        "--beside",
        type=Path,
        metavar="WORK",
        help="another run's work folder, of another seed: the shallower one learns from the mean of both deep ones",
    )
    reader.add_argument("--seed", type=int, default=7)
    return reader.parse_args()


def main() -> None:
    wanted = asked()
    training, held, leaks = rows.load(wanted.data, [*synthetic.generate(), *written.comments()])
    print(f"{len(training)} rows to train on: {dict(Counter(row.source for row in training))}")
    print(f"{len(held)} rows held out; dropped because they stand in an evaluation file: {leaks}")
    torch.set_num_threads(8 if device() == "cuda" else 2)
    other = averaged(wanted.beside / CHECKPOINT) if wanted.beside else None
    deep = train(training, Plan(wanted.passes, wanted.minutes, seed=wanted.seed), wanted.work)
    if other:
        deep.load_state_dict(distil.blended(deep.state_dict(), other))
    plan = Plan(
        wanted.shallow_passes,
        wanted.shallow_minutes,
        distil.RATE,
        distil.HEAD_RATE,
        wanted.seed + 1,
        length=distil.LENGTH,
    )
    start, teacher = distil.cut(deep), distil.Deeper(deep, device())
    shallow = train(training, plan, wanted.work / "shallow", start, teacher)
    found = spellings.learned(training, tokenizer(WINDOW))
    package(shallow.state_dict(), linear.train(training, found), found, held, wanted.out)
    print(f"Written to {wanted.out}. Measure it: python -m moderation.training.eval {wanted.data}")


if __name__ == "__main__":
    main()
