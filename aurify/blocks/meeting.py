"""Where what was read in a text or seen in an image meets the columns beside it."""

# B batch, F features, W width of the columns after encoding, K outputs

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from aurify.blocks.dropout import Dropout
from aurify.blocks.entries import Entries
from aurify.core.types import Blend, Signature


class Meeting(nn.Module):
    """Answers from features (B, F) and the inputs other than ``name``, with ``together``.

    Where there are columns, one hidden layer of ``width`` units sees both together.
    """

    def __init__(self, features: int, signature: Signature, name: str, width: int):
        super().__init__()
        columns = {other: given for other, given in signature.inputs.items() if other != name}
        enter = Entries(Signature(columns, signature.outputs))
        self.enter = enter if enter.width else None
        self.drop = Dropout()
        if self.enter is not None:
            self.meet = nn.Sequential(nn.Linear(features + enter.width, width), nn.ReLU(), Dropout())
        self.leave = nn.Linear(features if self.enter is None else width, signature.outputs)

    def together(self, features_BF: Tensor, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        x = self.drop(features_BF)
        if self.enter is not None:
            x = self.meet(torch.cat([x, self.enter(inputs, blend)], 1))
        return self.leave(x)
