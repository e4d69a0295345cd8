"""The plain models of texts that a network must beat: word and character counts, and a linear model on them."""

# n training examples, m test examples, K classes

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from aurify.data.prepare import weights
from aurify.data.schema import Schema
from aurify.data.store import Asked, blanked
from aurify.measure.constant import constant_answer
from aurify.measure.label_baselines import per_label
from aurify.measure.predictions import Predictions


def fit_text_baselines(
    train: Asked, test: Asked, schema: Schema, *, hidden: Collection[str], seed: int, check: Callable[[], None]
) -> dict[str, Predictions]:
    """Fit the baselines on ``train`` and answer for ``test``.

    ``majority`` (class shares) or ``mean``; ``tfidf`` (Sparck Jones 1972): words alone and in pairs and characters by
    two to five within words, weighed by how rare they are, and logistic or ridge regression on them, of several labels
    for each by itself.
    """
    known, asked = (_texts(each, schema, hidden) for each in (train, test))
    target = np.array(train.target[train.rows])
    weight = weights(train.roles, train.rows)
    classes = None if schema.classes is None else len(schema.classes)
    answers: dict[str, np.ndarray] = {}
    check()
    answers["mean" if classes is None else "majority"] = constant_answer(target, weight, classes, len(asked))
    check()
    answers["tfidf"] = _tfidf(known, asked, target, weight, classes, check)
    return {
        name: Predictions.of_answer(
            answer,
            row=test.rows,
            target=np.array(test.target[test.rows]),
            classes=schema.classes,
            several=schema.labels is not None,
            seed=seed,
            weight=weights(test.roles, test.rows) if "weight" in test.roles else None,
        )
        for name, answer in answers.items()
    }


def _texts(asked: Asked, schema: Schema, hidden: Collection[str]) -> list[str]:
    """What each row says in all of its columns of texts."""
    texts = blanked({"texts": asked.inputs["texts"][asked.rows]}, schema, hidden)["texts"]
    return ["\n".join(row) for row in zip(*(texts.column(at) for at in range(texts.columns)), strict=True)]


def _tfidf(
    known: list[str],
    asked: list[str],
    target: np.ndarray,
    weight: np.ndarray,
    classes: int | None,
    check: Callable[[], None],
) -> np.ndarray:
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    kinds: list[dict[str, Any]] = [
        {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
        {"analyzer": "char_wb", "ngram_range": (2, 5), "max_features": 200_000},
    ]
    counts = [TfidfVectorizer(sublinear_tf=True, min_df=2 if len(known) > 100 else 1, **kind) for kind in kinds]
    first = hstack([count.fit_transform(known) for count in counts]).tocsr()
    second = hstack([count.transform(asked) for count in counts]).tocsr()
    if classes is None:
        return Ridge().fit(first, target, sample_weight=weight).predict(second)

    def logistic(goal: np.ndarray, values: int) -> np.ndarray:
        check()
        if (goal == goal[0]).all():
            return constant_answer(goal, weight, values, len(asked))
        model = LogisticRegression(C=10, max_iter=300).fit(first, goal, sample_weight=weight)
        answer = np.zeros((len(asked), values))
        answer[:, model.classes_] = model.predict_proba(second)
        return answer

    return per_label(logistic, target) if target.ndim == 2 else logistic(target, classes)
