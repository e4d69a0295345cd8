"""Dropout whose masks are a pure function of seed, step, path and row."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from aurify.core.rng import Draws, Stochastic


class Dropout(Stochastic):
    """A place where units may be dropped (Srivastava et al. 2014): (B, ...) to (B, ...).

    Networks put it where dropping makes sense, with rate 0; the ``dropout`` technique sets the rate.
    """

    rate: float = 0.0

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        if self.draws is None:  # used outside aurify's loop
            return F.dropout(x, self.rate)
        return x * self.mask(self.draws, x).div_(1 - self.rate)

    def mask(self, draws: Draws, x: Tensor) -> Tensor:
        return draws.keep_mask(self.path, x, self.rate)


class SequenceDropout(Dropout):
    """The same for tokens (B, L, ...), which are padded further where others are trained beside them."""

    def mask(self, draws: Draws, x: Tensor) -> Tensor:
        return draws.token_mask(self.path, x, self.rate)
