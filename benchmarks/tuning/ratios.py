"""Means over seeds with 95 % t-intervals: of numbers, and of ratios on the scale of their logarithms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mean(values: Sequence[float]) -> list[float]:
    """Mean, and the ends of its interval: NaN where there is one value only."""
    from scipy import stats

    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) < 2:
        return [float(numbers.mean()), np.nan, np.nan]
    reach = float(stats.t.ppf(0.975, len(numbers) - 1)) * numbers.std(ddof=1) / np.sqrt(len(numbers))
    return [float(numbers.mean()), float(numbers.mean() - reach), float(numbers.mean() + reach)]


def geometric_mean(ratios: Sequence[float]) -> list[float]:
    """Geometric mean, and the ends of its interval."""
    return [float(np.exp(value)) for value in mean(np.log(ratios).tolist())]


def rounded(values: Sequence[float], digits: int = 4) -> list[float | None]:
    return [None if np.isnan(value) else round(value, digits) for value in values]
