"""Trains the small linear model: one logistic regression a Jigsaw label over hashed runs of letters and words."""

import random
from collections.abc import Sequence

import numpy as np
import scipy.sparse
from sklearn.linear_model import SGDClassifier
from tqdm import tqdm

from moderation.engines.bundled.linear import BUCKETS, Linear, places
from moderation.engines.bundled.spellings import Spellings
from moderation.evaluate import Numbers
from moderation.training import augment
from moderation.training.rows import JIGSAW, SWEAR, Row, is_toxic

SOURCES = frozenset({"jigsaw", "wiki_debias", "synthetic"})
DISGUISED = 0.25
STRENGTH = 2e-6


def train(rows: Sequence[Row], spellings: Spellings, seed: int = 9) -> Linear:
    """The model for these rows' Jigsaw labels; toxic rows are seen once more in disguise, a quarter of the time."""
    chance = random.Random(seed)
    kept = [row for row in rows if row.source in SOURCES and row.targets.keys() & set(JIGSAW)]
    shown = [*kept, *(disguised(row, chance) for row in kept if is_toxic(row) and chance.random() < DISGUISED)]
    features = matrix([spellings(row.text[:6_000]).text for row in tqdm(shown, desc="read", mininterval=10)])
    fitted = [fit(features, shown, label) for label in tqdm(JIGSAW, desc="labels")]
    weights = np.array([one for one, _ in fitted])
    scales = np.abs(weights).max(axis=1) / 127
    whole = np.round(weights / scales[:, None]).astype(np.int8)
    return Linear(whole, scales.astype(np.float32), np.array([bias for _, bias in fitted], np.float32))


def disguised(row: Row, chance: random.Random) -> Row:
    return Row(augment.disguise(row.text, SWEAR, chance), row.targets, row.source)


def matrix(texts: Sequence[str]) -> scipy.sparse.csr_matrix:
    """One row a folded text, of length one, over all buckets."""
    columns = [places(text) for text in tqdm(texts, desc="features", mininterval=10)]
    starts = np.concatenate(([0], np.cumsum([len(one) for one in columns])))
    values = np.concatenate([np.full(len(one), 1 / max(1.0, len(one) ** 0.5), np.float32) for one in columns])
    shape = (len(columns), 2 * BUCKETS)
    return scipy.sparse.csr_matrix((values, np.concatenate(columns), starts), shape=shape)


def fit(features: scipy.sparse.csr_matrix, rows: Sequence[Row], label: str) -> tuple[Numbers, float]:
    """Weights and bias of one label, from the rows that tell of it."""
    known = [at for at, row in enumerate(rows) if label in row.targets]
    labels = np.array([rows[at].targets[label] >= 0.5 for at in known])
    model = SGDClassifier(loss="log_loss", alpha=STRENGTH, max_iter=6, tol=None, average=True, random_state=3)
    model.fit(features[known], labels)
    return model.coef_[0], float(model.intercept_[0])
