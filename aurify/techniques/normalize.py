"""Images of about one brightness and contrast, channel by channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from aurify.blocks.picture import PIXELS
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View

MOST_IMAGES = 10_000
CHUNK = 256


@dataclass(kw_only=True)
class Normalize(Technique):
    """Subtract each channel's mean over the training images and divide by its deviation (LeCun et al. 1998).

    Helps: nearly always; training begins where gradients are large. Hurts: almost never.
    """

    family = "scaling"
    needs = frozenset({Trait.IMAGES})
    stage = Stage.SCALE
    stacks = True
    neutral = {"method": "none"}
    method: str = knob("channels", "mean and deviation of each channel, or none", choices=("channels", "none"))

    def layer(self, view: View) -> Layer | None:
        name = next((name for name, given in view.inputs.items() if given.kind == PIXELS), None)
        if name is None or self.method == "none":
            return None
        images = view.values[name][:: max(1, len(view) // MOST_IMAGES)]
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for at in range(0, len(images), CHUNK):
            values = images[at : at + CHUNK].taken().flatten(0, 2).double() / 255
            count, total, squares = count + len(values), total + values.sum(0), squares + values.square().sum(0)
        centre = total / count
        scale = (squares / count - centre.square()).clamp(min=1e-4).sqrt()
        return Normalized(name=name, centre=centre.float(), scale=scale.float())


class Normalized(Layer):
    """Tells the network what to subtract and what to divide by; the bytes stay as they are."""

    name: str
    centre: Tensor
    scale: Tensor

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        return values

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        centre, scale = (tuple(map(float, values)) for values in (self.centre, self.scale))
        return {**before, self.name: replace(before[self.name], centre=centre, scale=scale)}
