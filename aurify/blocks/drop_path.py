"""Skipped branches whose masks are a pure function of seed, step, path and row."""

from __future__ import annotations

import torch
from torch import Tensor

from aurify.core.rng import Stochastic


class DropPath(Stochastic):
    """The end of a residual branch, where an example may skip it whole (Huang et al. 2016): (B, ...) to (B, ...).

    Networks put it where a branch joins its plain path, with rate 0; the ``stochastic_depth`` technique sets the rate.
    A kept branch is scaled by 1 / (1 - rate), so that its mean is that of prediction, where nothing is skipped.
    """

    rate: float = 0.0

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        one = x[(slice(None), *[slice(0, 1)] * (x.ndim - 1))]  # one draw for each example
        if self.draws is None:  # used outside aurify's loop
            mask = torch.rand_like(one, dtype=torch.float32).ge(self.rate).to(x.dtype)
        else:
            mask = self.draws.keep_mask(self.path, one, self.rate)
        return x * mask.div_(1 - self.rate)
