"""Sharpness-aware minimisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from aurify.core.parts import Technique, knob
from aurify.core.run import Run


@dataclass(kw_only=True)
class Sam(Technique):
    """Take the gradient a short way uphill, so that minima with flat surroundings win (Foret et al. 2021).

    Helps: generalisation of over-sized networks, robustness to label noise. Hurts: each step costs two gradients;
    on small tables rarely worth that.
    """

    radius: float = knob(0.05, "how far uphill", low=0.01, high=0.5, log=True, legal=(0.0, 10.0))
    neutral = {"radius": 0.0}
    vivid = {"radius": 0.5}

    def wrap_optimizer(self, optimizer: Any, run: Run) -> Any:
        return _Uphill(optimizer, self.radius)


class _Uphill:
    """An optimizer whose closure is called twice: here, and a step of length ``radius`` uphill."""

    def __init__(self, inner: Any, radius: float):
        self.inner, self.radius = inner, radius
        self.zero_grad, self.state_dict, self.load_state_dict = (
            inner.zero_grad,
            inner.state_dict,
            inner.load_state_dict,
        )

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return self.inner.param_groups  # loading a state replaces the list

    def step(self, closure: Callable[[], Tensor]) -> Tensor:
        loss = closure()
        weights = [p for g in self.inner.param_groups for p in g["params"] if p.grad is not None]
        with torch.no_grad():
            length = torch.nn.utils.get_total_norm([p.grad for p in weights]) + 1e-12
            before = [p.clone() for p in weights]
            for weight in weights:
                weight.add_(weight.grad * (self.radius / length))
        try:
            closure()
        finally:  # whatever went wrong uphill, the weights are those from before
            with torch.no_grad():
                for weight, old in zip(weights, before, strict=True):
                    weight.copy_(old)
        self.inner.step()
        return loss
