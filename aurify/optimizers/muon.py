"""Muon for the matrices of hidden layers, AdamW for all else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from aurify.blocks.chain import links
from aurify.blocks.entries import Entries
from aurify.blocks.members import Members
from aurify.blocks.stack import member_of
from aurify.core.cores import processor_bfloat16
from aurify.core.parts import Optimizer, knob


@dataclass(kw_only=True)
class Muon(Optimizer):
    """Step along the nearest orthogonal matrix to the momentum, so that every direction of a layer learns at one pace.

    Jordan et al. (2024), scaled to steps of AdamW's size (Liu et al. 2025), so that rates and weight decay found for
    ``adamw`` carry over. It moves the weight matrices of hidden layers and the filters of convolutions, each a row;
    what enters the network, its head, biases, norms, embeddings and weights with an axis for members learn with AdamW.
    Helps: fewer steps for wide layers, and much for convolutions. Hurts: each step costs several products of each
    matrix; narrow networks have little to gain.
    """

    stacks = True

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
            stacked = member_of(model) is not None
            made.append(Orthogonal(matrices, self.learning_rate, self.momentum, stacked))
        if rest:
            betas = (self.beta1, self.beta2)
            made.append(torch.optim.AdamW(rest, lr=self.learning_rate, betas=betas, weight_decay=0.0, fused=True))
        return _SideBySide(made)


class Orthogonal(torch.optim.Optimizer):
    """Muon itself: momentum (Nesterov 1983), made orthogonal, scaled to steps of AdamW's size.

    Weights are (out, in), or filters (out, in, Y, X) that are moved as (out, in * Y * X); ``torch.optim.Muon`` takes
    the former only and makes the same of them. Those of several models ``stacked`` are (S, out, in, ...).
    """

    def __init__(self, groups: list[dict[str, Any]], learning_rate: float, momentum: float, stacked: bool = False):
        super().__init__(groups, {"lr": learning_rate, "momentum": momentum, "weight_decay": 0.0})
        self.first = 1 if stacked else 0

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(weight)
                running = state["momentum_buffer"].lerp_(weight.grad, 1 - group["momentum"])
                way = orthogonal(_rows(weight.grad.lerp(running, group["momentum"]), self.first))
                size = 0.2 * math.sqrt(max(way.shape[-2:]))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(_like(way, weight, self.first), alpha=-group["lr"] * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest orthogonal matrix to one, or to each of several (S, M, N).

    By five steps of a Newton-Schulz iteration (Jordan et al. 2024). Its singular values end between 0.5 and 1.5, which
    serves as well as 1 does; computed in bfloat16 where that is quick, which a processor that is not made for it is
    not; in double precision where the matrix is.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[-2] > matrix.shape[-1]
    quick = matrix.device.type != "cpu" or processor_bfloat16()
    low = torch.bfloat16 if quick else torch.float32
    x = (matrix.mT if tall else matrix).to(matrix.dtype if matrix.dtype == torch.float64 else low)
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    product = torch.addmm if x.ndim == 2 else torch.baddbmm
    for _ in range(5):
        square = x @ x.mT
        x = product(x, product(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def _rows(weight: Tensor, first: int) -> Tensor:
    """Filters from axis ``first`` on as rows (out, ...), in the order of memory where channels lie last."""
    return weight if weight.ndim - first == 2 else weight.movedim(first + 1, -1).flatten(first + 1)


def _like(rows: Tensor, weight: Tensor, first: int) -> Tensor:
    if weight.ndim - first == 2:
        return rows
    before, (channels, height, width) = weight.shape[: first + 1], weight.shape[first + 1 :]
    return rows.view(*before, height, width, channels).movedim(-1, first + 1)


def hidden_matrices(model: nn.Module) -> set[int]:
    """Ids of what Muon moves: weights of linear layers and of convolutions that are neither an entry's nor the head's.

    Weights (out, in) of linear layers; filters (out, in, Y, X) of all convolutions but the first, which enters. Of
    members side by side, what it moves of each.
    """
    if (one := member_of(model)) is not None:
        moved = hidden_matrices(one)
        names = {name for name, p in one.named_parameters() if id(p) in moved}
        return {id(p) for name, p in model.named_parameters() if name in names}
    if isinstance(model, Members):
        return set[int]().union(*map(hidden_matrices, model.members))
    entries = {id(p) for m in model.modules() if isinstance(m, Entries) for p in m.parameters()}
    head = {id(p) for p in links(model)[-1]}
    weights = [w for module in model.modules() if (w := _matrix(module)) is not None]
    filters = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)]
    moved = [w for w in filters[1:] if w.shape[1:].numel() > w[0, 0].numel()]  # not those of one channel each
    return {id(w) for w in (*weights, *moved)} - entries - head


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
