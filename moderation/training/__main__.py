"""`python -m moderation.training DATA`: from raw files to a folder that the bundled engine can read.

Stopped and started again with the same work folder it goes on where it was.
"""

import argparse
import math
from collections import Counter
from pathlib import Path

import torch

from moderation.engines.bundled.weights import SHIPPED
from moderation.engines.bundled.windows import WINDOW
from moderation.training import linear, rows, spellings, synthetic, written
from moderation.training.package import package
from moderation.training.train import Plan, tokenizer, train


def asked() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m moderation.training", description=__doc__)
    reader.add_argument("data", type=Path, help="a folder with train/ and eval/, as docs/model-card.md describes them")
    reader.add_argument("--out", type=Path, default=SHIPPED, help="where the engine's files go")
    reader.add_argument("--work", type=Path, default=Path("var/training"), help="where checkpoints are kept")
    reader.add_argument("--passes", type=float, default=2.0, help="passes over the rows")
    reader.add_argument("--minutes", type=float, default=math.inf, help="stop after so many minutes of training")
    reader.add_argument("--seed", type=int, default=7)
    return reader.parse_args()


def main() -> None:
    wanted = asked()
    training, held, leaks = rows.load(wanted.data, [*synthetic.generate(), *written.comments()])
    print(f"{len(training)} rows to train on: {dict(Counter(row.source for row in training))}")
    print(f"{len(held)} rows held out; dropped because they stand in an evaluation file: {leaks}")
    torch.set_num_threads(2 if not torch.cuda.is_available() else 8)
    encoder = train(training, Plan(wanted.passes, wanted.minutes, seed=wanted.seed), wanted.work)
    found = spellings.learned(training, tokenizer(WINDOW))
    package(encoder.state_dict(), linear.train(training, found), found, held, wanted.out)
    print(f"Written to {wanted.out}. Measure it: python -m moderation.training.eval {wanted.data}")


if __name__ == "__main__":
    main()
