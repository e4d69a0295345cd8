"""Transformer over the columns of a table."""

# B batch, W width after encoding, T tokens, D width of a token, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from aurify.blocks.attention import TransformerBlock
from aurify.blocks.entries import Entries
from aurify.blocks.tokens import ClassToken, ColumnTokens
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Blend, Signature


@dataclass(kw_only=True)
class FtTransformer(Network):
    """Each column a token, which attention relates to the others; a class token gathers the answer.

    The feature tokenizer and transformer of Gorishniy et al. (2021). Helps: columns whose meaning depends on others,
    thousands of rows. Hurts: its time grows with the square of the number of columns, tens of times that of ``mlp``;
    small tables, which it overfits.
    """

    needs = frozenset({Trait.COLUMNS})
    width: int = knob(
        64, "numbers of a token, rounded up to a multiple of heads", low=16, high=256, log=True, legal=(1, 8192)
    )
    depth: int = knob(3, "transformer blocks", low=1, high=6, legal=(1, 64))
    heads: int = knob(4, "parts of a token that attend on their own", low=1, high=8, legal=(1, 64))
    activation: str = knob("reglu", "non-linearity of the feed-forward layers", choices=("reglu", "gelu"))

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.RESIDUAL})

    def build(self, signature: Signature) -> nn.Module:
        return _FtTransformer(self, signature)


class _FtTransformer(nn.Module):
    def __init__(self, settings: FtTransformer, signature: Signature):
        super().__init__()
        width = -(-settings.width // settings.heads) * settings.heads
        self.enter = Entries(signature)
        self.tokens = ColumnTokens(self.enter.widths, width)
        self.gather = ClassToken(width)
        # the first norm left out, as in the paper: with it training is slower to begin
        self.body = nn.ModuleList(
            TransformerBlock(width, settings.heads, settings.activation, norm_first=at > 0)
            for at in range(settings.depth)
        )
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, signature.outputs))

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        x_BTD = self.gather(self.tokens(self.enter(inputs, blend)))
        for block in self.body[:-1]:
            x_BTD = block(x_BTD)
        x_BQD = self.body[-1](x_BTD, asking=1)  # only the class token is read: the last block need not do more
        return self.leave(x_BQD[:, 0])
