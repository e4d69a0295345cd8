"""Tokens as the mean of their vectors: how a text enters a network that has no better way."""

# B rows, L tokens of the longest, D numbers of each vector

from __future__ import annotations

from torch import Tensor, nn

from aurify.core.ragged import PAD
from aurify.core.types import Input

WIDTH = 64


class TokenMean(nn.Module):
    """A bag of words (Iyyer et al. 2015): ids (B, L) to (B, D), the mean over those that are there."""

    def __init__(self, given: Input, width: int = WIDTH):
        super().__init__()
        self.vectors = nn.Embedding(given.cardinalities[0], width, padding_idx=PAD)
        self.widths = [width]

    def forward(self, ids_BL: Tensor) -> Tensor:
        there_BL1 = (ids_BL != PAD).unsqueeze(-1).to(self.vectors.weight.dtype)
        return (self.vectors(ids_BL) * there_BL1).sum(1) / there_BL1.sum(1).clamp(min=1)
