"""Pick one class per example: cross-entropy against class probabilities."""

# B batch, K classes, M members trained side by side

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from aurify.core.parts import Trait
from aurify.core.types import Batch

TRAITS = frozenset({Trait.CATEGORICAL})
SCORE: str = "log_loss"


def encode(target_B: Tensor, classes: int) -> Tensor:
    """Class codes as probabilities (B, K), so that techniques may soften and blend them."""
    return F.one_hot(target_B, classes).float()


def losses(output: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of each example (B,), in nats; of (B, M, K) the mean over members, each with a loss of its own."""
    if output.ndim == 2:
        return F.cross_entropy(output.float(), batch.target, reduction="none")
    return -(output.float().log_softmax(-1) * batch.target[:, None]).sum(-1).mean(1)


def merge(output: Tensor) -> Tensor:
    """(B, M, K) as outputs (B, K) whose probabilities are the members' mean; (B, K) stays."""
    return output if output.ndim == 2 else output.log_softmax(-1).logsumexp(1) - math.log(output.shape[1])


def probabilities(output_BK: Tensor) -> Tensor:
    """Class probabilities (B, K)."""
    return output_BK.softmax(1)


def log_loss(output_NK: Tensor, target_N: Tensor, weight_N: Tensor) -> float:
    """Mean negative log-likelihood of class codes."""
    losses_N = F.cross_entropy(output_NK.double(), target_N, reduction="none")
    return float((losses_N * weight_N).sum() / weight_N.sum())


answers, score = probabilities, log_loss  # what every objective has, by its common name
