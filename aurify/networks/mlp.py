"""Fully connected network."""

# B batch, W width, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from aurify.blocks.activations import ACTIVATIONS
from aurify.blocks.drop_path import DropPath
from aurify.blocks.dropout import Dropout
from aurify.blocks.entries import Entries
from aurify.blocks.norms import NORMS
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Blend, Signature


@dataclass(kw_only=True)
class Mlp(Network):
    """Layers of weighted sums, each followed by a norm, an activation and a place for dropout.

    The plain network (Rumelhart et al. 1986; residual connections: He et al. 2016). Helps: almost everywhere on
    tables as a first, fast model. Hurts: where order or space matters, which it cannot see. ``batch`` norm blurs
    the gradient of small batches; ``layer`` norm does not.
    """

    stacks = True
    needs = frozenset({Trait.ENTERED})
    width: int = knob(128, "units of each hidden layer", low=16, high=512, log=True, legal=(1, 65536))
    depth: int = knob(3, "hidden layers", low=1, high=6, legal=(0, 256))
    activation: str = knob("relu", "non-linearity between layers", choices=tuple(ACTIVATIONS))
    norm: str = knob("none", "normalisation before each activation", choices=tuple(NORMS))
    residual: bool = knob(False, "add each layer's input to its output where widths agree")

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.RESIDUAL} if self.residual and self.depth > 1 else ())

    def build(self, signature: Signature) -> nn.Module:
        return _Mlp(self, signature)


class _Mlp(nn.Module):
    def __init__(self, settings: Mlp, signature: Signature):
        super().__init__()
        self.enter = Entries(signature)
        sizes = [self.enter.width] + [settings.width] * settings.depth
        self.body = nn.Sequential(*(_Layer(settings, a, b) for a, b in pairwise(sizes)))
        self.leave = nn.Linear(sizes[-1], signature.outputs)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        return self.leave(self.body(self.enter(inputs, blend)))


class _Layer(nn.Module):
    def __init__(self, settings: Mlp, wide_in: int, wide_out: int):
        super().__init__()
        self.linear = nn.Linear(wide_in, wide_out)
        self.norm = NORMS[settings.norm](wide_out)
        self.activate = ACTIVATIONS[settings.activation]()
        self.drop = Dropout()
        self.residual = settings.residual and wide_in == wide_out
        if self.residual:
            self.drop_path = DropPath()

    def forward(self, x_BW: Tensor) -> Tensor:
        y_BW = self.drop(self.activate(self.norm(self.linear(x_BW))))
        return x_BW + self.drop_path(y_BW) if self.residual else y_BW
