"""What is measured of an engine, and on which rows: each measure is a function from a bench to figures.

Nothing is fitted and nothing downloaded here, and nothing printed but progress: `eval` chooses the measures and tells
what came of them.
"""

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from moderation.engines import Engine
from moderation.evaluate import Numbers, auc, interval
from moderation.model import Outcome, Submission
from moderation.pipeline import Judge
from moderation.policy import Policy
from moderation.training.calibrate import TOXIC_SHARE, to_share
from moderation.training.metrics import calibration_error, calibration_noise, character_f1, power_mean
from moderation.training.obfuscate import FORMS
from moderation.training.rows import JIGSAW, clean, normalised, spans_of, table
from moderation.training.split import for_curves, held_out

FALSE_ALARMS = 0.05
OBFUSCATED_ROWS = 400


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, its interval, what was asked, and what lies behind it."""

    name: str
    value: float
    low: float = float("nan")
    high: float = float("nan")
    must: str = ""
    note: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Bench:
    """What is measured, and on what."""

    engine: Engine
    policy: Policy
    data: Path
    slices: Sequence[Path]
    share: float = 1.0

    @cached_property
    def judge(self) -> Judge:
        return Judge(self.policy, [self.engine], timeout=120.0)

    def lines(self, name: str, delimiter: str = ",") -> list[dict[str, str]]:
        """A share of an evaluation file's rows, always the same ones."""
        return self.some(list(table(self.data / "eval" / name, delimiter)))

    def some(self, rows: list[Any]) -> list[Any]:
        size = max(200, round(len(rows) * self.share))
        return rows if size >= len(rows) else random.Random(5).sample(rows, size)

    def scores(self, texts: Sequence[str], about: str) -> dict[str, Numbers]:
        """Scores by attribute for texts as they come: each is made canonical first, what cannot be scores 0.

        One at a time, as the service asks: int8 arithmetic scales by what stands beside a text.
        """
        found = {name: np.zeros(len(texts)) for name in self.engine.attributes}
        for place, text in enumerate(tqdm(texts, desc=about, unit="rows", mininterval=5)):
            for name, score in self.engine.score([clean(text)])[0].items():
                found[name][place] = score
        return found

    def held(self, scores: Mapping[str, Numbers]) -> Any:
        """Which rows the policy's thresholds for this engine hold, by any attribute."""
        thresholds = self.policy.thresholds(self.engine.name).items()
        over = [scores[name] >= known.hold for name, known in thresholds if known.hold is not None and name in scores]
        return np.any(over, axis=0)


def with_interval(name: str, figure: Callable[[Any], float], rows: int, must: str = "", **rest: Any) -> Figure:
    low, high = interval(figure, rows)
    return Figure(name, figure(np.arange(rows)), low, high, must, **rest)


def mean_and_interval(values: Numbers) -> tuple[float, float, float]:
    return float(values.mean()), *interval(lambda at: float(values[at].mean()), len(values))


def jigsaw_test(bench: Bench) -> Iterator[Figure]:
    """Half of the balanced sample of the official test set."""
    import pyarrow.parquet

    rows = bench.some(pyarrow.parquet.read_table(bench.data / "eval/jigsaw2018_test_toxic_half.parquet").to_pylist())
    scores = bench.scores([row["text"] for row in rows], "Jigsaw test")["toxicity"]
    labels = np.array([float(row["toxic"]) for row in rows])
    yield with_interval(
        "AUC toxic, jigsaw2018_test_toxic_half", lambda at: auc(scores[at], labels[at]), len(rows), "≥ 0.980"
    )


def jigsaw_held_out(bench: Bench) -> Iterator[Figure]:
    """The rows that training held out, weighted to the true share of toxic comments: AUC and calibration.

    The curves were fitted on half of these rows; calibration is measured on the other half.
    """
    rows = [row for row in held_out(bench.data) if row.source == "jigsaw"]
    scores = bench.scores([row.text for row in rows], "Jigsaw held out")
    toxic = np.array([row.targets["toxicity"] >= 0.5 for row in rows])
    known: dict[str, tuple[Numbers, Numbers, Numbers]] = {}
    for label in JIGSAW:
        at = np.array([place for place, row in enumerate(rows) if label in row.targets])
        labels = np.array([float(rows[place].targets[label] >= 0.5) for place in at])
        known[label] = (scores[label][at], labels, to_share(toxic[at], TOXIC_SHARE))
    each = {label: auc(*parts) for label, parts in known.items()}
    six = [at for at, row in enumerate(rows) if len(row.targets.keys() & set(JIGSAW)) == len(JIGSAW)]
    yield Figure(
        "mean AUC of six labels, held out, true prior",
        statistics.mean(each.values()),
        *six_interval(known),
        must="≥ 0.988",
        note=f"{len(six)} rows have all six",
        detail=each,
    )
    yield from calibration(bench, rows, scores["toxicity"], toxic)


def six_interval(known: Mapping[str, tuple[Numbers, Numbers, Numbers]]) -> tuple[float, float]:
    chance = np.random.default_rng(14)

    def mean() -> float:
        picks = {label: chance.integers(0, len(parts[0]), len(parts[0])) for label, parts in known.items()}
        return statistics.mean(auc(*(part[picks[label]] for part in parts)) for label, parts in known.items())

    low, high = np.nanpercentile([mean() for _ in range(200)], [2.5, 97.5])
    return float(low), float(high)


def calibration(bench: Bench, rows: Sequence[Any], scores: Numbers, toxic: Any) -> Iterator[Figure]:
    unseen = np.array([not for_curves(row.text) for row in rows])
    labels, chances = toxic[unseen].astype(float), scores[unseen]
    weights = to_share(toxic[unseen], TOXIC_SHARE)
    mean, high = calibration_noise(chances, weights)
    yield with_interval(
        "expected calibration error, toxicity, true prior",
        lambda at: calibration_error(chances[at], labels[at], weights[at]),
        int(unseen.sum()),
        "≤ 0.01",
        note=f"a perfect engine shows {mean:.4f} on as many rows, at most {high:.4f} in 97.5 % of draws",
    )


def madlibs(bench: Bench) -> Iterator[Figure]:
    """Identity terms in neutral and toxic sentences: false alarms by term, and the worst."""
    lines = bench.lines("bias_madlibs_77k.csv")
    scores = bench.scores([line["Text"] for line in lines], "madlibs")
    held, toxicity = bench.held(scores), scores["toxicity"]
    bad = np.array([line["Label"] == "BAD" for line in lines])
    terms = np.array([term_of(line) for line in lines])
    alarms = {term: float(held[(terms == term) & ~bad].mean()) for term in np.unique(terms[~bad])}
    worst = max(alarms, key=lambda term: alarms[term])
    yield Figure(
        "neutral sentences held, worst identity term of the madlibs",
        alarms[worst],
        *wilson(alarms[worst], int(((terms == worst) & ~bad).sum())),
        must="≤ 5 %",
        note=f"worst: {worst}; over 5 %: {sum(share > 0.05 for share in alarms.values())} of {len(alarms)} terms",
        detail=alarms,
    )
    yield Figure("the same, over the hold threshold for toxicity alone", *worst_alone(bench, terms, bad, toxicity))
    areas = {term: crossed_area(toxicity, bad, terms == term) for term in alarms}
    yield Figure("GM-BPSN AUC, madlibs", power_mean(np.array(list(areas.values()))), must="≥ 0.93", detail=areas)


def worst_alone(bench: Bench, terms: Any, bad: Any, toxicity: Numbers) -> tuple[float, float, float]:
    hold = bench.policy.thresholds(bench.engine.name)["toxicity"].hold or 1.0
    shares = [float((toxicity[(terms == term) & ~bad] >= hold).mean()) for term in np.unique(terms[~bad])]
    return max(shares), float("nan"), float("nan")


def crossed_area(scores: Numbers, bad: Any, own: Any) -> float:
    """Background positives against the term's own neutral sentences."""
    chosen = (own & ~bad) | (~own & bad)
    return auc(scores[chosen], bad[chosen].astype(float))


def wilson(share: float, rows: int) -> tuple[float, float]:
    z = 1.96
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * ((share * (1 - share) / rows + z * z / (4 * rows * rows)) ** 0.5)
    return middle - half, middle + half


def term_of(line: Mapping[str, str]) -> str:
    """The identity term or occupation that a madlib was filled with."""
    words = line["Text"].strip(" .").lower().split()
    if line["Template"] == "being_adj":
        return " ".join(words[1 : words.index("is")])
    lead = {"verb_adj": 1, "am_hate_adj": 2}.get(line["Template"], 4)
    return " ".join(words[lead:])


def hatecheck(bench: Bench) -> Iterator[Figure]:
    """Functional tests: hateful is what the head for hatred of groups finds more likely than not."""
    lines = bench.lines("hatecheck.csv")
    scores = bench.scores([line["test_case"] for line in lines], "HateCheck")
    hateful = np.array([line["label_gold"] == "hateful" for line in lines])
    head = "hate" if "hate" in scores else "identity_attack"
    known = bench.policy.thresholds(bench.engine.name).get(head)
    hold = (known and known.hold) or 1.0
    right, by_policy = (scores[head] >= 0.5) == hateful, (scores[head] >= hold) == hateful
    yield with_interval(
        "HateCheck accuracy",
        lambda at: float(right[at].mean()),
        len(lines),
        "≥ 72 %",
        note=f"{head} ≥ 0.5; at its hold threshold, {hold}: {by_policy.mean():.3f}",
    )
    kinds = np.array([line["functionality"] for line in lines])
    by_kind = {kind: float(right[kinds == kind].mean()) for kind in np.unique(kinds)}
    worst = min(by_kind, key=lambda kind: by_kind[kind])
    yield Figure(
        "HateCheck, worst functionality",
        by_kind[worst],
        *wilson(by_kind[worst], int((kinds == worst).sum())),
        must="≥ 20 %",
        note=worst,
        detail=by_kind,
    )


def obfuscations(bench: Bench) -> Iterator[Figure]:
    """Recall of toxic comments whose abusive words are typed in disguise, as a share of the plain form's recall."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(bench.data / "eval/jigsaw2018_test_toxic_half.parquet").to_pylist()
    words = {word for word in lexicon(bench.data) if len(word) > 3}
    loaded = [row["text"] for row in rows if row["toxic"] and set(row["text"].lower().split()) & words]
    loaded = random.Random(6).sample(loaded, min(len(loaded), max(100, round(OBFUSCATED_ROWS * bench.share))))
    calm = bench.some([row["text"] for row in rows if not row["toxic"]])[:1500]
    limit = float(np.quantile(bench.scores(calm, "clean")["toxicity"], 1 - FALSE_ALARMS))
    plain = bench.scores(loaded, "plain")["toxicity"] > limit
    found = {}
    for name, form in FORMS.items():
        disguised = [disguise(text, words, form) for text in loaded]
        found[name] = float((bench.scores(disguised, name)["toxicity"] > limit).mean() / plain.mean())
    worst = min(found, key=lambda name: found[name])
    yield Figure(
        "recall under obfuscation, of the plain form's: worst of 14",
        found[worst],
        must="≥ 90 %",
        detail=found,
        note=f"{worst}; plain {plain.mean():.3f} of {len(loaded)} comments at {FALSE_ALARMS:.0%} false alarms",
    )


def lexicon(data: Path) -> set[str]:
    listed = (data / "lexicons/ldnoobw/en").read_text(encoding="utf-8").split("\n")
    return set(listed) | {"idiot", "stupid", "moron"}


def disguise(text: str, words: set[str], form: Callable[[str], str]) -> str:
    return " ".join(form(word) if word.lower() in words else word for word in text.split())


def beside_perspective(bench: Bench) -> Iterator[Figure]:
    """Comments that carry both Jigsaw labels and the scores that Perspective gave: a paired comparison."""
    import pyarrow.parquet

    known = pyarrow.parquet.read_table(bench.data / "train/jigsaw2018_train_partial.parquet").to_pylist()
    labels_of = {normalised(row["text"]): float(row["toxic"]) for row in known}
    lines = [
        line
        for line in table(bench.data / "eval/perspective_wikipedia_2k_scores.csv")
        if normalised(line["comment_text"]) in labels_of
    ]
    ours = bench.scores([line["comment_text"] for line in lines], "Perspective")["toxicity"]
    theirs = np.array([float(line["TOXICITY@6"]) for line in lines])
    labels = np.array([labels_of[normalised(line["comment_text"])] for line in lines])
    own, other = auc(ours, labels), auc(theirs, labels)
    yield with_interval(
        "AUC minus Perspective's own on the same rows",
        lambda at: auc(ours[at], labels[at]) - auc(theirs[at], labels[at]),
        len(lines),
        "not below 0",
        note=f"ours {own:.4f}, Perspective {other:.4f}, {len(lines)} rows, {int(labels.sum())} toxic",
    )


def news(bench: Bench) -> Iterator[Figure]:
    """Our own news comments, judged by the whole policy. For a sealed file only counts are told."""
    for path in bench.slices:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        outcomes = [bench.judge.decide(Submission(row["text"])).outcome for row in tqdm(rows, desc=path.stem)]
        right = np.array(
            [
                (outcome is Outcome.APPROVE) == (row["label"] == "publish")
                for row, outcome in zip(rows, outcomes, strict=True)
            ]
        )
        for label, must in (("publish", "≥ 95 %"), ("hold", "≥ 75 %")):
            own = np.array([row["label"] == label for row in rows])
            kinds = sorted({row["category"] for row in rows if row["label"] == label})
            detail = {kind: float(right[[row["category"] == kind for row in rows]].mean()) for kind in kinds}
            share = float(right[own].mean())
            yield Figure(
                f"{path.stem}: '{label}' rows judged right",
                share,
                *wilson(share, int(own.sum())),
                must=must,
                detail=detail,
            )


def spans(bench: Bench) -> Iterator[Figure]:
    """Characters that explain() names for toxicity, against those that people marked."""
    lines = bench.lines("toxic_spans_test.csv")
    agreed = np.array([agreement(bench.engine, line) for line in tqdm(lines, desc="spans", mininterval=5)])
    yield with_interval("character-F1, toxic spans test", lambda at: float(agreed[at].mean()), len(lines), "≥ 0.60")


def agreement(engine: Engine, line: Mapping[str, str]) -> float:
    places = engine.explain(line["text"]).get("toxicity", ())
    found = frozenset(at for span in places for at in range(span.start, span.end))
    return character_f1(found, spans_of(line["spans"]))


def speed(bench: Bench) -> Iterator[Figure]:
    """Milliseconds a real comment, one at a time, one thread, tokenising and folding included; and explain()."""
    lines = random.Random(4).sample(list(table(bench.data / "eval/youtube_comments.csv")), 300)
    texts = [clean(line["Text"]) for line in lines]
    for name, call, must in (
        ("ms a comment, one thread, batch 1 (mean)", lambda text: bench.engine.score([text]), "≤ 4"),
        ("ms to explain a comment (mean)", bench.engine.explain, "≤ 60"),
    ):
        taken = np.array([stopwatch(call, text) for text in texts])
        p50, p95 = np.percentile(taken, [50, 95])
        yield Figure(name, *mean_and_interval(taken), must=must, note=f"p50 {p50:.2f}, p95 {p95:.2f}")


def stopwatch(call: Callable[[str], object], text: str) -> float:
    """Milliseconds of processor time, the least of three, so that what else the machine does counts little."""
    taken = []
    for _ in range(3):
        start = time.thread_time()
        call(text)
        taken.append(time.thread_time() - start)
    return min(taken) * 1000


def elsewhere(bench: Bench) -> Iterator[Figure]:
    """Sets that nothing was aimed at: how far the scores carry."""
    lines = bench.lines("youtube_comments.csv")
    labels = np.array([float(line["IsToxic"] == "TRUE") for line in lines])
    scores = bench.scores([line["Text"] for line in lines], "YouTube")
    yield with_interval("AUC toxic, YouTube comments", lambda at: auc(scores["toxicity"][at], labels[at]), len(lines))
    with (bench.data / "eval/fox_news_comments.json").open(encoding="utf-8") as text:
        fox = [json.loads(line) for line in text]
    labels = np.array([float(row["label"]) for row in fox])
    hate = bench.scores([row["text"] for row in fox], "Fox News")["hate" if "hate" in scores else "identity_attack"]
    yield with_interval("AUC hateful, Fox News comments", lambda at: auc(hate[at], labels[at]), len(fox))
    lines = bench.lines("hatemoji_check.csv")
    labels = np.array([float(line["label_gold"]) for line in lines])
    hate = bench.scores([line["text"] for line in lines], "HatemojiCheck")[
        "hate" if "hate" in scores else "identity_attack"
    ]
    yield with_interval("AUC hateful, HatemojiCheck", lambda at: auc(hate[at], labels[at]), len(lines))


MEASURES = (
    jigsaw_test,
    jigsaw_held_out,
    madlibs,
    hatecheck,
    obfuscations,
    beside_perspective,
    news,
    spans,
    speed,
    elsewhere,
)
