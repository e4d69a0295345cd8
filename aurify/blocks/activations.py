"""Non-linearities by name."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


class ReGLU(nn.Module):
    """One half of the units, let through as far as the other half is positive (Shazeer 2020): (..., 2W) to (..., W)."""

    def forward(self, x: Tensor) -> Tensor:
        passed, gate = x.chunk(2, -1)
        return passed * F.relu(gate)
