"""The plain models that a network must beat before it is worth anything."""

# n training examples, m test examples, K classes

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from aurify.measure.constant import constant_answer
from aurify.measure.encoding import design_matrices, tree_columns
from aurify.measure.label_baselines import per_label
from aurify.measure.predictions import Predictions

log = logging.getLogger(__name__)

MOST_ITERATIONS = 1000
"""Of the logistic regression; scikit-learn's own 100 is often too few for it to converge."""

LEAF_PENALTY = 1.0
"""L2 penalty on the leaves of the boosted trees, XGBoost's default, where scikit-learn has none.

Without it a leaf where a rare class has next to no curvature takes a step of many logits. Log loss, none against 1.0:
1.38 against 0.10 with 5 rows of a third class among 100,000; 0.026 against 0.019 with 472 positives among 100,000.
"""

FEW_ROUNDS = 30
"""Of boosting where labels may be wrong: later rounds learn the wrong ones too.

With a tenth of the labels of scikit-learn's wine table wrong, 15 of 16 suspects were errors after 25 or 50 rounds,
15 of 20 after 100.
"""

MOST_ROUNDS = 100
"""Of boosting, scikit-learn's own number."""

MOST_TREES = 600
FEWEST_ROUNDS = 6
"""A round grows a tree for each class; rounds of many classes are fewer and take longer steps."""

MOST_BINS = 20_000
"""Of all columns together: trees look at each in every leaf, so columns of a wide table are cut into fewer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Raw table rows as the baselines see them: n rows, a numeric columns, b category columns.

    ``numbers`` (n, a) float64, NaN for missing; ``codes`` (n, b) int64 category codes, -1 missing, -2 unknown to the
    schema; ``target`` (n,) int64 class codes or float64, or (n, K) int8, 1 for each label that a row holds; ``row``
    (n,) int64 row ids; ``weight`` (n,) float64 or None.
    """

    numbers: np.ndarray
    codes: np.ndarray
    target: np.ndarray
    row: np.ndarray
    weight: np.ndarray | None

    def __post_init__(self) -> None:
        count = len(self.row)
        assert self.numbers.ndim == self.codes.ndim == 2, "numbers and codes are tables, even with no column"
        assert {len(self.numbers), len(self.codes), len(self.target)} == {count}, "one value per row"
        assert self.weight is None or (len(self.weight) == count and (self.weight >= 0).all())
        assert np.isfinite(self.target).all(), "an unknown target"

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: np.ndarray) -> Examples:
        """The rows at ``index``: positions (m,) int or a mask (n,) bool."""
        return replace(
            self,
            numbers=self.numbers[index],
            codes=self.codes[index],
            target=self.target[index],
            row=self.row[index],
            weight=None if self.weight is None else self.weight[index],
        )


def fit_baselines(
    train: Examples,
    test: Examples,
    *,
    classes: tuple[str, ...] | None,
    seed: int,
    check: Callable[[], None],
    kinds: Collection[str] = ("linear", "boosting"),
) -> dict[str, Predictions]:
    """Fit the baselines on ``train`` and answer for ``test``, which may hold classes that ``train`` lacks.

    ``majority`` (class shares) or ``mean``, and of ``kinds`` beside it ``linear`` (logistic or ridge
    regression) and ``boosting`` (histogram gradient-boosted trees, Ke et al. 2017, with categories as they are). Of
    several labels each has models of its own, trees in fewer rounds the more labels there are. ``check`` is called
    before each and may raise to stop. Same seed, same answers. That the logistic regression did not converge is logged,
    not raised.
    """
    if train.weight is not None:
        weighed = train.weight > 0
        assert weighed.any(), "no training row has any weight"
        # weights of mean 1: a penalty should not depend on the unit they come in
        train = replace(train, weight=train.weight / train.weight[weighed].mean()).take(weighed)
    assert len(train), "no training rows"
    assert len(test), "no test rows"
    simple = "mean" if classes is None else "majority"
    # with one class to learn from there is nothing to fit
    alone = classes is not None and bool((train.target == train.target[0]).all())
    answers: dict[str, np.ndarray] = {}
    several = train.target.ndim == 2
    trees = partial(_boosting, **few_rounds(train, train.target.shape[1], MOST_ROUNDS)) if several else _boosting
    models = ((simple, _constant), ("linear", _linear), ("boosting", trees))
    for name, fit in (model for model in models if model[0] in (simple, *kinds)):
        check()
        with _quiet(name):
            if several and fit is not _constant:
                answers[name] = per_label(_of_one_label(fit, train, test, seed, check), train.target)
            else:
                answers[name] = (_constant if alone else fit)(train, test, classes, seed)
    return {
        name: Predictions.of_answer(
            answer,
            row=test.row,
            target=test.target,
            classes=classes,
            several=train.target.ndim == 2,
            seed=seed,
            weight=test.weight,
        )
        for name, answer in answers.items()
    }


def plain_answers(model: str, train: Examples, test: Examples, classes: int | None, seed: int) -> np.ndarray:
    """Answers (m,), or probabilities (m, K) for ``classes``, of one baseline where targets of ``train`` may be wrong.

    ``model`` is ``linear`` or ``boosting``; ``train`` holds at least two classes.
    """
    trees = partial(_boosting, **few_rounds(train, classes or 1, FEW_ROUNDS))
    fit = {"linear": _linear, "boosting": trees}[model]
    with _quiet(model):
        return fit(train, test, None if classes is None else tuple(map(str, range(classes))), seed)


def few_rounds(train: Examples, models: int, most: int) -> dict[str, Any]:
    """Settings of boosting that bound the work, of so many classes or labels: at most ``most`` rounds."""
    rounds = int(np.clip(MOST_TREES // models, FEWEST_ROUNDS, most))
    fewest = min(255, max(32, int(train.codes.max(initial=0)) + 3))  # every category needs a bin
    bins = int(np.clip(MOST_BINS // max(1, train.numbers.shape[1] + train.codes.shape[1]), fewest, 255))
    return {"max_iter": rounds, "max_bins": bins, "learning_rate": min(0.3, 0.1 * most / rounds)}


def _of_one_label(
    fit: Callable[..., np.ndarray], train: Examples, test: Examples, seed: int, check: Callable[[], None]
) -> Callable[[np.ndarray, int], np.ndarray]:
    """A function from the targets (n,) of one label to probabilities (m, 2)."""

    def fitted(target: np.ndarray, values: int) -> np.ndarray:
        check()
        alone = (target == target[0]).all()
        return (_constant if alone else fit)(replace(train, target=target), test, ("no", "yes"), seed)

    return fitted


def _constant(train: Examples, test: Examples, classes: tuple[str, ...] | None, seed: int) -> np.ndarray:
    """The mean (m,) or the class shares (m, K) of the training rows, for everyone."""
    return constant_answer(train.target, train.weight, None if classes is None else len(classes), len(test))


def _linear(train: Examples, test: Examples, classes: tuple[str, ...] | None, seed: int) -> np.ndarray:
    """Answers (m,) or probabilities (m, K) of a linear model with scikit-learn's default regularisation."""
    from sklearn.linear_model import LogisticRegression, Ridge

    known, asked = design_matrices((train.numbers, test.numbers), (train.codes, test.codes))
    if classes is None:
        return Ridge(tol=1e-6).fit(known, train.target, sample_weight=train.weight).predict(asked)
    model = LogisticRegression(max_iter=MOST_ITERATIONS).fit(known, train.target, sample_weight=train.weight)
    return _in_place(model.predict_proba(asked), train.target, len(classes))


def _boosting(train: Examples, test: Examples, classes: tuple[str, ...] | None, seed: int, **own: Any) -> np.ndarray:
    """Answers (m,) or probabilities (m, K) of gradient-boosted trees, scikit-learn's but for the leaf penalty.

    ``own`` are settings of scikit-learn's beside these.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    known, asked, category = tree_columns((train.numbers, test.numbers), (train.codes, test.codes))
    settings: dict[str, Any] = {
        "categorical_features": category,
        "l2_regularization": LEAF_PENALTY,
        "random_state": seed,
        **own,
    }
    if classes is None:
        trees = HistGradientBoostingRegressor(**settings)
        return trees.fit(known, train.target, sample_weight=train.weight).predict(asked)
    counts = np.unique(train.target, return_counts=True)[1]
    # the tenth held back for early stopping is drawn by class: each needs two rows, and the tenth a place for each
    if counts.min() < 2 or len(train) < 10 * len(counts):
        settings["early_stopping"] = False
    model = HistGradientBoostingClassifier(**settings).fit(known, train.target, sample_weight=train.weight)
    return _in_place(model.predict_proba(asked), train.target, len(classes))


def _in_place(chances: np.ndarray, target: np.ndarray, classes: int) -> np.ndarray:
    """(m, classes in ``target``, ascending) to (m, K), 0 for classes that training lacks."""
    result = np.zeros((len(chances), classes))
    result[:, np.unique(target)] = chances
    return result


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep scikit-learn's and numpy's warnings from the user; say in the log if a model did not converge."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        yield
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        log.info("the %s baseline stopped before it converged", name)
