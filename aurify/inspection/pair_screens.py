"""Which pairs of columns may decide the target together: a cheap look at every pair."""

# n rows, C columns, K classes, L levels of all columns together

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

KEPT = 12
"""Pairs that each way of looking puts forward."""

MOST_SCREENED = 2_000
"""Rows that every pair is looked at with."""

Pair = tuple[int, int]


def standing_out(scores: np.ndarray, usable: np.ndarray) -> list[Pair]:
    """The ``KEPT`` pairs (i, j), i < j, of the highest scores (C, C); ``usable`` (C, C) bool says which may be."""
    first, second = np.nonzero(np.triu(usable & np.isfinite(scores), 1))
    best = np.argsort(-scores[first, second], kind="stable")[:KEPT]
    return list(zip(first[best].tolist(), second[best].tolist(), strict=True))


@np.errstate(all="ignore")
def plane_shares(values: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of the spread of ``target`` (n,) that each pair of columns (n, C) explains linearly, (C, C); alone (C,).

    R2 of two regressors in closed form, from correlations over the rows where both are known.
    """
    known = np.isfinite(values) & np.isfinite(target)[:, None]
    count = np.maximum(known.sum(0), 1)
    largest = np.maximum(np.abs(np.where(known, values, 0)).max(0), 1e-300)  # squares of 1e300 have no end
    scaled = np.where(known, values / largest, 0)
    scaled = np.where(known, scaled - scaled.sum(0) / count, 0)
    spread = np.sqrt((scaled**2).sum(0) / count)
    scaled = np.where(spread > 0, scaled / np.where(spread > 0, spread, 1), 0)
    here = known.astype(np.float64)
    there = np.isfinite(target)
    aim = np.where(there, target / max(float(np.abs(target[there]).max(initial=0)), 1e-300), 0)
    aim = np.where(there, aim - aim[there].mean() if there.any() else 0, 0)[:, None]
    rows = here.T @ here
    with np.errstate(all="ignore"):
        mean = scaled.T @ here / rows  # of the column in the row where that in the column is known too
        variance = (scaled**2).T @ here / rows - mean**2
        aimed = (aim * here).T @ here / rows
        aim_variance = (aim**2 * here).T @ here / rows - aimed**2
        between = (scaled.T @ scaled / rows - mean * mean.T) / np.sqrt(variance * variance.T)
        own = ((aim * scaled).T @ here / rows - mean * aimed) / np.sqrt(variance * aim_variance)
        apart = 1 - between**2
        both = (own**2 + own.T**2 - 2 * own * own.T * between) / np.where(apart > 1e-9, apart, np.nan)
    alone = np.nan_to_num(np.diagonal(own)) ** 2
    return np.where(rows >= MOST_SCREENED / 100, both, np.nan), alone


def curve_shares(values: np.ndarray, target: np.ndarray, operation: np.ufunc) -> np.ndarray:
    """Share of the spread of ``target`` (n,) that the product or ratio of each pair explains, (C, C)."""
    shares = np.full((values.shape[1], values.shape[1]), np.nan)
    aim = (target - target.mean()) / max(float(target.std()), 1e-300)
    with np.errstate(all="ignore"):
        for at in range(values.shape[1]):
            made = operation(values[:, [at]], values)
            known = np.isfinite(made)
            rows = known.sum(0)
            made = np.where(known, made, 0)
            mean, aimed, aim_square = made.sum(0) / rows, aim @ known / rows, aim**2 @ known / rows
            spread = ((made - mean) ** 2 * known).sum(0) / rows
            shares[at] = (aim @ made / rows - mean * aimed) ** 2 / (spread * (aim_square - aimed**2))
    return shares


def order_shares(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """How much better than chance ``a > b`` tells two classes apart for each pair, (C, C), from 0 to 1."""
    known = np.isfinite(values)
    sides = [(target == code).astype(np.float32) for code in (0, 1)]
    shares = np.zeros((values.shape[1], values.shape[1]))
    with np.errstate(all="ignore"):
        for at in range(values.shape[1]):
            both = (known[:, [at]] & known).astype(np.float32)
            more = ((values[:, [at]] > values) & known).astype(np.float32)
            shares[at] = np.abs(sides[1] @ more / (sides[1] @ both) - sides[0] @ more / (sides[0] @ both))
    return shares


def informations(columns: Sequence[np.ndarray], target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nats that the cells of each pair of columns of levels (n,) tell of the classes (n,), (C, C), and alone (C,).

    Mutual information less what as many cells tell by chance (Miller 1955).
    """
    sizes = np.array([int(levels.max()) + 1 for levels in columns])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    codes = np.unique(target, return_inverse=True)[1]
    marks = np.zeros((len(target), int(sizes.sum())), dtype=np.float32)
    for levels, start in zip(columns, starts, strict=True):
        marks[np.arange(len(target)), start + levels] = 1
    whole = np.zeros((marks.shape[1], marks.shape[1]))
    inside = np.zeros_like(whole)
    for code in range(codes.max() + 1):
        of_class = marks[codes == code]
        counts = (of_class.T @ of_class).astype(np.float64)
        whole += counts
        inside += _weighed(counts)

    def summed(cells: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(cells, starts, axis=0), starts, axis=1)

    rows, shares = len(target), np.bincount(codes) / len(target)
    told = summed(inside - _weighed(whole)) / rows - float(_weighed(shares).sum())
    chance = (summed((whole > 0).astype(np.float64)) - 1) * (codes.max()) / (2 * rows)
    left = told - chance
    return left, np.diagonal(left).copy()


def _weighed(counts: np.ndarray) -> np.ndarray:
    return counts * np.log(np.maximum(counts, 1e-300))
