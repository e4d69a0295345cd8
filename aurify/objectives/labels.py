"""Say of each label whether an example holds it: binary cross-entropy, averaged over the labels."""

# B batch, K labels, M members trained side by side

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from aurify.core.parts import Trait
from aurify.core.types import Batch

TRAITS = frozenset({Trait.BERNOULLI})
SCORE: str = "log_loss"


def encode(target_BK: Tensor, labels: int) -> Tensor:
    """Which labels are held, as probabilities (B, K), so that techniques may soften and blend them."""
    return target_BK.float()


def losses(output: Tensor, batch: Batch) -> Tensor:
    """Mean over labels of each example's cross-entropy (B,), in nats; of (B, M, K) the mean over members as well."""
    target = batch.target if output.ndim == 2 else batch.target[:, None].expand_as(output)
    each = F.binary_cross_entropy_with_logits(output.float(), target, reduction="none")
    return each.flatten(1).mean(1)


def merge(output: Tensor) -> Tensor:
    """(B, M, K) as outputs (B, K) whose probabilities are the members' mean; (B, K) stays."""
    if output.ndim == 2:
        return output
    # the members' count falls out of the ratio of the two means
    return F.logsigmoid(output).logsumexp(1) - F.logsigmoid(-output).logsumexp(1)


def answers(output_BK: Tensor) -> Tensor:
    """The probability of each label (B, K)."""
    return output_BK.sigmoid()


def score(output_NK: Tensor, target_NK: Tensor, weight_N: Tensor) -> float:
    """Mean over examples and labels of the negative log-likelihood."""
    each_NK = F.binary_cross_entropy_with_logits(output_NK.double(), target_NK.double(), reduction="none")
    return float((each_NK.mean(1) * weight_N).sum() / weight_N.sum())
