"""Boxes within images: where they lie, and which pixels are in them."""

# B batch, H height, W width

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Boxes:
    """A box in each image, by whole pixels (B,) each; what lies outside the image is cut off."""

    top: Tensor
    left: Tensor
    high: Tensor
    wide: Tensor

    def mask(self, height: int, width: int) -> Tensor:
        """Which pixels are in each image's box (B, H, W) bool."""
        down, across = torch.arange(height), torch.arange(width)
        rows = (down >= self.top[:, None]) & (down < (self.top + self.high)[:, None])
        columns = (across >= self.left[:, None]) & (across < (self.left + self.wide)[:, None])
        return rows[:, :, None] & columns[:, None, :]

    def share(self, height: int, width: int) -> Tensor:
        """How much of each image its box is (B,), from 0 to 1."""
        down = (self.top + self.high).clamp(max=height) - self.top.clamp(min=0)
        across = (self.left + self.wide).clamp(max=width) - self.left.clamp(min=0)
        return down.clamp(min=0) * across.clamp(min=0) / (height * width)


def within(high: Tensor, wide: Tensor, height: int, width: int, random: torch.Generator) -> Boxes:
    """Boxes of these sizes (B,) that lie wholly in the image, every place as likely."""
    place = [
        (torch.rand(len(size), generator=random) * (side - size + 1)).long().clamp(max=side - 1)
        for size, side in ((high, height), (wide, width))
    ]
    return Boxes(place[0], place[1], high, wide)


def around(high: Tensor, wide: Tensor, height: int, width: int, random: torch.Generator) -> Boxes:
    """Boxes of these sizes (B,) about a pixel of the image, every one as likely; a part may lie outside."""
    place = [
        torch.randint(0, side, (len(size),), generator=random) - size // 2
        for size, side in ((high, height), (wide, width))
    ]
    return Boxes(place[0], place[1], high, wide)
