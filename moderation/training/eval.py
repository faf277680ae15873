"""Measures an engine against labelled comments: every row of the quality table, each with an interval.

`python -m moderation.training.eval DATA` reads DATA/eval, and of DATA/train the rows that training held out; it
downloads nothing, fits nothing, prints a table and, asked to, writes it into the model card.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from moderation.engines import open_engine
from moderation.policy import read_policy
from moderation.training import card
from moderation.training.measures import MEASURES, Bench, Figure


def main() -> None:
    wanted = asked()
    policy = read_policy(wanted.policy, wanted.policy.parent / "wordlists")
    bench = Bench(open_engine(wanted.engine, policy), policy, wanted.data, wanted.slice, wanted.share)
    measures = [one for one in MEASURES if not wanted.only or one.__name__ in wanted.only]
    figures = [figure for measure in measures for figure in measure(bench)]
    print(f"\n{bench.engine.name} {bench.engine.version}\n")
    tell(figures)
    if wanted.card:
        card.write(wanted.card, bench.engine.version, [asdict(one) for one in figures])


def asked() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m moderation.training.eval", description=__doc__)
    reader.add_argument("data", type=Path, help="a folder with eval/ and train/")
    reader.add_argument("--engine", default="bundled")
    reader.add_argument("--only", nargs="*", help="names of measures: " + ", ".join(one.__name__ for one in MEASURES))
    reader.add_argument("--share", type=float, default=1.0, help="of the rows of each set (for a quick look)")
    reader.add_argument("--policy", type=Path, default=Path("config/policy.toml"))
    reader.add_argument("--slice", type=Path, nargs="*", default=[Path("tests/data/news_slice_dev.jsonl")])
    reader.add_argument("--card", type=Path, help="the model card that the figures are written into")
    return reader.parse_args()


def tell(figures: Sequence[Figure]) -> None:
    """A line a figure, and below it the lowest thirty of what lies behind it."""
    for figure in figures:
        between = f"[{figure.low:.4f}, {figure.high:.4f}]"
        print(f"{figure.name:62} {figure.value:8.4f}  {between}  {figure.must:12} {figure.note}")
        for name, value in sorted(figure.detail.items(), key=lambda item: item[1])[:30]:
            print(f"    {name:58} {value:8.4f}")


if __name__ == "__main__":
    main()
