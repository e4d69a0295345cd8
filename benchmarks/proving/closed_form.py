"""Tables drawn at will, and a learner in closed form with ingredients that help, hurt or do nothing."""

# N rows, D columns, V variants

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

SIGNAL, SQUARES, NOISE, HIDDEN = 8, 3, 10, 16

DRAWN = SIGNAL + NOISE
"""Columns that a table holds; the others are made of these."""

Table = tuple[np.ndarray, np.ndarray]
"""Columns (N, DRAWN) and targets (N,): class codes, or numbers."""

FULL = "full"
BLOCKS: Mapping[str, int] = {
    "one": 1,
    "signal": SIGNAL,
    "noise": NOISE,
    "squares": SQUARES,
    "hidden": HIDDEN,
    "other hidden": HIDDEN,
}


@dataclass(frozen=True)
class Variant:
    """Blocks of columns that are learnt from, and the ridge penalty."""

    blocks: tuple[str, ...]
    penalty: float = 20.0


VARIANTS: Mapping[str, Variant] = {
    FULL: Variant(("one", "signal", "noise", "squares", "hidden")),
    "no penalty": Variant(("one", "signal", "noise", "squares", "hidden"), 1e-6),
    "no noise": Variant(("one", "signal", "squares", "hidden")),
    "no squares": Variant(("one", "signal", "noise", "hidden")),
    "no hidden": Variant(("one", "signal", "noise", "squares")),
    "other weights": Variant(("one", "signal", "noise", "squares", "other hidden")),
}
"""``hidden`` are random features, drawn anew from each pair's seed as a network's weights are; of ``other weights`` the
true effect is 0, since one draw is as good as another."""


@dataclass(frozen=True)
class World:
    """Where tables come from: ``classes`` or numbers, and how wide the tails of the noise are."""

    classes: bool
    freedom: float = np.inf

    @property
    def greater_is_better(self) -> bool:
        return self.classes

    def table(self, random: np.random.Generator, rows: int) -> Table:
        columns = random.standard_normal((rows, DRAWN))
        weight = 0.6 ** np.arange(SIGNAL)
        mean = columns[:, :SIGNAL] @ weight + 0.35 * (columns[:, :SQUARES] ** 2 - 1).sum(1)
        mean += 0.5 * np.tanh(2 * columns[:, 0] * columns[:, 1])
        if self.classes:
            return columns, (random.random(rows) < 1 / (1 + np.exp(-mean))).astype(np.int64)
        noise = random.standard_normal(rows) if np.isinf(self.freedom) else random.standard_t(self.freedom, rows)
        return columns, mean + noise

    def scores(
        self, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], seed: int
    ) -> np.ndarray:
        """What each variant (V,), learnt on one table, scores on another: ROC AUC, or RMSE."""
        weights = _weights(train, seed)
        answers_NV = _features(test[0], seed) @ weights
        if not self.classes:
            return np.sqrt(((answers_NV - test[1][:, None]) ** 2).mean(0))
        positive = test[1] == 1
        ranks = stats.rankdata(answers_NV, axis=0)[positive]
        count, others = len(ranks), int((~positive).sum())
        return (ranks.sum(0) - count * (count + 1) / 2) / (count * others)


WORLDS: Mapping[str, World] = {
    "numbers": World(classes=False),
    "numbers, wide tails": World(classes=False, freedom=4.0),
    "classes": World(classes=True),
}


def _features(columns: np.ndarray, seed: int) -> np.ndarray:
    """All blocks (N, D) side by side, in the order of ``BLOCKS``."""
    signal, random = columns[:, :SIGNAL], np.random.default_rng(seed)
    hidden = [np.maximum(signal @ random.standard_normal((SIGNAL, HIDDEN)) / np.sqrt(SIGNAL), 0) for _ in range(2)]
    return np.hstack([np.ones((len(columns), 1)), columns, signal[:, :SQUARES] ** 2 - 1, *hidden])


def _weights(train: Table, seed: int) -> np.ndarray:
    """Ridge weights (D, V) of every variant, 0 for columns that it does not see."""
    features, target = _features(train[0], seed), train[1].astype(float)
    gram, moment = features.T @ features, features.T @ target
    ends = np.cumsum(list(BLOCKS.values()))
    places = {name: np.arange(end - size, end) for (name, size), end in zip(BLOCKS.items(), ends, strict=True)}
    weights = np.zeros((features.shape[1], len(VARIANTS)))
    for at, variant in enumerate(VARIANTS.values()):
        seen = np.concatenate([places[name] for name in variant.blocks])
        ridge = variant.penalty * np.eye(len(seen))
        ridge[0, 0] = 0  # the mean is never shrunk
        weights[seen, at] = np.linalg.solve(gram[np.ix_(seen, seen)] + ridge, moment[seen])
    return weights
