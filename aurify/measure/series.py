"""Rows in an order: whether neighbours resemble one another, and whether stretches differ."""

# n rows in order, K columns of values

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Resemblance:
    """The correlation of neighbours with its 95% interval, and the chance of as much in rows of no order."""

    value: float
    low: float
    high: float
    chance: float


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Values (n,) float64 by their ranks as quantiles of the normal distribution (van der Waerden 1952), NaN to 0."""
    from scipy.stats import norm, rankdata

    scores = np.zeros(len(values))
    known = ~np.isnan(values)
    ranks = rankdata(values[known])
    scores[known] = norm.ppf(ranks / (len(ranks) + 1))
    return scores


def resemblance(values: np.ndarray, groups: np.ndarray | None = None) -> Resemblance:
    """How alike neighbours in values (n, K) are, of one group (n,) where there are groups, after taking group means.

    Products of neighbours of rows in no order have mean 0 and are uncorrelated, so that their own spread says how sure
    their mean is (Wald & Wolfowitz 1943); the chance is one-sided.
    """
    from scipy.stats import norm

    codes = np.zeros(len(values), dtype=np.int64) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = np.bincount(codes)
    means = np.stack([np.bincount(codes, weights=each) / count for each in values.T], axis=1)
    order = np.argsort(codes, kind="stable")
    centred, codes = (values - means[codes])[order], codes[order]
    products = (centred[1:] * centred[:-1]).sum(1)[codes[1:] == codes[:-1]]
    power = float((centred**2).sum(1).mean())
    if len(products) < 20 or power == 0 or products.std() == 0:
        return Resemblance(0.0, 0.0, 0.0, 1.0)
    mean, error = float(products.mean()), float(products.std() / np.sqrt(len(products)))
    low, high = (mean + side * 1.96 * error for side in (-1, 1))
    return Resemblance(mean / power, low / power, high / power, float(norm.sf(mean / error)))


def between(values: np.ndarray, stretch: np.ndarray) -> tuple[float, float]:
    """The share of the variance of values (n, K) that lies between stretches (n,), less what chance puts there.

    And the chance of as much: of one column by Fisher's F, of a class each by Pearson's chi-squared.
    """
    from scipy.stats import chi2, f

    codes = np.unique(stretch, return_inverse=True)[1]
    rows, count = len(values), np.bincount(codes)
    free = len(count) - 1
    centred = values - values.mean(0)
    sums = np.stack([np.bincount(codes, weights=each) for each in centred.T], axis=1)
    explained, whole = (sums**2 / count[:, None]).sum(0), (centred**2).sum(0)
    if free < 1 or rows <= len(count) or not whole.sum():
        return 0.0, 1.0
    share = float(explained.sum() / whole.sum())
    adjusted = 1 - (1 - share) * (rows - 1) / (rows - len(count))
    if values.shape[1] == 1:
        ratio = share / free / max((1 - share) / (rows - len(count)), 1e-12)
        return adjusted, float(f.sf(ratio, free, rows - len(count)))
    shares = values.mean(0)
    held = shares > 0
    return adjusted, float(chi2.sf((explained[held] / shares[held]).sum(), free * (int(held.sum()) - 1)))


def along(values: np.ndarray, stretch: np.ndarray) -> tuple[float, float]:
    """The share of the variance of values (n, K) that goes up or down evenly with stretches (n,), and its chance.

    Of few rows that is seen where stretches by themselves are too small: one slope a column, by Fisher's F; of a class
    each by Cochran (1954) and Armitage's (1955) chi-squared for several classes.
    """
    from scipy.stats import chi2, f

    place = np.unique(stretch, return_inverse=True)[1].astype(np.float64)
    place -= place.mean()
    rows, power, centred = len(values), float((place**2).sum()), values - values.mean(0)
    whole = (centred**2).sum(0)
    if rows < 3 or not power or not whole.sum():
        return 0.0, 1.0
    explained = (place @ centred) ** 2 / power
    share = float(explained.sum() / whole.sum())
    adjusted = 1 - (1 - share) * (rows - 1) / (rows - 2)
    if values.shape[1] == 1:
        return adjusted, float(f.sf(share / max((1 - share) / (rows - 2), 1e-12), 1, rows - 2))
    shares = values.mean(0)
    held = shares > 0
    return adjusted, float(chi2.sf((explained[held] / shares[held]).sum(), int(held.sum()) - 1))
