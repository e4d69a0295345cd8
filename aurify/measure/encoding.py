"""Turns raw numbers and category codes into what the plain baselines of scikit-learn can be fitted on."""

# n training examples, m test examples, a numeric columns, b category columns, F columns of the result

from __future__ import annotations

from typing import Any

import numpy as np

Matrix = Any
"""A numpy array or scipy's csr_array; scipy's types do not say enough to tell them apart."""

MOST_CATEGORIES = 255
"""What scikit-learn's gradient boosting accepts in a column; beyond it the rarest are merged into one."""

DENSE_LIMIT = 20_000_000
"""Numbers in a design matrix above which it stays sparse: 160 MB."""

FARTHEST = 1e6
"""Standard deviations at which a test value is cut, so that no probability overflows."""

MISSING, UNSEEN = -1, -2


def merge_rare(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """One category column, (n,) and (m,) codes, renumbered by what training has seen; and how many categories remain.

    Categories become 0, 1, ...; the rarest share the last number when there are more than ``MOST_CATEGORIES``. Missing
    stays -1; what training has not seen becomes -2.
    """
    seen, counts = np.unique(train[train >= 0], return_counts=True)
    kept = (
        seen
        if len(seen) <= MOST_CATEGORIES
        else np.sort(seen[np.argsort(-counts, kind="stable")][: MOST_CATEGORIES - 1])
    )
    count = min(len(seen), MOST_CATEGORIES)

    def renumber(codes: np.ndarray) -> np.ndarray:
        place = np.searchsorted(kept, codes).clip(max=max(len(kept) - 1, 0))
        known = np.isin(codes, seen)
        merged = np.where(np.isin(codes, kept), place, count - 1)
        return np.where(known, merged, np.where(codes == MISSING, MISSING, UNSEEN))

    return renumber(train), renumber(test), count


def finite_or_missing(numbers: np.ndarray) -> np.ndarray:
    """The same numbers with infinities as NaN: neither baseline can do anything with them."""
    return np.where(np.isfinite(numbers), numbers, np.nan)


def scaled_numbers(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, a) and (m, a) filled with the training median and standardised; a 0/1 column follows each that had gaps."""
    blocks: list[tuple[np.ndarray, np.ndarray]] = []
    for column, other in zip(finite_or_missing(train).T, finite_or_missing(test).T, strict=True):
        missing = np.isnan(column)
        median = np.median(column[~missing]) if not missing.all() else 0.0
        # by the median and the range first: a column of dates or of 1e300 keeps its digits and does not overflow
        centred, centred_other = np.where(missing, 0.0, column - median), np.nan_to_num(other - median, nan=0.0)
        reach = np.abs(centred).max() or 1.0
        centred, centred_other = centred / reach, centred_other / reach
        mean, spread = centred.mean(), centred.std() or 1.0
        blocks.append(((centred - mean) / spread, ((centred_other - mean) / spread).clip(-FARTHEST, FARTHEST)))
        if missing.any():
            blocks.append((missing.astype(np.float64), np.isnan(other).astype(np.float64)))
    if not blocks:
        return np.empty((len(train), 0)), np.empty((len(test), 0))
    first, second = zip(*blocks, strict=True)
    return np.column_stack(first), np.column_stack(second)


def one_hot(train: np.ndarray, test: np.ndarray) -> tuple[Matrix, Matrix]:
    """(n, b) and (m, b) codes to 0/1 columns, one per category of each column and one for missing; unseen is all 0."""
    from scipy.sparse import csr_array

    places: list[tuple[np.ndarray, np.ndarray]] = []
    width = 0
    for column, other in zip(train.T, test.T, strict=True):
        *merged, count = merge_rare(column, other)
        first, second = (np.where(codes == MISSING, count, codes) for codes in merged)
        places.append((np.where(first >= 0, first + width, UNSEEN), np.where(second >= 0, second + width, UNSEEN)))
        width += count + 1

    def place(columns: list[np.ndarray], rows: int) -> Matrix:
        if not columns:
            return csr_array((rows, 0))
        columns_of_row = np.column_stack(columns)
        row, _ = hit = np.nonzero(columns_of_row != UNSEEN)
        return csr_array((np.ones(len(row)), (row, columns_of_row[hit])), shape=(rows, width))

    return place([p[0] for p in places], len(train)), place([p[1] for p in places], len(test))


def design_matrices(
    numbers: tuple[np.ndarray, np.ndarray], codes: tuple[np.ndarray, np.ndarray]
) -> tuple[Matrix, Matrix]:
    """(n, F) and (m, F) for a linear model, from (train, test) numbers and codes; one column of zeros if none else."""
    from scipy.sparse import csr_array, hstack

    scaled, hot = scaled_numbers(*numbers), one_hot(*codes)
    width = scaled[0].shape[1] + hot[0].shape[1]
    if width == 0:
        return np.zeros((len(scaled[0]), 1)), np.zeros((len(scaled[1]), 1))
    if width * max(len(scaled[0]), len(scaled[1])) <= DENSE_LIMIT:
        return np.hstack([scaled[0], hot[0].toarray()]), np.hstack([scaled[1], hot[1].toarray()])
    return hstack([csr_array(scaled[0]), hot[0]], format="csr"), hstack([csr_array(scaled[1]), hot[1]], format="csr")


def tree_columns(
    numbers: tuple[np.ndarray, np.ndarray], codes: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, list[bool]]:
    """(n, F) and (m, F) with NaN for missing and unseen, and which columns are categories; at least one column."""
    blocks = [
        (column, other, False)
        for column, other in zip(finite_or_missing(numbers[0]).T, finite_or_missing(numbers[1]).T, strict=True)
    ]
    for column, other in zip(codes[0].T, codes[1].T, strict=True):
        merged, merged_other, _ = merge_rare(column, other)
        blocks.append((np.where(merged >= 0, merged, np.nan), np.where(merged_other >= 0, merged_other, np.nan), True))
    # scikit-learn fails on a column without a single value
    blocks = [block for block in blocks if not np.isnan(block[0]).all()]
    blocks = blocks or [(np.zeros(len(numbers[0])), np.zeros(len(numbers[1])), False)]
    train, test, category = zip(*blocks, strict=True)
    return np.column_stack(train), np.column_stack(test), list(category)
