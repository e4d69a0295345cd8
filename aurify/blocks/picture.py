"""How images enter a network: bytes to numbers of about one size, channels first."""

# B batch, H height, W width, C channels

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from aurify.core.errors import AurifyError
from aurify.core.types import Blend, Input, Signature

PIXELS = "pixels"


def floats(images: Tensor) -> Tensor:
    """Bytes (B, H, W, C) as numbers in [0, 1] (B, C, H, W), whose memory stays as it is; what is that already stays."""
    if images.is_floating_point():
        return images
    return images.permute(0, 3, 1, 2).float() / 255


def pixel_input(signature: Signature) -> tuple[str, Input]:
    """The images that a network looks at, and their name; raises AurifyError where there are none."""
    found = [(name, given) for name, given in signature.inputs.items() if given.kind == PIXELS]
    if not found:
        raise AurifyError(
            "the network looks at images, and there are none, or their column is hidden; take one for tables, such as"
            " --set network=mlp"
        )
    return found[0]


class Picture(nn.Module):
    """Images as a network takes them in: (B, H, W, C) bytes, or (B, C, H, W) in [0, 1], to (B, C, H, W)."""

    centre: Tensor
    scale: Tensor

    def __init__(self, given: Input):
        super().__init__()
        channels = given.shape[-1]
        self.channels = channels
        for name, values, bare in (("centre", given.centre, 0.0), ("scale", given.scale, 1.0)):
            self.register_buffer(name, torch.tensor(values or [bare] * channels).view(channels, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return (floats(images) - self.centre) / self.scale


class Pictures(nn.Module):
    """The images of a batch, mixed with their partners' where there is a blend: ``inputs`` to (B, C, H, W)."""

    def __init__(self, signature: Signature):
        super().__init__()
        self.name, given = pixel_input(signature)
        self.enter = Picture(given)
        self.shape = given.shape

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        own = self.enter(inputs[self.name])
        if blend is None:
            return own
        return torch.lerp(self.enter(blend.inputs[self.name]), own, blend.share.view(-1, 1, 1, 1).to(own.dtype))
