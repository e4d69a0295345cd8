"""A network that learns photographs in little time."""

# B batch, C channels, Y height, X width, F features

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from aurify.blocks.batch_norm import ImageBatchNorm
from aurify.blocks.image_head import ImageHead
from aurify.blocks.picture import pixel_input
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Signature

SIDE = 32
"""Larger images are brought to about this many places a side by the first convolution."""

WIDER = (1, 4, 8)
"""Filters of each stage, as multiples of the first stage's."""

SCALE = 1 / 9
"""What features are multiplied by, so that first answers are timid."""


@dataclass(kw_only=True)
class Speednet(Network):
    """Three stages of convolutions that halve the image first and widen then, so that little is spent on large maps.

    In the manner of airbench (Jordan 2024): a narrow first convolution, each stage convolves, halves by the largest
    value, normalises and convolves again; the largest value over all places is what the head sees. Helps: photographs
    of one thing in minutes, on a processor too; ``optimizer=muon`` and ``precision=bfloat16`` each make it about twice
    as fast. Hurts: what is told by fine detail in large images, which are brought to 31 places a side at once.
    """

    needs = frozenset({Trait.IMAGES})
    all_cores = True
    width: int = knob(
        32,
        "filters of the first stage; the others have 4 and 8 times as many",
        low=8,
        high=64,
        log=True,
        legal=(2, 512),
    )
    depth: int = knob(2, "convolutions of each stage", low=1, high=3, legal=(1, 16))

    def build(self, signature: Signature) -> nn.Module:
        _, given = pixel_input(signature)
        look = _Look(*given.shape, width=self.width, depth=self.depth)
        return ImageHead(look, look.features, signature, 4 * self.width)


class _Look(nn.Module):
    """First convolution, stages, the largest value over places: (B, C, Y, X) to (B, ``features``)."""

    def __init__(self, height: int, width_of_images: int, channels: int, *, width: int, depth: int):
        super().__init__()
        step = max(1, 2 ** round(math.log2(min(height, width_of_images) / SIDE)))
        sides = [height, width_of_images]
        kernel = tuple(min(2 * step, side) for side in sides)
        before = max(1, width // 2)
        self.stem = nn.Sequential(nn.Conv2d(channels, before, kernel, step), nn.GELU())
        sides = [(side - size) // step + 1 for side, size in zip(sides, kernel, strict=True)]
        stages: list[nn.Module] = []
        for wider in WIDER:
            halve = tuple(min(2, side) for side in sides)
            stages.append(_Stage(before, width * wider, halve, depth))
            sides, before = [side // half for side, half in zip(sides, halve, strict=True)], width * wider
        self.stages = nn.Sequential(*stages)
        self.features = before

    def forward(self, x_BCYX: Tensor) -> Tensor:
        return self.stages(self.stem(x_BCYX)).amax((2, 3)) * SCALE


class _Stage(nn.Sequential):
    """Convolve, halve, normalise, activate; then convolve, normalise, activate until ``depth`` is reached."""

    def __init__(self, before: int, after: int, halve: tuple[int, ...], depth: int):
        steps: list[nn.Module] = [_filters(before, after), nn.MaxPool2d(halve), ImageBatchNorm(after), nn.GELU()]
        for _ in range(depth - 1):
            steps += [_filters(after, after), ImageBatchNorm(after), nn.GELU()]
        super().__init__(*steps)


def _filters(before: int, after: int) -> nn.Conv2d:
    """A convolution that keeps the size; without bias, for a norm follows."""
    return nn.Conv2d(before, after, 3, padding=1, bias=False)
