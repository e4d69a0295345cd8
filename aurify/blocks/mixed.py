"""How much of rows that are mixed with others is their own, and what they are to learn."""

# B batch, K classes

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from aurify.core.types import Batch


def beta_shares(count: int, alpha: float, random: torch.Generator) -> Tensor:
    """Shares (``count``,) from Beta(``alpha``, ``alpha``), on the CPU."""
    shape = torch.full((count, 2), alpha, dtype=torch.float64)
    gammas = torch._standard_gamma(shape, generator=random)  # pyright: ignore[reportPrivateImportUsage]
    return (gammas[:, 0] / gammas.sum(1)).nan_to_num(1.0).float()  # 0/0: both tiny


def mixed_targets(batch: Batch, partner: Tensor, share: Tensor) -> Batch:
    """The batch with targets and weights of rows that are ``share`` (B,) their own, else those of ``partner`` (B,).

    The heavier of two rows has the greater say in their target.
    """
    weight = batch.weight
    if weight is not None:
        own, others = share * weight, (1 - share) * weight[partner]
        weight, share = own + others, (own / (own + others)).nan_to_num(1.0)
    wide = share if batch.target.ndim == 1 else share[:, None]
    return replace(batch, weight=weight, target=torch.lerp(batch.target[partner], batch.target, wide))
