"""Which tested rows are worth a look one by one: the most wrong ones and the surest."""

# n tested rows, m of them

from __future__ import annotations

import numpy as np

from aurify.measure.contributions import losses
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import known_target


def most_wrong(ours: Predictions, counted: np.ndarray, most: int) -> list[int]:
    """Positions of the rows of the highest loss, of those ``counted`` (n,) bool that are answered wrongly."""
    loss = np.where(counted & (ours.prediction != known_target(ours)), losses(ours), -np.inf)
    return [int(at) for at in np.argsort(-loss, kind="stable")[:most] if np.isfinite(loss[at])]


def surest(ours: Predictions, counted: np.ndarray, most: int) -> list[int]:
    """Of the positions ``counted`` (m,) the surest answers, those of every class in turn; of numbers both ends."""
    if ours.probabilities is None:
        order = counted[np.argsort(ours.prediction[counted], kind="stable")]
        half = most // 2
        return list(dict.fromkeys([*order[:half].tolist(), *order[-half:][::-1].tolist()]))
    chance = ours.probabilities[counted, ours.prediction[counted]]
    order = counted[np.argsort(-chance, kind="stable")]
    turn: dict[int, int] = {}
    turns = []
    for at in order.tolist():
        said_class = int(ours.prediction[at])
        turns.append(turn.setdefault(said_class, 0))
        turn[said_class] += 1
    return [int(order[i]) for i in np.argsort(np.array(turns, dtype=np.int64), kind="stable")[:most]]
