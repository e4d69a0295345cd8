"""Small images first, whole ones in the end."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from aurify.blocks.image_edit import ImageEdit, images_of
from aurify.blocks.picture import floats
from aurify.core.parts import Trait, knob
from aurify.core.run import Run
from aurify.core.types import Batch

SIZES = 4
"""So many sizes at most: each new one has to be warmed up to."""

LEAST = 8
"""Pixels of a side below which images are not made smaller."""


@dataclass(kw_only=True)
class ProgressiveResizing(ImageEdit):
    """Begin with smaller images and let them grow to their own size while training (Howard 2018, fast.ai).

    Sides grow in four steps. Helps: time; half the side takes a quarter of it, and what is coarse is learnt first.
    Hurts: small images, of which little is left, and where small things tell. The end must be long enough for a
    network to get used to whole images, which are the ones that count. Needs a network that takes images of any size.
    """

    family = "schedule"
    start: float = knob(0.5, "side of the first images, as a share of their own", low=0.4, high=0.9, legal=(0.1, 1.0))
    until: float = knob(0.6, "share of training after which images are whole", low=0.3, high=0.8, legal=(0.0, 1.0))
    needs = frozenset({Trait.IMAGES, Trait.ANY_SIZE})
    neutral = {"start": 1.0}
    order = -40  # before what changes images: that takes less time too

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        batch, name = super().on_batch(batch, run), images_of(run)
        if not self.on or name is None or batch.blend is None:
            return batch
        partners = {**batch.blend.inputs, name: self.edit(batch.blend.inputs[name], run)}
        return replace(batch, blend=replace(batch.blend, inputs=partners))

    def edit(self, images: Tensor, run: Run) -> Tensor:
        share = self.share(run.progress)
        if share == 1.0:
            return images
        images = floats(images)
        size = [min(side, max(LEAST, round(side * share))) for side in images.shape[2:]]
        smaller = F.interpolate(images.float(), size, mode="bilinear", align_corners=False, antialias=True)
        return smaller.to(images.dtype)

    def share(self, progress: float) -> float:
        """How large images are, as a share of their own side, at a share of training."""
        if progress >= self.until:
            return 1.0
        return self.start + (1 - self.start) * math.floor(SIZES * progress / self.until) / SIZES
