"""Whether pairs of columns go together in one sample as they do in another."""

# n known rows, m other rows, C columns

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGE = 0.5
"""Difference of two Fisher transformed correlations that matters: Cohen's (1988) large q."""


@dataclass(frozen=True)
class Loosened:
    """Two columns (positions), their rank correlation in both samples, and the chance of as different ones."""

    columns: tuple[int, int]
    known: float
    other: float
    chance: float


def loosened(known: np.ndarray, other: np.ndarray) -> Loosened | None:
    """The pair of columns of (n, C) and (m, C), without missing values, that most surely goes together otherwise.

    By Spearman's correlation, transformed as Fisher has it, with the variance of Bonett & Wright (2000). The chance is
    corrected for how many pairs there are. None where there is no pair, or no difference that matters.
    """
    from scipy.stats import norm

    rows = len(known), len(other)
    if min(rows) < 10 or known.shape[1] < 2:
        return None
    first, second = np.triu_indices(known.shape[1], 1)
    before, after = (_correlations(each)[first, second] for each in (known, other))
    spread = (1 + before**2 / 2) / (rows[0] - 3) + (1 + after**2 / 2) / (rows[1] - 3)
    apart = np.abs(np.arctanh(np.clip(before, -0.999, 0.999)) - np.arctanh(np.clip(after, -0.999, 0.999)))
    sure = np.where(apart >= LARGE, apart / np.sqrt(spread), 0.0)
    at = int(sure.argmax())
    if sure[at] == 0:
        return None
    chance = min(1.0, 2 * float(norm.sf(sure[at])) * len(sure))
    return Loosened((int(first[at]), int(second[at])), float(before[at]), float(after[at]), chance)


def _correlations(values: np.ndarray) -> np.ndarray:
    """Spearman's correlations (C, C) of columns (k, C); 0 where one does not vary."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0)
    ranks -= ranks.mean(0)
    length = np.sqrt((ranks**2).sum(0))
    ranks /= np.where(length > 0, length, 1.0)
    return ranks.T @ ranks
