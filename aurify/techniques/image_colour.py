"""Techniques that change the colours of images and how sharp they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.blocks import image_colours as colours
from aurify.blocks.image_edit import ImageEdit
from aurify.blocks.image_moves import chance, uniform
from aurify.blocks.picture import floats
from aurify.core.parts import knob
from aurify.core.rng import generator
from aurify.core.run import Run


@dataclass(kw_only=True)
class ColourJitter(ImageEdit):
    """Change brightness, contrast, saturation and hue, each image by amounts of its own (Howard 2013).

    Helps: photographs in changing light, by different cameras. Hurts: where colour or brightness is what tells (ripe
    fruit, stained cells, satellite images). Images without colour have brightness and contrast alone.
    """

    brightness: float = knob(0.2, "times 1 - this to 1 + this", low=0.0, high=0.5, legal=(0.0, 1.0))
    contrast: float = knob(0.2, "about the mean, the same way", low=0.0, high=0.5, legal=(0.0, 1.0))
    saturation: float = knob(0.2, "about gray, the same way", low=0.0, high=0.5, legal=(0.0, 1.0))
    hue: float = knob(0.02, "turned by at most this share of the circle", low=0.0, high=0.1, legal=(0.0, 0.5))
    neutral = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0}
    vivid = {"brightness": 0.5, "contrast": 0.5, "saturation": 0.5, "hue": 0.1}
    order = -20

    def edit(self, images: Tensor, run: Run) -> Tensor:
        random = run.random(self.name())
        # all four are drawn, whichever are used: one setting shifts no draw of another
        bright, contrast, saturation, hue = (uniform(len(images), -1.0, 1.0, random) for _ in range(4))
        images = floats(images)
        if self.brightness:
            images = colours.brightened(images, 1 + self.brightness * bright)
        if self.contrast:
            images = colours.contrasted(images, 1 + self.contrast * contrast)
        if self.saturation:
            images = colours.saturated(images, 1 + self.saturation * saturation)
        return colours.hue_turned(images, self.hue * hue) if self.hue else images


@dataclass(kw_only=True)
class Blur(ImageEdit):
    """Blur some images, each by a Gaussian of its own width (Chen et al. 2020, SimCLR).

    Helps: photographs out of focus, shrunk or compressed, which training has few of. Hurts: small images, of which
    little is left, and where fine patterns tell.
    """

    chance: float = knob(0.2, "of an image to be blurred", low=0.05, high=0.5, legal=(0.0, 1.0))
    sigma: float = knob(0.02, "largest width, as a share of the shorter side", low=0.01, high=0.1, legal=(0.0, 0.5))
    neutral = {"chance": 0.0, "sigma": 0.0}
    vivid = {"chance": 1.0, "sigma": 0.2}
    order = -16

    @property
    def on(self) -> bool:
        return self.chance > 0 and self.sigma > 0

    def edit(self, images: Tensor, run: Run) -> Tensor:
        random, images = run.random(self.name()), floats(images)
        most = self.sigma * min(images.shape[2:])
        rows = chance(len(images), self.chance, random).nonzero()[:, 0]
        sigma = uniform(len(images), 0.0, most, random)[rows]
        at = rows.to(images.device)
        return images.index_copy(0, at, colours.blurred(images[at], sigma, most)) if len(rows) else images


@dataclass(kw_only=True)
class PixelNoise(ImageEdit):
    """Add noise to every pixel, of another strength for each image (Sietsma & Dow 1991, of any input).

    Helps: images taken in the dark, scans; it smooths what a network makes of a pixel. Hurts: clean images of fine
    detail, and short training.
    """

    deviation: float = knob(0.05, "largest, of values from 0 to 1", low=0.01, high=0.2, legal=(0.0, 1.0))
    neutral = {"deviation": 0.0}
    vivid = {"deviation": 0.3}
    order = -14

    def edit(self, images: Tensor, run: Run) -> Tensor:
        images = floats(images)
        strength = uniform(len(images), 0.0, self.deviation, run.random(self.name()))
        # pixel by pixel where they are, as dropout does: a batch of it would take long to move
        random = generator(run.recipe.seed, f"{self.name()}/pixels", run.step, images.device)
        noise = torch.randn(images.shape, generator=random, device=images.device)
        noise = noise.to(images.dtype) * strength.to(images.device, images.dtype).view(-1, 1, 1, 1)
        return (images + noise).clamp(0, 1)
