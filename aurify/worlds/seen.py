"""What a network takes in of an observation: the layer of every model that acts."""

# N observations, C numbers of one

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from aurify.blocks.entries import Categories, Flat, Plain
from aurify.core.types import Input, Layer

ENTRIES: dict[str, Any] = {
    "numbers": Plain,
    "codes": partial(Categories, hot_up_to=2**31, most=1),
    "pixels": Flat,
}


class Seen(Layer):
    """Numbers less ``centre`` (C,), divided by ``scale`` (C,), within ``limit``; codes and images as they are.

    Missing numbers are 0 then, an unknown code is the first. ``spread`` (A,) is how far a model of actions that are
    numbers tries to each side of its answer, kept beside it.
    """

    centre: Tensor
    scale: Tensor
    limit: float
    spread: Tensor

    @classmethod
    def plain(cls, numbers: int) -> Seen:
        """Numbers as they are."""
        zeros = torch.zeros(numbers, dtype=torch.float64)
        return cls(centre=zeros, scale=zeros + 1, limit=3e38, spread=torch.zeros(0))

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        after = dict(values)
        if "numbers" in after:
            shifted = ((after["numbers"] - self.centre) / self.scale).clamp(-self.limit, self.limit)
            after["numbers"] = torch.where(torch.isnan(shifted), torch.zeros_like(shifted), shifted).float()
        if "codes" in after:
            after["codes"] = after["codes"].clamp(min=0)
        return after

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        return {name: replace(given, entry=ENTRIES[given.kind]) for name, given in before.items()}
