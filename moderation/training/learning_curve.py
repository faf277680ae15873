"""What more rows would be worth: the linear model's AUC by the share of Jigsaw's rows that it was trained on.

`python -m moderation.training.learning_curve DATA` takes some minutes. It is measured on rows that training held out.
The encoder is too dear to train again for each share; where the small model still climbs, the rows are what is missing.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from moderation.engines.bundled.spellings import Spellings
from moderation.engines.bundled.weights import SHIPPED, load
from moderation.evaluate import Numbers, auc
from moderation.training import linear, split
from moderation.training.rows import JIGSAW, Row

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m moderation.training.learning_curve", description=__doc__)
    reader.add_argument("data", type=Path, help="the folder that `make train` is given")
    training, held = split.both(reader.parse_args().data)
    spellings = load(SHIPPED, 1).spellings
    print("| rows | toxic | mean of six |\n| --- | --- | --- |")
    for size, toxic, six in measured(of_jigsaw(training), of_jigsaw(held), spellings):
        print(f"| {size:,} | {toxic:.4f} | {six:.4f} |", flush=True)


def of_jigsaw(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.source == "jigsaw"]


def measured(training: Sequence[Row], held: Sequence[Row], spellings: Spellings) -> Iterator[tuple[int, float, float]]:
    """For each share: its number of rows, and on the held-out rows the AUC of `toxicity` and the mean of six labels."""
    texts = [spellings(row.text).text for row in held]
    mixed = random.Random(11).sample(training, len(training))
    for share in SHARES:
        rows = mixed[: round(share * len(mixed))]
        model = linear.train(rows, spellings)
        found = aucs(np.array([model(text) for text in texts]), held)
        yield len(rows), found[0], float(np.mean(found))


def aucs(logits: Numbers, rows: Sequence[Row]) -> list[float]:
    """The AUC of each Jigsaw label on the rows that tell of it; `logits` is (rows, labels)."""
    found = []
    for place, label in enumerate(JIGSAW):
        known = [at for at, row in enumerate(rows) if label in row.targets]
        truth = np.array([rows[at].targets[label] >= 0.5 for at in known], float)
        found.append(auc(logits[known, place], truth))
    return found


if __name__ == "__main__":
    main()
