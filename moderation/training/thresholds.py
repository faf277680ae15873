"""Searches hold thresholds for an engine: `python -m moderation.training.thresholds DATA`.

Reads comments that training never saw: the held-out rows of our own and of Jigsaw, and the development half of the
news slice; no evaluation file. It climbs from the policy's own thresholds and from some drawn at random: one
threshold is changed at a time, and the change stays where more abuse is held. Publishable comments that are held beyond
what their set allows cost ten times as much. What rules and word lists hold counts as held. The outcome is a proposal:
round it, and measure it with `make eval`.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moderation.engines import Engine, open_engine
from moderation.evaluate import Numbers
from moderation.model import Outcome, Submission
from moderation.pipeline import Judge
from moderation.policy import Policy, read_policy
from moderation.training.rows import Row, clean
from moderation.training.split import held_out

LEVELS = tuple(round(0.05 * step, 2) for step in range(2, 20))
MOST_CLEAN = 3_000
STARTS = 8
STEPS = 500
PENALTY = 10.0


@dataclass(frozen=True)
class Sample:
    """A text, whether a moderator would hold it, and which set it is of."""

    text: str
    abusive: bool
    source: str


def samples(data: Path, slices: Sequence[Path]) -> Iterator[Sample]:
    """Our own comments and phrases, Jigsaw's clean rows, and the slices' rows."""
    held = held_out(data)
    yield from sampled("written", [row for row in held if row.source == "written"])
    neutral = [row for row in held if row.source in {"synthetic", "wiki_debias"} and row.targets.get("toxicity") == 0.0]
    yield from sampled("neutral", neutral)
    harmless = [row for row in held if row.source == "jigsaw" and not max(row.targets.values())]
    yield from sampled("clean", harmless[:MOST_CLEAN])
    for path in slices:
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            yield Sample(line["text"], line["label"] == "hold", path.stem)


def sampled(source: str, rows: Sequence[Row]) -> Iterator[Sample]:
    yield from (Sample(row.text, row.targets.get("unfit", 0.0) > 0.5, source) for row in rows)


@dataclass(frozen=True)
class Pool:
    """What is searched on: scores by attribute, labels, sets, and what is held whatever the thresholds are."""

    scores: Mapping[str, Numbers]
    abusive: Any
    sources: Any
    held: Any

    def shares(self, thresholds: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        """For each set the share of its abusive and of its publishable comments that is held; NaN where it has none."""
        held = self.held.copy()
        for name, level in thresholds.items():
            held |= self.scores[name] >= level
        return {source: self._share(held, self.sources == source) for source in np.unique(self.sources)}

    def _share(self, held: Any, own: Any) -> tuple[float, float]:
        sides = (held[own & self.abusive], held[own & ~self.abusive])
        abusive, publishable = (float(side.mean()) if len(side) else float("nan") for side in sides)
        return abusive, publishable

    def worth(self, thresholds: Mapping[str, float], allowed: Mapping[str, float]) -> float:
        """The mean share of abuse held, less what is held of publishable comments beyond what each set allows."""
        shares = self.shares(thresholds)
        over = sum(max(0.0, good - allowed[source]) for source, (_, good) in shares.items() if not np.isnan(good))
        return float(np.nanmean([bad for bad, _ in shares.values()])) - PENALTY * over


def searched(pool: Pool, start: Mapping[str, float], allowed: Mapping[str, float], seed: int = 1) -> dict[str, float]:
    """The best thresholds found, from the given ones and from some chosen at random; the same for the same seed."""
    chance = np.random.default_rng(seed)
    names, best = sorted(start), dict(start)
    for turn in range(STARTS):
        found = dict(start) if turn == 0 else {name: float(chance.choice(LEVELS)) for name in names}
        worth = pool.worth(found, allowed)
        for _ in range(STEPS):
            changed = found | {str(chance.choice(names)): float(chance.choice(LEVELS))}
            if (gained := pool.worth(changed, allowed)) > worth:
                found, worth = changed, gained
        best = max(best, found, key=lambda thresholds: pool.worth(thresholds, allowed))
    return best


def pool_of(engine: Engine, policy: Policy, found: Sequence[Sample]) -> Pool:
    """Every sample judged under the policy: what the engine says of it, and whether anything else held it."""
    judge = Judge(policy, [engine], timeout=120.0)
    decisions = [judge.decide(Submission(clean(one.text))) for one in found]
    by_rule = [
        any(finding.source != engine.name and finding.outcome is not Outcome.APPROVE for finding in decision.findings)
        for decision in decisions
    ]
    scores = [decision.scores[engine.name] for decision in decisions]
    return Pool(
        {name: np.array([one[name] for one in scores]) for name in engine.attributes},
        np.array([one.abusive for one in found]),
        np.array([one.source for one in found]),
        np.array(by_rule),
    )


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m moderation.training.thresholds", description=__doc__)
    reader.add_argument("data", type=Path)
    reader.add_argument("--engine", default="bundled")
    reader.add_argument("--policy", type=Path, default=Path("config/policy.toml"))
    reader.add_argument("--slice", type=Path, nargs="*", default=[Path("tests/data/news_slice_dev.jsonl")])
    reader.add_argument("--allowed", type=float, default=0.06, help="of the hardest publishable comments, as a share")
    reader.add_argument("--allowed-clean", type=float, default=0.012, help="of everyday and neutral ones")
    wanted = reader.parse_args()
    policy = read_policy(wanted.policy, wanted.policy.parent / "wordlists")
    engine = open_engine(wanted.engine, policy)
    pool = pool_of(engine, policy, list(samples(wanted.data, wanted.slice)))
    allowed = dict.fromkeys(np.unique(pool.sources), wanted.allowed)
    allowed |= dict.fromkeys(("neutral", "clean"), wanted.allowed_clean)
    known = policy.thresholds(engine.name).items()
    start = {name: one.hold for name, one in known if one.hold is not None and name in pool.scores}
    for title, thresholds in (("the policy's own", start), ("found", searched(pool, start, allowed))):
        print(f"\n{title}: {thresholds}")
        for source, (bad, good) in pool.shares(thresholds).items():
            print(f"    {source:20} abuse held {bad:.3f}   publishable held {good:.3f}")


if __name__ == "__main__":
    main()
