"""Linear models on the n-grams of texts: the better of a few kinds, by rows that it has not seen."""

# N rows, V n-grams, P columns of weights, K outputs

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Matrix = Any
"""scipy's csr_matrix (N, V)."""

NEVER = -1e4
"""The output of a class that training lacks: its probability is 0."""

MACHINES = (0.1, 0.3, 1.0)
"""Penalties C of linear support vector machines (Cortes & Vapnik 1995), one class against the others."""

LOGISTICS = (10.0,)
"""Penalties C of logistic regressions, tried where there are few numbers: they take four times as long."""

FEW_NUMBERS = 10_000_000
"""Numbers that are not 0, times classes."""

BAYES, PLAIN = "bayes", 0.5
"""Machines on n-grams that are weighed by how surely each tells a class from the others, and by this beside it.

Accuracy on rows of their own, the best C without and with it: chnsenticorp 0.898 and 0.914, 9,000 reviews of
online_shopping 0.923 and 0.928, their ten categories 0.876 and 0.883, SST-2 0.817 and 0.818, TREC 0.855 and 0.869
(2026-11-27).
"""

SURE = (0.03, *MACHINES)

RIDGES = (0.3, 1.0, 3.0)
MOST_ITERATIONS = 300
SCALES = np.geomspace(0.1, 20, 60)
"""What the outputs of a model may be multiplied by, so that its probabilities are right on rows it has not seen."""


@dataclass(frozen=True, eq=False)
class Rows:
    """``matrix`` (N, V), ``target`` (N,) class codes or numbers, ``weight`` (N,) how many rows each stands for."""

    matrix: Matrix
    target: np.ndarray
    weight: np.ndarray

    def take(self, index: np.ndarray) -> Rows:
        return Rows(self.matrix[index], self.target[index], self.weight[index])


@dataclass(frozen=True, eq=False)
class Linear:
    """Outputs (N, K) of a matrix (N, V): ``matrix @ weights`` (V, K) plus ``base`` (K,), float64."""

    weights: np.ndarray
    base: np.ndarray

    def output(self, matrix: Matrix) -> np.ndarray:
        return np.asarray(matrix @ self.weights, dtype=np.float64) + self.base


@dataclass(frozen=True)
class Kind:
    """A kind of linear model, its penalty, and the scale of its outputs."""

    name: str
    penalty: float
    scale: float = 1.0

    def fit(self, known: Rows, classes: int | None) -> Linear:
        """Learn from rows; with one class alone among them there is nothing to learn."""
        if classes is None:
            return _ridge(self.penalty, known)
        if (known.target == known.target[0]).all():
            base = np.full(classes, NEVER)
            base[known.target[0]] = 0.0
            return Linear(np.zeros((known.matrix.shape[1], classes), dtype=np.float32), base)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.name == BAYES:
                return self._by_class(known, classes)
            model = self._model().fit(known.matrix, known.target, sample_weight=known.weight / known.weight.mean())
        return _in_place(model, classes, self.scale)

    def _by_class(self, known: Rows, classes: int) -> Linear:
        """NB-SVM (Wang & Manning 2012): each class against the others, n-grams weighed by their log-count ratio."""
        from scipy.sparse import diags

        seen = np.unique(known.target)
        weights, base = np.zeros((known.matrix.shape[1], classes), dtype=np.float32), np.full(classes, NEVER)
        base[seen] = 0.0
        for one in seen if len(seen) > 2 else seen[1:]:
            sure = PLAIN + np.abs(_log_ratio(known, known.target == one))
            model = self._model().fit(
                known.matrix @ diags(sure.astype(np.float32)),
                known.target == one,
                sample_weight=known.weight / known.weight.mean(),
            )
            weights[:, one], base[one] = model.coef_[0] * sure * self.scale, model.intercept_[0] * self.scale
        return Linear(weights, base)

    def _model(self) -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.svm import LinearSVC

        if self.name == "logistic":
            return LogisticRegression(C=self.penalty, max_iter=MOST_ITERATIONS)
        settings: dict[str, Any] = {"dual": True, "random_state": 0}
        return LinearSVC(C=self.penalty, **settings)


def best_kind(known: Rows, asked: Rows, classes: int | None, check: Callable[[], None], *, bayes: bool = False) -> Kind:
    """The kind that answers rows ``asked`` best, by log loss or squared error, after learning from ``known``.

    With ``bayes`` the kinds for classes weigh n-grams by what they tell.
    """
    found: list[tuple[float, Kind]] = []
    for kind in [Kind(BAYES, c) for c in SURE] if bayes and classes is not None else _kinds(known, classes):
        check()
        output = kind.fit(known, classes).output(asked.matrix)
        if classes is None:
            found.append((float(np.average((output[:, 0] - asked.target) ** 2, weights=asked.weight)), kind))
            continue
        losses = [_log_loss(output * scale, asked) for scale in SCALES]
        at = int(np.argmin(losses))
        found.append((losses[at], Kind(kind.name, kind.penalty, float(SCALES[at]))))
    return min(found, key=lambda each: each[0])[1]


def probabilities(output: np.ndarray) -> np.ndarray:
    """Outputs (N, K) to probabilities (N, K)."""
    powers = np.exp(output - output.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _kinds(known: Rows, classes: int | None) -> Iterator[Kind]:
    if classes is None:
        yield from (Kind("ridge", penalty) for penalty in RIDGES)
        return
    yield from (Kind("machine", penalty) for penalty in MACHINES)
    if known.matrix.nnz * classes <= FEW_NUMBERS:
        yield from (Kind("logistic", penalty) for penalty in LOGISTICS)


def _log_ratio(known: Rows, mine: np.ndarray) -> np.ndarray:
    """How much more frequent each column (V,) is among the rows of the mask ``mine`` (N,), natural logarithm."""
    there = known.matrix.astype(bool)
    ours, theirs = (1 + np.asarray(there.T @ np.where(which, known.weight, 0.0)) for which in (mine, ~mine))
    return np.log(ours / ours.sum()) - np.log(theirs / theirs.sum())


def _log_loss(output: np.ndarray, asked: Rows) -> float:
    chances = probabilities(output)[np.arange(len(output)), asked.target]
    return float(-np.average(np.log(chances.clip(1e-12)), weights=asked.weight))


def _in_place(model: Any, classes: int, scale: float) -> Linear:
    """A fitted classifier of scikit-learn's with an output for every class; of two it has one column."""
    own, base = np.asarray(model.coef_).T * scale, np.asarray(model.intercept_) * scale
    seen = model.classes_ if own.shape[1] > 1 else model.classes_[1:]
    weights, outputs = np.zeros((len(own), classes), dtype=np.float32), np.full(classes, NEVER)
    outputs[model.classes_] = 0.0
    weights[:, seen], outputs[seen] = own, base
    return Linear(weights, outputs)


def _ridge(penalty: float, known: Rows) -> Linear:
    """Ridge regression (Hoerl & Kennard 1970), in the target's own units."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=penalty, solver="lsqr", tol=1e-5).fit(
        known.matrix, known.target, sample_weight=known.weight / known.weight.mean()
    )
    return Linear(model.coef_[:, None].astype(np.float32), np.array([model.intercept_]))
