"""What a report draws of classes: ROC, precision and recall, thresholds, calibration and confusion, with intervals.

Every function returns plain data; ``draws``, ``seed`` and ``clusters`` (n,) are those of the scores. A row of weight w
counts as w rows.
"""

# D draws (rows of weights), n examples, T ties (groups of equal score), K classes, P points

from __future__ import annotations

from typing import Any

import numpy as np

from aurify.measure.bands import (
    ends,
    equal_mass,
    estimate,
    plain,
    resampled,
    share_ends,
    units,
    units_within,
)
from aurify.measure.intervals import row_weights
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import ClassCounts, Groups, class_counts, known_probabilities, known_target

FALSE_POSITIVE_RATES = np.linspace(0, 1, 101) ** 2
"""Denser near 0, where a curve rises."""

RECALLS = np.linspace(0.01, 1, 100)
THRESHOLDS = np.linspace(0.05, 0.95, 19)

BINS = 10
"""Of equal mass in a calibration curve."""

MOST_CLASSES = 20
"""Whose confusion is told cell by cell; of more, as many of the most confused pairs and of the worst classes."""


class Ranked:
    """One class against the rest: scores (n,) from the highest, rows of equal score together."""

    def __init__(self, predictions: Predictions, of: int):
        score = known_probabilities(predictions)[:, of]
        self._order = np.argsort(-score, kind="stable")
        falling = score[self._order]
        self._last = np.flatnonzero(np.diff(falling, append=-np.inf))
        self._hit = known_target(predictions)[self._order] == of
        self.score = falling[self._last]

    def counts(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights (D, n) to rows of the class, and others, that have at least each tie's score: (D, T) both."""
        ordered = weights.take(self._order, axis=1)
        hits, misses = (np.cumsum(ordered * kept, axis=1).take(self._last, axis=1) for kept in (self._hit, ~self._hit))
        return hits, misses


def roc(
    predictions: Predictions, of: int, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> dict[str, Any]:
    """Receiver operating characteristic of class code ``of`` against the rest, with a pointwise 95% band.

    ``x`` (P,) false-positive rates, ``y`` true-positive rates there: straight lines between thresholds (chance decides
    between tied rows), the highest where the curve rises upright. ``low`` and ``high`` (P,) are the band, ``area`` is
    the area under the curve with its interval. None where one of both is absent.
    """
    ranked = Ranked(predictions, of)

    def summarise(weights: np.ndarray) -> np.ndarray:
        hits, misses = (np.pad(counts / counts[:, -1:], ((0, 0), (1, 0))) for counts in ranked.counts(weights))
        area = (np.diff(misses, axis=1) * (hits[:, 1:] + hits[:, :-1]) / 2).sum(axis=1)
        curve = [np.interp(FALSE_POSITIVE_RATES, x, y) for x, y in zip(misses, hits, strict=True)]
        return np.where(np.isnan(area)[:, None], np.nan, np.column_stack([curve, area]))

    return _curve(FALSE_POSITIVE_RATES, resampled(summarise, predictions, draws, seed, clusters), predictions, clusters)


def precision_recall(
    predictions: Predictions, of: int, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> dict[str, Any]:
    """Precision of class code ``of`` at given recalls, with a pointwise 95% band.

    ``x`` (P,) recalls; ``y`` the precision at the highest threshold that reaches that recall: a step, since a straight
    line between two thresholds promises what no threshold gives (Davis & Goadrich 2006). ``area`` is the average
    precision with its interval, ``base`` the share of the class, which is chance level. None where it is absent.
    """
    ranked = Ranked(predictions, of)

    def summarise(weights: np.ndarray) -> np.ndarray:
        hits, misses = ranked.counts(weights)
        total, through = hits[:, -1:], hits + misses
        precision = np.divide(hits, through, out=np.zeros_like(hits), where=through > 0)
        area = (np.diff(hits, axis=1, prepend=0.0) * precision).sum(axis=1, keepdims=True) / total
        # the margin is for fractional weights, whose sums only nearly reach a recall
        asked = total * RECALLS * (1 - 1e-12)
        at = np.stack([np.searchsorted(reached, wanted) for reached, wanted in zip(hits, asked, strict=True)])
        curve = np.where(total > 0, np.take_along_axis(precision, at.clip(max=hits.shape[1] - 1), axis=1), np.nan)
        return np.column_stack([curve, area])

    values = resampled(summarise, predictions, draws, seed, clusters)
    base = np.average(known_target(predictions) == of, weights=row_weights(predictions))
    return {**_curve(RECALLS, values, predictions, clusters), "base": plain(base)}


def _curve(
    grid: np.ndarray, values: np.ndarray, predictions: Predictions, clusters: np.ndarray | None
) -> dict[str, Any]:
    """Curve and area from values (1 + D, P + 1)."""
    low, high = ends(values, units(predictions, clusters))
    return {
        **{name: plain(line[: len(grid)]) for name, line in (("x", grid), ("y", values[0]), ("low", low))},
        "high": plain(high[:-1]),
        "area": estimate(values[0, -1], low[-1], high[-1]),
    }


def thresholds(
    predictions: Predictions, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> list[dict[str, Any]]:
    """Of two classes: what calling rows positive from each ``threshold`` of probability on would give.

    ``precision``, ``recall`` and ``flagged`` (the share called positive), each with its interval.
    """
    ranked = Ranked(predictions, 1)
    ties = np.searchsorted(-ranked.score, -THRESHOLDS, side="right")

    def summarise(weights: np.ndarray) -> np.ndarray:
        hits, misses = (np.pad(counts, ((0, 0), (1, 0))) for counts in ranked.counts(weights))
        hit, called = hits[:, ties], hits[:, ties] + misses[:, ties]
        return np.stack([hit / called, hit / hits[:, -1:], called / (hits + misses)[:, -1:]], axis=2)

    values = resampled(summarise, predictions, draws, seed, clusters)
    chance, weight = known_probabilities(predictions)[:, 1], row_weights(predictions)
    at = (chance[:, None] >= THRESHOLDS).sum(axis=1)
    called = units_within(at, len(THRESHOLDS) + 1, weight, clusters)[::-1].cumsum()[::-1][1:]
    positive = units_within(known_target(predictions), 2, weight, clusters)[1]
    count = units(predictions, clusters)
    within = np.column_stack([called, np.full(len(called), positive), np.full(len(called), count)])
    low, high = share_ends(values, count, within)
    names = ("precision", "recall", "flagged")
    return [
        {"threshold": plain(threshold)}
        | {name: estimate(values[0, i, j], low[i, j], high[i, j]) for j, name in enumerate(names)}
        for i, threshold in enumerate(THRESHOLDS)
    ]


def calibration(
    predictions: Predictions, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> dict[str, Any]:
    """How often what was given a probability came true, in about ``BINS`` bins of equal weight, rows of a tie in one.

    ``of`` is the positive class where there are two; of more, None: then it is the probability of the predicted class
    (Guo et al. 2017). Each of ``bins`` has the mean ``predicted`` probability, the ``observed`` share with its
    interval, ``rows`` and their ``weight``.
    """
    assert predictions.classes is not None
    two = len(predictions.classes) == 2
    named = np.ones_like(predictions.prediction) if two else predictions.prediction
    chance, true = known_probabilities(predictions)[np.arange(len(named)), named], known_target(predictions) == named
    weight = row_weights(predictions)
    bins = equal_mass(chance, weight, BINS)
    groups = Groups(bins, int(bins.max()) + 1)

    def summarise(weights: np.ndarray) -> np.ndarray:
        mass = groups.present_sums(weights)
        return np.stack([groups.present_sums(weights * true) / mass, groups.present_sums(weights * chance) / mass])

    values = resampled(lambda w: summarise(w)[0], predictions, draws, seed, clusters)
    within = units_within(bins, groups.count, weight, clusters)
    low, high = share_ends(values, units(predictions, clusters), within)
    with np.errstate(invalid="ignore"):
        predicted = summarise(weight[None])[1, 0]
    rows, mass = np.bincount(bins), np.bincount(bins, weights=weight)
    found = [
        {
            "predicted": plain(predicted[at]),
            "observed": estimate(values[0, at], low[at], high[at]),
            "rows": int(rows[at]),
            "weight": plain(mass[at]),
        }
        for at in range(groups.count)
    ]
    return {"of": predictions.classes[1] if two else None, "bins": found}


def confusion(
    predictions: Predictions, *, draws: int = 1000, seed: int = 0, clusters: np.ndarray | None = None
) -> dict[str, Any]:
    """Which classes are taken for which, and how well each does.

    ``counts`` (K, K) are weighted rows by target and then prediction, in the order of ``names``; both are None where
    there are more than ``MOST_CLASSES``: then ``pairs`` has the most confused ones. ``classes`` has each class, or the
    worst in F1: ``precision``, ``recall`` and ``f1`` with intervals, ``support`` (weighted rows of the class) and
    ``predicted`` (weighted rows called so). Of a class that is never there recall is None, never predicted precision.
    """
    assert predictions.classes is not None
    names, target, weight = predictions.classes, known_target(predictions), row_weights(predictions)
    count, few = len(names), len(names) <= MOST_CLASSES
    cells = np.bincount(target * count + predictions.prediction, weights=weight, minlength=count * count)
    cells = cells.reshape(count, count)
    return {
        "names": list(names) if few else None,
        "counts": plain(cells) if few else None,
        "pairs": [] if few else _confused(cells, names),
        "classes": class_rows(predictions, draws, seed, clusters),
    }


def class_rows(predictions: Predictions, draws: int, seed: int, clusters: np.ndarray | None) -> list[dict[str, Any]]:
    """Precision, recall and F1 of each class or label, of many the worst, as ``confusion`` tells them."""
    names = predictions.classes or ()
    summarise, weight, count = class_counts(predictions), row_weights(predictions), len(names)
    first = summarise(weight[None])
    f1 = np.where(first.support[0] > 0, _class_scores(first)[0, :, 2], np.inf)
    shown = np.arange(count) if count <= MOST_CLASSES else np.sort(np.argsort(f1, kind="stable")[:MOST_CLASSES])
    values = resampled(lambda w: _class_scores(summarise(w))[:, shown], predictions, draws, seed, clusters)
    ofs = predictions.prediction, known_target(predictions)
    within = np.column_stack([_units_of(codes, count, weight, clusters)[shown] for codes in ofs])
    low, high = ends(values, units(predictions, clusters))
    # F1 is no share: where it is 0 or 1 its ends stay those of the resamples
    low[:, :2], high[:, :2] = share_ends(values[..., :2], units(predictions, clusters), within)
    measured = ("precision", "recall", "f1")
    return [
        {"class": names[code]}
        | {name: estimate(values[0, at, i], low[at, i], high[at, i]) for i, name in enumerate(measured)}
        | {"support": plain(first.support[0, code]), "predicted": plain(first.predicted[0, code])}
        for at, code in enumerate(shown)
    ]


def _units_of(answers: np.ndarray, count: int, weight: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """How many rows, or clusters of them, each class (K,) rests on: classes (n,), or labels that are held (n, K)."""
    if answers.ndim == 1:
        return units_within(answers, count, weight, clusters)
    return np.array([units_within(held, 2, weight, clusters)[1] for held in answers.T.astype(np.int64)])


def _class_scores(counts: ClassCounts) -> np.ndarray:
    """Precision, recall and F1 (D, K, 3), NaN where undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        f1 = 2 * counts.true_positive / (counts.support + counts.predicted)
        precision, recall = counts.true_positive / counts.predicted, counts.true_positive / counts.support
    return np.stack([precision, recall, f1], axis=2)


def _confused(cells: np.ndarray, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The most confused pairs of cells (K, K): weighted ``rows`` and what ``share`` of the true class they are."""
    wrong = (cells - np.diag(np.diag(cells))).ravel()
    most = np.argsort(-wrong, kind="stable")[:MOST_CLASSES]
    return [
        {
            "target": names[at // len(names)],
            "prediction": names[at % len(names)],
            "rows": plain(wrong[at]),
            "share": plain(wrong[at] / cells[at // len(names)].sum()),
        }
        for at in most.tolist()
        if wrong[at] > 0
    ]
