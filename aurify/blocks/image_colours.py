"""Images in other colours, sharper, blurred, in fewer shades: numbers in [0, 1], each image by an amount of its own."""

# B batch, C channels (1 or 3), H height, W width

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""How much red, green and blue add to how bright a colour looks (ITU-R BT.601)."""

YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))
SHADES = 256


def _wide(amount: Tensor, like: Tensor) -> Tensor:
    return amount.to(like.device, like.dtype).view(-1, 1, 1, 1)


def brightness_of(images: Tensor) -> Tensor:
    """How bright each pixel is: (B, C, H, W) to (B, 1, H, W)."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)
    return (red * LUMA[0] + green * LUMA[1] + blue * LUMA[2])[:, None]


def brightened(images: Tensor, factor: Tensor) -> Tensor:
    """Colours times ``factor`` (B,)."""
    return (images * _wide(factor, images)).clamp(0, 1)


def contrasted(images: Tensor, factor: Tensor) -> Tensor:
    """Differences from the mean brightness times ``factor`` (B,)."""
    return _away(images, brightness_of(images).mean((2, 3), keepdim=True), factor)


def saturated(images: Tensor, factor: Tensor) -> Tensor:
    """Differences from gray times ``factor`` (B,); images without colour stay."""
    return images if images.shape[1] == 1 else _away(images, brightness_of(images), factor)


def sharpened(images: Tensor, factor: Tensor) -> Tensor:
    """Differences from a blurred image times ``factor`` (B,)."""
    return _away(images, blurred(images, torch.full((len(images),), 0.7), 0.7), factor)


def _away(images: Tensor, from_: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(from_, images, _wide(factor, images)).clamp(0, 1)


def hue_turned(images: Tensor, turns: Tensor) -> Tensor:
    """Colours turned around gray by ``turns`` (B,) of the whole circle; images without colour stay."""
    if images.shape[1] == 1:
        return images
    there = torch.tensor(YIQ)
    angle = (turns * 2 * math.pi).cpu()
    turn = torch.zeros(len(angle), 3, 3)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -angle.sin(), angle.sin()
    mixing = (there.inverse() @ turn @ there).to(images.device, images.dtype)
    red, green, blue = images[:, :, None].unbind(1)
    after = [mixing[:, k, :, None, None, None] for k in range(3)]
    return torch.cat([m[:, 0] * red + m[:, 1] * green + m[:, 2] * blue for m in after], 1).clamp(0, 1)


def blurred(images: Tensor, sigma: Tensor, most: float) -> Tensor:
    """A Gaussian mean over each pixel's surroundings, of ``sigma`` (B,) pixels, ``most`` at most; 0: as they are.

    What lies beyond an edge is as the edge is.
    """
    reach = min(math.ceil(3 * most), *(side - 1 for side in images.shape[2:]))
    apart = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (apart / sigma.clamp(min=1e-3)[:, None]).square())
    weights = (weights / weights.sum(1, keepdim=True)).to(images.device, images.dtype)
    for axis, padding in ((2, (0, 0, reach, reach)), (3, (reach, reach, 0, 0))):
        padded, side = F.pad(images, padding, mode="replicate"), images.shape[axis]
        images = padded.narrow(axis, 0, side) * _wide(weights[:, 0], images)
        for at in range(1, 2 * reach + 1):
            images = images.addcmul_(padded.narrow(axis, at, side), _wide(weights[:, at], images))
    return images


def posterized(images: Tensor, bits: Tensor) -> Tensor:
    """Shades of 8 bits with all but the upper ``bits`` (B,) left out."""
    step = _wide(2.0 ** (8 - bits.float()), images)
    return ((images * (SHADES - 1)).round() / step).floor() * step / (SHADES - 1)


def solarized(images: Tensor, from_: Tensor) -> Tensor:
    """What is as bright as ``from_`` (B,) or brighter turned into its negative."""
    return torch.where(images >= _wide(from_, images), 1 - images, images)


def stretched(images: Tensor) -> Tensor:
    """Each channel from its darkest to its brightest value spread over all shades; an even one stays."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    return torch.where(high > low, (images - low) / (high - low).clamp(min=1e-6), images)


def equalized(images: Tensor) -> Tensor:
    """Each channel with its shades spread so that all are about as frequent."""
    count, channels, height, width = images.shape
    shade = (images.float() * (SHADES - 1)).round().clamp(0, SHADES - 1).long().reshape(count * channels, -1)
    seen = torch.zeros(len(shade), SHADES, dtype=torch.int64, device=images.device)
    seen = seen.scatter_add(1, shade, torch.ones_like(shade)).cumsum(1)
    least = seen.gather(1, shade.amin(1, keepdim=True))
    spread = ((seen - least).clamp(min=0) / (height * width - least).clamp(min=1)).to(images.dtype)
    return (
        torch.where(least == height * width, shade / (SHADES - 1), spread.gather(1, shade))
        .view(images.shape)
        .to(images.dtype)
    )
