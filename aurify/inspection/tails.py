"""Values that stand apart from all others: judged by gaps, so that a long tail alone is no error."""

# n values, e excesses over the median on one side, the farthest first

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEWEST = 30
"""Values below which nobody can say what is far."""

APART = 2.0
"""How many times farther from the median than every other value."""

MOST_APART = 0.05
"""Share of the values up to which the far ones are the exception."""

LEAST_REST = 15
"""Values that a side must have beside the far ones to know its own tail."""

BY_CHANCE = 0.05
"""Chance of such a gap in a tail of any weight."""


FEW, WIDE = 0.01, 10.0
"""Share of the values up to which far ones are the exception; more, where they are this much farther than the others:
a power of ten is another unit, no other kind of row."""

SHAPE_ERROR = 1.15
"""Standard error of the shape by probability-weighted moments, times the root of the count, where it is near 0."""


@dataclass(frozen=True)
class Apart:
    """The nearest of the far values, and how many times farther from the median it is than all others."""

    nearest: float
    ratio: float


@dataclass(frozen=True, eq=False)
class Far:
    """Which values (n,) stand apart on either side, and on which sides."""

    values: np.ndarray
    above: Apart | None
    below: Apart | None

    @property
    def ratio(self) -> float:
        """How many times farther than the others, on the plainer side; 1 where nothing stands apart."""
        return max([each.ratio for each in (self.above, self.below) if each], default=1.0)

    @property
    def exceptional(self) -> bool:
        """Whether they are few, or too far to be rows of another kind."""
        wide = all(each is None or each.ratio >= WIDE for each in (self.above, self.below))
        return int(self.values.sum()) <= max(3, FEW * len(self.values)) or (self.ratio > 1 and wide)


def far_values(values: np.ndarray, level: float) -> Far:
    """The values (n,) that stand apart above or below all others, where any do."""
    above, below = apart_above(values, level), apart_above(-values, level)
    far = np.zeros(len(values), dtype=bool)
    if above:
        far |= values >= above.nearest
    if below:
        far |= values <= -below.nearest
    return Far(far, above, below)


def apart_above(values: np.ndarray, level: float) -> Apart | None:
    """The values (n,) far above the median and above all others; None where the tail may be as long as that.

    ``level`` bounds the chance of a false alarm. Two tests must agree. The excesses over the median, the far ones left
    aside, are taken as generalised Pareto (Pickands 1975; probability-weighted moments, Hosking & Wallis 1987) with a
    shape two standard errors heavier than estimated. And the scaled spacings of log excesses, equally distributed in a
    tail of any weight (Renyi 1953, Hill 1975), must leave the gap a chance of ``BY_CHANCE``.
    """
    if len(values) < FEWEST:
        return None
    excess = excesses(values)
    most = min(max(3, int(MOST_APART * len(values))), len(excess) - LEAST_REST)
    if most < 1:
        return None
    far = np.flatnonzero(excess[:most] >= APART * excess[1 : most + 1])
    found = [count for at in far if stand_apart(excess, count := int(at) + 1, level)]
    return (
        Apart(float(np.sort(values)[-found[-1]]), float(excess[found[-1] - 1] / excess[found[-1]])) if found else None
    )


def stand_apart(excess: np.ndarray, count: int, level: float) -> bool:
    """Whether the ``count`` farthest excesses are none of the tail that the others make."""
    enough = len(excess) - count >= LEAST_REST
    return enough and _beyond(excess[count:], excess[count - 1]) <= level and _gap(excess, count) <= BY_CHANCE


def excesses(values: np.ndarray) -> np.ndarray:
    """What lies above the median, minus it, the farthest first.

    Equal ones are spread evenly over the smallest step between values: of counts, ties say nothing about the tail.
    """
    above = values - np.median(values)
    distinct, counts = np.unique(above[above > 0], return_counts=True)
    if not len(distinct) or counts.max() == 1:
        return distinct[::-1]
    step = float(np.diff(distinct, prepend=0.0).min())
    first = np.repeat(np.cumsum(counts) - counts, counts)
    place = (np.arange(len(first)) - first + 0.5) / np.repeat(counts, counts)
    return (np.repeat(distinct, counts) + step * (place - 0.5))[::-1]


def _beyond(rest: np.ndarray, far: float) -> float:
    """How many of as many values as ``rest``, the farthest first, would be expected beyond ``far``."""
    count, mean = len(rest), float(rest.mean())
    weighed = float((rest * (np.arange(count) + 0.65)).mean() / count)  # the largest counts least
    shape = min(2.0 - mean / (mean - 2.0 * weighed), 1.0) if mean > 2.0 * weighed else 1.0
    shape += 2.0 * SHAPE_ERROR / np.sqrt(count)
    shape = shape if abs(shape) > 1e-6 else 1e-6
    scale = float(np.median(rest)) * shape / (2.0**shape - 1.0)
    inside = 1.0 + shape * far / scale
    return float(count * inside ** (-1.0 / shape)) if inside > 0 else 0.0


def _gap(excess: np.ndarray, count: int) -> float:
    """The chance of the gap after the ``count`` farthest, against the spacings of those behind it."""
    behind = min(len(excess) - count - 1, max(LEAST_REST, int(2 * np.sqrt(len(excess)))))
    place = np.arange(count, count + behind)
    spacings = (place + 1) * np.log(excess[place] / excess[place + 1])
    gap = count * np.log(excess[count - 1] / excess[count])
    mean = float(spacings.mean())
    return 0.0 if mean <= 0 else float((1.0 + gap / mean / behind) ** -behind)
