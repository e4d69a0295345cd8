"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from aurify.core.parts import Optimizer, knob


@dataclass(kw_only=True)
class Adam(Optimizer):
    """Momentum divided by a running size of the gradient, both bias-corrected (Kingma & Ba 2015).

    Helps: works untuned nearly everywhere. Hurts: weight decay acts through the gradient and is then divided
    too (an L2 penalty); take ``adamw`` for decay.
    """

    stacks = True
    beta1: float = knob(0.9, "share of the running gradient kept", low=0.8, high=0.99, legal=(0.0, 0.9999))
    beta2: float = knob(0.999, "share of the running square kept", low=0.95, high=0.9999, legal=(0.0, 0.99999))
    epsilon: float = knob(1e-8, "added to the running size", low=1e-8, high=1e-4, log=True, legal=(1e-15, 1.0))

    def build(self, groups: list[dict[str, Any]], model: nn.Module) -> torch.optim.Optimizer:
        betas = (self.beta1, self.beta2)
        return torch.optim.Adam(groups, lr=self.learning_rate, betas=betas, eps=self.epsilon, fused=True)


@dataclass(kw_only=True)
class Adamw(Optimizer):
    """Adam whose weight decay shrinks the weights directly (Loshchilov & Hutter 2019).

    Helps: the default of the field; the ``weight_decay`` technique means what it says. Hurts: without that
    technique it is Adam.
    """

    stacks = True
    beta1: float = knob(0.9, "share of the running gradient kept", low=0.8, high=0.99, legal=(0.0, 0.9999))
    beta2: float = knob(0.999, "share of the running square kept", low=0.95, high=0.9999, legal=(0.0, 0.99999))

    def build(self, groups: list[dict[str, Any]], model: nn.Module) -> torch.optim.Optimizer:
        betas = (self.beta1, self.beta2)
        return torch.optim.AdamW(groups, lr=self.learning_rate, betas=betas, weight_decay=0.0, fused=True)
