"""How sure a score is, and whether one set of predictions beats another: paired percentile bootstrap over test rows.

The intervals cover the sampling of test rows (or of whole clusters of them), not the training of another network.
"""

# D draws (rows of weights), n examples

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from aurify.measure.metrics import Metric, chunk_draws, evaluator, metrics_for
from aurify.measure.predictions import Predictions

Verdict = Literal["better", "worse", "no measurable difference"]

FEWEST_DRAWS = 200
"""Below this the ends of a 95% interval rest on fewer than five resamples each."""

NUMBERS_LIMIT = 50_000_000
"""Draws times rows: a few seconds for four sets of predictions with two classes."""

CLASS_NUMBERS_LIMIT = 500_000_000
"""Draws times rows times classes: every class is ranked against the rest."""


@dataclass(frozen=True)
class Score:
    """A metric on all test rows with the ends of its 95% interval; NaN where undefined."""

    name: str
    value: float
    low: float
    high: float
    greater_is_better: bool


@dataclass(frozen=True)
class Difference:
    """Ours minus theirs in one metric, on the same rows and resamples, with the ends of its 95% interval."""

    name: str
    value: float
    low: float
    high: float
    greater_is_better: bool

    @property
    def verdict(self) -> Verdict:
        """What the interval says about ours; only one that excludes 0 says anything."""
        if self.low > 0:
            return "better" if self.greater_is_better else "worse"
        if self.high < 0:
            return "worse" if self.greater_is_better else "better"
        return "no measurable difference"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Scores of several sets of predictions for the same rows, and how the reference differs from each other set.

    ``scores[set][metric]``; ``differences[other set][metric]`` is reference minus other, for metrics that both have.
    """

    reference: str
    scores: dict[str, dict[str, Score]]
    differences: dict[str, dict[str, Difference]]
    rows: int
    draws: int


def draws_within_limits(draws: int, rows: int, classes: int) -> int:
    """``draws``, lowered where the work would be too much, yet not below ``FEWEST_DRAWS``; 1 class for regression."""
    affordable = min(NUMBERS_LIMIT // rows, CLASS_NUMBERS_LIMIT // (rows * classes))
    return min(draws, max(FEWEST_DRAWS, affordable))


def bootstrap_weights(count: int, draws: int, seed: int, clusters: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """How often each of ``count`` rows is in each resample (Efron 1979): chunks (D, n) float64, ``draws`` in all.

    A pure function of its arguments, and fewer draws are a prefix of more. ``clusters`` (n,) int says which rows belong
    together: whole clusters are then drawn, as many as there are, for rows that resemble one another within a cluster.
    """
    random = np.random.default_rng(seed)
    code = None if clusters is None else np.unique(clusters, return_inverse=True)[1]
    units = count if code is None else int(code.max()) + 1
    step = chunk_draws(count)
    for done in range(0, draws, step):
        size = min(step, draws - done)
        drawn = random.integers(0, units, size=(size, units))
        drawn += np.arange(size)[:, None] * units
        times = np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units).astype(np.float64)
        yield times if code is None else times.take(code, axis=1)


def score_table(
    sets: Mapping[str, Predictions],
    *,
    reference: str,
    draws: int = 1000,
    seed: int = 0,
    clusters: np.ndarray | None = None,
    check: Callable[[], None] = lambda: None,
) -> Table:
    """Every metric of every set, and the reference minus each other set, from one pass over the same resamples.

    All sets must be about the same rows in the same order. ``check`` is called between chunks and may raise to stop.
    """
    ours = sets[reference]
    for other in sets.values():
        assert np.array_equal(ours.row, other.row), "paired sets need the same rows in the same order"
        assert ours.classes == other.classes, "paired sets need the same classes"
        assert np.array_equal(row_weights(ours), row_weights(other)), "paired sets need the same weights"
    draws = draws_within_limits(draws, len(ours), 1 if ours.classes is None else len(ours.classes))
    drawn = _drawn(sets, bootstrap_weights(len(ours), draws, seed, clusters), check)
    units = len(ours) if clusters is None else np.unique(clusters).size
    return Table(
        reference=reference,
        scores={
            name: {metric.name: _score(metric, row, units) for metric, row in rows.items()}
            for name, rows in drawn.items()
        },
        differences={
            name: {
                metric.name: Difference(
                    metric.name, *_interval(drawn[reference][metric] - row, units, metric), metric.greater_is_better
                )
                for metric, row in rows.items()
                if metric in drawn[reference]
            }
            for name, rows in drawn.items()
            if name != reference
        },
        rows=len(ours),
        draws=draws,
    )


def scores(
    predictions: Predictions, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> dict[str, Score]:
    """Every metric that suits the predictions, by name; ``draws_within_limits`` tells how many draws were used."""
    return score_table({"ours": predictions}, reference="ours", draws=draws, seed=seed, clusters=clusters).scores[
        "ours"
    ]


def mean_of_folds(
    folds: Sequence[Predictions],
    metric: Metric[Any],
    clusters: Sequence[np.ndarray | None],
    *,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """The mean over folds of a metric with its 95 % interval: rows, or clusters, are drawn again within each fold."""
    rows = []
    for at, (one, codes) in enumerate(zip(folds, clusters, strict=True)):
        count = draws_within_limits(draws, len(one), 1 if one.classes is None else len(one.classes))
        resamples = bootstrap_weights(len(one), count, seed + at, codes)
        (drawn,) = _drawn({"one": one}, resamples, lambda: None, [metric])["one"].values()
        rows.append(drawn)
    least = min(map(len, rows))
    units = sum(
        len(one) if codes is None else len(np.unique(codes)) for one, codes in zip(folds, clusters, strict=True)
    )
    return _interval(np.mean([row[:least] for row in rows], axis=0), units, metric)


def differences(
    ours: Predictions, theirs: Predictions, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> dict[str, Difference]:
    """Ours minus theirs in every metric that both have, by name, on the same resamples of the same rows."""
    sets = {"ours": ours, "theirs": theirs}
    return score_table(sets, reference="ours", draws=draws, seed=seed, clusters=clusters).differences["theirs"]


def row_weights(predictions: Predictions) -> np.ndarray:
    """How many rows each row stands for (n,) float64."""
    return np.ones(len(predictions)) if predictions.weight is None else predictions.weight


def _drawn(
    sets: Mapping[str, Predictions],
    resamples: Iterator[np.ndarray],
    check: Callable[[], None],
    only: Sequence[Metric[Any]] | None = None,
) -> dict[str, dict[Metric[Any], np.ndarray]]:
    """Per set and metric (1 + D,): the value on all rows, then one per resample; of ``only`` these metrics."""
    metrics = {name: only or metrics_for(predictions) for name, predictions in sets.items()}
    values = {name: evaluator(metrics[name], predictions) for name, predictions in sets.items()}
    weight = {name: row_weights(predictions) for name, predictions in sets.items()}
    collected = {name: [values[name](weight[name][None])] for name in sets}
    for times in resamples:
        check()
        for name in sets:
            collected[name].append(values[name](times * weight[name]))
    return {
        name: dict(zip(metrics[name], np.concatenate(chunks, axis=1), strict=True))
        for name, chunks in collected.items()
    }


def _score(metric: Metric[Any], row: np.ndarray, units: int) -> Score:
    value, low, high = _interval(row, units, metric)
    # moved by its bias, an interval may reach below what the metric can be
    return Score(metric.name, value, max(low, 0.0) if metric.biased else low, high, metric.greater_is_better)


def _interval(row: np.ndarray, units: int, metric: Metric[Any]) -> tuple[float, float, float]:
    """Value and the ends of the 95% percentile interval, from (1 + D,) with the value first.

    For a biased metric the resamples are moved by their estimated bias first (Efron & Tibshirani 1993, chapter 10).
    """
    value, resampled = float(row[0]), row[1:]
    known = resampled[np.isfinite(resampled)]
    # one unit resampled is always itself: that is no certainty, it is no information
    if units < 2 or len(known) * 2 < len(resampled):
        return value, float("nan"), float("nan")
    low, high = np.percentile(known, (2.5, 97.5)) - (known.mean() - value if metric.biased else 0.0)
    return value, float(low), float(high)
