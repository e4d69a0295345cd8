"""A table with a row for each state."""

# B batch, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aurify.core.errors import AurifyError
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Blend, Signature


@dataclass(kw_only=True)
class Tabular(Network):
    """Look up what is said of a state in a table that has a row for each: what its actions are worth, or how likely.

    The table of tabular reinforcement learning (Watkins 1989). Helps: where all states can be met often; nothing that
    is learnt of one changes another, so that what is proven of tables holds. Hurts: where states are many, for it
    knows nothing of one that it never met.
    """

    needs = frozenset({Trait.STATES})
    initial: float = knob(
        0.0,
        "every number at first; more than can be won makes it try everything",
        low=-1.0,
        high=1.0,
        legal=(-1e9, 1e9),
    )

    def build(self, signature: Signature) -> nn.Module:
        match list(signature.inputs.items()):
            case [(name, given)] if given.kind == "codes" and len(given.names) == 1:
                return _Table(name, given.cardinalities[0], signature.outputs)
        seen = ", ".join(f"{len(given.names)} of {given.kind}" for given in signature.inputs.values())
        raise AurifyError(
            f"network = 'tabular' has a row for each state, a single category that is seen; here {seen} are seen: take"
            " another, such as --set network=mlp"
        )

    def first_weights(self, model: nn.Module) -> None:
        assert isinstance(model, _Table)
        nn.init.constant_(model.table.weight, self.initial)


class _Table(nn.Module):
    def __init__(self, name: str, states: int, outputs: int):
        super().__init__()
        self.name, self.table = name, nn.Embedding(states, outputs)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        own_BK = self.table(inputs[self.name][:, 0])
        if blend is None:
            return own_BK
        return torch.lerp(self.table(blend.inputs[self.name][:, 0]), own_BK, blend.share[:, None].to(own_BK.dtype))
