"""RMSprop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from aurify.core.parts import Optimizer, knob


@dataclass(kw_only=True)
class Rmsprop(Optimizer):
    """Divide each step by a running size of its gradient (Tieleman & Hinton 2012, lecture 6.5).

    Helps: recurrent networks and noisy, non-stationary losses. Hurts: without bias correction its first steps
    are large.
    """

    stacks = True
    smoothing: float = knob(0.99, "share of the running square kept", low=0.9, high=0.999)
    momentum: float = knob(0.0, "share of the last step kept", low=0.0, high=0.99)

    def build(self, groups: list[dict[str, Any]], model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(groups, lr=self.learning_rate, alpha=self.smoothing, momentum=self.momentum)
