"""Techniques that keep weights small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from aurify.blocks.stack import matrix
from aurify.core.parts import Technique, knob
from aurify.core.run import Run
from aurify.core.types import Batch


@dataclass(kw_only=True)
class WeightDecay(Technique):
    """Shrink weight matrices a little in every step; biases and norms are left alone (Krogh & Hertz 1991).

    With ``adamw`` the decay is decoupled (Loshchilov & Hutter 2019), with other optimizers it is an L2 penalty.
    Helps: networks larger than their data. Hurts: too much of it underfits; it interacts with the learning rate.
    """

    family = "regularisation"
    amount: float = knob(
        0.03, "share shrunk per step, times the rate", low=1e-3, high=3.0, log=True, legal=(0.0, 100.0)
    )
    neutral = {"amount": 0.0}
    vivid = {"amount": 1.0}
    stacks = True

    def groups(self, run: Run, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        parted = []
        for group in groups:
            matrices = [p for p in group["params"] if matrix(p, run.members)]
            others = [p for p in group["params"] if not matrix(p, run.members)]
            parted += [{**group, "params": matrices, "weight_decay": self.amount}] if matrices else []
            parted += [{**group, "params": others, "weight_decay": 0.0}] if others else []
        return parted


@dataclass(kw_only=True)
class L1(Technique):
    """Add the sum of absolute weights to the loss, which drives many of them to zero (Tibshirani 1996).

    Helps: many useless columns. Hurts: correlated useful columns, of which it keeps one by chance; Adam blunts it.
    """

    family = "regularisation"
    strength: float = knob(1e-5, "weight of the sum in the loss", low=1e-7, high=1e-3, log=True, legal=(0.0, 1.0))
    neutral = {"strength": 0.0}
    vivid = {"strength": 1e-2}
    stacks = True

    def penalty(self, output: Tensor, batch: Batch, run: Run) -> Tensor | float:
        sums = [p.abs().sum() for p in run.parameters if matrix(p, run.members)]
        return self.strength * sum(sums[1:], sums[0]) if sums else 0.0
