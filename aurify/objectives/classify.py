"""Pick one class per example: cross-entropy against class probabilities."""

# B batch, K classes

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from aurify.core.parts import Trait
from aurify.core.types import Batch

TRAITS = frozenset({Trait.CATEGORICAL})


def encode(target_B: Tensor, classes: int) -> Tensor:
    """Class codes as probabilities (B, K), so that techniques may soften and blend them."""
    return F.one_hot(target_B, classes).float()


def losses(output_BK: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of each example (B,), in nats."""
    return F.cross_entropy(output_BK.float(), batch.target, reduction="none")


def probabilities(output_BK: Tensor) -> Tensor:
    """Class probabilities (B, K)."""
    return output_BK.softmax(1)


def log_loss(output_NK: Tensor, target_N: Tensor) -> float:
    """Mean negative log-likelihood of class codes."""
    return float(F.cross_entropy(output_NK.double(), target_N))
