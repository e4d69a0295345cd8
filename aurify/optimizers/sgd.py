"""Stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from aurify.core.parts import Optimizer, knob


@dataclass(kw_only=True)
class Sgd(Optimizer):
    """Step against the gradient, with momentum (Robbins & Monro 1951; Polyak 1964; Nesterov 1983).

    Helps: generalises well where a good rate is found; with ``full_batch`` it is plain gradient descent. Hurts:
    needs a tuned rate and scaled inputs.
    """

    stacks = True
    learning_rate: float = knob(
        0.05, "step size that schedules multiply", low=1e-3, high=1.0, log=True, legal=(0.0, 1e3)
    )
    momentum: float = knob(0.9, "share of the last step kept", low=0.0, high=0.99)
    nesterov: bool = knob(True, "look ahead along the momentum; without effect when momentum is 0")
    full_batch: bool = knob(False, "take all training rows in every step")

    def batch_size(self, asked: int, rows: int) -> int:
        return rows if self.full_batch else asked

    def build(self, groups: list[dict[str, Any]], model: nn.Module) -> torch.optim.Optimizer:
        nesterov = self.nesterov and self.momentum > 0
        return torch.optim.SGD(groups, lr=self.learning_rate, momentum=self.momentum, nesterov=nesterov, fused=True)
