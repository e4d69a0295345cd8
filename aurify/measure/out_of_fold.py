"""Answers for rows by plain models that were fitted without them."""

# n rows, K classes

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aurify.core import rng
from aurify.data.copies import first_alike
from aurify.measure.baselines import Examples, plain_answers


def folds_of(keys: np.ndarray, target: np.ndarray, folds: int, seed: int, stream: str) -> np.ndarray:
    """Draw a fold (n,) for each row, class by class or, of numbers, rank by rank.

    Rows with one key (n,) share a fold, since a copy would give the target away.
    """
    firsts, unit = np.unique(first_alike(keys), return_inverse=True)
    random = np.random.Generator(np.random.PCG64(rng.key(seed, stream)))
    shuffled = random.permutation(len(firsts))
    strata = target[firsts[shuffled]]
    order = shuffled[np.argsort(strata, kind="stable")]
    fold = np.empty(len(firsts), dtype=np.int64)
    if target.dtype.kind == "f":  # each run of ``folds`` ranks holds every fold once, in an order of its own
        places = np.argsort(random.random((-(-len(order) // folds), folds)), axis=1).ravel()
        fold[order] = places[: len(order)]
    else:
        fold[order] = np.arange(len(order)) % folds
    return fold[unit]


def out_of_fold(
    model: str,
    examples: Examples,
    folds: np.ndarray,
    classes: int | None,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Answers (n,), or probabilities (n, K) for ``classes``, by ``linear`` or ``boosting`` fitted on other folds (n,).

    Where the other folds hold a single class, all are equally likely. ``check`` is called before each fit and may
    raise to stop the work.
    """
    answers = np.zeros(len(examples)) if classes is None else np.full((len(examples), classes), 1 / classes)
    for fold in np.unique(folds):
        check()
        train = examples.take(folds != fold)
        if classes is None or len(np.unique(train.target)) > 1:
            answers[folds == fold] = plain_answers(model, train, examples.take(folds == fold), classes, seed)
    return answers if classes is None else answers / answers.sum(1, keepdims=True)
