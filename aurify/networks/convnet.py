"""The classic convolutional network: filters, halving, filters, halving, one hidden layer."""

# B batch, C channels, H height, W width

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from aurify.blocks.dropout import Dropout
from aurify.blocks.image_head import ImageHead
from aurify.blocks.picture import pixel_input
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Signature


@dataclass(kw_only=True)
class Convnet(Network):
    """Convolution and pooling, twice by default, then one hidden layer (LeCun et al. 1998).

    Helps: small plain images such as digits; a reference everybody knows. Hurts: photographs, where residual networks
    go further for the same time.
    """

    needs = frozenset({Trait.IMAGES})
    all_cores = True
    channels: int = knob(
        32, "filters of the first stage; each further one has twice as many", low=8, high=128, log=True
    )
    stages: int = knob(2, "convolutions, each followed by halving", low=1, high=4, legal=(1, 8))
    width: int = knob(128, "units of the hidden layer", low=32, high=512, log=True, legal=(1, 16384))

    def build(self, signature: Signature) -> nn.Module:
        _, given = pixel_input(signature)
        height, width, channels = given.shape
        steps: list[nn.Module] = []
        for stage in range(self.stages):
            wide = self.channels * 2**stage
            steps += [nn.Conv2d(channels, wide, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
            height, width, channels = -(-height // 2), -(-width // 2), wide
        steps += [Dropout(), nn.Flatten(), nn.Linear(channels * height * width, self.width), nn.ReLU()]
        return ImageHead(nn.Sequential(*steps), self.width, signature, self.width)
