"""A small transformer over the words of a text, trained from scratch."""

# B batch, L tokens of the longest, D numbers of a token

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aurify.blocks.attention import TransformerBlock
from aurify.blocks.dropout import Dropout
from aurify.blocks.pooling import POOLS, pool, real_tokens
from aurify.blocks.text_head import TextHead, TextNetwork, token_input
from aurify.blocks.word_table import SPREAD, WordTable
from aurify.core.parts import Trait, knob
from aurify.core.types import Signature


@dataclass(kw_only=True)
class TextTransformer(TextNetwork):
    """Let each word of a text take in what the others say, block after block.

    The encoder of Vaswani et al. (2017) with norms before each branch (Xiong et al. 2020) and waves for positions,
    which go on for texts longer than any in training. Helps: words that decide together from afar, tens of thousands
    of texts. Hurts: few texts, from which it cannot learn what order is worth; long ones, as its time grows with the
    square of their length.
    """

    needs = frozenset({Trait.TEXTS})
    width: int = knob(
        48, "numbers of a token, rounded up to a multiple of heads", low=16, high=256, log=True, legal=(1, 4096)
    )
    depth: int = knob(2, "transformer blocks", low=1, high=6, legal=(1, 64))
    heads: int = knob(4, "parts of a token that attend on their own", low=1, high=8, legal=(1, 64))
    pool: str = knob("max", "what is made of the tokens at the end", choices=POOLS)

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.RESIDUAL})

    def build(self, signature: Signature) -> nn.Module:
        width = -(-self.width // self.heads) * self.heads
        read = _Transformer(self, self.table(token_input(signature), width), width)
        return TextHead(read, width, signature, width)

    def first_weights(self, model: nn.Module) -> None:
        """Each branch begins by adding nothing: random ones would drown what few texts say."""
        super().first_weights(model)
        for module in model.modules():
            if isinstance(module, TransformerBlock):
                for last in (module.attend.leave, module.think.leave):
                    nn.init.zeros_(last.weight)
                    nn.init.zeros_(last.bias)


class _Transformer(nn.Module):
    def __init__(self, settings: TextTransformer, table: WordTable, width: int):
        super().__init__()
        self.table, self.drop = table, Dropout()
        self.body = nn.ModuleList(
            TransformerBlock(width, settings.heads, "gelu", drop_weights=False) for _ in range(settings.depth)
        )
        self.norm = nn.LayerNorm(width)
        self.pool = pool(settings.pool, width)

    def forward(self, ids_BL: Tensor) -> Tensor:
        real_BL = real_tokens(ids_BL)
        x_BLD = self.table(ids_BL)
        waves_LD = waves(ids_BL.shape[1], x_BLD.shape[-1], x_BLD)
        x_BLD = self.drop(x_BLD + SPREAD * waves_LD)
        for block in self.body:
            x_BLD = block(x_BLD, real_BT=real_BL)
        return self.pool(self.norm(x_BLD), real_BL)


def waves(length: int, width: int, like: Tensor) -> Tensor:
    """Sines and cosines of each position (L, D), their waves 2 pi to 10,000 times that long (Vaswani et al. 2017)."""
    half = -(-width // 2)
    rates = torch.exp(torch.arange(half, device=like.device) * (-math.log(10_000.0) / half))
    angles = torch.arange(length, device=like.device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :width].to(like.dtype)
