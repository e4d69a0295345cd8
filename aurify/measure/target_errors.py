"""Targets that cannot be meant: slips of the decimal point, of the sign, and codes that stand for something else."""

# n rows

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FACTORS = (10.0, 100.0, 1000.0)
LEAST = 3
"""Slips of one kind below which they may be chance."""

WIDEST = 0.3
"""Part of a slip's decades, around what a model says, within which nine of ten targets must lie for it to be told."""

SURELY = 0.01
"""Chance that a kind of slip is no more than the tail of honest targets."""

MOSTLY = 0.9
"""Share of the targets with one sign, above which the other sign is odd."""

FAR = 0.01
"""Targets in all that an honest sample would have beyond the limit."""

CLEAR = 4.0
"""Robust deviations between a target and its opposite where signs can be told."""


@dataclass(frozen=True)
class TargetErrors:
    """Row positions: ``decimal`` and ``sign`` slips, ``codes`` (a value and how many rows hold it), ``far`` ones."""

    decimal: np.ndarray
    sign: np.ndarray
    codes: tuple[tuple[float, int], ...]
    far: np.ndarray


def target_errors(target: np.ndarray, said_by_model: np.ndarray) -> TargetErrors:
    """Look at numbers (n,) beside what a robust model that did not see them says (n,)."""
    codes = _codes(target)
    left = ~np.isin(target, [value for value, _ in codes])
    sign = np.flatnonzero(_sign(target, said_by_model) & left)
    left[sign] = False
    decimal = np.flatnonzero(_decimal(target, said_by_model, left))
    left[decimal] = False
    return TargetErrors(decimal, sign, codes, np.flatnonzero(_far(target, said_by_model, left)))


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Values (n,) by rank as a normal sample has them: no gross error reaches far (Blom 1958)."""
    from scipy.stats import norm, rankdata

    return norm.ppf((rankdata(values) - 0.375) / (len(values) + 0.25))


def of_scores(scores: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Back from normal scores (m,) to the units of values (n,), within their range."""
    from scipy.stats import norm

    return np.quantile(values, norm.cdf(scores), method="normal_unbiased")


def _codes(target: np.ndarray) -> tuple[tuple[float, int], ...]:
    """Values such as 9999 or -999 at an end, in several rows, farther from the others than these from one another."""
    found = []
    values, counts = np.unique(target, return_counts=True)
    low, high = 0, len(values) - 1
    for at in (high, low):
        value, rest = float(values[at]), np.delete(values, at)
        if len(rest) < 10 or counts[at] < 2 or not _nines(value):
            continue
        reach = float(rest.max() - rest.min())
        if min(abs(value - rest.max()), abs(value - rest.min())) > reach and not rest.min() <= value <= rest.max():
            found.append((value, int(counts[at])))
    return tuple(found)


def _nines(value: float) -> bool:
    digits = f"{abs(value):.12g}"
    return (len(digits) >= 2 and set(digits) <= {"9"}) or (
        len(digits) >= 3 and len(set(digits)) == 1 and digits.isdigit()
    )


def _sign(target: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Which targets are the opposite of what is expected of them."""
    nothing = np.zeros(len(target), dtype=bool)
    side = 1.0 if np.median(target) >= 0 else -1.0
    y, e = side * target, side * expected
    if (y > 0).mean() >= MOSTLY:
        ratio = _decades(np.abs(y), e)
        wide = np.quantile(ratio[y > 0], 0.9) if (y > 0).any() else np.inf
        odd = y < 0
        hit = odd & (ratio <= max(wide, 0.02))
        sure = wide <= WIDEST and hit.sum() >= LEAST and hit.sum() >= 0.7 * odd.sum()
        return hit if sure else nothing
    away = np.abs(target - expected)
    deviation = 1.4826 * float(np.median(away))
    if deviation == 0:
        return nothing
    told = np.abs(expected) > CLEAR * deviation
    hit = told & (np.abs(target + expected) < 2 * deviation)
    between = told & ~hit & (away > CLEAR * deviation)
    return hit if hit.sum() >= LEAST and hit.sum() > 3 * between.sum() else nothing


def _decades(y: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How many factors of ten lie between (n,); infinite where one is not positive."""
    positive = (y > 0) & (expected > 0)
    return np.abs(np.log10(np.where(positive, y, 1.0)) - np.log10(np.where(positive, expected, 10.0))) + np.where(
        positive, 0.0, np.inf
    )


def _decimal(target: np.ndarray, expected: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Which targets are ten, a hundred or a thousand times what is expected, or a part of it."""
    from scipy.stats import binom

    nothing = np.zeros(len(target), dtype=bool)
    y, e = np.abs(target), np.abs(expected)
    kept = left & (y > 0) & (e > 0) & (np.sign(target) == np.sign(expected))
    if kept.sum() < 0.5 * len(target):
        return nothing
    away = np.log10(np.where(kept, y, 1.0)) - np.log10(np.where(kept, e, 1.0))
    wide, limit = _limit(np.abs(away[kept]))
    wide = max(wide, 0.02)
    found = nothing.copy()
    for side in (1.0, -1.0):
        for factor in np.log10(FACTORS):
            if wide > WIDEST * factor:
                continue
            hit = kept & (np.abs(side * away - factor) <= wide)
            # the tail of honest targets is thicker nearer to them
            nearer = kept & (side * away >= factor - 3 * wide) & (side * away < factor - wide)
            surely = hit & (np.abs(away) > limit)
            honest = binom.sf(hit.sum() - 1, hit.sum() + nearer.sum(), 0.2)
            if surely.sum() >= LEAST and honest < SURELY:
                found |= surely
    return found


def _limit(away: np.ndarray) -> tuple[float, float]:
    """The distance of nine of ten rows, and that of 0.01 rows in all by a tail like that of the bulk (Weibull 1951)."""
    half, eight, nine = np.quantile(away, (0.5, 0.8, 0.9))
    if half <= 0 or eight <= half:
        return float(nine), float(nine)
    # by the inner four fifths: errors that are looked for are in the rest
    shape = np.log(eight / half) / np.log(np.log(5) / np.log(2))
    return float(nine), float(half * (np.log(len(away) / FAR) / np.log(2)) ** shape)


def _far(target: np.ndarray, expected: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Which targets lie beyond the limit of distances, and twice beyond the middle of the others too."""
    away = np.abs(target - expected)
    if left.sum() < 10:
        return np.zeros(len(target), dtype=bool)
    low, high = np.quantile(target[left], (0.05, 0.95))
    outside = (target > high + 2 * (high - low)) | (target < low - 2 * (high - low))
    nine, limit = _limit(away[left])
    return left & outside & (away > limit) & (nine > 0)
