"""Where a model errs most: parts of a table that are found on one half of the tested rows and measured on the other."""

# n rows, G groups of one column, D draws

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from aurify.measure.bands import ends, equal_mass, estimate, resampled, share_ends, units
from aurify.measure.contributions import losses
from aurify.measure.intervals import row_weights
from aurify.measure.places import Inputs, LengthPlace, Place
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import known_target

FEWEST_ROWS, SMALLEST_SHARE = 15, 0.02
"""Of a slice in each half: fewer say too little, and a smaller part is of little use to know."""

MOST_SLICES = 8
MOST_PAIRED = 10
"""Conditions of which pairs are looked at."""

QUARTERS = 4

SAME = 0.6
"""Rows that two slices share, of all that either has, from which on they are told once."""

STANDS_OUT = 2.0
"""Standard errors by which a slice must be worse where it is looked for."""

ROWS_SEARCHED = 50_000
"""In each half at most, drawn by chance: more find no other slices and take longer."""


Slice = tuple["Condition", ...]
"""One condition, or two that both hold."""


@dataclass(frozen=True)
class Condition:
    """That a column has a ``value`` (NaN for a missing one), or lies above ``low`` and up to ``high``."""

    place: Place
    value: float | None = None
    low: float | None = None
    high: float | None = None

    def holds(self, inputs: Inputs) -> np.ndarray:
        """For which rows (n,) bool."""
        values = self.place.values(inputs)
        if self.value is not None:
            return np.isnan(values) if np.isnan(self.value) else values == self.value
        above = values > (-np.inf if self.low is None else self.low)
        return above & (values <= (np.inf if self.high is None else self.high))

    def plain(self) -> dict[str, Any]:
        """As words; a range has no value, and None for an end that is open."""
        words = {name: getattr(self, name) for name in ("value", "low", "high")}
        about = {"column": self.place.name} | ({"length": True} if isinstance(self.place, LengthPlace) else {})
        return about | {k: None if v is None else self.place.words(v) for k, v in words.items()}


def worst_slices(
    predictions: Predictions,
    inputs: Inputs,
    columns: Sequence[Place],
    *,
    draws: int = 1000,
    seed: int = 0,
    clusters: np.ndarray | None = None,
) -> dict[str, Any]:
    """Values of columns, quarters of numbers and dates, missing values, and pairs of these, where the loss is highest.

    They are looked for on one half of the tested rows (of the clusters (n,)), drawn by ``seed``, and measured on the
    other, so that the search does not flatter them (Cox 1975). ``slices`` (up to ``MOST_SLICES``, the worst first,
    none where nothing stands out) are those whose interval of the difference lies above 0: ``conditions``, the
    ``rows`` that measure it, mean ``loss`` (log loss, absolute error of numbers) in it and ``outside``, their
    ``difference``, and the ``score``, each with its 95% interval. The score is the share of wrong answers, or the mean
    absolute error (``score_name``); ``overall`` is that of all ``rows`` that measure. Slices of
    fewer than ``fewest`` rows of the first half are passed over. ``looked_at`` is how many slices were measured: one
    in forty of those where nothing is wrong stands out by chance.
    """
    searched, measured = _halves(predictions, seed, clusters)
    result = {
        "score_name": "mae" if predictions.classes is None else "wrong",
        "rows": len(measured),
        "fewest": math.ceil(_least(len(searched))),
    }
    if min(len(searched), len(measured)) < 2 * FEWEST_ROWS:
        return {**result, "overall": estimate(np.nan, np.nan, np.nan), "looked_at": 0, "slices": []}
    found = _search(predictions.take(searched), {k: v[searched] for k, v in inputs.items()}, columns)
    rest = {k: v[measured] for k, v in inputs.items()}
    inside = [_holds(each, rest) for each in found]
    kept = [at for at, rows in enumerate(inside) if _least(len(measured)) <= rows.sum() < len(measured)]
    masks = np.stack([inside[at] for at in kept], axis=1) if kept else np.empty((len(measured), 0), dtype=bool)
    codes = None if clusters is None else clusters[measured]
    told, overall = _measured(predictions.take(measured), masks, draws, seed, codes)
    slices = [{"conditions": [c.plain() for c in found[at]], **row} for at, row in zip(kept, told, strict=True)]
    worse = [each for each in slices if (each["difference"]["low"] or 0) > 0]
    worse.sort(key=lambda each: -each["difference"]["value"])
    return {**result, "overall": overall, "looked_at": len(kept), "slices": worse}


def _halves(predictions: Predictions, seed: int, clusters: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows that are searched and of those that measure, at most ``ROWS_SEARCHED`` of each."""
    random = np.random.default_rng(seed)
    counted = np.flatnonzero(row_weights(predictions) > 0)
    unit = np.arange(len(counted)) if clusters is None else np.unique(clusters[counted], return_inverse=True)[1]
    first = (random.permutation(unit.max(initial=-1) + 1) % 2 == 0)[unit]
    halves = [counted[first], counted[~first]]
    searched, measured = (
        half if len(half) <= ROWS_SEARCHED else np.sort(random.choice(half, ROWS_SEARCHED, replace=False))
        for half in halves
    )
    return searched, measured


def _least(count: int) -> float:
    return max(FEWEST_ROWS, SMALLEST_SHARE * count)


def _holds(conditions: Slice, inputs: Inputs) -> np.ndarray:
    return np.logical_and.reduce([condition.holds(inputs) for condition in conditions])


def _search(predictions: Predictions, inputs: Inputs, columns: Sequence[Place]) -> list[Slice]:
    """Slices that are surely worse than the rest, the most surely first, no two of nearly the same rows."""
    loss, weight = losses(predictions), row_weights(predictions)
    single: list[tuple[float, Slice]] = []
    for place in columns:
        conditions, group = _conditions(place, place.values(inputs), weight)
        worse = _worse(group, len(conditions), loss, weight)
        single += [(worse[at], (condition,)) for at, condition in enumerate(conditions) if np.isfinite(worse[at])]
    single.sort(key=lambda each: -each[0])
    every = list(single)
    for (one, (first,)), (other, (second,)) in combinations(single[:MOST_PAIRED], 2):
        if first.place != second.place:
            both = _holds((first, second), inputs).astype(np.int64)
            worse = _worse(both, 2, loss, weight)[1]
            if worse > max(one, other):
                every.append((worse, (first, second)))
    every.sort(key=lambda each: -each[0])
    chosen: list[tuple[Slice, np.ndarray]] = []
    for worse, conditions in every:
        if worse <= 0 or len(chosen) == MOST_SLICES:
            break
        rows = _holds(conditions, inputs)
        if all((rows & other).sum() < SAME * (rows | other).sum() for _, other in chosen):
            chosen.append((conditions, rows))
    return [conditions for conditions, _ in chosen]


def _conditions(place: Place, values: np.ndarray, weight: np.ndarray) -> tuple[list[Condition], np.ndarray]:
    """Conditions that share the rows between them, and which one each row (n,) fulfils."""
    distinct, group = np.unique(values, return_inverse=True)
    present = distinct[~np.isnan(distinct)]
    if place.is_category or len(present) <= QUARTERS:
        return [Condition(place, value=float(value)) for value in distinct], group
    known = ~np.isnan(values)
    quarter = np.full(len(values), -1)
    quarter[known] = equal_mass(values[known], weight[known], QUARTERS)
    count = int(quarter.max()) + 1
    tops = [float(values[quarter == at].max()) for at in range(count)]
    conditions = [
        Condition(place, low=low, high=high) for low, high in zip([None, *tops[:-1]], [*tops[:-1], None], strict=True)
    ]
    if known.all():
        return conditions, quarter
    return [*conditions, Condition(place, value=float("nan"))], np.where(known, quarter, count)


def _worse(group: np.ndarray, count: int, loss: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How much higher the loss is in each group (G,) than outside it, less ``STANDS_OUT`` standard errors of that.

    Minus infinity for groups too small to tell, or of all rows.
    """
    rows = np.bincount(group, minlength=count)

    def both(values: np.ndarray) -> np.ndarray:
        """Sums in each group and outside it (2, G)."""
        sums = np.bincount(group, weights=values, minlength=count)
        return np.stack([sums, sums.sum() - sums])

    with np.errstate(divide="ignore", invalid="ignore"):
        mass = both(weight)
        mean = both(weight * loss) / mass
        squares = weight**2
        spread = both(squares * loss**2) - 2 * mean * both(squares * loss) + mean**2 * both(squares)
        error = np.sqrt((spread.clip(min=0) / mass**2).sum(axis=0))
        worse = mean[0] - mean[1] - STANDS_OUT * error
    enough = (rows >= _least(len(loss))) & (rows < len(loss))
    return np.where(enough, worse, -np.inf)


def _wrong(ours: Predictions) -> np.ndarray:
    """Which rows (n,) are not answered rightly, in any label where they may hold several: 1 or 0."""
    wrong = ours.prediction != known_target(ours)
    return (wrong.any(axis=1) if ours.several else wrong).astype(np.float64)


def _measured(
    ours: Predictions, masks: np.ndarray, draws: int, seed: int, clusters: np.ndarray | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Of each slice, masks (n, G), its losses and score; and the score of all rows."""
    loss = losses(ours)
    wrong = loss if ours.classes is None else _wrong(ours)
    inside = masks.astype(np.float64)
    parts = np.column_stack([inside, inside * loss[:, None], inside * wrong[:, None], np.ones(len(ours)), loss, wrong])
    count = inside.shape[1]

    def summarise(weights: np.ndarray) -> np.ndarray:
        sums = weights @ parts
        mass, lost, erred = (sums[:, at * count : (at + 1) * count] for at in range(3))
        total, total_lost, total_erred = (sums[:, [at]] for at in (-3, -2, -1))
        within, outside = lost / mass, (total_lost - lost) / (total - mass)
        return np.column_stack([within, outside, within - outside, erred / mass, total_erred / total])

    values = resampled(summarise, ours, draws, seed, clusters)
    low, high = ends(values, units(ours, clusters))
    if ours.classes is not None:
        each = [np.unique(np.flatnonzero(m) if clusters is None else clusters[m]).size for m in masks.T]
        within = np.array([*each, units(ours, clusters)])
        low[3 * count :], high[3 * count :] = share_ends(values[:, 3 * count :], units(ours, clusters), within)
    found = [estimate(*each) for each in zip(values[0], low, high, strict=True)]
    names = ("loss", "outside", "difference", "score")
    rows = [
        {"rows": int(masks[:, at].sum())} | {name: found[i * count + at] for i, name in enumerate(names)}
        for at in range(count)
    ]
    return rows, found[-1]
