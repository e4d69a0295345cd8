"""Bring numbers, and a regression target, to a scale that networks learn from easily."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Layer, View
from aurify.data.prepare import column_quantiles


@dataclass(kw_only=True)
class ScaleNumbers(Technique):
    """Shift and stretch each number column to a common scale (LeCun et al. 1998, Efficient BackProp).

    Helps: nearly always; gradient descent is slow when columns differ in scale, and weight decay is unfair.
    ``standard`` is mean 0 and deviation 1, ``min_max`` is 0 to 1, ``robust`` uses median and quartiles and is
    not moved by outliers. Hurts: ``min_max`` where one outlier squeezes all other values.
    """

    method: str = knob("standard", "which scale", choices=("standard", "min_max", "robust", "none"))
    needs = frozenset({Trait.COLUMNS})
    neutral = {"method": "none"}
    stage = Stage.SCALE
    slot = "scaler"
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "numbers" not in view.values or self.method == "none":
            return None
        shift, spread = _spread(view.values["numbers"], self.method)
        return Scale(shift=shift, spread=spread)


class Scale(Layer):
    """Fitted shift (C,) and spread (C,) of the numbers."""

    shift: Tensor
    spread: Tensor

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**values, "numbers": (values["numbers"] - self.shift) / self.spread}


def _spread(numbers: Tensor, method: str) -> tuple[Tensor, Tensor]:
    """Shift and spread (C,) of columns (N, C), missing left out; a constant column has spread 1."""
    match method:
        case "standard":
            shift = numbers.nanmean(0)
            spread = (numbers - shift).square().nanmean(0).sqrt()
        case "min_max":
            shift = numbers.nan_to_num(nan=torch.inf).amin(0)
            spread = numbers.nan_to_num(nan=-torch.inf).amax(0) - shift
        case _:
            low, shift, high = (column_quantiles(numbers, q) for q in (0.25, 0.5, 0.75))
            spread = high - low
            thin = spread <= 0  # more than half the values are one: fall back on the deviation
            spread = torch.where(thin, (numbers - shift).square().nanmean(0).sqrt(), spread)
    usable = torch.isfinite(shift) & torch.isfinite(spread) & (spread > 0)
    return torch.nan_to_num(shift, posinf=0.0, neginf=0.0), torch.where(usable, spread, torch.ones_like(spread))


@dataclass(kw_only=True)
class ScaleTarget(Technique):
    """Learn a regression target with mean 0 and deviation 1, and answer in its own units (LeCun et al. 1998).

    Helps: nearly always; a first layer of weights near 0 cannot reach prices in the hundred thousands. Hurts:
    hardly ever; heavy tails still dominate the squared error.
    """

    method: str = knob("standard", "which scale", choices=("standard", "none"))
    needs = frozenset({Trait.CONTINUOUS})
    neutral = {"method": "none"}
    slot = "target"
    stacks = True

    def target(self, view: View) -> Layer | None:
        if self.method == "none":
            return None
        deviation = view.target.std(correction=0)
        spread = deviation if deviation > 0 else torch.ones_like(deviation)
        return ScaledTarget(shift=view.target.mean(), spread=spread)


class ScaledTarget(Layer):
    """Outputs (B, 1) back to the target's units, and targets (B,) to what is learnt."""

    shift: Tensor
    spread: Tensor

    def forward(self, output: Tensor) -> Tensor:
        return output * self.spread + self.shift

    def encode(self, target: Tensor) -> Tensor:
        return (target - self.shift) / self.spread
