"""Predict one number per example: squared error in the units that the target is learnt in."""

# B batch, M members trained side by side

from __future__ import annotations

from torch import Tensor

from aurify.core.parts import Trait
from aurify.core.types import Batch

TRAITS = frozenset({Trait.CONTINUOUS})
SCORE: str = "rmse"


def encode(target_B: Tensor, outputs: int) -> Tensor:
    """Numbers (B,) as they are, in single precision."""
    return target_B.float()


def losses(output: Tensor, batch: Batch) -> Tensor:
    """Squared error of each example (B,); of (B, M, 1) the mean over members, each with a loss of its own."""
    if output.ndim == 2:
        return (output[:, 0].float() - batch.target).square()
    return (output[:, :, 0].float() - batch.target[:, None]).square().mean(1)


def merge(output: Tensor) -> Tensor:
    """(B, M, 1) as the members' mean (B, 1); (B, 1) stays."""
    return output if output.ndim == 2 else output.mean(1)


def answers(output_B1: Tensor) -> Tensor:
    """Numbers (B,)."""
    return output_B1[:, 0]


def rmse(output_N1: Tensor, target_N: Tensor, weight_N: Tensor) -> float:
    """Root of the mean squared error, both in the same units."""
    squares_N = (output_N1[:, 0].double() - target_N.double()).square()
    return float(((squares_N * weight_N).sum() / weight_N.sum()).sqrt())


score = rmse  # what every objective has, by its common name
