"""What is answered without looking at a row at all."""

# n training rows, m rows to answer for, K classes or labels

from __future__ import annotations

import numpy as np


def constant_answer(target: np.ndarray, weight: np.ndarray | None, classes: int | None, count: int) -> np.ndarray:
    """The mean of the training targets (n,), their class shares or, of labels (n, K), each one's share, for everyone.

    ``weight`` (n,) says how many rows each stands for, None for one each. Returns (m,) or (m, K), m = ``count``.
    """
    if classes is None:
        return np.full(count, np.average(target, weights=weight))
    if target.ndim == 2:
        return np.tile(np.average(target, axis=0, weights=weight), (count, 1))
    counts = np.bincount(target, weights=weight, minlength=classes)
    return np.tile(counts / counts.sum(), (count, 1))
