"""Where the pixels of an image come from: turned, scaled, sheared, shifted and mirrored images, in one resampling.

A move is a matrix (B, 2, 3) that takes a pixel of the new image, (x, y, 1) in pixels from the middle, to the place
(x, y) of the old one that it shows. Moves are made on the CPU. What lies beyond an edge is mirrored at it.
"""

# B batch, H height, W width, C channels

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def uniform(count: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """Numbers (``count``,) from ``low`` to ``high``, on the CPU."""
    return torch.empty(count).uniform_(low, high, generator=random)


def chance(count: int, share: float, random: torch.Generator) -> Tensor:
    """Each of ``count`` with a chance of ``share``: (count,) bool, on the CPU."""
    return torch.rand(count, generator=random) < share


def _of(x: tuple[Tensor, Tensor, Tensor], y: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    return torch.stack([torch.stack(x, -1), torch.stack(y, -1)], 1)


def flips(sideways: Tensor, upside_down: Tensor) -> Tensor:
    """Mirror the images that each mask (B,) names."""
    x, y = (1.0 - 2.0 * mask.float() for mask in (sideways, upside_down))
    none = torch.zeros_like(x)
    return _of((x, none, none), (none, y, none))


def turns(degrees: Tensor) -> Tensor:
    """Turn images by ``degrees`` (B,) about their middle, against the clock."""
    sine, cosine, none = degrees.deg2rad().sin(), degrees.deg2rad().cos(), torch.zeros_like(degrees)
    return _of((cosine, -sine, none), (sine, cosine, none))


def zooms(factor: Tensor) -> Tensor:
    """Show things ``factor`` (B,) times as large."""
    none = torch.zeros_like(factor)
    return _of((1 / factor, none, none), (none, 1 / factor, none))


def shears(x: Tensor, y: Tensor) -> Tensor:
    """Slant images by ``x`` pixels sideways for one down, and ``y`` down for one sideways, (B,) each."""
    one, none = torch.ones_like(x), torch.zeros_like(x)
    return _of((one, x, none), (y, one, none))


def shifts(x: Tensor, y: Tensor) -> Tensor:
    """Move what is shown by ``x`` pixels to the right and ``y`` down, (B,) each."""
    one, none = torch.ones_like(x), torch.zeros_like(x)
    return _of((one, none, -x), (none, one, -y))


def after(first: Tensor, second: Tensor) -> Tensor:
    """The move that does ``first`` and then ``second`` to an image."""
    linear = first[:, :, :2] @ second[:, :, :2]
    return torch.cat([linear, first[:, :, :2] @ second[:, :, 2:] + first[:, :, 2:]], 2)


def moved_exactly(images: Tensor, moves: Tensor) -> Tensor:
    """Move (B, H, W, C) bytes or (B, C, H, W) numbers by whole pixels and mirrorings: values stay as they are."""
    last = images if images.dtype == torch.uint8 else images.permute(0, 2, 3, 1)
    count, height, width, channels = last.shape
    column = _source(width, moves[:, 0, 0], moves[:, 0, 2])
    row = _source(height, moves[:, 1, 1], moves[:, 1, 2])
    first = torch.arange(count)[:, None] * height
    index = ((first + row) * width).to(images.device)[:, :, None] + column.to(images.device)[:, None, :]
    taken = last.reshape(-1, channels).index_select(0, index.view(-1)).view(count, height, width, channels)
    return taken if images.dtype == torch.uint8 else taken.permute(0, 3, 1, 2)


def _source(side: int, sign: Tensor, shift: Tensor) -> Tensor:
    """Which of ``side`` pixels each new one shows (B, side), mirrored beyond the edges."""
    middle = (side - 1) / 2
    at = (sign[:, None] * (torch.arange(side) - middle) + shift[:, None] + middle).round().long() % (2 * side)
    return torch.minimum(at, 2 * side - 1 - at)


def moved(images: Tensor, moves: Tensor) -> Tensor:
    """Move images (B, C, H, W) of numbers by any matrices, with bilinear values between the pixels."""
    height, width = images.shape[2:]
    moves = moves.to(images.device)
    across = (torch.arange(width, device=images.device) - (width - 1) / 2).view(1, 1, width)
    down = (torch.arange(height, device=images.device) - (height - 1) / 2).view(1, height, 1)
    # sums, not a matrix product: some accelerators would round its factors
    place = [
        m[:, 0].view(-1, 1, 1) * across + (m[:, 1].view(-1, 1, 1) * down + m[:, 2].view(-1, 1, 1))
        for m in moves.unbind(1)
    ]
    grid = torch.stack([place[0] * (2 / width), place[1] * (2 / height)], -1)
    shown = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return shown.to(images.dtype).contiguous(memory_format=torch.channels_last)
