"""Why the most wrong rows were answered as they were: what each column's value added to the answer."""

# n tested rows, R rows explained, S permutations, C columns

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt
from typing import Any

import numpy as np

from aurify.measure.bands import plain
from aurify.measure.intervals import row_weights
from aurify.measure.places import Inputs, Place, Respond, rows_of
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import known_probabilities, known_target

MOST_ROWS, MOST_TOLD = 6, 5
"""Rows that are explained, and columns of each that are told apart."""

PERMUTATIONS, FEWEST_PERMUTATIONS = 25, 10

MOST_CELLS = 5_400_000
"""Cells that may be asked about: ten seconds of the default network, where a table is as wide as that."""


def losses(predictions: Predictions) -> np.ndarray:
    """What each row (n,) costs: -log(probability of the true class), or the absolute error of a number.

    Of several labels the mean of -log(probability) of what is true of each.
    """
    target = known_target(predictions)
    if predictions.classes is None:
        return np.abs(predictions.prediction - target)
    if predictions.several:
        right = 1 - np.abs(known_probabilities(predictions) - target)
        return -np.log(np.clip(right, np.finfo(np.float64).eps, 1.0)).mean(axis=1)
    true = known_probabilities(predictions)[np.arange(len(target)), target]
    return -np.log(np.clip(true, np.finfo(np.float64).eps, 1.0))


def contributions(
    predictions: Predictions,
    respond: Respond,
    inputs: Inputs,
    columns: Sequence[Place],
    background: Inputs,
    *,
    background_weight: np.ndarray | None = None,
    seed: int = 0,
    asks: int = MOST_CELLS,
    check: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Explain the rows of the largest loss by sampled Shapley values (Strumbelj & Kononenko 2014).

    What is explained is the ``answer``: the probability of the predicted class, or the number. It begins at ``base``,
    the mean answer for rows of ``background`` {name: (B, C)} (drawn by ``background_weight`` (B,)), and changes as the
    values of the row take the place of the background's, column by column in ``permutations`` random orders.

    Each of ``rows`` has ``row`` (its id), ``target``, ``prediction``, the probability of both (None of numbers),
    ``loss``, ``answer``, ``base``, the ``columns`` that changed most (``value`` in words, ``contribution`` and its
    standard ``error``) and the sum of the ``rest``: base, contributions and rest sum to the answer. With more columns
    than ``most`` there is nothing but that and ``why_not``. ``asks`` are the rows that a dear model may be asked about
    in all. ``check`` is called before each row and may raise to stop.
    """
    most, width = isqrt(MOST_CELLS // (MOST_ROWS * FEWEST_PERMUTATIONS)) - 1, len(columns)
    if width > most:
        return {"why_not": "too many columns", "given": width, "most": most}
    loss = np.where(row_weights(predictions) > 0, losses(predictions), -np.inf)
    permutations = min(PERMUTATIONS, MOST_CELLS // (MOST_ROWS * (width + 1) * width))
    permutations = max(2, min(permutations, asks // (MOST_ROWS * (width + 1))))
    random = np.random.default_rng(seed)
    # the same background for every row, so that their bases are comparable
    base = _drawn(background, background_weight, permutations, random)
    rows = []
    for at in np.argsort(-loss, kind="stable")[: min(MOST_ROWS, np.isfinite(loss).sum())]:
        check()
        one = rows_of(inputs, np.array([at]))
        orders = np.argsort(random.random((permutations, len(columns))), axis=1)
        asked = _between(one, base, columns, orders)
        replies = respond(asked, np.full(permutations * (len(columns) + 1), at))
        told = replies if predictions.classes is None else replies[:, predictions.prediction[at]]
        rows.append(
            _explained(predictions, int(at), float(loss[at]), one, columns, told.reshape(permutations, -1), orders)
        )
    return {"permutations": permutations, "rows": rows}


def _drawn(rows: Inputs, weight: np.ndarray | None, count: int, random: np.random.Generator) -> dict[str, Any]:
    shares = None if weight is None else weight / weight.sum()
    return rows_of(rows, random.choice(len(next(iter(rows.values()))), count, p=shares))


def _between(one: dict[str, Any], base: dict[str, Any], columns: Sequence[Place], orders: np.ndarray) -> dict[str, Any]:
    """Inputs (S * (C + 1), ...): each background row, then with one more value of the row in it after another."""
    count = orders.shape[1]
    rank = np.argsort(orders, axis=1)
    taken = (rank[:, None, :] < np.arange(count + 1)[:, None]).reshape(-1, count)
    asked = rows_of(base, np.repeat(np.arange(len(orders)), count + 1))
    for place, column in enumerate(columns):
        column.put(asked, taken[:, place], one)
    return asked


def _explained(
    predictions: Predictions,
    at: int,
    loss: float,
    one: dict[str, Any],
    columns: Sequence[Place],
    told: np.ndarray,
    orders: np.ndarray,
) -> dict[str, Any]:
    """One row from the answers (S, C + 1) on the way from the background to it."""
    steps = np.empty(orders.shape)
    np.put_along_axis(steps, orders, np.diff(told, axis=1), axis=1)
    mean, error = steps.mean(axis=0), steps.std(axis=0, ddof=1) / np.sqrt(len(steps))
    order = np.argsort(-np.abs(mean), kind="stable")
    target, prediction = known_target(predictions)[at], predictions.prediction[at]
    names, chances = predictions.classes, predictions.probabilities
    return {
        "row": int(predictions.row[at]),
        "target": plain(target) if names is None else names[target],
        "prediction": plain(prediction) if names is None else names[prediction],
        "target_probability": None if chances is None else plain(chances[at, target]),
        "prediction_probability": None if chances is None else plain(chances[at, prediction]),
        "loss": plain(loss),
        "answer": plain(told[:, -1].mean()),
        "base": plain(told[:, 0].mean()),
        "columns": [
            {
                "column": columns[i].name,
                "value": columns[i].words(columns[i].values(one)[0]),
                "contribution": plain(mean[i]),
                "error": plain(error[i]),
            }
            for i in order[:MOST_TOLD]
        ],
        "rest": plain(mean[order[MOST_TOLD:]].sum()),
    }
