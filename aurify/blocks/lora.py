"""Low-rank changes of linear layers whose own weights stay as they are."""

# I numbers in, O numbers out, R rank

from __future__ import annotations

import math
import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.core.errors import AurifyError, listing


class LowRank(nn.Linear):
    """A linear layer that does not move, and a product of two thin matrices beside it that does: (..., I) to (..., O).

    LoRA (Hu et al. 2022). ``rise`` begins at zero, so the layer begins as it was; the product is multiplied by
    ``scale``. ``merged`` adds it to the weights.
    """

    def __init__(self, inputs: int, outputs: int, rank: int, scale: float, bias: bool = True):
        super().__init__(inputs, outputs, bias)
        self.rank, self.scale = rank, scale
        self.thin = nn.Parameter(torch.empty(rank, inputs))
        self.rise = nn.Parameter(torch.empty(outputs, rank))
        self.weight.requires_grad_(False)
        if self.bias is not None:
            self.bias.requires_grad_(False)
        self.reset_product()

    @classmethod
    def around(cls, linear: nn.Linear, rank: int, scale: float) -> LowRank:
        """The same layer with a product beside it; weights are shared, not copied."""
        with torch.device(linear.weight.device):
            made = cls(linear.in_features, linear.out_features, rank, scale, linear.bias is not None)
        made.weight, made.bias = linear.weight, linear.bias
        made.weight.requires_grad_(False)
        if made.bias is not None:
            made.bias.requires_grad_(False)
        return made

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if hasattr(self, "thin"):
            self.reset_product()

    def reset_product(self) -> None:
        nn.init.kaiming_uniform_(self.thin, a=math.sqrt(5))
        nn.init.zeros_(self.rise)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) + F.linear(F.linear(input, self.thin), self.rise) * self.scale

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """A plain layer that answers as this one does."""
        plain = nn.Linear(self.in_features, self.out_features, self.bias is not None, device=self.weight.device)
        plain.weight.copy_(self.weight + self.rise @ self.thin * self.scale)
        if self.bias is not None:
            plain.bias.copy_(self.bias)
        return plain


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """The plain linear layers of a model by name."""
    return {name: module for name, module in model.named_modules() if type(module) is nn.Linear}


def make_low_rank(model: nn.Module, names: str, rank: int, scale: float, spare: str = "") -> list[str]:
    """Put products of ``rank`` beside the linear layers that ``names`` (a regular expression) is found in.

    Layers no wider than twice the rank, which a product would not make cheaper, are left as they are, and so is the
    one called ``spare``. Returns the names of those changed; raises AurifyError where none has such a name.
    """
    every = linear_layers(model)
    try:
        chosen = [name for name in every if re.search(names, name)]
    except re.error as error:
        raise AurifyError(f"lora.layers = {names!r} is no regular expression: {error}") from None
    if names and not chosen:
        raise AurifyError(f"lora.layers = {names!r} is in no linear layer's name; there are {listing(every, 20)}")
    changed = []
    for name in chosen:
        linear = every[name]
        if name == spare or min(linear.in_features, linear.out_features) < 2 * rank:
            continue
        place, _, own = name.rpartition(".")
        setattr(model.get_submodule(place), own, LowRank.around(linear, rank, scale))
        changed.append(name)
    return changed
