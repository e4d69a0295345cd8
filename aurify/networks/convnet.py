"""The classic convolutional network: filters, halving, filters, halving, one hidden layer."""

# B batch, C channels, H height, W width

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from aurify.blocks.dropout import Dropout
from aurify.blocks.image_head import ImageHead
from aurify.blocks.picture import pixel_input
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Signature


@dataclass(kw_only=True)
class Convnet(Network):
    """Convolution and pooling, twice by default, then one hidden layer (LeCun et al. 1998).

    Helps: small plain images such as digits; a reference everybody knows. Hurts: photographs, where residual networks
    go further for the same time. A ``stride`` makes maps of large images small at once, as networks that play games do
    (Mnih et al. 2015).
    """

    needs = frozenset({Trait.PICTURES})
    stacks = True
    all_cores = True
    channels: int = knob(
        32, "filters of the first stage; each further one has twice as many", low=8, high=128, log=True
    )
    stages: int = knob(2, "convolutions, each followed by halving", low=1, high=4, legal=(1, 8))
    width: int = knob(128, "units of the hidden layer", low=32, high=512, log=True, legal=(1, 16384))
    stride: int = knob(
        1, "pixels that the first convolution goes on by, where maps are to be small", low=1, high=4, legal=(1, 64)
    )

    def build(self, signature: Signature) -> nn.Module:
        _, given = pixel_input(signature)
        height, width, channels = given.shape
        if self.stride > min(height, width):
            raise AurifyError(f"convnet.stride = {self.stride}: images of {height} x {width} pixels need a smaller one")
        steps: list[nn.Module] = []
        for stage in range(self.stages):
            wide, stride = self.channels * 2**stage, self.stride if stage == 0 else 1
            filters = nn.Conv2d(channels, wide, stride + 2, stride, padding=1)
            steps += [filters, nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
            height, width = (-(-(side // stride) // 2) for side in (height, width))
            channels = wide
        steps += [Dropout(), nn.Flatten(), nn.Linear(channels * height * width, self.width), nn.ReLU()]
        return ImageHead(nn.Sequential(*steps), self.width, signature, self.width)
