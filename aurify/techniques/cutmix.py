"""A technique that puts a part of one image into another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from aurify.blocks.boxes import around
from aurify.blocks.image_edit import images_of
from aurify.blocks.mixed import beta_shares, mixed_targets
from aurify.blocks.picture import floats
from aurify.core.parts import Technique, Trait, knob
from aurify.core.run import Run
from aurify.core.types import Batch, Blend


@dataclass(kw_only=True)
class Cutmix(Technique):
    """Put a box of one image into another and mix their targets by how large it is (Yun et al. 2019).

    Columns beside the images are mixed as ``mixup`` does. Helps: photographs, large networks and long training; unlike
    mixup what is seen stays natural. Hurts: small things beside the box, digits, short training, and confidence:
    predictions become timid.
    """

    family = "augmentation"
    alpha: float = knob(1.0, "shares are drawn from Beta(alpha, alpha)", low=0.2, high=2.0, legal=(0.0, 100.0))
    chance: float = knob(0.5, "of a batch to be mixed", low=0.2, high=1.0, legal=(0.0, 1.0))
    needs = frozenset({Trait.IMAGES, Trait.BLENDABLE})
    neutral = {"alpha": 0.0, "chance": 0.0}
    vivid = {"chance": 1.0}
    slot = "blend"
    stacks = True

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        name = images_of(run)
        if self.alpha == 0 or name is None:
            return batch
        images, device = floats(batch.inputs[name]), batch.target.device
        drawn = self._drawn(batch, run, *images.shape[2:])
        if drawn is None:
            return batch
        mask, share, partner = (each.to(device) for each in drawn)
        images = torch.where(mask[:, None], images[partner], images)
        others = {n: values for n, values in batch.inputs.items() if n != name}
        # the images are mixed already: what blends them blends each with itself
        blend = Blend({name: images, **{n: values[partner] for n, values in others.items()}}, share) if others else None
        return replace(mixed_targets(batch, partner, share), inputs={**batch.inputs, name: images}, blend=blend)

    def _drawn(self, batch: Batch, run: Run, height: int, width: int) -> tuple[Tensor, Tensor, Tensor] | None:
        """Which pixels are a partner's (B, H, W), how much is a row's own (B,), and partners (B,); None: nothing is.

        Of each of several models side by side among its own rows.
        """
        most = len(batch) // run.members
        masks, shares = torch.zeros(run.members, most, height, width, dtype=torch.bool), torch.ones(run.members, most)
        partners, mixing = torch.arange(len(batch)).view(run.members, most), False
        counts = batch.counts or [most] * run.members
        for mask, share, partner, count, random in zip(
            masks, shares, partners, counts, run.randoms(self.name()), strict=True
        ):
            if float(torch.rand((), generator=random)) < self.chance:
                side = (1 - beta_shares(count, self.alpha, random)).sqrt()
                boxes = around((side * height).round().long(), (side * width).round().long(), height, width, random)
                partner[:count] = partner[torch.randperm(count, generator=random)]
                share[:count], mask[:count] = 1 - boxes.share(height, width), boxes.mask(height, width)
                mixing = True
        return (masks.flatten(0, 1), shares.flatten(), partners.flatten()) if mixing else None
