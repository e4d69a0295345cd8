"""TabM: many fully connected networks in one, sharing nearly all of their weights."""

# B batch, M members, W width, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from aurify.blocks.dropout import Dropout
from aurify.blocks.entries import Entries
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Blend, Signature


@dataclass(kw_only=True)
class Tabm(Network):
    """Train many small networks that share their weight matrices and differ by cheap scalings, and average them.

    Gorishniy et al. 2025 (TabM, with the authors' ``tabm`` library), after BatchEnsemble (Wen et al. 2020); every
    member has a loss of its own. Helps: the strongest plain network on most tables for its cost. Hurts: ``members``
    times the work of an ``mlp`` of the same width, in training and in serving.
    """

    stacks = True
    needs = frozenset({Trait.COLUMNS})
    width: int = knob(128, "units of each hidden layer", low=32, high=512, log=True, legal=(1, 65536))
    depth: int = knob(3, "hidden layers", low=1, high=5, legal=(1, 256))
    members: int = knob(16, "networks trained side by side", low=4, high=32, log=True, legal=(1, 1024))

    def build(self, signature: Signature) -> nn.Module:
        return _Tabm(self, signature)


class _Tabm(nn.Module):
    def __init__(self, settings: Tabm, signature: Signature):
        from tabm import EnsembleView, LinearEnsemble  # it brings scikit-learn and pandas with it: a second

        super().__init__()
        self.enter = Entries(signature)
        self.view = EnsembleView(k=settings.members)
        sizes = [self.enter.width] + [settings.width] * settings.depth
        self.body = nn.Sequential(*(_layer(settings, at, *two) for at, two in enumerate(pairwise(sizes))))
        self.leave = LinearEnsemble(sizes[-1], signature.outputs, k=settings.members)
        # the loss is the mean over members: what one member owns would learn that much slower than what they share
        for parameter in (
            *self.leave.parameters(),
            *(p for n, p in self.body.named_parameters() if n[-7:] != ".weight"),
        ):
            parameter.register_hook(lambda gradient: gradient * settings.members)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        x_BMW = self.view(self.enter(inputs, blend))
        return self.leave(self.body(x_BMW))


def _layer(settings: Tabm, at: int, wide_in: int, wide_out: int) -> nn.Module:
    """(B, M, wide_in) to (B, M, wide_out); only what enters the first layer differs by member at the start."""
    from tabm import LinearBatchEnsemble

    first = "random-signs" if at == 0 else "ones"
    linear = LinearBatchEnsemble(wide_in, wide_out, k=settings.members, scaling_init=(first, "ones"))
    return nn.Sequential(linear, nn.ReLU(), Dropout())
