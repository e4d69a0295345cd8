"""Every metric, weighted and batched: one call answers for a thousand bootstrap resamples of the same predictions.

Classes that the test part does not have at all, and labels that none of its rows holds, are left out of macro averages,
as scikit-learn does when its ``labels=`` are the classes present. A class that the test part has but a resample lacks
makes that draw NaN: its recall is unknown, and calling it 0 or leaving it out would each move the interval.
"""

# D draws (rows of weights), n examples, K classes

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from aurify.measure import summaries
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import ClassCounts, Errors, LabelErrors, ProbabilityLosses, Ranking

CHUNK_NUMBERS = 1 << 18
"""Weights looked at together: 2 MiB stay in the cache, which is twice as fast as 40 MiB and bounds the memory."""

Summary = TypeVar("Summary")


@dataclass(frozen=True)
class Metric(Generic[Summary]):
    """One number about predictions: ``formula`` of a summary that several metrics may share.

    ``prepare`` does once what no weight changes (sorting, grouping); what it returns turns weights (D, n) into a
    summary, and ``formula`` turns that into (D,) values, NaN where the metric is undefined. ``biased`` marks a metric
    that resampling moves to one side by more than chance.
    """

    name: str
    greater_is_better: bool
    explanation: str
    prepare: Callable[[Predictions], Callable[[np.ndarray], Summary]]
    formula: Callable[[Summary], np.ndarray]
    biased: bool = False

    def __call__(self, predictions: Predictions, weights: np.ndarray) -> np.ndarray:
        """(D, n) float64 weights of the n predictions to (D,) float64 values."""
        values = evaluator((self,), predictions)
        step = chunk_draws(len(predictions))
        return np.concatenate([values(weights[at : at + step])[0] for at in range(0, len(weights), step)])


def evaluator(metrics: Sequence[Metric[Any]], predictions: Predictions) -> Callable[[np.ndarray], np.ndarray]:
    """A function from weights (D, n) to values (metrics, D), with everything that can be shared computed once."""
    prepared = {metric.prepare: metric.prepare(predictions) for metric in metrics}

    def values(weights: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):  # an undefined draw is NaN, not a warning
            found = {prepare: summarise(weights) for prepare, summarise in prepared.items()}
            return np.stack([metric.formula(found[metric.prepare]) for metric in metrics])

    return values


def chunk_draws(count: int) -> int:
    """How many draws over ``count`` examples to evaluate together."""
    return max(1, CHUNK_NUMBERS // max(count, 1))


def metrics_for(predictions: Predictions) -> tuple[Metric[Any], ...]:
    """The metrics that make sense for these predictions, the most telling first."""
    if predictions.classes is None:
        return REGRESSION
    if predictions.several:
        return LABELS if predictions.probabilities is None else PROBABILITIES + LABELS
    binary = len(predictions.classes) == 2
    decided = BINARY_DECISIONS + DECISIONS if binary else DECISIONS
    return decided if predictions.probabilities is None else PROBABILITIES + decided


def _recall(counts: ClassCounts) -> np.ndarray:
    """(D, K), NaN where no example of the class is drawn."""
    return counts.true_positive / counts.support


def _precision(counts: ClassCounts) -> np.ndarray:
    """(D, K), 0 for a class that is never predicted (as scikit-learn), NaN where no example of the class is drawn."""
    ratio = np.where(counts.predicted > 0, counts.true_positive / counts.predicted, 0.0)
    return np.where(counts.support > 0, ratio, np.nan)


def _f1(counts: ClassCounts) -> np.ndarray:
    """(D, K), NaN where no example of the class is drawn."""
    ratio = 2 * counts.true_positive / (counts.support + counts.predicted)
    return np.where(counts.support > 0, ratio, np.nan)


def _macro(per_class: Callable[[ClassCounts], np.ndarray]) -> Callable[[ClassCounts], np.ndarray]:
    return lambda counts: per_class(counts)[:, counts.present].sum(axis=1) / counts.present.sum()


def _weighted(per_class: Callable[[ClassCounts], np.ndarray]) -> Callable[[ClassCounts], np.ndarray]:
    # a class that is not drawn weighs nothing, so here its NaN may go
    return lambda counts: (
        np.where(counts.support > 0, per_class(counts) * counts.support, 0.0).sum(axis=1) / counts.support.sum(axis=1)
    )


def _positive(per_class: Callable[[ClassCounts], np.ndarray]) -> Callable[[ClassCounts], np.ndarray]:
    return lambda counts: per_class(counts)[:, 1]


def _accuracy(counts: ClassCounts) -> np.ndarray:
    return counts.true_positive.sum(axis=1) / counts.support.sum(axis=1)


def _micro_f1(counts: ClassCounts) -> np.ndarray:
    both = counts.support.sum(axis=1) + counts.predicted.sum(axis=1)
    return 2 * counts.true_positive.sum(axis=1) / both


def _whole(errors: LabelErrors) -> np.ndarray:
    return errors.whole


def _wrong(errors: LabelErrors) -> np.ndarray:
    return errors.wrong


def _of_counts(name: str, explanation: str, formula: Callable[[ClassCounts], np.ndarray]) -> Metric[ClassCounts]:
    return Metric(name, True, explanation, summaries.class_counts, formula)


def _itself(values: np.ndarray) -> np.ndarray:
    return values


def _area(ranking: Ranking) -> np.ndarray:
    return ranking.area.mean(axis=1)


def _average_precision(ranking: Ranking) -> np.ndarray:
    return ranking.average_precision.mean(axis=1)


def _log_loss(losses: ProbabilityLosses) -> np.ndarray:
    return losses.log_loss


def _brier(losses: ProbabilityLosses) -> np.ndarray:
    return losses.brier


def _rmse(errors: Errors) -> np.ndarray:
    return np.sqrt(errors.mean_square)


def _mae(errors: Errors) -> np.ndarray:
    return errors.mean_absolute


def _r2(errors: Errors) -> np.ndarray:
    return 1 - errors.mean_square / errors.variance


PROBABILITIES: tuple[Metric[Any], ...] = (
    Metric(
        "roc_auc",
        True,
        "The chance that a random example of the class is ranked above a random other one (Hanley & McNeil 1982); "
        "with more than two classes the mean over each class against the rest.",
        summaries.rankings,
        _area,
    ),
    Metric(
        "average_precision",
        True,
        "The precision met on the way down the ranking, averaged over the examples of the class; chance level is the "
        "share of that class, and with more than two classes it is the mean over each class against the rest.",
        summaries.rankings,
        _average_precision,
    ),
    Metric(
        "log_loss",
        False,
        "The mean of -log(probability given to the true class), in nats: a confident mistake is expensive (Good 1952).",
        summaries.probability_losses,
        _log_loss,
    ),
    Metric(
        "brier",
        False,
        "The mean squared error of the probabilities (Brier 1950): of the positive class where there are two classes, "
        "summed over the classes where there are more.",
        summaries.probability_losses,
        _brier,
    ),
    Metric(
        "calibration_error",
        False,
        "How far confidence is from accuracy on average, over 15 equal-width bins of the top class (Guo et al. 2017); "
        "resampling biases it upward, so its interval is moved down by that bias.",
        summaries.calibration_error,
        _itself,
        biased=True,
    ),
)

BINARY_DECISIONS: tuple[Metric[Any], ...] = (
    _of_counts("precision", "The share of examples called positive that are.", _positive(_precision)),
    _of_counts("recall", "The share of positive examples that are found.", _positive(_recall)),
    _of_counts("f1", "The harmonic mean of precision and recall of the positive class.", _positive(_f1)),
)

DECISIONS: tuple[Metric[Any], ...] = (
    _of_counts("accuracy", "The share of examples whose predicted class is the true one.", _accuracy),
    _of_counts("balanced_accuracy", "Recall averaged over classes, so a rare class counts fully.", _macro(_recall)),
    _of_counts("precision_macro", "Precision averaged over classes, each counting the same.", _macro(_precision)),
    _of_counts("recall_macro", "Recall averaged over classes, each counting the same.", _macro(_recall)),
    _of_counts("f1_macro", "F1 averaged over classes, each counting the same.", _macro(_f1)),
    _of_counts("precision_weighted", "Precision averaged over classes by their examples.", _weighted(_precision)),
    _of_counts("recall_weighted", "Recall averaged over classes by their examples: the accuracy.", _weighted(_recall)),
    _of_counts("f1_weighted", "F1 averaged over classes by their examples.", _weighted(_f1)),
)

LABELS: tuple[Metric[Any], ...] = (
    Metric(
        "subset_accuracy",
        True,
        "The share of rows all of whose labels are right, none too many and none too few.",
        summaries.label_errors,
        _whole,
    ),
    Metric("hamming_loss", False, "The share of labels that are wrong, of all rows.", summaries.label_errors, _wrong),
    _of_counts("f1_micro", "F1 of all labels of all rows counted together, so that common ones rule.", _micro_f1),
    *(metric for metric in DECISIONS if metric.name in ("precision_macro", "recall_macro", "f1_macro")),
)
"""What is decided of several labels a row."""

REGRESSION: tuple[Metric[Any], ...] = (
    Metric("rmse", False, "The root of the mean squared error, in the unit of the target.", summaries.errors, _rmse),
    Metric("mae", False, "The mean absolute error, in the unit of the target.", summaries.errors, _mae),
    Metric(
        "median_error",
        False,
        "The median absolute error, in the unit of the target: half of the examples are closer.",
        summaries.median_error,
        _itself,
    ),
    Metric(
        "r2",
        True,
        "The share of the target's variance that is explained; 0 is what always answering the mean would get.",
        summaries.errors,
        _r2,
    ),
)


EVERY: Mapping[str, Metric[Any]] = {
    metric.name: metric for metric in (*PROBABILITIES, *BINARY_DECISIONS, *DECISIONS, *LABELS, *REGRESSION)
}
"""All metrics by name."""
