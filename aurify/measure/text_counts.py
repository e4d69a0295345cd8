"""Texts as weighed counts of their characters and words, and what a linear model on these says out of fold."""

# n texts, F features, K classes

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aurify.data.packed import Packed
from aurify.data.text_copies import ideographic, shingles_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FEATURES = 2**18
LONGEST = 2_000
"""Characters of a text that are counted: its beginning."""

IDEOGRAPHS, LETTERS = (1, 2, 3), (2, 3, 4, 5)
"""Characters of the runs that are counted, in texts of ideographs and in others."""


def counts_of(texts: Sequence[str]) -> csr_matrix:
    """TF-IDF (Sparck Jones 1972) of runs of characters (n, F) float32, rows of length 1.

    Features are hashed (Weinberger et al. 2009), so that no vocabulary is kept; counts enter by their logarithm.
    """
    from scipy.sparse import csr_matrix

    packed = Packed.of([[f" {' '.join(text[:LONGEST].lower().split())} " for text in texts]])
    han = ideographic(packed)
    found = [
        shingles_of(packed, size, chosen)
        for sizes, chosen in ((IDEOGRAPHS, han), (LETTERS, ~han))
        for size in sizes
        if chosen.any()
    ]
    rows = np.concatenate([f.text for f in found])
    columns = np.concatenate([(f.hashes >> np.uint64(46)).astype(np.int32) for f in found])
    keys = np.sort(rows * FEATURES + columns)
    firsts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.empty(0, dtype=int)
    times = np.diff(np.concatenate([firsts, [len(keys)]]))
    row, column = np.divmod(keys[firsts], FEATURES)
    held = np.bincount(column, minlength=FEATURES)
    values = (1 + np.log(times)) * (1 + np.log((1 + len(texts)) / (1 + held[column])))
    length = np.sqrt(np.bincount(row, values**2, minlength=len(texts)))
    values = (values / length[row]).astype(np.float32)
    ends = np.searchsorted(row, np.arange(len(texts) + 1))
    return csr_matrix((values, column.astype(np.int32), ends), shape=(len(texts), FEATURES))


def text_answers(
    counts: csr_matrix,
    target: np.ndarray,
    fold: np.ndarray,
    classes: int | None,
    check: Callable[[], None] = lambda: None,
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """Answers (n,), or probabilities (n, K) for ``classes``, by a linear model fitted on the other folds (n,).

    Of classes each is told from all others (logistic regression, one against the rest). Where the other folds hold a
    single class, all are equally likely. ``check`` is called before each fit and may raise to stop the work.
    """
    answers = np.zeros(len(target)) if classes is None else np.full((len(target), classes), 1 / classes)
    for each in np.unique(fold).tolist():
        check()
        own, others = np.flatnonzero(fold == each), np.flatnonzero(fold != each)
        known = None if weight is None else weight[others]
        if classes is None:
            answers[own] = _numbers(counts[others], target[others], known, counts[own])
        elif len(np.unique(target[others])) > 1:
            answers[own] = _classes(counts[others], target[others], known, counts[own], classes)
    return answers


def _numbers(known: csr_matrix, target: np.ndarray, weight: np.ndarray | None, asked: csr_matrix) -> np.ndarray:
    from sklearn.linear_model import Ridge

    scale = float(np.abs(target - target.mean()).max()) or 1.0
    fitted = Ridge(solver="sparse_cg", tol=1e-3).fit(known, (target - target.mean()) / scale, sample_weight=weight)
    return fitted.predict(asked) * scale + target.mean()


def _classes(
    known: csr_matrix, target: np.ndarray, weight: np.ndarray | None, asked: csr_matrix, classes: int
) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    answers = np.zeros((len(asked.indptr) - 1, classes))
    here = np.unique(target)
    for code in here if len(here) > 2 else here[1:]:
        model = LogisticRegression(solver="liblinear", C=10, tol=0.01, random_state=0)
        likely = np.asarray(model.fit(known, target == code, sample_weight=weight).predict_proba(asked))
        answers[:, code] = likely[:, 1]
    if len(here) == 2:
        answers[:, here[0]] = 1 - answers[:, here[1]]
    return answers / np.maximum(answers.sum(1, keepdims=True), 1e-12)
