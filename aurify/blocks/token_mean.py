"""Tokens as the sum of their vectors over the root of their count: how a text enters a network without a better way."""

# B rows, L tokens of the longest, D numbers of each vector

from __future__ import annotations

from torch import Tensor, nn

from aurify.blocks.word_table import Vectors
from aurify.core.ragged import PAD
from aurify.core.types import Input

WIDTH = 64


class TokenMean(nn.Module):
    """A bag of words (Iyyer et al. 2015): ids (B, L) to (B, D), of those that are there.

    Vectors begin small, and their sum is divided by the root of their count: a mean of long texts would be near zero.
    """

    def __init__(self, given: Input, width: int = WIDTH):
        super().__init__()
        self.vectors = Vectors(given.cardinalities[0], width)
        self.widths = [width]

    def forward(self, ids_BL: Tensor) -> Tensor:
        counts_B1 = (ids_BL != PAD).sum(1, keepdim=True).clamp(min=1).to(self.vectors.weight.dtype)
        return self.vectors(ids_BL).sum(1) / counts_B1.sqrt()
