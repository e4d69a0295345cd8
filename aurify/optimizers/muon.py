"""Muon for the matrices of hidden layers, AdamW for all else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from aurify.blocks.chain import links
from aurify.blocks.entries import Entries
from aurify.core.parts import Optimizer, knob


@dataclass(kw_only=True)
class Muon(Optimizer):
    """Step along the nearest orthogonal matrix to the momentum, so that every direction of a layer learns at one pace.

    Jordan et al. (2024), scaled to steps of AdamW's size (Liu et al. 2025), so that rates and weight decay found for
    ``adamw`` carry over. It moves the weight matrices of hidden layers; what enters the network, its head, biases,
    norms, embeddings and weights with an axis for members learn with AdamW. Helps: fewer steps for wide layers.
    Hurts: each step costs several products of each matrix; narrow networks have little to gain.
    """

    learning_rate: float = knob(
        1e-2, "step size that schedules multiply", low=1e-4, high=1e-1, log=True, legal=(0.0, 1e3)
    )
    momentum: float = knob(0.95, "share of the running gradient kept", low=0.8, high=0.99, legal=(0.0, 0.9999))
    others: float = knob(1.0, "AdamW's rate, as a share of Muon's", low=0.1, high=10.0, log=True, legal=(0.0, 1e3))
    beta1: float = knob(0.9, "AdamW: share of the running gradient kept", low=0.8, high=0.99, legal=(0.0, 0.9999))
    beta2: float = knob(0.999, "AdamW: share of the running square kept", low=0.95, high=0.9999, legal=(0.0, 0.99999))

    def build(self, groups: list[dict[str, Any]], model: nn.Module) -> Any:
        hidden = hidden_matrices(model)
        matrices, rest = [], []
        for group in groups:
            inside = [p for p in group["params"] if id(p) in hidden]
            outside = [p for p in group["params"] if id(p) not in hidden]
            matrices += [{**group, "params": inside}] if inside else []
            rate = self.others * group.get("rate", 1.0)
            rest += [{**group, "params": outside, "rate": rate}] if outside else []
        made: list[torch.optim.Optimizer] = []
        if matrices:
            made.append(self._muon(matrices))
        if rest:
            betas = (self.beta1, self.beta2)
            made.append(torch.optim.AdamW(rest, lr=self.learning_rate, betas=betas, weight_decay=0.0, fused=True))
        return _SideBySide(made)

    def _muon(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        return torch.optim.Muon(
            groups,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=0.0,
            adjust_lr_fn="match_rms_adamw",
        )


def hidden_matrices(model: nn.Module) -> set[int]:
    """Ids of the weights (out, in) of linear layers that are neither an entry's nor the head's."""
    entries = {id(p) for m in model.modules() if isinstance(m, Entries) for p in m.parameters()}
    head = {id(p) for p in links(model)[-1]}
    weights = (_matrix(module) for module in model.modules())
    return {id(w) for w in weights if w is not None} - entries - head


def _matrix(module: nn.Module) -> nn.Parameter | None:
    weight = getattr(module, "weight", None)
    shape = (getattr(module, "out_features", None), getattr(module, "in_features", None))
    return weight if isinstance(weight, nn.Parameter) and tuple(weight.shape) == shape else None


class _SideBySide:
    """Optimizers of different parameters that look like one."""

    def __init__(self, optimizers: list[torch.optim.Optimizer]):
        self.optimizers = optimizers

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        return {"optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for optimizer, own in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(own)

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        loss = closure() if closure is not None else None
        for optimizer in self.optimizers:
            optimizer.step()
        return loss
