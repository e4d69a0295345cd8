"""How far a single column agrees with a target: in its values, in its order, in the classes it parts."""

# n rows, K classes, L cells that a column's values fall into

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np

PAIRS = 4_001
"""Of rows, between which a slope is looked at."""

TRIMMED = 0.06
"""Share of the rows that may be strange: a copy with every twentieth cell replaced is still a copy."""

HAIR = 1e-6
"""Of the spread, within which two numbers are the same: what is lost in writing them."""

WIDE = 3.0
"""Steps within a bin, beyond which a gap between two is no step."""

HONEST_NOISE = 0.05
"""Of the spread, in what a measured column says of a measured target at its best: an R2 of 0.9975."""


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks (n,) from 0 to 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - (counts + 1) / 2) / max(len(values) - 1, 1))[place]


def spread(values: np.ndarray) -> float:
    """Standard deviation without the tails, or with them where all else is one value."""
    low, high = np.quantile(values, [TRIMMED / 2, 1 - TRIMMED / 2])
    inner = values[(values >= low) & (values <= high)]
    return float(inner.std()) or float(values.std())


def unit(values: np.ndarray) -> np.ndarray:
    """The same numbers in their own spread, so that none overflows."""
    centred = values / (np.abs(values).max() or 1.0)
    centred = centred - np.median(centred)
    return centred / (spread(centred) or 1.0)


def line(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> tuple[float, float]:
    """Slope and offset of the line through most of the points: medians over random pairs (Theil 1950, Sen 1968)."""
    one, other = random.integers(0, len(x), size=(2, PAIRS))
    step = x[one] - x[other]
    apart = np.abs(step) > HAIR
    if not apart.any():
        return 0.0, float(np.median(y))
    slope = float(np.median((y[one] - y[other])[apart] / step[apart]))
    return slope, float(np.median(y - slope * x))


def shared(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> float:
    """Share of rows where ``x`` is ``y`` to a hair, beyond what rows put beside one another by chance share."""
    same = float((np.abs(x - y) <= HAIR).mean())
    chance = float(np.mean([(np.abs(random.permutation(x) - y) <= HAIR).mean() for _ in range(5)]))
    return (same - chance) / (1 - chance) if chance < 1 else 0.0


def closeness(guess: np.ndarray, y: np.ndarray) -> float:
    """R2 of guesses for ``y``, of all rows or without those that miss the most, whichever is closer."""
    miss = np.abs(guess - y)
    found = 0.0
    for kept in (np.ones(len(y), dtype=bool), miss <= np.quantile(miss, 1 - TRIMMED)):
        of_all = float(y[kept].var())
        if of_all > 0:
            found = max(found, 1 - float((miss[kept] ** 2).mean()) / of_all)
    return found


def touching(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether the ranges of ``y`` at neighbouring values of ``x`` meet, as those of bins do.

    Where ``y`` was measured at few values of ``x`` they overlap or leave gaps, many times wider than the steps within.
    """
    order = np.lexsort((y, x))
    cell = np.unique(x[order], return_inverse=True)[1]
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    last = np.append(first[1:], len(cell)) - 1
    low, high = y[order][first], y[order][last]
    new = np.append(True, (np.diff(y[order]) > 0) | (np.diff(cell) > 0))
    steps = (high - low) / np.maximum(np.bincount(cell, weights=new) - 1, 1)
    if low[0] > low[-1]:
        low, high, steps = low[::-1], high[::-1], steps[::-1]
    beside = np.maximum(steps[1:], steps[:-1])
    return bool(np.median(low[1:] - high[:-1] - WIDE * beside) <= 0) or not beside.any()


def in_order(x: np.ndarray, y: np.ndarray) -> float:
    """The largest share of rows among which no larger ``x`` goes with a smaller ``y``: 1 for any rising function.

    The longest run that does not fall (Schensted 1961), rows of one ``x`` by their ``y``.
    """
    ends: list[float] = []
    for value in y[np.lexsort((y, x))].tolist():
        at = bisect_right(ends, value)
        ends[at : at + 1] = [value]
    return len(ends) / len(y)


def order_agrees(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> float:
    """Share of rows in one order, rising or falling, or 0 where a little noise would explain as much.

    Measured against ``y`` with noise of ``HONEST_NOISE``: rows out of order must be three times fewer.
    """
    y = ranks(y)
    share = max(in_order(x, y), in_order(x, -y))
    noisy = y + random.normal(0, HONEST_NOISE * max(float(y.std()), HAIR), len(y))
    honest = in_order(y, noisy) if len(np.unique(x)) > len(x) / 3 else in_order(_binned(x, noisy), y)
    return share if 1 - share <= (1 - honest) / 3 else 0.0


def _binned(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """``y`` in bins as full as the values of ``x``."""
    counts = np.unique(x, return_counts=True)[1]
    place = np.empty(len(y), dtype=np.int64)
    place[np.argsort(y)] = np.arange(len(y))
    return np.searchsorted(np.cumsum(counts), place, side="right")


def roughness(x: np.ndarray, y: np.ndarray) -> float:
    """How far ``x`` jumps from one ``y`` to the next, in ranks: 1 where they are unrelated, 0 for a function of it."""
    steps = np.abs(np.diff(ranks(x)[np.argsort(y, kind="stable")]))
    return float(np.median(steps)) / 0.2929  # the median distance of two random points of a unit line


def table(cells: np.ndarray, target: np.ndarray, classes: int) -> np.ndarray:
    """Share of each class (L, K) that falls into each cell: every class counts alike."""
    count = int(cells.max(initial=-1)) + 1
    counts = np.bincount(cells * classes + target, minlength=count * classes).reshape(count, classes)
    return counts / np.maximum(np.bincount(target, minlength=classes), 1)


def of_others(shares: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Share (L, K) of the rows of all other classes in each cell, from those of each class (L, K)."""
    rows = np.bincount(target, minlength=shares.shape[1])
    counts = shares * rows
    return (counts.sum(axis=1, keepdims=True) - counts) / np.maximum(len(target) - rows, 1)


def quantile_cells(x: np.ndarray, most: int) -> np.ndarray:
    """Cells (n,) as full as one another; missing ones are the last."""
    here = np.isfinite(x)
    if not here.any():
        return np.zeros(len(x), dtype=np.int64)
    edges = np.unique(np.quantile(x[here], np.linspace(0, 1, most + 1)[1:-1]))
    return np.where(here, np.searchsorted(edges, x, side="left"), len(edges) + 1)


def step_cells(x: np.ndarray, target: np.ndarray, train: np.ndarray, leaves: int) -> np.ndarray:
    """Cells (n,) between the thresholds that part the classes best in the rows of ``train`` (n,) bool."""
    from sklearn.tree import DecisionTreeClassifier

    tree: Any = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)
    place = ranks(np.where(np.isfinite(x), x, -np.inf)).astype(np.float64)
    return np.unique(tree.fit(place[train, None], target[train]).apply(place[:, None]), return_inverse=True)[1]


def wilson(hits: float, count: float) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927)."""
    z = 1.96
    middle = (hits + z * z / 2) / (count + z * z)
    half = z / (count + z * z) * np.sqrt(max(hits * (count - hits) / count, 0.0) + z * z / 4)
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))
