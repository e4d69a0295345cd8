"""What pairs of columns are suspected of, whatever the target is."""

# n rows that prove

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aurify.inspection.pair_screens import Pair

DRAWS = 200
"""Resamples of an interval."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Suspect:
    """Two columns and how they decide the target, measured on rows that the rule was not made on.

    ``left`` is what the pair leaves unexplained, a share from 0 to 1 of what is left without any column, and ``alone``
    what the better of the two leaves. A ``structural`` rule has nothing that could be fitted, or tells only jointly.
    ``times`` less than the other columns it must leave.
    ``missed`` (n,) are the errors, or whether the answer was wrong, and ``aim`` (n,) what should have been answered.
    """

    pair: Pair
    form: str
    left: float
    alone: float
    structural: bool
    times: int
    missed: np.ndarray
    aim: np.ndarray

    def ends(self, measure: Callable[[np.ndarray, np.ndarray], float]) -> tuple[float, float]:
        """Ends of a 95% interval of what the pair explains, by the percentile bootstrap over the rows.

        A rule that was never wrong might be in 3.7 of n rows (Hanley & Lippman-Hand 1983).
        """
        random = np.random.Generator(np.random.PCG64(len(self.aim)))
        drawn = random.integers(0, len(self.aim), size=(DRAWS, len(self.aim)))
        left = [measure(self.missed[rows], self.aim[rows]) for rows in drawn]
        low, high = np.nanquantile(left, (0.025, 0.975))
        if not self.missed.any():
            high = 3.7 / len(self.aim)
        return max(0.0, float(1 - high)), float(1 - low)
