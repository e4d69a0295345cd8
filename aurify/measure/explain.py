"""What a model goes by, asked from outside: which columns matter, and how its answers depend on them."""

# n tested rows, m of them drawn, C columns, S shuffles, P points, A answers that are told

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isqrt
from typing import Any

import numpy as np

from aurify.measure.bands import ends, estimate, plain, resampled, units
from aurify.measure.intervals import FEWEST_DRAWS, row_weights
from aurify.measure.metrics import Metric, evaluator, metrics_for
from aurify.measure.places import Inputs, Place, Respond, rows_of
from aurify.measure.predictions import Predictions, decided
from aurify.measure.summaries import known_target

CELLS, MOST_CELLS = 1_200_000, 5_400_000
"""That importance may ask about: three seconds of the default network, and more for wide tables to have enough rows."""

NARROW = 20
"""Columns below which a row is answered no faster."""

MOST_SHUFFLES = 10
FEWEST_ROWS, ENOUGH_ROWS = 60, 500
"""That each column is shuffled among, where there are as many; with fewer the columns are not shuffled apart at all."""

MOST_DEPENDED, MOST_CURVES = 6, 5
"""Columns whose dependence is told, and classes of each."""

DEPENDENCE_ROWS = 200
MOST_POINTS, MOST_VALUES = 12, 10


def importance(
    predictions: Predictions,
    respond: Respond,
    inputs: Inputs,
    columns: Sequence[Place],
    metric: str,
    *,
    draws: int = 400,
    seed: int = 0,
    clusters: np.ndarray | None = None,
    asks: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """How much worse ``metric`` becomes when a column is shuffled among the rows, the most important column first.

    Permutation importance (Breiman 2001; Fisher, Rudin & Dominici 2019) of ``predictions`` for ``inputs`` {name:
    (n, C)}, in units of the metric; above 0 the column helps. Each of ``columns`` has ``column``, ``kind`` and the
    estimate, the mean of ``shuffles`` on ``rows`` rows drawn by ``seed``, with the paired 95% interval over rows (or
    clusters (n,) of them). With more columns than ``most`` there is nothing but that and ``why_not``. ``asks`` are
    the rows that a dear model may be asked about in all. ``check`` is called before each column and may raise to stop.
    """
    most = isqrt(MOST_CELLS // FEWEST_ROWS)
    if len(columns) > most:
        return {"why_not": "too many columns", "given": len(columns), "most": most}
    random = np.random.default_rng(seed)
    each = len(columns) * max(len(columns), NARROW)  # cells asked about to shuffle one row in every column
    cells = CELLS if asks is None else min(CELLS, asks * max(len(columns), NARROW))
    enough = min(ENOUGH_ROWS, MOST_CELLS // each) if asks is None else FEWEST_ROWS
    chosen = _sample(predictions, max(cells // each, enough), random)
    shuffles = max(1, min(MOST_SHUFFLES, cells // (each * len(chosen))))
    ours, codes = predictions.take(chosen), None if clusters is None else clusters[chosen]
    judge = next(m for m in metrics_for(ours) if m.name == metric)
    donors = np.stack([_donors(row_weights(ours), random) for _ in range(shuffles)])
    shuffled = []
    for column in columns:
        check()
        shuffled.append(_exchanged(ours, respond, inputs, chosen, column, donors))
    values, low, high = _estimated(ours, _losses(ours, shuffled, donors, judge), draws, seed, codes)
    told = [
        {"column": columns[at].name, "kind": columns[at].column.kind} | estimate(values[at], low[at], high[at])
        for at in np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
    ]
    return {"metric": metric, "rows": len(ours), "shuffles": shuffles, "columns": told}


def _losses(
    ours: Predictions, shuffled: list[list[np.ndarray]], donors: np.ndarray, judge: Metric[Any]
) -> Callable[[np.ndarray, bool], np.ndarray]:
    """From weights (D, m) to how much worse the metric is with each column shuffled (D, C).

    If told ``both``, a row counts as often as it and its donor are drawn. Resamples take turns with the shuffles, each
    moved to the mean of all.
    """
    sign, own, count = 1 if judge.greater_is_better else -1, row_weights(ours), len(donors)
    whole = evaluator((judge,), ours)
    others = [[evaluator((judge,), _answering(ours, answers)) for answers in each] for each in shuffled]

    def lost(weights: np.ndarray, at: int) -> np.ndarray:
        return sign * (whole(weights)[0][:, None] - np.column_stack([each[at](weights)[0] for each in others]))

    before = [lost(own[None], at) for at in range(count)]

    def losses(weights: np.ndarray, both: bool) -> np.ndarray:
        values = np.empty((len(weights), len(others)))
        for at, givers in enumerate(donors):
            some = weights[at::count]
            pairs = some * (some / own)[:, givers] if both else some
            values[at::count] = lost(pairs, at) - before[at] + np.mean(before, axis=0)
        return values

    return losses


def _estimated(
    ours: Predictions,
    losses: Callable[[np.ndarray, bool], np.ndarray],
    draws: int,
    seed: int,
    clusters: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values (C,) and the ends of their intervals.

    A shuffled row rests on itself and on its donor, and both are samples: resampling rows alone made intervals a
    quarter too narrow, where one column rules. Resampling both counts three times what belongs to the single pair; it
    is taken off twice, as far as resampling rows shows it. A third of the variance is the least that can be left.
    """
    both = resampled(lambda weights: losses(weights, True), ours, draws, seed, clusters)
    alone = resampled(lambda weights: losses(weights, False), ours, FEWEST_DRAWS, seed, None)
    low, high = ends(both, units(ours, clusters))

    def variance(drawn: np.ndarray) -> np.ndarray:
        known = np.isfinite(drawn[1:])
        return np.square(np.where(known, drawn[1:] - drawn[0], 0.0)).sum(axis=0) / known.sum(axis=0).clip(min=1)

    total, single = variance(both), variance(alone)
    kept = np.divide(total - 2 * single, total, out=np.ones_like(total), where=total > 0).clip(1 / 3, 1)
    return both[0], *(both[0] + (end - both[0]) * np.sqrt(kept) for end in (low, high))


def _sample(predictions: Predictions, most: int, random: np.random.Generator) -> np.ndarray:
    """Up to ``most`` positions (m,) of rows that have any weight, in their order."""
    counted = np.flatnonzero(row_weights(predictions) > 0)
    return counted if len(counted) <= most else np.sort(random.choice(counted, most, replace=False))


def _donors(weight: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Whose value each row (m,) is given: a shuffle in which a row gives as often as it weighs."""
    reached = np.cumsum(weight) / weight.sum()
    evenly = (np.arange(len(weight)) + random.random()) / len(weight)
    # the margin is for equal weights, whose sums may fall just short of a whole number of rows
    givers = np.searchsorted(reached, np.minimum(evenly, 1 - 1e-9) - 1e-12)
    return random.permutation(givers)


def _exchanged(
    ours: Predictions, respond: Respond, inputs: Inputs, chosen: np.ndarray, column: Place, donors: np.ndarray
) -> list[np.ndarray]:
    """Answers, one array for each of the shuffles (S, m), when rows ``chosen`` (m,) have their donors' values.

    A row that is given its own value keeps its answer, and no row is asked about one value twice.
    """
    own = ours.prediction if ours.probabilities is None else ours.probabilities
    distinct, code = np.unique(column.values(inputs)[chosen], return_inverse=True)
    given = code[donors]
    pairs = given + np.arange(len(chosen)) * len(distinct)
    changed = given != code
    wanted, place = np.unique(pairs[changed], return_inverse=True)
    if not len(wanted):
        return [own] * len(donors)
    rows, value = np.divmod(wanted, len(distinct))
    answered = respond(column.replaced(rows_of(inputs, chosen[rows]), distinct[value]), chosen[rows])
    every = np.repeat(own[None], len(donors), axis=0)
    every[changed] = answered[place]
    return list(every)


def _answering(predictions: Predictions, answers: np.ndarray) -> Predictions:
    """The same rows with other answers."""
    if predictions.classes is None:
        return replace(predictions, prediction=answers)
    return replace(predictions, probabilities=answers, prediction=decided(answers, several=predictions.several))


def dependence(
    predictions: Predictions,
    respond: Respond,
    inputs: Inputs,
    columns: Sequence[Place],
    *,
    draws: int = 1000,
    seed: int = 0,
    clusters: np.ndarray | None = None,
    most: int = DEPENDENCE_ROWS,
) -> list[dict[str, Any]]:
    """The mean answer over rows if all of them had one value of a column: partial dependence (Friedman 2001).

    Of the first ``MOST_DEPENDED`` of ``columns``. Each has ``at`` (P,), numbers or seconds or None, ``words`` for
    them, ``share`` of the rows that are nearest to each, and ``answers``: the positive class of two, the most common
    of more (``of``), or the number, as ``y`` (P,) with its 95% interval over the ``most`` drawn rows.
    """
    chosen = _sample(predictions, most, np.random.default_rng(seed))
    ours, codes = predictions.take(chosen), None if clusters is None else clusters[chosen]
    rows = rows_of(inputs, chosen)
    shown = _shown(predictions)
    found = []
    for column in columns[:MOST_DEPENDED]:
        points, share = _points(column, column.values(inputs), row_weights(predictions))
        asked = rows_of(rows, np.tile(np.arange(len(chosen)), len(points)))
        replies = respond(column.replaced(asked, np.repeat(points, len(chosen))), np.tile(chosen, len(points)))
        told = (replies[:, None] if predictions.classes is None else replies[:, shown]).reshape(
            len(points), len(ours), -1
        )
        found.append(
            {
                "column": column.name,
                "kind": column.column.kind,
                "at": [None if column.is_category or np.isnan(point) else float(point) for point in points],
                "words": [column.words(point) for point in points],
                "share": plain(share),
                "answers": _mean_answers(ours, told, shown, draws, seed, codes),
            }
        )
    return found


def _mean_answers(
    ours: Predictions, told: np.ndarray, shown: list[int], draws: int, seed: int, clusters: np.ndarray | None
) -> list[dict[str, Any]]:
    """Means over the rows of answers (P, m, A), for each of the A with their intervals."""
    by_row = told.transpose(1, 0, 2).reshape(len(ours), -1)
    values = resampled(lambda w: w @ by_row / w.sum(axis=1, keepdims=True), ours, draws, seed, clusters)
    values = values.reshape(-1, len(told), len(shown))
    low, high = ends(values, units(ours, clusters))
    return [
        {
            "of": None if ours.classes is None else ours.classes[code],
            "y": plain(values[0, :, at]),
            "low": plain(low[:, at]),
            "high": plain(high[:, at]),
        }
        for at, code in enumerate(shown)
    ]


def _shown(predictions: Predictions) -> list[int]:
    """Codes of the classes whose probability is told."""
    count = 1 if predictions.classes is None else len(predictions.classes)
    if count <= 2 and not predictions.several:
        return [count - 1]
    if predictions.several:
        common = row_weights(predictions) @ known_target(predictions)
    else:
        common = np.bincount(known_target(predictions), weights=row_weights(predictions), minlength=count)
    return sorted(np.argsort(-common, kind="stable")[:MOST_CURVES].tolist())


def _points(column: Place, values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (P,) of a column to ask about, and the share of the rows (n,) that is nearest to each."""
    counted = weight > 0
    values, share = values[counted], weight[counted] / weight.sum()
    missing = column.missing(values)
    present, mass = values[~missing], share[~missing]
    distinct, place = np.unique(present, return_inverse=True)
    if column.is_category:
        distinct, place = np.unique(values, return_inverse=True)
        rows = np.bincount(place, weights=share)
        common = np.argsort(-rows, kind="stable")[:MOST_VALUES]
        return distinct[common], rows[common]
    if len(distinct) > MOST_POINTS:
        middles = (np.arange(MOST_POINTS) + 0.5) / MOST_POINTS
        distinct = np.unique(np.quantile(present, middles, weights=mass, method="inverted_cdf"))
        place = np.searchsorted((distinct[1:] + distinct[:-1]) / 2, present)
    rows = np.bincount(place, weights=mass, minlength=len(distinct))
    if not missing.any():
        return distinct, rows
    return np.append(distinct, np.nan), np.append(rows, share[missing].sum())
