"""Techniques that show each image from a slightly different place: mirrored, turned, scaled, slanted, shifted.

Those that are on act together in one resampling; beyond its edges an image is mirrored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.blocks import image_moves as moving
from aurify.blocks.image_edit import ImageMove
from aurify.core.parts import knob


@dataclass(kw_only=True)
class Flip(ImageMove):
    """Show images in a mirror half of the time (Krizhevsky et al. 2012).

    Helps: photographs, where left and right mean the same; it doubles what there is to see, for next to nothing.
    Hurts: digits, letters, road signs, sides of a body: whatever means another thing in a mirror. Vertical: where there
    is no up and down, as from above or through a microscope.
    """

    direction: str = knob(
        "horizontal", "left to right, top to bottom, or each by itself", choices=("horizontal", "vertical", "both")
    )
    chance: float = knob(0.5, "of an image to be mirrored", low=0.1, high=0.5, legal=(0.0, 1.0))
    neutral = {"chance": 0.0}
    exact = True

    def moves(self, count: int, height: int, width: int, random: torch.Generator) -> Tensor:
        sideways, upside_down = (moving.chance(count, self.chance, random) for _ in range(2))
        none = torch.zeros_like(sideways)
        return moving.flips(
            none if self.direction == "vertical" else sideways, none if self.direction == "horizontal" else upside_down
        )


@dataclass(kw_only=True)
class Rotate(ImageMove):
    """Turn images a little, each by an angle of its own (Simard et al. 2003).

    Helps: photographs held askew, handwriting; full turns where there is no up, as from above. Hurts: where the angle
    tells (6 and 9, p and d) beyond some 30 degrees, and very small images, which turning blurs.
    """

    degrees: float = knob(15.0, "largest angle, to either side", low=3.0, high=45.0, legal=(0.0, 180.0))
    neutral = {"degrees": 0.0}
    vivid = {"degrees": 90.0}

    def moves(self, count: int, height: int, width: int, random: torch.Generator) -> Tensor:
        return moving.turns(moving.uniform(count, -self.degrees, self.degrees, random))


@dataclass(kw_only=True)
class Zoom(ImageMove):
    """Scale images, each by a factor of its own, larger or smaller (Simonyan & Zisserman 2015, scale jittering).

    Helps: photographs taken from near and far. Hurts: where the size tells, and where things fill the image already, of
    which zooming in cuts off the edges.
    """

    factor: float = knob(1.2, "largest factor; the smallest is 1/factor", low=1.05, high=2.0, legal=(1.0, 10.0))
    neutral = {"factor": 1.0}
    vivid = {"factor": 2.0}

    def moves(self, count: int, height: int, width: int, random: torch.Generator) -> Tensor:
        return moving.zooms(moving.uniform(count, -1.0, 1.0, random).mul(math.log(self.factor)).exp())


@dataclass(kw_only=True)
class Shear(ImageMove):
    """Slant images sideways and down, each a little and by itself (Simard et al. 2003).

    Helps: handwriting, photographs taken at an angle. Hurts: where angles tell (plans, gauges), and beyond some 20
    degrees most things.
    """

    degrees: float = knob(10.0, "largest slant, to either side", low=2.0, high=30.0, legal=(0.0, 60.0))
    neutral = {"degrees": 0.0}
    vivid = {"degrees": 45.0}

    def moves(self, count: int, height: int, width: int, random: torch.Generator) -> Tensor:
        steep = math.tan(math.radians(self.degrees))
        return moving.shears(*(moving.uniform(count, -steep, steep, random) for _ in range(2)))


@dataclass(kw_only=True)
class Translate(ImageMove):
    """Shift images by whole pixels, each in a direction of its own (LeCun et al. 1998; He et al. 2016, random crops).

    Without turning, scaling or slanting no value is changed. Helps: nearly every image; with mirroring it is the
    standard for small photographs. Hurts: where the place tells, and things at the very edge, which may leave.
    """

    share: float = knob(0.125, "of each side, at most", low=0.03, high=0.3, legal=(0.0, 1.0))
    neutral = {"share": 0.0}
    vivid = {"share": 0.5}
    exact = True

    def moves(self, count: int, height: int, width: int, random: torch.Generator) -> Tensor:
        most = (round(self.share * width), round(self.share * height))
        return moving.shifts(*(torch.randint(-m, m + 1, (count,), generator=random).float() for m in most))
