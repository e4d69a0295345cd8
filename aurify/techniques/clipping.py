"""Pull outlying numbers back to the bulk."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Layer, View
from aurify.data.prepare import column_quantiles, place_of


@dataclass(kw_only=True)
class ClipOutliers(Technique):
    """Winsorise each number column: what lies beyond a fence becomes the fence (Dixon 1960; fences: Tukey 1977).

    ``quantile``: fences at a ``share`` of the training rows on each side; ``range``: ``ranges`` interquartile ranges
    outside the quartiles, a column without such a range is left alone. Missing stays missing; weights of rows are not
    looked at. Helps: measuring errors and heavy tails, which otherwise squeeze all other values or steer the
    gradient. Hurts: where the extremes are the point (fraud, floods), and trends that go on beyond the training rows,
    such as time: ``spare`` that column.
    """

    family = "cleaning"
    method: str = knob("quantile", "where the fences are", choices=("quantile", "range", "none"))
    share: float = knob(0.005, "quantile: share beyond each fence", low=0.001, high=0.05, log=True, legal=(0.0, 0.5))
    ranges: float = knob(3.0, "range: interquartile ranges to a fence", low=1.5, high=6.0, legal=(0.0, 1e6))
    spare: str = knob("", "a column left as it is, such as the time by which gaps are filled", column=True)
    needs = frozenset({Trait.COLUMNS})
    neutral = {"method": "none"}
    vivid = {"share": 0.05}
    stage = Stage.CLIP
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "numbers" not in view.values or self.method == "none":
            return None
        numbers = view.values["numbers"]
        if self.method == "quantile":
            low, high = column_quantiles(numbers, self.share), column_quantiles(numbers, 1 - self.share)
            usable = low <= high
        else:
            first, third = column_quantiles(numbers, 0.25), column_quantiles(numbers, 0.75)
            low, high = first - self.ranges * (third - first), third + self.ranges * (third - first)
            usable = first < third
        if self.spare:
            usable[place_of(self.spare, view.inputs["numbers"], "clip_outliers.spare")] = False
        return Fences(low=torch.where(usable, low, -torch.inf), high=torch.where(usable, high, torch.inf))


class Fences(Layer):
    """Fitted fences (C,) of the numbers."""

    low: Tensor
    high: Tensor

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**values, "numbers": values["numbers"].clamp(self.low, self.high)}
