"""Residual network for tables."""

# B batch, W width, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from aurify.blocks.activations import ACTIVATIONS
from aurify.blocks.drop_path import DropPath
from aurify.blocks.dropout import Dropout
from aurify.blocks.entries import Entries
from aurify.blocks.norms import NORMS
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Blend, Signature


@dataclass(kw_only=True)
class ResnetTable(Network):
    """Blocks that each add a small correction to what the rows were before them, ending in a norm and a sum.

    The tabular residual network of Gorishniy et al. (2021), after He et al. (2016). Helps: deeper networks than
    ``mlp`` trains, tables of thousands of rows. Hurts: small tables, where depth only overfits; ``batch`` norm blurs
    the gradient of small batches, ``layer`` norm does not.
    """

    stacks = True
    needs = frozenset({Trait.ENTERED})
    width: int = knob(128, "units that run through all blocks", low=16, high=512, log=True, legal=(1, 65536))
    depth: int = knob(3, "blocks", low=1, high=8, legal=(1, 256))
    expand: float = knob(2.0, "units within a block, in multiples of width", low=1.0, high=4.0, legal=(0.01, 64.0))
    activation: str = knob("relu", "non-linearity within a block and before the end", choices=tuple(ACTIVATIONS))
    norm: str = knob("batch", "normalisation before each block and before the end", choices=tuple(NORMS))

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.RESIDUAL})

    def build(self, signature: Signature) -> nn.Module:
        return _ResnetTable(self, signature)


class _ResnetTable(nn.Module):
    def __init__(self, settings: ResnetTable, signature: Signature):
        super().__init__()
        self.enter = Entries(signature)
        self.widen = nn.Linear(self.enter.width, settings.width)
        self.body = nn.Sequential(*(_Block(settings) for _ in range(settings.depth)))
        self.norm = NORMS[settings.norm](settings.width)
        self.activate = ACTIVATIONS[settings.activation]()
        self.leave = nn.Linear(settings.width, signature.outputs)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        x_BW = self.body(self.widen(self.enter(inputs, blend)))
        return self.leave(self.activate(self.norm(x_BW)))


class _Block(nn.Module):
    def __init__(self, settings: ResnetTable):
        super().__init__()
        hidden = max(1, round(settings.expand * settings.width))
        self.branch = nn.Sequential(
            NORMS[settings.norm](settings.width),
            nn.Linear(settings.width, hidden),
            ACTIVATIONS[settings.activation](),
            Dropout(),
            nn.Linear(hidden, settings.width),
            Dropout(),
        )
        self.drop_path = DropPath()

    def forward(self, x_BW: Tensor) -> Tensor:
        return x_BW + self.drop_path(self.branch(x_BW))
