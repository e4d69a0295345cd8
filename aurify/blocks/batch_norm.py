"""Batch normalisation that takes any batch, and that stays as it is where its weights do."""

# B batch, W width, C channels, Y height, X width of an image

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation (Ioffe & Szegedy 2015) of (B, W).

    A single row has no variance: it is normalised by the running statistics, so a last short batch is legal. So is
    every batch where the norm's own weights do not learn: what is frozen is frozen with its statistics.
    """

    def forward(self, input: Tensor) -> Tensor:
        return _as_it_was(self, input) if _stays(self, input) else super().forward(input)


class ImageBatchNorm(nn.BatchNorm2d):
    """The same of (B, C, Y, X), over rows and places."""

    def forward(self, input: Tensor) -> Tensor:
        return _as_it_was(self, input) if _stays(self, input) else super().forward(input)


Norm = nn.BatchNorm1d | nn.BatchNorm2d


def _stays(norm: Norm, input: Tensor) -> bool:
    if not norm.training:
        return False
    return input.numel() == norm.num_features or not norm.weight.requires_grad


def _as_it_was(norm: Norm, input: Tensor) -> Tensor:
    return F.batch_norm(input, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
