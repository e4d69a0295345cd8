"""What a report draws of numbers: targets against predictions, and how the residuals lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from aurify.measure.bands import ends, equal_mass, estimate, plain, resampled, units
from aurify.measure.intervals import row_weights
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import Groups, known_target

MOST_POINTS = 1000
BARS = 30
BINS = 10
"""Of equal mass along the predictions."""

CENTRE = (0.005, 0.995)
"""Quantiles of the residuals that a histogram spans: a few outliers would leave one bar of it."""


def residuals(
    predictions: Predictions, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> dict[str, Any]:
    """How a regression errs; a residual is target minus prediction, in the unit of the target.

    ``points`` are up to ``MOST_POINTS`` rows drawn by ``seed`` (``row``, ``target``, ``prediction``), ``histogram`` has
    ``edges`` (B + 1,) and weighted ``counts`` (B,), and the weight ``below`` and ``above`` them. ``bins`` follow the
    prediction: its mean ``prediction``, ``quantiles`` (10%, 50%, 90%) and ``mean`` of the residuals, the mean with its
    95% interval, ``rows`` and ``weight``. ``draws``, ``seed`` and ``clusters`` (n,) are those of the scores.
    """
    residual, weight = known_target(predictions) - predictions.prediction, row_weights(predictions)
    return {
        "points": _points(predictions, weight, seed),
        "histogram": _histogram(residual, weight),
        "bins": _bins(predictions, residual, weight, draws, seed, clusters),
    }


def _points(predictions: Predictions, weight: np.ndarray, seed: int) -> dict[str, Any]:
    size = min(MOST_POINTS, np.count_nonzero(weight))
    drawn = np.random.default_rng(seed).choice(len(weight), size, replace=False, p=weight / weight.sum())
    return {
        "row": predictions.row[drawn].tolist(),
        "target": plain(known_target(predictions)[drawn]),
        "prediction": plain(predictions.prediction[drawn]),
    }


def _histogram(residual: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    low, high = np.quantile(residual, CENTRE, weights=weight, method="inverted_cdf")
    counts, edges = np.histogram(residual, BARS, (low, high), weights=weight)
    beyond = {"below": plain(weight[residual < edges[0]].sum()), "above": plain(weight[residual > edges[-1]].sum())}
    return {"edges": plain(edges), "counts": plain(counts), **beyond}


def _bins(
    predictions: Predictions,
    residual: np.ndarray,
    weight: np.ndarray,
    draws: int,
    seed: int,
    clusters: np.ndarray | None,
) -> list[dict[str, Any]]:
    bins = equal_mass(predictions.prediction, weight, BINS)
    groups = Groups(bins, int(bins.max()) + 1)
    values = resampled(
        lambda w: groups.present_sums(w * residual) / groups.present_sums(w), predictions, draws, seed, clusters
    )
    low, high = ends(values, units(predictions, clusters))
    found = []
    for at in range(groups.count):
        inside = (bins == at) & (weight > 0)
        if inside.any():
            of, prediction, count = residual[inside], predictions.prediction[inside], weight[inside]
            found.append(
                {
                    "prediction": plain(np.average(prediction, weights=count)),
                    "quantiles": plain(np.quantile(of, (0.1, 0.5, 0.9), weights=count, method="inverted_cdf")),
                    "mean": estimate(values[0, at], low[at], high[at]),
                    "rows": len(of),
                    "weight": plain(count.sum()),
                }
            )
    return found
