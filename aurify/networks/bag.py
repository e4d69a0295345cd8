"""A bag of words and of hashed n-grams."""

# B batch, L tokens of the longest, D numbers of a vector

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aurify.blocks.pooling import Mean, real_tokens
from aurify.blocks.text_head import TextHead, TextNetwork, tokens_of
from aurify.blocks.word_table import Vectors, WordTable
from aurify.core.parts import Trait, knob
from aurify.core.ragged import PAD
from aurify.core.types import Signature

PRIME = 1_000_003
MIXED = 2_654_435_761
"""2^32 over the golden ratio (Knuth 1973): spreads what lies close together."""


@dataclass(kw_only=True)
class Bag(TextNetwork):
    """Average the vectors of a text's words and of its short word sequences, then decide.

    fastText's classifier (Joulin et al. 2017): sequences of up to ``ngrams`` words share ``buckets`` vectors, found by
    hashing. Helps: the fastest network for texts, and hard to beat where single words and phrases decide. Hurts: where
    the order of words across a sentence decides, which it cannot see.
    """

    needs = frozenset({Trait.TEXTS})
    width: int = knob(64, "numbers of each vector", low=16, high=256, log=True, legal=(1, 4096))
    ngrams: int = knob(3, "words of the longest sequences that have vectors", low=1, high=5, legal=(1, 16))
    buckets: int = knob(
        65536, "vectors that sequences share by hashing", low=4096, high=2**20, log=True, legal=(1, 2**26)
    )

    def build(self, signature: Signature) -> nn.Module:
        given = tokens_of(signature)
        table = self.table(given, self.width)
        read = _Bag(table, self.width, self.ngrams, self.buckets)
        return TextHead(read, self.width, signature, self.width)


class _Bag(nn.Module):
    def __init__(self, table: WordTable, width: int, ngrams: int, buckets: int):
        super().__init__()
        self.table, self.buckets = table, buckets
        self.sizes = range(2, ngrams + 1)
        self.sequences = Vectors(buckets + 1, width) if ngrams > 1 else None
        self.mean = Mean()

    def forward(self, ids_BL: Tensor) -> Tensor:
        real_BL = real_tokens(ids_BL)
        x_BLD = self.table(ids_BL)
        if self.sequences is None:
            return self.mean(x_BLD, real_BL)
        hashed = torch.cat(self.hashed(ids_BL), 1)
        ngrams_BD = self.sequences(hashed).sum(1)
        counts_B1 = (hashed != PAD).sum(1, keepdim=True) + real_BL.sum(1, keepdim=True)
        return (x_BLD.sum(1) + ngrams_BD) / counts_B1.to(x_BLD.dtype)

    def hashed(self, ids_BL: Tensor) -> list[Tensor]:
        """For each length of sequences the bucket (B, L) of the one that ends at each token, or ``PAD``."""
        buckets, key_BL = [], ids_BL
        for size in self.sizes:
            key_BL = key_BL * PRIME + ids_BL.roll(size - 1, 1)
            there_BL = ids_BL != PAD
            there_BL[:, : size - 1] = False
            mixed_BL = (key_BL * MIXED) >> 20
            buckets.append(torch.where(there_BL, mixed_BL % self.buckets + 1, PAD))
        return buckets
