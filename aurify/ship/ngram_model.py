"""A linear model on n-grams as a member of a Bundle: fitted by scikit-learn, kept as tensors."""

# N rows, V n-grams, K outputs

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aurify.core.recipe import Recipe
from aurify.core.run import Problem
from aurify.data import prepare
from aurify.data.ngram_scores import NgramScores
from aurify.data.store import Store
from aurify.data.tfidf import Tfidf
from aurify.measure.text_linear import Rows, best_kind


def fit_ngrams(
    recipe: Recipe, store: Store, problem: Problem, held: np.ndarray, check: Callable[[], None]
) -> tuple[NgramScores, NgramScores]:
    """Fit on the rows that the network learns from, with their weights and corrected targets.

    Of the kinds of linear models the one that the ``held`` rows like best. Returns two: one that has not seen these
    rows, by which its share of the answer is found, and one that has learnt them too, which is what answers then.
    """
    plan, shown = problem.plan, store.hiding(recipe.hidden)
    classes = None if store.schema.classes is None else len(store.schema.classes)
    blank = [at for at, column in enumerate(store.schema.texts) if column.name in recipe.hidden]
    learnt = plan.weight > 0
    rows = problem.rows[plan.index[learnt]].numpy()
    target = np.array(store.target[rows]) if plan.target is None else plan.target[learnt].numpy()
    weight = plan.weight[learnt].numpy()
    every = np.concatenate([rows, held])
    targets = np.concatenate([target, store.target[held]])
    own = prepare.weights(store.roles, held)
    beside = own / prepare.weights(store.roles, rows).mean() * weight.mean()
    weights = np.concatenate([weight, beside])
    texts = shown.inputs["texts"][every]
    first = np.arange(len(rows))

    ngrams = Tfidf.fit(texts[first], weight / weight.mean())
    check()
    matrix = ngrams.matrix(texts)
    whole = Rows(matrix, targets, weights)
    kind = best_kind(whole.take(first), whole.take(np.arange(len(rows), len(every))), classes, check, bayes=True)
    made = []
    for known in (whole.take(first), whole):
        check()
        linear = kind.fit(known, classes)
        made.append(NgramScores.of(ngrams, linear.weights, linear.base, blank))
    return made[0], made[1]
