"""Techniques that leave out training rows unlike all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aurify.core import rng
from aurify.core.parts import Technique, Trait, knob
from aurify.core.types import RowPlan, View
from aurify.data.prepare import column_quantiles

NORMAL_MAD = 0.6745
"""Median absolute deviation of a standard normal variable."""

FARTHEST = 1e6
"""Where robust z-scores are cut: scikit-learn's trees compare in float32."""


@dataclass(kw_only=True)
class RemoveOutliers(Technique):
    """Learn without the rows that lie far from all others.

    ``robust_z``: rows with 0.6745 |x - median| / MAD above ``limit`` in at least ``least`` number columns (Iglewicz &
    Hoaglin 1993); where more than half of a column is one value, its other values are judged among themselves.
    ``isolation_forest``: the rows that random cuts set apart soonest (Liu et al. 2008). No class, and no regression
    table, loses more than ``share`` of its rows, so rare classes stay; the farthest go first. Helps: broken sensors,
    wrong units and typing errors, above all in a regression target. Hurts: where the far rows are the point (fraud,
    floods, the rich), and skewed columns: their long tail is no error; try clip_outliers or a logarithm first.
    """

    family = "cleaning"
    method: str = knob("robust_z", "how far off a row is", choices=("robust_z", "isolation_forest"))
    share: float = knob(0.02, "most rows that may go, of each class", low=0.001, high=0.2, log=True, legal=(0.0, 0.5))
    limit: float = knob(
        3.5, "robust_z: deviations beyond which a value is far off", low=2.0, high=20.0, log=True, legal=(0.0, 1e6)
    )
    least: int = knob(1, "robust_z: columns in which a row must be far off", low=1, high=5, legal=(1, 10_000))
    with_target: bool = knob(True, "regression: the target counts as a column")
    needs = frozenset({Trait.COLUMNS})
    neutral = {"share": 0.0}
    vivid = {"share": 0.3, "limit": 0.7}
    stacks = True
    order = -6

    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        target = plan.targets(view.target)
        columns = [v[plan.index] for name, v in view.values.items() if view.inputs[name].kind in ("numbers", "dates")]
        if self.with_target and view.classes is None:
            columns.append(target[:, None])
        if self.share == 0.0 or not columns:
            return plan
        z = robust_z(torch.cat(columns, 1))
        if self.method == "isolation_forest":
            far = _isolation(z, view.seed)
        else:
            far = z.abs().sort(1, descending=True).values[:, min(self.least, z.shape[1]) - 1] - self.limit
        classes = torch.zeros(len(target), dtype=torch.int64) if view.classes is None or view.several else target
        return plan.keep(~_farthest(far, classes, self.share))


def robust_z(numbers: Tensor) -> Tensor:
    """Columns (N, C) as deviations from their median in units of their spread; missing is 0, and so is a constant."""
    z = _deviations(numbers)
    even = ((z == 0) | torch.isnan(z)).all(0)
    if even.any():  # no spread around the median: what differs from it is judged by itself
        median = column_quantiles(numbers[:, even], 0.5)
        z[:, even] = _deviations(torch.where(numbers[:, even] == median, torch.nan, numbers[:, even]))
    return z.nan_to_num(0.0).clamp(-FARTHEST, FARTHEST)


def _deviations(numbers: Tensor) -> Tensor:
    """0.6745 (x - median) / MAD of columns (N, C); NaN for missing, 0 for a column without spread."""
    centred = numbers - column_quantiles(numbers, 0.5)
    spread = column_quantiles(centred.abs(), 0.5)
    return torch.where(spread > 0, NORMAL_MAD * centred / spread, torch.where(torch.isnan(centred), torch.nan, 0.0))


def _isolation(z: Tensor, seed: int) -> Tensor:
    """How soon random cuts set each row apart (N,), higher sooner; always above 0."""
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(random_state=rng.key(seed, "isolation_forest") % 2**32).fit(z.numpy())
    return torch.from_numpy(-forest.score_samples(z.numpy()))


def _farthest(far: Tensor, classes: Tensor, share: float) -> Tensor:
    """Mark (N,) the rows with the largest ``far`` above 0, up to a share of each class, rounded down."""
    counts = torch.bincount(classes)
    order = np.lexsort((-far.numpy(), classes.numpy()))  # class by class, the farthest first
    place = torch.empty(len(far), dtype=torch.int64)
    place[torch.from_numpy(order)] = torch.arange(len(far)) - (torch.cumsum(counts, 0) - counts)[classes[order]]
    return (place < torch.floor(share * counts)[classes]) & (far > 0)
