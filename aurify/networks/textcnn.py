"""Convolutions over the words of a text."""

# B batch, L tokens of the longest, D numbers of a token, C channels of one window

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.blocks.dropout import SequenceDropout
from aurify.blocks.members import Members
from aurify.blocks.pooling import real_tokens
from aurify.blocks.text_head import TextHead, TextNetwork, token_input
from aurify.blocks.word_table import WordTable
from aurify.core.parts import Trait, knob
from aurify.core.types import Signature


@dataclass(kw_only=True)
class Textcnn(TextNetwork):
    """Slide filters over a few words at a time and keep the strongest reply of each, wherever it was.

    TextCNN (Kim 2014), of which several ``members`` may be trained side by side and averaged. Helps: phrases that
    decide wherever they stand, such as "not good"; quick and steady. Hurts: words that decide together from afar.
    """

    needs = frozenset({Trait.TEXTS})
    stacks = True
    width: int = knob(64, "numbers of each token's vector", low=16, high=256, log=True, legal=(1, 4096))
    channels: int = knob(64, "filters of each window", low=16, high=256, log=True, legal=(1, 4096))
    window: int = knob(2, "tokens of the smallest window", low=1, high=5, legal=(1, 64))
    windows: int = knob(3, "windows, each a token longer than the last", low=1, high=5, legal=(1, 32))

    members: int = knob(1, "networks trained side by side and averaged", low=1, high=8, legal=(1, 64))

    def build(self, signature: Signature) -> nn.Module:
        if self.members == 1:
            return self._one(signature)
        return Members([self._one(signature) for _ in range(self.members)])

    def _one(self, signature: Signature) -> nn.Module:
        table = self.table(token_input(signature), self.width)
        read = _Windows(table, self.width, self.channels, range(self.window, self.window + self.windows))
        return TextHead(read, self.channels * self.windows, signature, self.channels)


class _Windows(nn.Module):
    def __init__(self, table: WordTable, width: int, channels: int, sizes: range):
        super().__init__()
        self.table, self.drop = table, SequenceDropout()
        self.windows = nn.ModuleList(nn.Conv1d(width, channels, size) for size in sizes)

    def forward(self, ids_BL: Tensor) -> Tensor:
        x_BDL = self.drop(self.table(ids_BL)).transpose(1, 2)
        beyond_B1L = ~real_tokens(ids_BL).unsqueeze(1)
        return torch.cat([self._strongest(window, x_BDL, beyond_B1L) for window in self.windows], 1)

    def _strongest(self, window: nn.Module, x_BDL: Tensor, beyond_B1L: Tensor) -> Tensor:
        """A window may hang over the end of a row, into zeros, but must begin within it: every row has as many."""
        replies_BCL = window(F.pad(x_BDL, (0, window.kernel_size[0] - 1)))  # type: ignore[index]
        return replies_BCL.masked_fill(beyond_B1L, -torch.inf).amax(-1).relu()
