"""Techniques that hide a part of each image, so that a network looks at the rest too."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.blocks.boxes import around, within
from aurify.blocks.image_edit import ImageEdit, images_of
from aurify.blocks.image_moves import chance, uniform
from aurify.blocks.picture import floats
from aurify.core.parts import knob
from aurify.core.rng import generator
from aurify.core.run import Run


def _middle(images: Tensor, run: Run) -> Tensor:
    """The colour that tells a network least (1, C, 1, 1): the training mean where it is known, else gray."""
    name = images_of(run)
    centre = run.problem.signature.inputs[name].centre if name else ()
    return torch.tensor(centre or [0.5] * images.shape[1]).to(images.device, images.dtype).view(1, -1, 1, 1)


def _filled(images: Tensor, mask: Tensor, value: Tensor) -> Tensor:
    return torch.where(mask.to(images.device)[:, None], value, images)


@dataclass(kw_only=True)
class Cutout(ImageEdit):
    """Hide a square of each image behind the mean colour (DeVries & Taylor 2017).

    The square's middle may be anywhere, so that a part of it may lie outside. Helps: networks large enough to learn
    single details by heart; with mirroring and shifting it is the standard for small photographs. Hurts: small things
    that a square hides whole (digits), small networks and short training.
    """

    share: float = knob(0.3, "side of the square, of the shorter side", low=0.1, high=0.6, legal=(0.0, 1.0))
    neutral = {"share": 0.0}
    vivid = {"share": 0.6}
    order = -10

    def edit(self, images: Tensor, run: Run) -> Tensor:
        random, images = run.random(self.name()), floats(images)
        height, width = images.shape[2:]
        side = torch.full((len(images),), max(1, round(self.share * min(height, width))))
        return _filled(images, around(side, side, height, width, random).mask(height, width), _middle(images, run))


@dataclass(kw_only=True)
class RandomErasing(ImageEdit):
    """Hide a box of its own size, shape and place in some images (Zhong et al. 2020).

    Helps: things that are partly covered, in a shop, in traffic; networks large enough to learn details by heart.
    Hurts: small things that a box hides whole, small networks and short training. Beside ``cutout`` it hides too much.
    """

    chance: float = knob(0.25, "of an image to lose a box", low=0.1, high=0.75, legal=(0.0, 1.0))
    largest: float = knob(0.33, "share of the image, at most", low=0.1, high=0.5, legal=(0.0, 1.0))
    fill: str = knob("noise", "what is put there: noise, or the mean colour", choices=("noise", "mean"))
    neutral = {"chance": 0.0, "largest": 0.0}
    vivid = {"chance": 1.0}
    order = -9

    @property
    def on(self) -> bool:
        return self.chance > 0 and self.largest > 0

    def edit(self, images: Tensor, run: Run) -> Tensor:
        random, images = run.random(self.name()), floats(images)
        count, _, height, width = images.shape
        wanted = chance(count, self.chance, random)
        area = uniform(count, min(0.02, self.largest), self.largest, random) * height * width
        longer = uniform(count, -1.2, 1.2, random).exp()  # from 0.3 to 3.3 times as high as wide
        high = (area * longer).sqrt().round().clamp(1, height).long()
        wide = (area / longer).sqrt().round().clamp(1, width).long()
        mask = within(high, wide, height, width, random).mask(height, width) & wanted[:, None, None]
        if self.fill == "mean":
            return _filled(images, mask, _middle(images, run))
        drawn = generator(run.recipe.seed, f"{self.name()}/pixels", run.step, images.device)
        return _filled(images, mask, torch.rand(images.shape, generator=drawn, device=images.device).to(images.dtype))
