"""The plain models of texts that a network must beat: n-grams and a linear model, and those of tables beside it."""

# n training examples, m test examples, K classes

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from aurify.core import rng
from aurify.data.prepare import weights
from aurify.data.schema import Schema
from aurify.data.store import Asked
from aurify.data.tfidf import Matrix, Tfidf
from aurify.measure.baselines import Examples, fit_baselines
from aurify.measure.encoding import design_matrices
from aurify.measure.examples import examples_of
from aurify.measure.label_baselines import per_label
from aurify.measure.predictions import Predictions, decided
from aurify.measure.text_linear import Rows, best_kind, probabilities

VALIDATED, MOST_VALIDATED = 0.15, 5_000
"""The share of the training rows, and how many at most, by which the kind of linear model is chosen."""


def fit_text_baselines(
    train: Asked, test: Asked, schema: Schema, *, hidden: Collection[str], seed: int, check: Callable[[], None]
) -> dict[str, Predictions]:
    """Fit the baselines on ``train`` and answer for ``test``; ``check`` is called between them and may raise to stop.

    ``majority`` (class shares) or ``mean``; ``tfidf`` (Sparck Jones 1972): words alone and in pairs and characters by
    two to five within words, or, in scripts without blanks, characters by one to three, weighed by how rare they are,
    with the columns beside the texts, and on them the better of linear support vector machines and logistic
    regression (ridge regression for numbers) by training rows held back. Where there are columns beside the texts
    also ``linear`` and ``boosting`` on these alone. Of several labels each has models of its own.
    """
    classes = None if schema.classes is None else len(schema.classes)
    train = replace(train, rows=train.rows[weights(train.roles, train.rows) > 0])
    known, asked = (examples_of(each, schema, hidden) for each in (train, test))
    beside = known.numbers.shape[1] + known.codes.shape[1] > 0
    answers = fit_baselines(
        known, asked, classes=schema.classes, seed=seed, check=check, **({} if beside else {"kinds": ()})
    )
    check()
    matrices = _matrices(train, test, schema, hidden, (known, asked) if beside else None)
    weight = np.ones(len(known)) if known.weight is None else known.weight

    def fitted(target: np.ndarray, count: int | None) -> np.ndarray:
        return _tfidf(Rows(matrices[0], target, weight), matrices[1], count, seed, check)

    several, like = known.target.ndim == 2, next(iter(answers.values()))
    answer = per_label(fitted, known.target) if several else fitted(known.target, classes)
    if classes is None:
        return {**answers, "tfidf": replace(like, prediction=answer)}
    return {**answers, "tfidf": replace(like, prediction=decided(answer, several=several), probabilities=answer)}


def _matrices(
    train: Asked, test: Asked, schema: Schema, hidden: Collection[str], beside: tuple[Examples, Examples] | None
) -> tuple[Matrix, Matrix]:
    """N-grams of training and test rows, and the columns ``beside`` them."""
    from scipy.sparse import csr_matrix, hstack

    gone = [at for at, column in enumerate(schema.texts) if column.name in hidden]
    known, asked = (each.inputs["texts"][each.rows].blanked(gone) for each in (train, test))
    weight = weights(train.roles, train.rows)
    ngrams = Tfidf.fit(known, weight / weight.mean())
    both = ngrams.matrix(known), ngrams.matrix(asked)
    if beside is None:
        return both
    first, second = beside
    columns = design_matrices((first.numbers, second.numbers), (first.codes, second.codes))
    pair = [hstack([each, csr_matrix(own)], format="csr") for each, own in zip(both, columns, strict=True)]
    return pair[0], pair[1]


def _tfidf(known: Rows, asked: Matrix, classes: int | None, seed: int, check: Callable[[], None]) -> np.ndarray:
    """Answers (m,) or probabilities (m, K) of the kind of model that training rows held back like best."""
    count = len(known.target)
    order = np.random.Generator(np.random.PCG64(rng.key(seed, "tfidf"))).permutation(count)
    held = min(MOST_VALIDATED, max(1, round(VALIDATED * count)))
    fitted = known.take(np.sort(order[held:])) if count > 1 else known
    kind = best_kind(fitted, known.take(np.sort(order[:held])), classes, check)
    check()
    output = kind.fit(known, classes).output(asked)
    return output[:, 0] if classes is None else probabilities(output)
