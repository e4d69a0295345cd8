"""Networks trained side by side in one, each with a loss of its own."""

# B batch, M members, K outputs

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from aurify.core.types import Blend


class Members(nn.Module):
    """Networks that share nothing but the batches (Lakshminarayanan et al. 2017, deep ensembles): outputs (B, M, K).

    They differ by their first weights and by what dropout leaves out.
    """

    def __init__(self, members: Sequence[nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        output_BMK = torch.stack([member(inputs, blend) for member in self.members], 1)
        if output_BMK.requires_grad:
            # the loss is the mean over members: each shall learn as if it were alone (of penalties it has its own)
            output_BMK.register_hook(lambda gradient: gradient * len(self.members))
        return output_BMK
