"""Values on many resamples as plain numbers, with the ends of their 95% intervals; what is undefined is None."""

# D draws (rows of weights), n examples, G groups

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aurify.measure.intervals import bootstrap_weights, draws_within_limits, row_weights
from aurify.measure.predictions import Predictions

ENDS = (2.5, 97.5)
"""Percentiles between which 95% lie."""

Summarise = Callable[[np.ndarray], np.ndarray]
"""From weights (D, n) to values (D, ...), NaN where one is undefined."""


def resampled(
    summarise: Summarise, predictions: Predictions, draws: int, seed: int, clusters: np.ndarray | None
) -> np.ndarray:
    """Values (1 + D, ...): first on all rows, then one per resample of rows or of whole ``clusters`` (n,).

    The resamples are those of the scores for the same seed, fewer where the work would be too much.
    """
    weight, draws = row_weights(predictions), draws_within_limits(draws, len(predictions), 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # an undefined value is NaN, not a warning
        values = [summarise(weight[None])]
        values += [summarise(times * weight) for times in bootstrap_weights(len(weight), draws, seed, clusters)]
    return np.concatenate(values)


def units(predictions: Predictions, clusters: np.ndarray | None) -> int:
    """How many rows or clusters are resampled."""
    return len(predictions) if clusters is None else np.unique(clusters).size


def ends(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends (...) of the percentile interval of values (1 + D, ...) from ``count`` units.

    NaN where fewer than half of the resamples have a value, or where one unit alone was resampled.
    """
    drawn = values[1:].reshape(len(values) - 1, -1)
    drawn = np.where(np.isfinite(drawn), drawn, np.nan)
    undefined = np.isnan(drawn).sum(axis=0)
    low, high = np.full((2, drawn.shape[1]), np.nan)
    whole, some = undefined == 0, (undefined > 0) & (2 * undefined <= len(drawn))
    if count > 1:
        low[whole], high[whole] = np.percentile(drawn[:, whole], ENDS, axis=0)
        # apart, because with NaN it is many times slower
        low[some], high[some] = np.nanpercentile(drawn[:, some], ENDS, axis=0) if some.any() else (np.nan, np.nan)
    return low.reshape(values.shape[1:]), high.reshape(values.shape[1:])


def share_ends(values: np.ndarray, count: int, within: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As ``ends`` for shares of ``within`` (...) independent units each.

    Where a share is 0 or 1 every resample agrees, which is no certainty: there the exact bound is taken (Clopper &
    Pearson 1934).
    """
    low, high = ends(values, count)
    none, every = np.isclose(values[0], 0.0, atol=1e-12), np.isclose(values[0], 1.0, atol=1e-12)
    bound = ((100 - ENDS[1]) / 100) ** (1 / np.maximum(within, 1))
    low = np.where(none, 0.0, np.where(every, bound, low))
    return low, np.where(every, 1.0, np.where(none, 1 - bound, high))


def units_within(groups: np.ndarray, count: int, weight: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """How many rows (n,) of any weight, or clusters of them, are in each of ``count`` groups (G,)."""
    counted = weight > 0
    if clusters is None:
        return np.bincount(groups[counted], minlength=count)
    pairs = np.unique(np.column_stack([groups[counted], clusters[counted]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=count)


def equal_mass(values: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """The bin (n,) of each value, from 0 in rising order: about ``count`` bins of equal weight, ties in one bin."""
    distinct, tie = np.unique(values, return_inverse=True)
    mass = np.bincount(tie, weights=weight, minlength=len(distinct))
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    return np.unique((middle * count).astype(np.int64).clip(max=count - 1), return_inverse=True)[1][tie]


def plain(values: Any) -> Any:
    """A number, or nested lists of numbers, with six significant digits; None for what is undefined."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim:
        return [plain(value) for value in array]
    return float(f"{array:.6g}") + 0.0 if np.isfinite(array) else None  # + 0.0: no -0.0


def estimate(value: Any, low: Any, high: Any) -> dict[str, Any]:
    """A value, or values, and the ends of the interval as plain data."""
    return {"value": plain(value), "low": plain(low), "high": plain(high)}
