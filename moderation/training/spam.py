"""Fit the weights of the spam engine's signals, write them into its file, and measure them.

    python -m moderation.training.spam DATA

Positives are rows written for this (`spam_rows.jsonl`), which also holds what looks like spam and is none; the other
negatives are comments under the news (CC0) and everyday comments (Apache-2.0). The two public spam sets, whose licence
is unverified, measure and train nothing.
"""

from __future__ import annotations

import csv
import html
import json
import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from moderation.engines import spam
from moderation.text import TextRefused, canonicalise

PRIOR = 0.1  # how often a comment that reaches a moderated site is spam; scores are probabilities for such a site
HARD = 4.0  # how many ordinary comments one that looks like spam counts for
STRENGTH = 1.0
NEWS, EVERYDAY = 3_000, 5_000
ROWS = Path(__file__).with_name("spam_rows.jsonl")
ENGINE = Path(spam.__file__)


def main(data: Path) -> None:
    """Fit, write, measure."""
    own = [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]
    ordinary = negatives(data / "train")
    labels = np.array([row["spam"] for row in own] + [False] * len(ordinary))
    weights = np.ones(len(labels))
    weights[: len(own)] = HARD
    weights[labels] = PRIOR * len(labels) / labels.sum()
    seen = matrix([row["text"] for row in own] + ordinary)
    model = LogisticRegression(C=STRENGTH, max_iter=5_000).fit(seen, labels, sample_weight=weights)
    write(dict(zip(spam.SIGNALS, model.coef_[0].tolist(), strict=True)), float(model.intercept_[0]))
    for name, (texts, truth) in measured(data / "train").items():
        print(name, json.dumps(figures(truth, model.predict_proba(matrix(texts))[:, 1])))


def negatives(folder: Path) -> list[str]:
    """Comments that are no spam, or so seldom that it does not matter."""
    chance = random.Random(0)
    with (folder / "toxic_spans_train.csv").open(encoding="utf-8") as file:
        news = [row["text"] for row in csv.DictReader(file)]
    everyday = [line.split("\t")[0] for line in (folder / "goemotions_train.tsv").read_text("utf-8").splitlines()]
    return chance.sample(news, NEWS) + chance.sample(everyday, EVERYDAY)


def matrix(texts: list[str]) -> Any:
    """The signals of some texts, a row each."""
    return np.array([list(spam.signals(text).values()) for text in map(canonical, texts)])


def canonical(text: str) -> str:
    """The text as the engine gets it; one with nothing in it as a dot."""
    try:
        return canonicalise(text)
    except TextRefused:
        return "."


def measured(folder: Path) -> dict[str, tuple[list[str], Any]]:
    """The public sets, with whether each text is spam."""
    tube = pq.read_table(folder / "youtube_spam.parquet").to_pylist()
    comments = [html.unescape(re.sub("<br */?>", "\n", row["CONTENT"])) for row in tube]
    lines = [line.split("\t", 1) for line in (folder / "sms_spam.tsv").read_text("utf-8").splitlines()]
    messages = [line for line in lines if line[0] in ("spam", "ham")]
    return {
        "youtube": (comments, np.array([row["CLASS"] == 1 for row in tube])),
        "sms": ([text for _, text in messages], np.array([label == "spam" for label, _ in messages])),
    }


def figures(truth: Any, chances: Any) -> dict[str, float]:
    """AUC; recall with one in a hundred ordinary texts flagged; at 0.5, recall and share of ordinary ones flagged."""
    limit = np.quantile(chances[~truth], 0.99)
    found = {
        "rows": len(truth),
        "auc": roc_auc_score(truth, chances),
        "recall_at_1_percent": (chances[truth] > limit).mean(),
        "recall_at_0.5": (chances[truth] >= 0.5).mean(),
        "flagged_ordinary_at_0.5": (chances[~truth] >= 0.5).mean(),
        "calibration_error": calibration_error(truth, chances),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def calibration_error(truth: Any, chances: Any) -> float:
    """Expected calibration error in ten bins, with the set re-weighted to `PRIOR`."""
    weights = np.where(truth, PRIOR / truth.mean(), (1 - PRIOR) / (1 - truth.mean()))
    total = 0.0
    for low in np.arange(0, 1, 0.1):
        inside = (chances >= low) & (chances < low + 0.1)
        if inside.any():
            mass = weights[inside]
            gap = abs(np.average(chances[inside], weights=mass) - np.average(truth[inside], weights=mass))
            total += float(gap * mass.sum() / weights.sum())
    return total


def write(weights: dict[str, float], bias: float) -> None:
    """Put the fitted numbers where the engine reads them."""
    lines = [f"BIAS = {bias:.3f}", "WEIGHTS: dict[str, float] = {"]
    lines += [f'    "{name}": {weight:.3f},' for name, weight in weights.items()]
    source = ENGINE.read_text(encoding="utf-8")
    fitted = re.sub(r"BIAS = .*?\n\}\n|BIAS = .*?\{\}\n", "\n".join([*lines, "}", ""]), source, flags=re.DOTALL)
    ENGINE.write_text(fitted, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
