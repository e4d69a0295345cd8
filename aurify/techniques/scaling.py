"""Bring numbers, and a regression target, to a scale that networks learn from easily."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aurify.blocks.search import place_after
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Layer, View
from aurify.data.prepare import column_quantiles


@dataclass(kw_only=True)
class ScaleNumbers(Technique):
    """Shift and stretch, or bend, each number column to a common scale (LeCun et al. 1998, Efficient BackProp).

    ``standard`` is mean 0 and deviation 1, ``min_max`` is 0 to 1, ``robust`` uses median and quartiles and is not moved
    by outliers; ``log`` is the logarithm of 1 + the robust scale, on both sides; ``quantile`` bends each column to a
    normal distribution, by a table of quantiles. Weights of rows are not looked at. Helps: nearly always; gradient
    descent is slow when columns differ in scale, and weight decay is unfair; ``quantile`` and ``log`` for heavy tails.
    Hurts: ``min_max`` where one outlier squeezes all other values; ``quantile`` where distances mean something, and
    beyond the training rows, where all numbers become one.
    """

    family = "scaling"
    method: str = knob("standard", "which scale", choices=("standard", "min_max", "robust", "quantile", "log", "none"))
    quantiles: int = knob(1000, "quantile: most entries of the table", low=32, high=1000, log=True, legal=(2, 100_000))
    needs = frozenset({Trait.COLUMNS})
    neutral = {"method": "none"}
    stage = Stage.SCALE
    slot = "scaler"
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "numbers" not in view.values or self.method == "none":
            return None
        if self.method == "quantile":
            return Normal.fit(view.values["numbers"], self.quantiles)
        shift, spread = _spread(view.values["numbers"], "robust" if self.method == "log" else self.method)
        return (SignedLog if self.method == "log" else Scale)(shift=shift, spread=spread)


class Scale(Layer):
    """Fitted shift (C,) and spread (C,) of the numbers."""

    shift: Tensor
    spread: Tensor

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**values, "numbers": self.scaled(values["numbers"])}

    def scaled(self, numbers: Tensor) -> Tensor:
        return (numbers - self.shift) / self.spread


class SignedLog(Scale):
    """Scaled numbers whose size is put on a logarithmic scale, odd and smooth about 0 (John & Draper 1980)."""

    def scaled(self, numbers: Tensor) -> Tensor:
        scaled = super().scaled(numbers)
        return scaled.sign() * scaled.abs().log1p()


class Normal(Layer):
    """Numbers bent to a normal distribution, by a table of the training rows' different quantiles.

    Column c has the entries ``begin[c]`` to before ``end[c]`` of ``steps`` (M,), ascending. A number that is a step
    becomes ``on``; one past it ``past`` and ``slope`` times its distance. Many equal numbers are one step, with a jump
    on each side: they become the middle of the quantiles they fill.
    """

    steps: Tensor
    on: Tensor
    past: Tensor
    slope: Tensor
    begin: Tensor
    end: Tensor
    longest: int

    @classmethod
    def fit(cls, numbers: Tensor, quantiles: int) -> Normal:
        columns = [_bent(c[torch.isfinite(c)].numpy(), quantiles) for c in numbers.T]
        joined = [torch.from_numpy(np.concatenate(pieces)) for pieces in zip(*columns, strict=True)]
        lengths = torch.tensor([len(steps) for steps, *_ in columns])
        end = lengths.cumsum(0)
        tables = dict(zip(("steps", "on", "past", "slope"), joined, strict=True))
        return cls(**tables, begin=end - lengths, end=end, longest=int(lengths.max()))

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        numbers = values["numbers"].clamp(self.steps[self.begin], self.steps[self.end - 1])
        after = place_after(self.steps, self.begin, self.end, numbers, self.longest)
        place = torch.maximum(after - 1, self.begin)
        distance = numbers - self.steps[place]
        bent = torch.where(distance == 0, self.on[place], self.past[place] + self.slope[place] * distance)
        return {**values, "numbers": bent}


def _bent(present: np.ndarray, quantiles: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Steps, what they become, what begins right after each, and slopes (M,) of one column's numbers (N,)."""
    present = present if len(present) else np.zeros(1)
    shares = np.linspace(0, 1, min(quantiles, len(present)))
    steps, first, count = np.unique(np.quantile(present, shares), return_index=True, return_counts=True)
    low, high = shares[first], shares[first + count - 1]

    def normal(share: np.ndarray) -> np.ndarray:
        rest = 0.5 / len(present)  # the least number is not infinitely far out
        return torch.special.ndtri(torch.from_numpy(share.clip(rest, 1 - rest))).numpy()

    past = normal(high)
    rise = np.append(normal(low)[1:] - past[:-1], 0.0)
    return steps, normal((low + high) / 2), past, rise / np.append(np.diff(steps), 1.0)


def _spread(numbers: Tensor, method: str) -> tuple[Tensor, Tensor]:
    """Shift and spread (C,) of columns (N, C), missing and infinite left out; a constant column has spread 1."""
    numbers = torch.where(torch.isfinite(numbers), numbers, torch.nan)
    match method:
        case "standard":
            shift = numbers.nanmean(0)
            spread = _deviation(numbers, shift)
        case "min_max":
            shift = numbers.nan_to_num(nan=torch.inf).amin(0)
            spread = numbers.nan_to_num(nan=-torch.inf).amax(0) - shift
        case _:
            low, shift, high = (column_quantiles(numbers, q) for q in (0.25, 0.5, 0.75))
            spread = high - low
            thin = spread <= 0  # more than half the values are one: fall back on the deviation
            spread = torch.where(thin, _deviation(numbers, shift), spread)
    usable = torch.isfinite(shift) & torch.isfinite(spread) & (spread > 0)
    return torch.nan_to_num(shift, posinf=0.0, neginf=0.0), torch.where(usable, spread, torch.ones_like(spread))


def _deviation(numbers: Tensor, shift: Tensor) -> Tensor:
    """Root of the mean square (C,) of numbers (N, C) about ``shift``, missing left out."""
    apart = numbers - shift
    plain = apart.square().nanmean(0).sqrt()
    largest = apart.abs().nan_to_num(nan=0.0).amax(0)  # squares of 1e300 overflow, shares of it do not
    return torch.where(torch.isfinite(plain), plain, largest * (apart / largest).square().nanmean(0).sqrt())


@dataclass(kw_only=True)
class ScaleTarget(Technique):
    """Learn a regression target with mean 0 and deviation 1, and answer in its own units (LeCun et al. 1998).

    Helps: nearly always; a first layer of weights near 0 cannot reach prices in the hundred thousands. Hurts:
    hardly ever; heavy tails still dominate the squared error.
    """

    family = "scaling"
    method: str = knob("standard", "which scale", choices=("standard", "none"))
    needs = frozenset({Trait.CONTINUOUS})
    neutral = {"method": "none"}
    slot = "target"
    stacks = True

    def target(self, view: View) -> Layer | None:
        if self.method == "none":
            return None
        shift = torch.dot(view.weight, view.target) / view.weight.sum()
        deviation = view.target.cov(correction=0, aweights=view.weight).sqrt()
        spread = deviation if deviation > 0 else torch.ones_like(deviation)
        return ScaledTarget(shift=shift, spread=spread)


class ScaledTarget(Layer):
    """Outputs (B, 1) back to the target's units, and targets (B,) to what is learnt."""

    shift: Tensor
    spread: Tensor

    def forward(self, output: Tensor) -> Tensor:
        return output * self.spread + self.shift

    def encode(self, target: Tensor) -> Tensor:
        return (target - self.shift) / self.spread
