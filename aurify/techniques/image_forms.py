"""Techniques that bring images into another form before a network sees any: the same ones in training and after.

They act each time an image is read. Size and shape for good, and for less, are set with ``source.size``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from aurify.blocks.picture import PIXELS
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Layer, View
from aurify.data.image_layers import Binary, Cropped, Gray, Padded, Resized, shrinking


def _shape(view: View) -> tuple[str, tuple[int, int, int]] | None:
    """The name of the images and their height, width and channels; None where there are none."""
    return next(((n, (i.shape[0], i.shape[1], i.shape[2])) for n, i in view.inputs.items() if i.kind == PIXELS), None)


@dataclass(kw_only=True)
class Resize(Technique):
    """Make images smaller or larger, their shape kept: every new pixel is a mean of old ones (Heckbert 1989).

    Helps: large images of which the coarse is enough; a quarter of the pixels takes a quarter of the time. Hurts: where
    small things tell. Larger than they are they only fit a network that asks for it.
    """

    family = "images"
    side: int = knob(32, "pixels of the shorter side; 0: as they are", low=16, high=128, log=True, legal=(0, 1024))
    needs = frozenset({Trait.IMAGES})
    neutral = {"side": 0}
    vivid = {"side": 5}
    stage = Stage.PARSE
    stacks = True
    order = 0

    def layer(self, view: View) -> Layer | None:
        found = _shape(view)
        if self.side == 0 or found is None or min(found[1][:2]) == self.side:
            return None
        name, (height, width, _) = found
        down, across = (
            shrinking(side, max(1, round(side * self.side / min(height, width)))) for side in (height, width)
        )
        return Resized(name=name, down=down, across=across)


@dataclass(kw_only=True)
class Crop(Technique):
    """Keep the middle of images and cut off what is around it (Krizhevsky et al. 2012, center crop).

    Helps: things in the middle of much that does not matter. Hurts: where anything may be at the edge.
    """

    family = "images"
    share: float = knob(0.875, "of each side that is kept; 1: all", low=0.5, high=1.0, legal=(0.01, 1.0))
    needs = frozenset({Trait.IMAGES})
    neutral = {"share": 1.0}
    vivid = {"share": 0.5}
    stage = Stage.PARSE
    stacks = True
    order = 1

    def layer(self, view: View) -> Layer | None:
        found = _shape(view)
        if self.share == 1.0 or found is None:
            return None
        name, shape = found
        high, wide = (max(1, round(side * self.share)) for side in shape[:2])
        return Cropped(name=name, top=(shape[0] - high) // 2, left=(shape[1] - wide) // 2, height=high, width=wide)


@dataclass(kw_only=True)
class Pad(Technique):
    """Put an even edge around images (LeCun et al. 1998, whose digits have one).

    Helps: digits and signs that touch the edge, where convolutions and shifts would lose them. Hurts: photographs,
    where the edge is one more thing to look at, and the time it takes.
    """

    family = "images"
    share: float = knob(0.125, "pixels on each side, of that side; 0: none", low=0.0, high=0.25, legal=(0.0, 2.0))
    shade: float = knob(0.0, "of the edge: 0 is black, 1 is white", low=0.0, high=1.0)
    needs = frozenset({Trait.IMAGES})
    neutral = {"share": 0.0}
    stage = Stage.PARSE
    stacks = True
    order = 2

    def layer(self, view: View) -> Layer | None:
        found = _shape(view)
        if self.share == 0.0 or found is None:
            return None
        name, shape = found
        high, wide = (round(side * self.share) for side in shape[:2])
        return Padded(name=name, high=high, wide=wide, shade=round(self.shade * 255))


@dataclass(kw_only=True)
class Grayscale(Technique):
    """Take the colour out of images: one number a pixel, how bright it looks (ITU-R BT.601, 1982).

    Helps: where colour is chance (scans, X-rays kept as RGB) and few images are there. Hurts: where colour tells
    anything, which in photographs it does.
    """

    family = "images"
    method: str = knob(
        "luma", "as bright as it looks, the mean of the channels, or none", choices=("luma", "mean", "none")
    )
    needs = frozenset({Trait.IMAGES})
    neutral = {"method": "none"}
    stage = Stage.PARSE
    stacks = True
    order = 3

    def layer(self, view: View) -> Layer | None:
        found = _shape(view)
        if self.method == "none" or found is None or found[1][2] == 1:
            return None
        return Gray(name=found[0], shares=torch.tensor(SHARES[self.method]))


SHARES = {"luma": (19595, 38470, 7471), "mean": (21845, 21846, 21845)}
"""Of red, green and blue, in 65,536ths."""


@dataclass(kw_only=True)
class Binarise(Technique):
    """Make images black and white: white is what is brighter than a threshold (Otsu 1979; Bradley & Roth 2007).

    ``otsu`` finds each image's own threshold, which parts its shades into two even groups; ``adaptive`` compares each
    pixel with the mean around it. Helps: print, writing, plans, stamps, under uneven light (adaptive). Hurts:
    photographs, and strokes so fine that their gray is all there is of them.
    """

    family = "images"
    method: str = knob(
        "otsu",
        "one threshold, each image's own, each pixel's own, or none",
        choices=("otsu", "threshold", "adaptive", "none"),
    )
    threshold: float = knob(0.5, "threshold: from there on white", low=0.1, high=0.9, legal=(0.0, 1.0))
    window: float = knob(
        0.25, "adaptive: side of what is around a pixel, of the shorter side", low=0.1, high=0.5, legal=(0.0, 2.0)
    )
    offset: float = knob(0.02, "adaptive: how far below the mean is still white", low=-0.1, high=0.1, legal=(-1.0, 1.0))
    needs = frozenset({Trait.IMAGES})
    neutral = {"method": "none"}
    stage = Stage.PARSE
    stacks = True
    order = 4

    def layer(self, view: View) -> Layer | None:
        found = _shape(view)
        if self.method == "none" or found is None:
            return None
        name, (height, width, _) = found
        return Binary(
            name=name,
            method=self.method,
            threshold=round(self.threshold * 255),
            reach=max(1, round(self.window * min(height, width)) // 2),
            offset=round(self.offset * 255),
            shares=torch.tensor(SHARES["luma"]),
        )
