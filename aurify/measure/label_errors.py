"""Which labels are probably wrong, and how many labels must be: what rows say where a model is surest of them."""

# n rows, K classes

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aurify.core.errors import AurifyError

LEAST_ROWS = 2
"""Rows of a class in each fold, on average, below which nothing is said about its labels."""

LEAST_SHARE = 0.01
"""Of the surest rows that surely disagree, for labels to be called noisy."""

PLAIN, LESS_PLAIN = 0.2, 0.45
"""Disagreement among the surest rows, by that of chance, up to which classes lie apart, or may do so."""

EVEN = 0.25
"""Disagreement by chance below which one class is nearly all: a rare class that no column tells looks like noise."""

FLAT, LESS_FLAT = 0.5, 0.4
"""Share of the disagreement of all rows that the surest half has where labels are wrong.

The second is for surest rows that disagree hardly ever by chance (``RARELY``).
"""

STEADY = 0.6
"""Share of the disagreement of the surest half that its surer half has, where being surer does not help."""

HARDLY = 0.25
"""Share of the disagreement of all rows that the surest half has at least where labels may be what is wrong."""

RARELY = 0.1
"""Disagreement among the surest rows by that of chance."""


@dataclass(frozen=True)
class Floor:
    """How often labels disagree with the likeliest class: ``share`` of the surest half of the rows of each such class.

    ``low`` and ``high`` are its exact 95 % interval (Clopper & Pearson 1934), ``surer`` the share among the surest
    quarter, ``every`` among all rows, ``chance`` what a guess by class frequencies would have among the surest half.
    """

    rows: int
    share: float
    low: float
    high: float
    surer: float
    every: float
    chance: float

    @property
    def there(self) -> bool:
        """Whether so many of the surest rows disagree that labels may be what is wrong, or overlap."""
        apart = self.chance >= EVEN and self.share <= LESS_PLAIN * self.chance
        return self.low >= LEAST_SHARE and apart and self.share >= HARDLY * self.every

    @property
    def flat(self) -> bool:
        """Whether disagreement is there and stays however sure the model is, far below that of a guess.

        Where classes overlap, the surest rows disagree far less than all do.
        """
        least = LESS_FLAT if self.share <= RARELY * self.chance else FLAT
        steady = self.share >= least * self.every and self.surer >= STEADY * self.share
        return self.there and steady and self.share <= PLAIN * self.chance


def floor_of(target: np.ndarray, likely: np.ndarray) -> Floor:
    """Compare class codes (n,) with out-of-fold probabilities (n, K) where these are surest."""
    from scipy.stats import beta

    call, ranked = likely.argmax(1), np.sort(likely, axis=1)
    margin = ranked[:, -1] - ranked[:, -2]
    wrong = call != target
    half, quarter = np.zeros(len(target), dtype=bool), np.zeros(len(target), dtype=bool)
    for code in np.unique(call):
        members = np.flatnonzero(call == code)
        surest = members[np.argsort(-margin[members], kind="stable")]
        half[surest[: len(surest) // 2]] = True
        quarter[surest[: len(surest) // 4]] = True
    rows, hits = int(half.sum()), int(wrong[half].sum())
    if rows == 0:
        return Floor(0, 0.0, 0.0, 1.0, 0.0, float(wrong.mean()), 0.0)
    shares = np.bincount(target, minlength=likely.shape[1]) / len(target)
    return Floor(
        rows=rows,
        share=hits / rows,
        low=float(beta.ppf(0.025, hits, rows - hits + 1)) if hits else 0.0,
        high=float(beta.ppf(0.975, hits + 1, rows - hits)) if hits < rows else 1.0,
        surer=float(wrong[quarter].mean()) if quarter.any() else 0.0,
        every=float(wrong.mean()),
        chance=float((1 - shares[call[half]]).mean()),
    )


def agree(one: np.ndarray, other: np.ndarray, target: np.ndarray) -> bool:
    """Whether two views of the rows, calls (n,) by models that see other columns, agree far more than labels do.

    Both err on the same rows only where the label is what is wrong (Blum & Mitchell 1998, co-training).
    """
    apart = (one != other).mean()
    codes = int(max(one.max(), other.max())) + 1
    by_chance = 1 - (np.bincount(one, minlength=codes) * np.bincount(other, minlength=codes)).sum() / len(one) ** 2
    against = min((one != target).mean(), (other != target).mean())
    return bool(apart <= 0.6 * against and apart < 0.4 * by_chance)


def finder(who: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return a function from labels (n,) and probabilities (n, K) to probable errors, the surest first.

    Confident learning (Northcutt et al. 2021). Raises AurifyError where cleanlab, which ``who`` needs, is not there.
    """
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        raise AurifyError(f"{who} needs cleanlab: pip install 'aurify[labels]'") from None

    def find(labels: np.ndarray, likely: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # one job: more would fork processes
            return find_label_issues(labels, likely, return_indices_ranked_by="normalized_margin", n_jobs=1)

    return find
