"""Predict one number per example: squared error in the units that the target is learnt in."""

# B batch

from __future__ import annotations

from torch import Tensor

from aurify.core.parts import Trait
from aurify.core.types import Batch

TRAITS = frozenset({Trait.CONTINUOUS})


def losses(output_B1: Tensor, batch: Batch) -> Tensor:
    """Squared error of each example (B,)."""
    return (output_B1[:, 0].float() - batch.target).square()


def rmse(output_N1: Tensor, target_N: Tensor) -> float:
    """Root of the mean squared error, both in the same units."""
    return float((output_N1[:, 0].double() - target_N.double()).square().mean().sqrt())
