"""A small vision transformer."""

# B batch, C channels, Y height, X width, T patches and perhaps one token more, D numbers of a token

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.blocks.attention import TransformerBlock
from aurify.blocks.dropout import Dropout
from aurify.blocks.image_head import ImageHead
from aurify.blocks.picture import pixel_input
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Signature

MOST_PATCHES = 8
"""Patches along the shorter side where nothing is said."""

POOLS = ("mean", "token")
SPREAD = 0.02
"""Of places and of the token at first."""


@dataclass(kw_only=True)
class Vit(Network):
    """Cut an image into patches and let each take in what the others show, block after block.

    The vision transformer of Dosovitskiy et al. (2021), with norms before each branch and learnt places, which are
    interpolated for images of another size. Helps: tens of thousands of images and strong augmentation. Hurts: fewer;
    it has to learn what a convolution knows from the beginning, that neighbours belong together.
    """

    needs = frozenset({Trait.PICTURES})
    all_cores = True
    patch: int = knob(
        0, "pixels a side of a patch; 0: an eighth of the shorter side", low=2, high=16, log=True, legal=(0, 256)
    )
    width: int = knob(
        96, "numbers of a token, rounded up to a multiple of heads", low=32, high=384, log=True, legal=(1, 4096)
    )
    depth: int = knob(4, "transformer blocks", low=2, high=12, legal=(1, 64))
    heads: int = knob(4, "parts of a token that attend on their own", low=1, high=8, legal=(1, 64))
    pool: str = knob("mean", "what stands for an image: the mean of its patches, or a token of its own", choices=POOLS)

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.RESIDUAL})

    def build(self, signature: Signature) -> nn.Module:
        _, given = pixel_input(signature)
        width = -(-self.width // self.heads) * self.heads
        return ImageHead(_Vit(self, given.shape, width), width, signature, width)

    def first_weights(self, model: nn.Module) -> None:
        """Each branch begins by adding nothing."""
        for module in model.modules():
            if isinstance(module, TransformerBlock):
                for last in (module.attend.leave, module.think.leave):
                    nn.init.zeros_(last.weight)
                    nn.init.zeros_(last.bias)


class _Vit(nn.Module):
    def __init__(self, settings: Vit, shape: tuple[int, ...], width: int):
        super().__init__()
        height, across, channels = shape
        patch = min(settings.patch or max(2, min(height, across) // MOST_PATCHES), height, across)
        self.patches = _Patches(channels, patch, width)
        self.places = _Places(-(-height // patch), -(-across // patch), width)
        self.token = _Token(width) if settings.pool == "token" else None
        self.drop = Dropout()
        self.body = nn.ModuleList(
            TransformerBlock(width, settings.heads, "gelu", drop_weights=False) for _ in range(settings.depth)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        x_BTD = self.places(self.patches(x_BCYX))
        if self.token is not None:
            x_BTD = self.token(x_BTD)
        x_BTD = self.drop(x_BTD)
        for block in self.body[:-1]:
            x_BTD = block(x_BTD)
        x_BQD = self.body[-1](x_BTD, None if self.token is None else 1)  # of the last block one token is asked for
        return self.norm(x_BQD).mean(1)


class _Patches(nn.Module):
    """Images (B, C, Y, X) as a grid of vectors (B, D, Y / patch, X / patch); what is no multiple is filled."""

    def __init__(self, channels: int, patch: int, width: int):
        super().__init__()
        self.patch = patch
        self.cut = nn.Conv2d(channels, width, patch, patch)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        height, across = x_BCYX.shape[2:]
        return self.cut(F.pad(x_BCYX, (0, -across % self.patch, 0, -height % self.patch)))


class _Places(nn.Module):
    """A learnt vector of each place is added, and places come one after another: (B, D, Y, X) to (B, T, D)."""

    def __init__(self, height: int, across: int, width: int):
        super().__init__()
        self.values = nn.Parameter(torch.empty(1, width, height, across))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.values, std=SPREAD)

    def forward(self, grid_BDYX: Tensor) -> Tensor:
        values, sides = self.values, tuple(grid_BDYX.shape[2:])
        if sides != tuple(values.shape[2:]):
            values = F.interpolate(values, sides, mode="bicubic", align_corners=False)
        return (grid_BDYX + values).flatten(2).transpose(1, 2)


class _Token(nn.Module):
    """A learnt token before all others: (B, T, D) to (B, 1 + T, D)."""

    def __init__(self, width: int):
        super().__init__()
        self.value = nn.Parameter(torch.empty(1, 1, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.value, std=SPREAD)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return torch.cat([self.value.expand(x_BTD.shape[0], -1, -1), x_BTD], 1)
