"""Whether two samples differ, and by how much: how well a column or a model tells rows of one from the other's."""

# n known rows, m other rows, B bins

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.data.codes import MISSING

BINS = 16
"""Into which numbers are sorted, about as many of both samples in each."""

SHRINK = 5.0
"""Rows of the common share that each bin is given, so that a bin of one row tells little."""

FEW = 10
"""Rows of both samples below which a category is too rare to be compared."""

OVERLAP = 2.0
"""How much wider than of independent folds the variance of their mean is, where each fold's model saw the others.

Of two folds 2 is that of one fold alone, which is surely enough; of three folds of boosted trees 1.5 to 1.7, simulated
with 600 and 1,000 rows without an effect.
"""


@dataclass(frozen=True)
class Area:
    """The chance that a row of the other sample is given a higher value than a known one, ties counting half.

    0.5 by chance. ``low`` and ``high`` are the ends of the 95% interval.
    """

    value: float
    low: float
    high: float

    def plain(self) -> dict[str, float]:
        return {"value": round(self.value, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def area(known: np.ndarray, other: np.ndarray) -> float:
    """The area under the ROC curve of values (n,) and (m,), ties counting half (Hanley & McNeil 1982)."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([known, other]))[len(known) :]
    return float((ranks.sum() - len(other) * (len(other) + 1) / 2) / (len(known) * len(other)))


def area_with_interval(value: float, known: float, other: float) -> Area:
    """An area of ``known`` and ``other`` many rows with its interval (Newcombe 2006, method 5).

    It holds near 0, 0.5 and 1, and asks for no more than counts, which need not be whole.
    """
    grid = np.linspace(0.0, 1.0, 4001)
    half = (known + other) / 2 - 1
    spread = grid * (1 - grid) * (1 + half * ((1 - grid) / (2 - grid) + grid / (1 + grid))) / (known * other)
    within = grid[np.abs(grid - value) <= 1.96 * np.sqrt(np.maximum(spread, 0.0))]
    low, high = (within.min(), within.max()) if len(within) else (value, value)
    return Area(value, float(min(low, value)), float(max(high, value)))


def area_of_folds(answers: np.ndarray, other: np.ndarray, folds: np.ndarray) -> Area | None:
    """The mean area over folds (k,) of out-of-fold ``answers`` (k,) where ``other`` (k,) bool is to be told.

    Each fold is ranked by itself, for its model is its own. None where no fold has rows of both samples.
    """
    areas, rows = [], []
    for fold in np.unique(folds):
        here = folds == fold
        count = int(other[here].sum())
        if 0 < count < here.sum():
            areas.append(area(answers[here & ~other], answers[here & other]))
            rows.append(here.sum())
    if not areas:
        return None
    value = float(np.average(areas, weights=rows))
    return area_with_interval(value, (~other).sum() / OVERLAP, other.sum() / OVERLAP)


def chance_of(value: float, known: int, other: int) -> float:
    """The chance of an area out of fold as large, where nothing tells ``known`` rows from ``other`` ones; one-sided."""
    from scipy.stats import norm

    return float(norm.sf((value - 0.5) / np.sqrt(OVERLAP * (1 / known + 1 / other) / 12)))


@dataclass(frozen=True)
class Apart:
    """How one column parts two samples: an honest effect, and the chance of as much without any."""

    area: Area
    chance: float


def apart(known: np.ndarray, other: np.ndarray, random: np.random.Generator) -> Apart | None:
    """Compare one column of two samples: float64 (NaN missing), or integer codes (-1 missing).

    The effect is a classifier two-sample test (Lopez-Paz & Oquab 2017) of this column alone: the share of the other
    sample in each bin is learnt on one half of the rows and tells the other half, and the other way round. The chance
    is that of Kolmogorov and Smirnov's test for numbers, of the chi-squared test for codes, with Fisher's exact test
    for how many are missing. Rare codes have no say. None for samples of fewer than two rows.
    """
    codes = known.dtype.kind != "f"
    if codes:
        rare = is_rare(np.concatenate([known, other]))
        known, other = known[~rare[: len(known)]], other[~rare[len(known) :]]
    if min(len(known), len(other)) < 2:
        return None
    bins, gone = _bins(known, other, codes=codes)
    own, more = bins[: len(known)], bins[len(known) :]
    count = int(bins.max()) + 1
    counts = np.stack([_halves(own, count, random), _halves(more, count, random)])
    value = float(np.mean([_told(counts[:, at], counts[:, 1 - at]) for at in (0, 1)]))
    found = area_with_interval(value, len(known) / OVERLAP, len(other) / OVERLAP)
    chance = chi_squared(counts.sum(1)) if codes else _chance_of_numbers(known, other, gone)
    return Apart(found, chance)


def is_rare(codes: np.ndarray) -> np.ndarray:
    """Which codes (k,) of both samples together are of fewer than ``FEW`` rows, or unknown to the schema.

    Of many categories some are in one sample alone by chance, and codes that the schema does not know are by nature.
    """
    distinct, counts = np.unique(codes, return_counts=True)
    return (codes < MISSING) | ((codes >= 0) & (counts < FEW)[np.searchsorted(distinct, codes)])


def holm(chances: Any) -> np.ndarray:
    """Chances (k,) adjusted for how many there are (Holm 1979)."""
    values = np.asarray(chances, dtype=np.float64)
    order = np.argsort(values)
    raised = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)) if len(values) else values
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


def distance(known: np.ndarray, other: np.ndarray) -> float:
    """The greatest difference of two cumulative shares, of numbers without missing ones (Kolmogorov & Smirnov)."""
    values = np.concatenate([known, other])
    own, more = (np.searchsorted(np.sort(each), values, side="right") / len(each) for each in (known, other))
    return float(np.abs(own - more).max())


def _bins(known: np.ndarray, other: np.ndarray, *, codes: bool) -> tuple[np.ndarray, np.ndarray]:
    """The bin (n + m,) of each row, missing ones apart, and which are missing."""
    values = np.concatenate([known, other])
    if codes:
        return np.unique(values, return_inverse=True)[1], values == -1
    gone = ~np.isfinite(values)
    present = values[~gone]
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1], method="nearest")) if len(present) else []
    return np.where(gone, len(edges) + 1, np.searchsorted(edges, values, side="right")), gone


def _halves(bins: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """How many rows (2, B) of each bin are in each of two random halves."""
    half = random.permutation(len(bins)) % 2
    return np.stack([np.bincount(bins[half == at], minlength=count) for at in (0, 1)])


def _told(learnt: np.ndarray, asked: np.ndarray) -> float:
    """The area that shares learnt from counts (2, B), known rows first, have for other counts (2, B)."""
    total = learnt.sum(0)
    common = learnt[1].sum() / max(total.sum(), 1)
    score = (learnt[1] + SHRINK * common) / (total + SHRINK)
    rank = np.unique(np.round(score, 12), return_inverse=True)[1]
    own, more = (np.bincount(rank, weights=each) for each in asked)
    below = np.cumsum(own) - own / 2
    return float((more * below).sum() / (own.sum() * more.sum()))


def _chance_of_numbers(known: np.ndarray, other: np.ndarray, gone: np.ndarray) -> float:
    from scipy.stats import ks_2samp

    left, right = known[np.isfinite(known)], other[np.isfinite(other)]
    shifted: Any = ks_2samp(left, right, method="asymp")[1] if min(len(left), len(right)) else 1.0
    missing = missing_chance(int(gone[: len(known)].sum()), len(known), int(gone[len(known) :].sum()), len(other))
    return float(min(1.0, 2 * min(shifted, missing)))


def missing_chance(few: int, known: int, more: int, other: int) -> float:
    """The chance of as different shares as ``few`` of ``known`` and ``more`` of ``other`` (Fisher's exact test)."""
    from scipy.stats import fisher_exact

    if few + more in (0, known + other):
        return 1.0
    found: Any = fisher_exact([[few, known - few], [more, other - more]])
    return float(found.pvalue)


def chi_squared(counts: np.ndarray) -> float:
    """The chance of as different rows of counts (2, B); bins too small to expect 5 rows in are taken together."""
    from scipy.stats import chi2

    total = counts.sum(0)
    rare = total * counts.sum(1).min() < 5 * counts.sum()
    table = np.concatenate([counts[:, ~rare], counts[:, rare].sum(1, keepdims=True)], axis=1)
    table = table[:, table.sum(0) > 0]
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    return float(chi2.sf(((table - expected) ** 2 / expected).sum(), table.shape[1] - 1))
