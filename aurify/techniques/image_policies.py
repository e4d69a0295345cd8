"""Techniques that draw from many changes of an image at once, with one or two numbers to set."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from aurify.blocks import image_policy as policy
from aurify.blocks.image_edit import ImageEdit
from aurify.blocks.image_moves import chance
from aurify.blocks.picture import floats
from aurify.core.parts import knob
from aurify.core.run import Run


@dataclass(kw_only=True)
class RandAugment(ImageEdit):
    """Change each image a few times, each time by one of 14 changes, all of one strength (Cubuk et al. 2020).

    The changes: none, slants, shifts, turns, brightness, colour, contrast, sharpness, fewer shades, negatives, shades
    spread out. Helps: photographs and long training, without a search for each change. Hurts: where colour, place or
    angle tells; digits; short training, which it slows.
    """

    count: int = knob(2, "changes of an image, one after another", low=1, high=3, legal=(0, 10))
    strength: float = knob(0.3, "of the changes", low=0.1, high=0.8, legal=(0.0, 1.0))
    neutral = {"count": 0}
    vivid = {"strength": 0.8}
    slot = "policy"
    order = -25

    def edit(self, images: Tensor, run: Run) -> Tensor:
        images = floats(images)
        for turn in range(self.count):
            change, _, sign = policy.drawn(len(images), run.random(f"{self.name()}/{turn}"))
            images = policy.changed(images, change, self.strength * sign, policy.MODERATE)
        return images


@dataclass(kw_only=True)
class TrivialAugment(ImageEdit):
    """Change each image once, by one of 14 changes of any strength (Müller & Hutter 2021).

    The changes are those of ``rand_augment``, which may go further here. Helps: photographs and long training; nothing
    is left to tune. Hurts: where colour, place or angle tells; digits; short training, which it slows.
    """

    chance: float = knob(1.0, "of an image to be changed", low=0.3, high=1.0, legal=(0.0, 1.0))
    strength: float = knob(1.0, "largest", low=0.3, high=1.0, legal=(0.0, 1.0))
    neutral = {"chance": 0.0}
    slot = "policy"
    order = -25

    def edit(self, images: Tensor, run: Run) -> Tensor:
        random, images = run.random(self.name()), floats(images)
        change, strength, sign = policy.drawn(len(images), random)
        change = change.where(chance(len(images), self.chance, random), 0)
        return policy.changed(images, change, self.strength * strength * sign, policy.WIDE)
