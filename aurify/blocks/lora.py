"""Low-rank changes of linear layers whose own weights stay as they are."""

# I numbers in, O numbers out, R rank

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ATTENTION = "att"
"""Layers of attention lie in a module whose name begins so, ours (attend) and those of transformers."""


class Product(nn.Module):
    """Two thin matrices one after the other (..., I) to (..., O), the second of zeros at first."""

    def __init__(self, inputs: int, outputs: int, rank: int, scale: float):
        super().__init__()
        self.scale = scale
        self.thin = nn.Parameter(torch.empty(rank, inputs))
        self.rise = nn.Parameter(torch.empty(outputs, rank))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.kaiming_uniform_(self.thin, a=math.sqrt(5))
        nn.init.zeros_(self.rise)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(F.linear(x, self.thin), self.rise) * self.scale


class LowRank(nn.Linear):
    """A linear layer that does not move, and a product of thin matrices beside it that does (LoRA, Hu et al. 2022)."""

    def __init__(self, linear: nn.Linear, rank: int, scale: float):
        with torch.device("meta"):
            super().__init__(linear.in_features, linear.out_features, linear.bias is not None)
        self.weight, self.bias = linear.weight, linear.bias  # shared, not copied
        for own in (self.weight, self.bias):
            if own is not None:
                own.requires_grad_(False)
        with torch.device(linear.weight.device):
            self.product = Product(linear.in_features, linear.out_features, rank, scale)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) + self.product(input)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer that answers as this one does."""
        plain = nn.Linear(self.in_features, self.out_features, self.bias is not None, device=self.weight.device)
        plain.weight.copy_(self.weight + self.product.rise @ self.product.thin * self.product.scale)
        if self.bias is not None:
            plain.bias.copy_(self.bias)
        return plain


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """The plain linear layers of a model by name."""
    return {name: module for name, module in model.named_modules() if type(module) is nn.Linear}


def make_low_rank(model: nn.Module, rank: int, scale: float, *, attention: bool = False, spare: str = "") -> list[str]:
    """Put products of ``rank`` beside linear layers, all or those of attention; returns the names of those changed.

    Layers narrower than twice the rank, which a product would not make cheaper, are left as they are, and so is the
    one called ``spare``.
    """
    changed = []
    for name, linear in linear_layers(model).items():
        within = not attention or any(piece.startswith(ATTENTION) for piece in name.split("."))
        if not within or name == spare or min(linear.in_features, linear.out_features) < 2 * rank:
            continue
        place, _, own = name.rpartition(".")
        setattr(model.get_submodule(place), own, LowRank(linear, rank, scale))
        changed.append(name)
    return changed
