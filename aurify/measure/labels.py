"""Several labels a row, looked at one by one: their scores with intervals, and the rows that are most wrong."""

# D draws (rows of weights), n examples, K labels

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from aurify.measure.bands import ends, estimate, plain, resampled, units
from aurify.measure.contributions import losses
from aurify.measure.curves import class_rows
from aurify.measure.intervals import row_weights
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import known_probabilities, known_target, rankings

NO, YES = "no", "yes"
MOST_PAIRS = 200_000
"""Of rows and labels that are looked at together."""

MOST_WRONG = 10


def one_label(predictions: Predictions, at: int) -> Predictions:
    """The label at position ``at`` as a target of two classes, no and yes."""
    chance = known_probabilities(predictions)[:, at]
    return replace(
        predictions,
        target=known_target(predictions)[:, at].astype(np.int64),
        prediction=predictions.prediction[:, at].astype(np.int64),
        probabilities=np.column_stack([1 - chance, chance]),
        classes=(NO, YES),
    )


def all_labels(predictions: Predictions, clusters: np.ndarray | None) -> tuple[Predictions, np.ndarray]:
    """Every label of every row as a row of its own with two classes, no and yes, and which belong together (n * K,).

    Of very many rows every so-manieth.
    """
    count = len(predictions.classes or ())
    rows = np.arange(0, len(predictions), -(-len(predictions) * count // MOST_PAIRS))
    some = predictions.take(rows)
    together = rows if clusters is None else np.asarray(clusters)[rows]
    chance = known_probabilities(some).ravel()
    flat = Predictions(
        row=np.repeat(some.row, count),
        target=known_target(some).ravel().astype(np.int64),
        prediction=some.prediction.ravel().astype(np.int64),
        probabilities=np.column_stack([1 - chance, chance]),
        classes=(NO, YES),
        seed=some.seed,
        weight=None if some.weight is None else np.repeat(some.weight, count),
    )
    return flat, np.repeat(together, count)


def label_rows(
    predictions: Predictions, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> list[dict[str, Any]]:
    """How each label does, of many the worst in F1: as ``curves.class_rows``, with the ``area`` under the ROC curve."""
    found = class_rows(predictions, draws, seed, clusters)
    names = predictions.classes or ()
    for each in found:
        alone = one_label(predictions, names.index(each["class"]))
        summarise = rankings(alone)
        values = resampled(lambda w, area=summarise: area(w).area, alone, draws, seed, clusters)
        low, high = ends(values, units(alone, clusters))
        each["area"] = estimate(values[0, 0], low[0], high[0])
    return found


def most_wrong(predictions: Predictions) -> list[dict[str, Any]]:
    """The rows of the largest loss: their ids, which labels they hold, which were said, the one furthest off."""
    names, target = predictions.classes or (), known_target(predictions)
    miss = np.abs(known_probabilities(predictions) - target)
    order = np.argsort(-losses(predictions) * (row_weights(predictions) > 0), kind="stable")[:MOST_WRONG]
    found = []
    for at in order.tolist():
        if (target[at] == predictions.prediction[at]).all():
            continue
        worst = int(miss[at].argmax())
        held, told = ([names[k] for k in np.flatnonzero(row)] for row in (target[at], predictions.prediction[at]))
        chance = known_probabilities(predictions)[at, worst]
        found.append(
            {
                "row": int(predictions.row[at]),
                "held": held,
                "told": told,
                "worst": names[worst],
                "probability": plain(chance),
            }
        )
    return found
