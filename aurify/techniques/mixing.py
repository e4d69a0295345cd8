"""Techniques that blend examples."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from aurify.blocks.mixed import beta_shares, mixed_targets
from aurify.core.parts import Technique, Trait, knob
from aurify.core.run import Run
from aurify.core.types import Batch, Blend


@dataclass(kw_only=True)
class Mixup(Technique):
    """Learn from convex pairs of examples and of their targets (Zhang et al. 2018).

    Blends after encoding, so category codes and missing values are never averaged; of texts it is the mixup of
    sentence embeddings (Guo et al. 2019), which blends what two texts became and not their words. Helps: few rows,
    noisy labels. Hurts: targets that jump between neighbours, and confidence: predictions become timid.
    """

    family = "augmentation"
    alpha: float = knob(0.2, "shares are drawn from Beta(alpha, alpha)", low=0.05, high=1.0, legal=(0.0, 100.0))
    needs = frozenset({Trait.BLENDABLE})
    neutral = {"alpha": 0.0}
    slot = "blend"
    stacks = True

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.alpha == 0.0:
            return batch
        share, partner = self._drawn(batch, run)
        blend = Blend({name: values[partner] for name, values in batch.inputs.items()}, share)
        return replace(mixed_targets(batch, partner, share), blend=blend)

    def _drawn(self, batch: Batch, run: Run) -> tuple[Tensor, Tensor]:
        """Shares (B,) and partners (B,), of each of several models side by side among its own rows."""
        most = len(batch) // run.members
        shares, partners = torch.ones(run.members, most), torch.arange(len(batch)).view(run.members, most)
        counts = batch.counts or [most] * run.members
        for share, partner, count, random in zip(shares, partners, counts, run.randoms("mixup"), strict=True):
            share[:count] = beta_shares(count, self.alpha, random)
            partner[:count] = partner[torch.randperm(count, generator=random)]
        device = batch.target.device
        return shares.flatten().to(device), partners.flatten().to(device)
