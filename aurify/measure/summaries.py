"""What metrics have in common, computed once per set of predictions and once per chunk of weights.

Every function here prepares one set of predictions (sorting, grouping) and returns a function from weights to sums:
``prepare(predictions)(weights)``. Sums are linear in the weights, so a thousand resamples are a few passes over memory.
"""

# D draws (rows of weights), n examples, K classes, G groups

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aurify.measure.predictions import Predictions

CALIBRATION_BINS = 15
"""Equal-width bins of confidence in the calibration error, as in Guo et al. 2017."""


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """Weighted counts per class or label, each (D, K), and which of them the test part has at all, (K,) bool."""

    true_positive: np.ndarray
    support: np.ndarray
    predicted: np.ndarray
    present: np.ndarray


@dataclass(frozen=True, eq=False)
class Ranking:
    """Area under the ROC curve and average precision of each class against the rest, each (D, classes present).

    Of labels a row may hold several of, areas are of those only that some rows hold and some do not.
    """

    area: np.ndarray
    average_precision: np.ndarray


@dataclass(frozen=True, eq=False)
class ProbabilityLosses:
    """Weighted mean losses of the probabilities, each (D,)."""

    log_loss: np.ndarray
    brier: np.ndarray


@dataclass(frozen=True, eq=False)
class Errors:
    """Weighted errors of a regression, each (D,); ``variance`` is NaN where the drawn targets are all the same."""

    mean_square: np.ndarray
    mean_absolute: np.ndarray
    variance: np.ndarray


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """Of several labels a row: the weighted share of rows with all right, and of labels that are wrong, each (D,)."""

    whole: np.ndarray
    wrong: np.ndarray


class Groups:
    """Sums weights over groups of examples; ``codes`` (n,) int64 says which of ``count`` groups each belongs to."""

    def __init__(self, codes: np.ndarray, count: int) -> None:
        self.order = np.argsort(codes, kind="stable")
        self.present, self.starts = np.unique(codes[self.order], return_index=True)
        self.count = count

    def present_sums(self, weights: np.ndarray) -> np.ndarray:
        """(D, n) to (D, groups that have an example)."""
        return np.add.reduceat(weights.take(self.order, axis=1), self.starts, axis=1)

    def sums(self, weights: np.ndarray) -> np.ndarray:
        """(D, n) to (D, G), 0 for groups without an example."""
        result = np.zeros((len(weights), self.count))
        result[:, self.present] = self.present_sums(weights)
        return result


def known_target(predictions: Predictions) -> np.ndarray:
    """The target, which whoever measures must have."""
    assert predictions.target is not None, "predictions without a target cannot be measured"
    return predictions.target


def known_probabilities(predictions: Predictions) -> np.ndarray:
    assert predictions.probabilities is not None, "this metric needs probabilities"
    return predictions.probabilities


def class_counts(predictions: Predictions) -> Callable[[np.ndarray], ClassCounts]:
    assert predictions.classes is not None
    target, classes = known_target(predictions), len(predictions.classes)
    if predictions.several:
        return _label_counts(target.astype(np.float64), predictions.prediction.astype(np.float64))
    # one pass over the examples fills the cells of the confusion matrix that occur; the rest works on those few
    cells = Groups(target * classes + predictions.prediction, classes * classes)
    cell_target, cell_prediction = np.divmod(cells.present, classes)
    by_target, by_prediction = Groups(cell_target, classes), Groups(cell_prediction, classes)
    diagonal = np.flatnonzero(cell_target == cell_prediction)
    present = np.isin(np.arange(classes), target)

    def summarise(weights: np.ndarray) -> ClassCounts:
        confusion = cells.present_sums(weights)
        true_positive = np.zeros((len(weights), classes))
        true_positive[:, cell_target[diagonal]] = confusion[:, diagonal]
        return ClassCounts(true_positive, by_target.sums(confusion), by_prediction.sums(confusion), present)

    return summarise


def probability_losses(predictions: Predictions) -> Callable[[np.ndarray], ProbabilityLosses]:
    target, probabilities = known_target(predictions), known_probabilities(predictions)
    smallest = np.finfo(np.float64).eps  # as scikit-learn clips: a confident mistake costs 36, not infinity
    if predictions.several:  # a loss of each label, and their mean
        true_side = np.where(target > 0, probabilities, 1 - probabilities)
        log_loss = -np.log(np.clip(true_side, smallest, 1 - smallest)).mean(axis=1)
        brier = np.square(probabilities - target).mean(axis=1)
    else:
        true_class = probabilities[np.arange(len(target)), target]
        log_loss = -np.log(np.clip(true_class, smallest, 1 - smallest))
        square = np.square(probabilities - np.eye(probabilities.shape[1])[target]).sum(axis=1)
        brier = square if probabilities.shape[1] > 2 else square / 2  # with two classes both columns hold the same miss
    losses = np.column_stack([log_loss, brier])

    def summarise(weights: np.ndarray) -> ProbabilityLosses:
        means = weights @ losses / weights.sum(axis=1, keepdims=True)
        return ProbabilityLosses(means[:, 0], means[:, 1])

    return summarise


def calibration_error(predictions: Predictions) -> Callable[[np.ndarray], np.ndarray]:
    """(D,): mean over bins of |accuracy - confidence| of the most probable class, bins weighted by their examples.

    Of several labels a row: of |share that hold it - probability|, over all rows and labels together.
    """
    target, probabilities = known_target(predictions), known_probabilities(predictions)
    if predictions.several:
        return _label_calibration_error(target, probabilities)
    top, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1, 0, CALIBRATION_BINS - 1)
    groups = Groups(bins, CALIBRATION_BINS)
    gap = (top == target) - confidence

    def summarise(weights: np.ndarray) -> np.ndarray:
        return np.abs(groups.present_sums(weights * gap)).sum(axis=1) / weights.sum(axis=1)

    return summarise


def rankings(predictions: Predictions) -> Callable[[np.ndarray], Ranking]:
    """Each class present against the rest; with two classes only the second, the positive one; labels one by one."""
    assert predictions.classes is not None
    target, probabilities = known_target(predictions), known_probabilities(predictions)
    if predictions.several:
        return _label_rankings(target > 0, probabilities)
    positives = [1] if len(predictions.classes) == 2 else np.unique(target).tolist()
    rank = [_one_against_rest(probabilities[:, code], target == code) for code in positives]

    def summarise(weights: np.ndarray) -> Ranking:
        area, precision = zip(*(summarise_one(weights) for summarise_one in rank), strict=True)
        return Ranking(np.column_stack(area), np.column_stack(precision))

    return summarise


def _one_against_rest(score: np.ndarray, positive: np.ndarray) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Area and average precision, each (D,), looking only at the ties (groups of equal score) that hold a positive."""
    order = np.argsort(-score, kind="stable")
    score, positive = score[order], positive[order]
    tie_start = np.flatnonzero(np.diff(score, prepend=np.inf))
    tie_stop = np.append(tie_start[1:], len(score))
    hits = np.flatnonzero(positive)
    tie, first_hit = np.unique(np.searchsorted(tie_start, hits, side="right") - 1, return_index=True)
    start, stop = tie_start[tie], tie_stop[tie]

    def summarise(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not len(hits):
            return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
        ordered = weights.take(order, axis=1)
        above = np.zeros((len(weights), len(score) + 1))
        np.cumsum(ordered, axis=1, out=above[:, 1:])
        through, before = above.take(stop, axis=1), above.take(start, axis=1)
        hit = np.add.reduceat(ordered.take(hits, axis=1), first_hit, axis=1)
        hits_through = np.cumsum(hit, axis=1)
        total, total_hits = above[:, -1], hits_through[:, -1]
        misses = total - total_hits
        # half of the tied misses count as ranked below
        misses_above = (through + before + hit) / 2 - hits_through
        ranked_below = np.einsum("dg,dg->d", hit, misses[:, None] - misses_above)
        # not `misses > 0`: with fractional weights the subtraction leaves a rounding error where there are none
        area = np.where(misses > 1e-12 * total, ranked_below / (total_hits * misses), np.nan)
        precision = np.divide(hits_through, through, out=np.zeros_like(through), where=through > 0)
        return area, np.einsum("dg,dg->d", hit, precision) / total_hits

    return summarise


def label_errors(predictions: Predictions) -> Callable[[np.ndarray], LabelErrors]:
    wrong = predictions.prediction != known_target(predictions)
    losses = np.column_stack([~wrong.any(axis=1), wrong.mean(axis=1)])

    def summarise(weights: np.ndarray) -> LabelErrors:
        means = weights @ losses / weights.sum(axis=1, keepdims=True)
        return LabelErrors(means[:, 0], means[:, 1])

    return summarise


def _label_counts(target: np.ndarray, prediction: np.ndarray) -> Callable[[np.ndarray], ClassCounts]:
    present, both = target.sum(axis=0) > 0, target * prediction
    return lambda weights: ClassCounts(weights @ both, weights @ target, weights @ prediction, present)


def _label_calibration_error(target: np.ndarray, probabilities: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    bins = np.clip(np.ceil(probabilities * CALIBRATION_BINS).astype(np.int64) - 1, 0, CALIBRATION_BINS - 1)
    gap = target - probabilities
    of_bin = np.column_stack([np.where(bins == at, gap, 0.0).mean(axis=1) for at in range(CALIBRATION_BINS)])
    return lambda weights: np.abs(weights @ of_bin).sum(axis=1) / weights.sum(axis=1)


def _label_rankings(held: np.ndarray, probabilities: np.ndarray) -> Callable[[np.ndarray], Ranking]:
    some = np.flatnonzero(held.any(axis=0)).tolist()
    rank = [_one_against_rest(probabilities[:, at], held[:, at]) for at in some]
    parted = [place for place, at in enumerate(some) if not held[:, at].all()]

    def summarise(weights: np.ndarray) -> Ranking:
        found = [summarise_one(weights) for summarise_one in rank]
        unknown = np.full((len(weights), 1), np.nan)
        area, precision = [found[place][0] for place in parted], [each[1] for each in found]
        return Ranking(*(np.column_stack(each) if each else unknown for each in (area, precision)))

    return summarise


def errors(predictions: Predictions) -> Callable[[np.ndarray], Errors]:
    target = known_target(predictions)
    error = predictions.prediction - target
    losses = np.column_stack([np.square(error), np.abs(error)])
    # the median keeps numbers small; an outlier would drag a mean away and cost digits
    centred = target - np.median(target)

    def summarise(weights: np.ndarray) -> Errors:
        total = weights.sum(axis=1)
        means = weights @ losses / total[:, None]
        mean = weights @ centred / total
        deviation = centred - mean[:, None]
        variance = np.einsum("dn,dn,dn->d", weights, deviation, deviation) / total
        constant = variance <= np.square(1e-12 * mean)
        return Errors(means[:, 0], means[:, 1], np.where(constant, np.nan, variance))

    return summarise


def median_error(predictions: Predictions) -> Callable[[np.ndarray], np.ndarray]:
    """(D,): the weighted median of absolute errors, the mean of the two middle ones where the weights split evenly."""
    error = np.abs(predictions.prediction - known_target(predictions))
    order = np.argsort(error, kind="stable")
    # repeated so that a rounding error at the last example stays inside
    error = np.append(error[order], error[order[-1]])

    def summarise(weights: np.ndarray) -> np.ndarray:
        reached = np.cumsum(weights.take(order, axis=1), axis=1)
        half = reached[:, -1:] / 2
        # the margin is for fractional weights, whose sums only nearly split evenly
        lower = (reached < half * (1 - 1e-12)).sum(axis=1)
        upper = (reached <= half * (1 + 1e-12)).sum(axis=1)
        return np.where(reached[:, -1] > 0, (error[lower] + error[upper]) / 2, np.nan)

    return summarise
