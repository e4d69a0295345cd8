"""Techniques that blend examples."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

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

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.alpha == 0.0:
            return batch
        random = run.random("mixup")
        shape = torch.full((len(batch), 2), self.alpha, dtype=torch.float64)
        gammas = torch._standard_gamma(shape, generator=random)  # pyright: ignore[reportPrivateImportUsage]
        share = (gammas[:, 0] / gammas.sum(1)).nan_to_num(1.0).float().to(batch.target.device)  # 0/0: both tiny
        partner = torch.randperm(len(batch), generator=random).to(batch.target.device)
        blend = Blend({name: values[partner] for name, values in batch.inputs.items()}, share)
        weight = batch.weight
        if weight is not None:  # the heavier of two rows has the greater say in their target
            own, others = share * weight, (1 - share) * weight[partner]
            weight, share = own + others, (own / (own + others)).nan_to_num(1.0)
        wide = share if batch.target.ndim == 1 else share[:, None]
        return replace(batch, blend=blend, weight=weight, target=torch.lerp(batch.target[partner], batch.target, wide))
