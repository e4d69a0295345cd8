"""Several trials as one model: greedy selection with replacement over out-of-fold answers (Caruana et al. 2004)."""

# n rows of a fold, K classes

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aurify.measure.intervals import row_weights
from aurify.measure.metrics import Metric, evaluator
from aurify.measure.predictions import Predictions, decided

STEPS = 20
"""Members at most, one counted as often as it was chosen."""

MOST_ROWS = 20_000
"""Rows of a fold that members are chosen by."""

LEAST_GAIN = 1e-5
"""Of the score of the best alone: what adds less is not worth its time."""

Folds = Sequence[Predictions]
"""Answers of one trial, a fold each."""


def select(candidates: Iterable[Folds], metric: Metric[Any], check: Callable[[], None]) -> dict[int, float]:
    """Weights, summing to 1, of the candidates whose mean answer is best, by position; the first candidate is the best.

    Starts from the first and adds whichever helps most, as long as one helps.
    """
    thin = [[_thin(one) for one in folds] for folds in candidates]
    sums = [_answers(one) for one in thin[0]]
    chosen, sign = [0], 1 if metric.greater_is_better else -1
    best = sign * _score(thin[0], sums, 1, metric)
    least = LEAST_GAIN * max(abs(best), 1e-12)
    while len(chosen) < STEPS:
        gains = []
        for folds in thin:
            check()
            tried = [total + _answers(one) for total, one in zip(sums, folds, strict=True)]
            gains.append(sign * _score(folds, tried, len(chosen) + 1, metric))
        at = int(np.argmax(gains))
        if not gains[at] > best + least:
            break
        best, sums = gains[at], [total + _answers(one) for total, one in zip(sums, thin[at], strict=True)]
        chosen.append(at)
    return {at: count / len(chosen) for at, count in Counter(chosen).items()}


def mean(candidates: Sequence[Folds], weights: Sequence[float]) -> list[Predictions]:
    """What several say together, fold by fold."""
    pairs = zip(*candidates, strict=True)
    return [_with(of[0], sum(w * _answers(one) for w, one in zip(weights, of, strict=True))) for of in pairs]  # pyright: ignore[reportArgumentType]


def _score(folds: Folds, sums: Sequence[np.ndarray], count: int, metric: Metric[Any]) -> float:
    """The mean over folds; the worst there is where it is undefined."""
    made = [_with(one, total / count) for one, total in zip(folds, sums, strict=True)]
    values = [float(evaluator([metric], one)(row_weights(one)[None])[0, 0]) for one in made]
    mean = float(np.mean(values))
    return mean if np.isfinite(mean) else (-np.inf if metric.greater_is_better else np.inf)


def _answers(one: Predictions) -> np.ndarray:
    """Probabilities (n, K) or numbers (n,)."""
    return one.prediction if one.probabilities is None else one.probabilities


def _with(one: Predictions, answer: np.ndarray) -> Predictions:
    if one.probabilities is None:
        return replace(one, prediction=answer)
    return replace(one, probabilities=answer.clip(0.0, 1.0), prediction=decided(answer, several=one.several))


def _thin(one: Predictions) -> Predictions:
    """Every so-many-th row, where there are very many."""
    return one if len(one) <= MOST_ROWS else one.take(np.arange(0, len(one), -(-len(one) // MOST_ROWS)))
