"""Sharpness-aware minimisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from aurify.core.around import Around
from aurify.core.parts import Technique, knob
from aurify.core.run import Run

LEAST_SIZE = 0.01


@dataclass(kw_only=True)
class Sam(Technique):
    """Take the gradient a short way uphill, so that minima with flat surroundings win (Foret et al. 2021).

    ``adaptive`` goes farther along large weights, so that rescaling layers does not change what is flat (Kwon et al.
    2021); its radius is about ten times as large. Helps: generalisation of over-sized networks, robustness to label
    noise. Hurts: each step costs two gradients; on small tables rarely worth that.
    """

    family = "optimisation"
    radius: float = knob(0.05, "how far uphill", low=0.01, high=0.5, log=True, legal=(0.0, 10.0))
    adaptive: bool = knob(False, "measure the way uphill in sizes of the weights")
    neutral = {"radius": 0.0}
    vivid = {"radius": 0.5}

    def wrap_optimizer(self, optimizer: Any, run: Run) -> Any:
        return _Uphill(optimizer, self.radius, self.adaptive, list(run.model.buffers()))


class _Uphill(Around):
    """An optimizer whose closure is called twice: here, and a step of length ``radius`` uphill.

    ``buffers`` are what a forward pass may change (running statistics): they keep what the weights here made of them.
    """

    def __init__(self, inner: Any, radius: float, adaptive: bool, buffers: list[Tensor]):
        super().__init__(inner)
        self.radius, self.adaptive, self.buffers = radius, adaptive, buffers

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor:
        assert closure is not None, "only the outermost optimizer may compute the gradient twice"
        loss = closure()
        weights = [p for g in self.inner.param_groups for p in g["params"] if p.grad is not None]
        with torch.no_grad():
            before = [t.clone() for t in (*weights, *self.buffers)]
            for weight, way in zip(weights, self.uphill(weights), strict=True):
                weight.add_(way)
        try:
            closure()
        finally:  # whatever went wrong uphill, the weights are those from before
            with torch.no_grad():
                for value, old in zip((*weights, *self.buffers), before, strict=True):
                    value.copy_(old)
        self.inner.step()
        return loss

    def uphill(self, weights: list[Tensor]) -> list[Tensor]:
        sizes: list[Any] = [w.abs() + LEAST_SIZE if self.adaptive else 1.0 for w in weights]
        scaled = [w.grad * size for w, size in zip(weights, sizes, strict=True)]
        share = self.radius / (torch.nn.utils.get_total_norm(scaled) + 1e-12)
        return [way * (share * size) for way, size in zip(scaled, sizes, strict=True)]
