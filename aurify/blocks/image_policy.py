"""The changes that policies of augmentation choose from: each image gets its own, of its own strength."""

# B batch, C channels, H height, W width

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.blocks import image_colours as colours
from aurify.blocks import image_moves as moving


@dataclass(frozen=True)
class Reach:
    """How far changes go at full strength: slant, share of a side, degrees, share of a colour, bits left out."""

    slant: float
    shift: float
    degrees: float
    colour: float
    bits: float


MODERATE = Reach(slant=0.3, shift=0.45, degrees=30.0, colour=0.9, bits=4.0)
WIDE = Reach(slant=0.99, shift=0.5, degrees=135.0, colour=0.99, bits=6.0)

MOVES = ("shear_x", "shear_y", "shift_x", "shift_y", "rotate")
COLOURS = ("brightness", "colour", "contrast", "sharpness", "posterize", "solarize", "autocontrast", "equalize")
CHANGES = ("identity", *MOVES, *COLOURS)
"""The fourteen of Cubuk et al. 2020."""

Change = Callable[[Tensor, Tensor, Reach], Tensor]

_COLOURED: dict[str, Change] = {
    "brightness": lambda x, by, reach: colours.brightened(x, 1 + reach.colour * by),
    "colour": lambda x, by, reach: colours.saturated(x, 1 + reach.colour * by),
    "contrast": lambda x, by, reach: colours.contrasted(x, 1 + reach.colour * by),
    "sharpness": lambda x, by, reach: colours.sharpened(x, 1 + reach.colour * by),
    "posterize": lambda x, by, reach: colours.posterized(x, 8 - (reach.bits * by.abs()).round()),
    "solarize": lambda x, by, reach: colours.solarized(x, 1 - by.abs()),
    "autocontrast": lambda x, by, reach: colours.stretched(x),
    "equalize": lambda x, by, reach: colours.equalized(x),
}


def changed(images: Tensor, change: Tensor, by: Tensor, reach: Reach) -> Tensor:
    """Change each of (B, C, H, W) as ``change`` (B,) says, a place in ``CHANGES``, ``by`` (B,) from -1 to 1.

    ``change`` and ``by`` are on the CPU, so that an accelerator need not be waited for.
    """
    images = images.clone()
    moving_rows = ((change >= 1) & (change <= len(MOVES))).nonzero()[:, 0]
    if len(moving_rows):
        at = moving_rows.to(images.device)
        moves = _moves(change[moving_rows], by[moving_rows], reach, *images.shape[2:])
        images.index_copy_(0, at, moving.moved(images[at], moves))
    for name, change_of in _COLOURED.items():
        rows = (change == CHANGES.index(name)).nonzero()[:, 0]
        if len(rows):
            at = rows.to(images.device)
            images.index_copy_(0, at, change_of(images[at], by[rows], reach))
    return images


def _moves(change: Tensor, by: Tensor, reach: Reach, height: int, width: int) -> Tensor:
    """The move of each image (B, 2, 3): of all five, those that were not chosen leave it where it is."""
    amounts = {name: by * (change == CHANGES.index(name)) for name in MOVES}
    move = moving.shears(reach.slant * amounts["shear_x"], reach.slant * amounts["shear_y"])
    turn = moving.turns(reach.degrees * amounts["rotate"])
    across, down = ((reach.shift * s * amounts[f"shift_{n}"]).round() for n, s in (("x", width), ("y", height)))
    return moving.after(moving.after(move, turn), moving.shifts(across, down))


def drawn(count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """For each of ``count`` images a change, how strong from 0 to 1 and in which direction, -1 or 1 (count,)."""
    change = torch.randint(0, len(CHANGES), (count,), generator=random)
    strength = torch.rand(count, generator=random)
    return change, strength, torch.randint(0, 2, (count,), generator=random) * 2.0 - 1.0
