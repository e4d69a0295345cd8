"""Norms that take any batch."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation (Ioffe & Szegedy 2015) of (B, W).

    A single row has no variance: it is normalised by the running statistics, so a last short batch is legal.
    """

    def forward(self, input: Tensor) -> Tensor:
        if self.training and len(input) == 1:
            return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(input)


NORMS = {"none": nn.Identity, "batch": BatchNorm, "layer": nn.LayerNorm}
