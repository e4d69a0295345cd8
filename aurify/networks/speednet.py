"""A network that learns photographs in little time."""

# B batch, C channels, Y height, X width, F features

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from aurify.blocks.batch_norm import ImageBatchNorm
from aurify.blocks.image_head import ImageHead
from aurify.blocks.members import Members
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
    value, normalises and convolves again; the largest value over all places is what the head sees; convolutions begin
    as the identity (Zagoruyko & Komodakis 2017). Several ``members`` may be trained side by side and averaged, as
    where images are few and each network alone errs by chance. Helps: photographs of one thing in minutes, on a
    processor too, above all with ``optimizer=muon`` and ``precision=bfloat16``. Hurts: what is told by fine detail in
    large images, which are brought to about 31 places a side at once.
    """

    needs = frozenset({Trait.PICTURES})
    stacks = True
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
    members: int = knob(1, "networks trained side by side and averaged", low=1, high=8, legal=(1, 64))

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.ANY_SIZE})

    def build(self, signature: Signature) -> nn.Module:
        if self.members == 1:
            return self._one(signature)
        return Members([self._one(signature) for _ in range(self.members)])

    def _one(self, signature: Signature) -> nn.Module:
        _, given = pixel_input(signature)
        look = _Look(*given.shape, width=self.width, depth=self.depth)
        return ImageHead(look, look.features, signature, 4 * self.width)

    def first_weights(self, model: nn.Module) -> None:
        """Convolutions begin by handing on what they see, as far as they have filters for it: short trainings gain."""
        for module in model.modules():
            if isinstance(module, Filters):
                nn.init.dirac_(module.weight.data[: module.in_channels])


class _Look(nn.Module):
    """First convolution, stages, the largest value over places: (B, C, Y, X) to (B, ``features``)."""

    def __init__(self, height: int, width_of_images: int, channels: int, *, width: int, depth: int):
        super().__init__()
        step = max(1, 2 ** round(math.log2(min(height, width_of_images) / SIDE)))
        kernel = tuple(min(2 * step, side) for side in (height, width_of_images))
        before = max(1, width // 2)
        self.stem = nn.Sequential(nn.Conv2d(channels, before, kernel, step), nn.GELU())  # pyright: ignore[reportArgumentType]
        stages: list[nn.Module] = []
        for wider in WIDER:
            stages.append(_Stage(before, width * wider, depth))
            before = width * wider
        self.stages = nn.Sequential(*stages)
        self.features = before

    def forward(self, x_BCYX: Tensor) -> Tensor:
        return self.stages(self.stem(x_BCYX)).amax((2, 3)) * SCALE


class _Stage(nn.Sequential):
    """Convolve, halve, normalise, activate; then convolve, normalise, activate until ``depth`` is reached."""

    def __init__(self, before: int, after: int, depth: int):
        steps: list[nn.Module] = [Filters(before, after), _Halve(), ImageBatchNorm(after), nn.GELU()]
        for _ in range(depth - 1):
            steps += [Filters(after, after), ImageBatchNorm(after), nn.GELU()]
        super().__init__(*steps)


class _Halve(nn.Module):
    """The largest of 2 x 2 places; of a side that is one place, that one."""

    def forward(self, x_BCYX: Tensor) -> Tensor:
        return F.max_pool2d(x_BCYX, [min(2, int(side)) for side in x_BCYX.shape[2:]])


class Filters(nn.Conv2d):
    """A convolution of 3 x 3 that keeps the size; without bias, for a norm follows."""

    def __init__(self, before: int, after: int):
        super().__init__(before, after, 3, padding=1, bias=False)
