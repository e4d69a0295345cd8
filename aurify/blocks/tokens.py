"""Columns as tokens: what attention looks at."""

# B batch, C columns, P numbers of the widest column, W width of all columns, D width of a token

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ColumnTokens(nn.Module):
    """A learnt linear map for each column (Gorishniy et al. 2021): columns side by side (B, W) to tokens (B, C, D).

    ``widths`` says how many of the W numbers belong to each column; a map of one-hot numbers is an embedding.
    """

    places: Tensor

    def __init__(self, widths: Sequence[int], token_width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(sum(widths), token_width))
        self.bias = nn.Parameter(torch.empty(len(widths), token_width))
        starts = [0, *accumulate(widths)]
        most = max(widths, default=1)
        # short columns are filled up with the place after the last number, where a zero is put
        rows = [[s + i if i < w else starts[-1] for i in range(most)] for s, w in zip(starts, widths, strict=False)]
        self.register_buffer("places", torch.tensor(rows, dtype=torch.int64))
        self.single = most == 1
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = self.weight.shape[1] ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x_BW: Tensor) -> Tensor:
        if self.single:
            return torch.addcmul(self.bias, x_BW[:, :, None], self.weight)
        x_BCP = F.pad(x_BW, (0, 1))[:, self.places]
        weight_CPD = F.pad(self.weight, (0, 0, 0, 1))[self.places]
        return torch.einsum("bcp,cpd->bcd", x_BCP, weight_CPD) + self.bias


class ClassToken(nn.Module):
    """A learnt token put before the others, to gather what the head is to see (Devlin et al. 2019): T to 1 + T."""

    def __init__(self, token_width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(token_width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = len(self.weight) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x_BTD: Tensor) -> Tensor:
        return torch.cat([self.weight.expand(len(x_BTD), 1, -1), x_BTD], 1)
