"""What paired differences over folds say of an ingredient: its gain, intervals, verdict; and how many pairs that takes.

The estimand is the mean difference over training sets of this size and over seeds. Training sets of folds overlap, so
differences resemble one another and their plain variance is too small; no unbiased estimate of it exists (Bengio &
Grandvalet 2004). The correction used is that of Nadeau & Bengio (2003), which repeated cross-validation keeps honest
(Bouckaert & Frank 2004): an approximation, and called one wherever it is shown.
"""

# J pairs, m rows of a ledger

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Verdict = Literal["helps", "hurts", "no measurable difference", "identical"]

LEVEL = 0.05
"""Errors that are risked: of one interval, and of all verdicts of a ledger together."""

POWER = 0.9
"""Share of ledgers in which an effect of the size that is said to be seen is found."""

LAST_BITS = 1e-12
"""Differences up to here, relative to the scores, are rounding."""


@dataclass(frozen=True)
class Pairing:
    """How differences are collected: in repeats of ``folds``.

    ``ratio`` is the mean, over folds, of tested to learnt-from rows (n2/n1). ``apart`` says that no row is in two
    repeats: these are independent then, and only the folds of one repeat resemble one another.
    """

    folds: int
    ratio: float
    apart: bool

    def spread(self, pairs: int) -> float:
        """The variance of the mean of ``pairs`` differences, as a multiple of their sample variance."""
        if self.apart:
            return (1 / self.folds + self.ratio) * self.folds / pairs  # the mean of independent repeats
        return 1 / pairs + self.ratio


@dataclass(frozen=True)
class Effect:
    """A mean difference, better being positive, with its plain and its simultaneous 95 % interval.

    Intervals are NaN, and ``p`` is 1, where every pair differed by the same: nothing is known of their spread then.
    """

    gain: float
    low: float
    high: float
    simultaneous_low: float
    simultaneous_high: float
    p: float
    sees: float
    """The size of an effect that would get a verdict in 9 of 10 ledgers like this one."""

    @property
    def bound(self) -> float:
        """What the effect is smaller than, by the simultaneous interval."""
        return max(abs(self.simultaneous_low), abs(self.simultaneous_high))


def effect(differences: Sequence[float], pairing: Pairing, rows: int, scale: float = 1.0) -> Effect:
    """What differences (J,) say, as one of ``rows`` rows of a ledger; ``scale`` is how large the scores are."""
    from scipy import stats

    values, least = np.asarray(differences, dtype=np.float64), LAST_BITS * scale
    values = np.where(np.abs(values) <= least, 0.0, values)
    gain, deviation = float(values.mean()), float(values.std(ddof=1))
    if deviation <= least:
        known = 0.0 if gain == 0 else math.nan
        return Effect(gain, *[known] * 4, p=1.0, sees=known)
    error, freedom = deviation * math.sqrt(pairing.spread(len(values))), len(values) - 1
    plain, joint = (float(stats.t.ppf(1 - LEVEL / tests / 2, freedom)) for tests in (1, rows))
    return Effect(
        gain=gain,
        low=gain - plain * error,
        high=gain + plain * error,
        simultaneous_low=gain - joint * error,
        simultaneous_high=gain + joint * error,
        p=float(2 * stats.t.sf(abs(gain) / error, freedom)),
        sees=_seen(joint, freedom) * error,
    )


def _seen(least: float, freedom: int) -> float:
    """The true effect, in standard errors, whose t exceeds ``least`` with the power asked for (noncentral t)."""
    from scipy import optimize, stats

    found: Any = optimize.brentq(lambda shift: stats.nct.sf(least, freedom, shift) - POWER, least, 3 * least + 3)
    return float(found)


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values (m,) of all rows of a ledger together (Holm 1979), at most 1."""
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate([(len(p) - at) * p[row] for at, row in enumerate(order)])
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted.tolist()


def verdict(found: Effect, p_adjusted: float) -> Verdict:
    """What may be said of an effect: only Holm's p makes a difference of it."""
    if p_adjusted <= LEVEL:
        return "helps" if found.gain > 0 else "hurts"
    return "identical" if found.gain == found.bound == 0 else "no measurable difference"


def pairs_needed(pilot: Sequence[float], pairing: Pairing, rows: int, worth: float, most: int) -> int:
    """How many pairs make the simultaneous interval reach no further than ``worth`` to each side, at most ``most``.

    From the spread of the pilot alone, never from its mean (Stein 1945), in whole repeats and not below the pilot. The
    spread of all pairs is what intervals are made of then, so that a pilot that was calm by chance makes them a little
    short: by itself that makes 6 % of errors at most where 5 % are meant.
    """
    from scipy import stats

    deviation = float(np.std(pilot, ddof=1))
    for pairs in range(len(pilot), most, pairing.folds):
        reach = float(stats.t.ppf(1 - LEVEL / rows / 2, pairs - 1))
        if deviation * math.sqrt(pairing.spread(pairs)) * reach <= worth:
            return pairs
    return most
