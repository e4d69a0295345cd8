"""Plain models of several labels: each label by itself, as if it were a target of two classes (binary relevance)."""

# n training examples, m test examples, K labels

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def per_label(fit: Callable[[np.ndarray, int], np.ndarray], target: np.ndarray) -> np.ndarray:
    """Probabilities (m, K), from ``fit(codes, 2)``: codes (n,) int64 of one label to its probabilities (m, 2)."""
    return np.column_stack([fit(column.astype(np.int64), 2)[:, 1] for column in target.T])
