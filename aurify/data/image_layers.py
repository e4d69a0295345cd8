"""Layers that bring images into another form, in whole numbers throughout: to the same bits everywhere."""

# M images, H height, W width, C channels

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aurify.core.pixels import stepped
from aurify.core.types import Input, Layer

SHADES = 256
FINE = 4096
"""What the weights of a resized pixel add up to."""


class ImageLayer(Layer):
    """A layer that makes other images of the images ``name``, each by itself."""

    name: str

    def each(self, images: Tensor) -> Tensor:
        """Other images of images (M, H, W, C) uint8."""
        raise NotImplementedError

    def shape(self, height: int, width: int, channels: int) -> tuple[int, int, int]:
        """Height, width and channels of what comes out."""
        return height, width, channels

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, self.name: stepped(values[self.name], self.each)}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        given = before[self.name]
        height, width, channels = given.shape
        return {**before, self.name: replace(given, shape=self.shape(height, width, channels))}


def shrinking(side: int, to: int) -> Tensor:
    """How much of each of ``side`` old pixels is in each of ``to`` new ones (to, side): whole numbers, as float64.

    Weights fall off linearly, over as many old pixels as one new one is wide and two at least.
    """
    scale = side / to
    middle = (torch.arange(to, dtype=torch.float64)[:, None] + 0.5) * scale
    apart = (torch.arange(side, dtype=torch.float64) + 0.5 - middle) / max(scale, 1.0)
    weights = (1 - apart.abs()).clamp(min=0)
    weights = (weights / weights.sum(1, keepdim=True) * FINE).round()
    weights[torch.arange(to), weights.argmax(1)] += FINE - weights.sum(1)
    return weights


class Resized(ImageLayer):
    """Images of another size: ``down`` (H', H) and ``across`` (W', W) are what each new row and column is made of."""

    down: Tensor
    across: Tensor

    def each(self, images: Tensor) -> Tensor:
        count, height, width, channels = images.shape
        down, across = (weights.to(images.device) for weights in (self.down, self.across))
        # whole numbers below 2^53 in float64: exact in any order
        rows = (down @ images.double().reshape(count, height, width * channels)).view(count, -1, width, channels)
        sums = (across @ rows).add(FINE * FINE // 2) / (FINE * FINE)
        return sums.floor().clamp(0, SHADES - 1).to(torch.uint8)

    def shape(self, height: int, width: int, channels: int) -> tuple[int, int, int]:
        return len(self.down), len(self.across), channels


class Cropped(ImageLayer):
    """A part of each image."""

    top: int
    left: int
    height: int
    width: int

    def each(self, images: Tensor) -> Tensor:
        return images[:, self.top : self.top + self.height, self.left : self.left + self.width]

    def shape(self, height: int, width: int, channels: int) -> tuple[int, int, int]:
        return self.height, self.width, channels


class Padded(ImageLayer):
    """Images with an even edge, of ``high`` pixels above and below and ``wide`` at the sides."""

    high: int
    wide: int
    shade: int

    def each(self, images: Tensor) -> Tensor:
        edges = (0, 0, self.wide, self.wide, self.high, self.high)
        return F.pad(images.int(), edges, value=self.shade).to(torch.uint8)

    def shape(self, height: int, width: int, channels: int) -> tuple[int, int, int]:
        return height + 2 * self.high, width + 2 * self.wide, channels


class Gray(ImageLayer):
    """One channel: ``shares`` (3,) of red, green and blue, in 65,536ths."""

    shares: Tensor

    def each(self, images: Tensor) -> Tensor:
        return _gray(images, self.shares).to(torch.uint8)

    def shape(self, height: int, width: int, channels: int) -> tuple[int, int, int]:
        return height, width, 1


def _gray(images: Tensor, shares: Tensor) -> Tensor:
    """How bright each pixel is: (M, H, W, 1) int64, from 0 to 255."""
    if images.shape[3] == 1:
        return images.long()
    sums = (images.long() * shares.to(images.device)).sum(3, keepdim=True)
    return (sums + 32768).div(65536, rounding_mode="floor")


class Binary(ImageLayer):
    """Black and white by one ``method``: shades from ``threshold`` on, above Otsu's, or above the mean around them."""

    method: str
    threshold: int
    reach: int
    offset: int
    shares: Tensor

    def each(self, images: Tensor) -> Tensor:
        gray = _gray(images, self.shares)
        match self.method:
            case "otsu":
                white = gray > _otsu(gray)
            case "adaptive":
                white = self._above_its_surroundings(gray)
            case _:
                white = gray >= self.threshold
        return white.to(torch.uint8) * (SHADES - 1)

    def _above_its_surroundings(self, gray: Tensor) -> Tensor:
        sums = F.pad(gray.cumsum(1).cumsum(2), (0, 0, 1, 0, 1, 0))  # of all pixels above and to the left
        height, width = gray.shape[1:3]
        (top, bottom), (left, right) = (self._around(side, gray.device) for side in (height, width))
        rows = sums.index_select(1, bottom) - sums.index_select(1, top)
        around = rows.index_select(2, right) - rows.index_select(2, left)
        count = ((bottom - top)[:, None] * (right - left))[None, :, :, None]
        return (gray + self.offset) * count >= around

    def _around(self, side: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Where what is around each of ``side`` pixels begins and ends."""
        at = torch.arange(side, device=device)
        return (at - self.reach).clamp(min=0), (at + self.reach + 1).clamp(max=side)

    def shape(self, height: int, width: int, channels: int) -> tuple[int, int, int]:
        return height, width, 1


def _otsu(gray: Tensor) -> Tensor:
    """The shade of each image (M, 1, 1, 1) up to which pixels are dark, so that both groups are most alike inside."""
    flat = gray.flatten(1)
    count = torch.zeros_like(flat[:, :1]).expand(-1, SHADES).scatter_add(1, flat, torch.ones_like(flat))
    dark, total = count.cumsum(1).double(), float(flat.shape[1])
    below = (count * torch.arange(SHADES, device=gray.device)).cumsum(1).double()
    apart = (below[:, -1:] * dark - total * below).square() / (dark * (total - dark)).clamp(min=1)
    return apart.argmax(1).view(-1, 1, 1, 1)
