"""A bag of words and of hashed n-grams."""

# B batch, L tokens of the longest, N places for sequences in a row, D numbers of a vector

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aurify.blocks.pooling import real_tokens
from aurify.blocks.text_head import TextHead, TextNetwork, token_input
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
    hashing. These begin at zero, so that one that training never saw says nothing. Helps: the fastest network for
    texts, and hard to beat where single words and phrases decide. Hurts: where the order of words across a sentence
    decides, which it cannot see.
    """

    needs = frozenset({Trait.TEXTS})
    stacks = True
    width: int = knob(48, "numbers of each vector", low=8, high=256, log=True, legal=(1, 4096))
    ngrams: int = knob(3, "words of the longest sequences that have vectors", low=1, high=5, legal=(1, 16))
    buckets: int = knob(
        65536, "vectors that sequences share by hashing", low=4096, high=2**20, log=True, legal=(1, 2**26)
    )

    def build(self, signature: Signature) -> nn.Module:
        given = token_input(signature)
        table = self.table(given, self.width)
        read = _Bag(table, self.width, self.ngrams, self.buckets)
        return TextHead(read, self.width, signature, self.width)


class _Bag(nn.Module):
    def __init__(self, table: WordTable, width: int, ngrams: int, buckets: int):
        super().__init__()
        self.table, self.buckets = table, buckets
        self.sizes = range(2, ngrams + 1)
        self.sequences = Vectors(buckets + 1, width, spread=0.0) if ngrams > 1 else None

    def forward(self, ids_BL: Tensor) -> Tensor:
        sums_BD, counts_B1 = self.table(ids_BL).sum(1), real_tokens(ids_BL).sum(1, keepdim=True)
        if self.sequences is not None:
            buckets_BN = self.hashed(ids_BL)
            sums_BD = sums_BD + self.sequences(buckets_BN).sum(1)
            counts_B1 = counts_B1 + (buckets_BN != PAD).sum(1, keepdim=True)
        # not the mean: of many vectors that begin small it is too small to learn from
        return sums_BD / counts_B1.to(sums_BD.dtype).sqrt()

    def hashed(self, ids_BL: Tensor) -> Tensor:
        """The buckets (B, N) of a row's sequences, ``PAD`` where none ends; for each length one at each token."""
        buckets, key_BL = [], ids_BL
        for size in self.sizes:
            key_BL = key_BL * PRIME + ids_BL.roll(size - 1, 1)
            there_BL = ids_BL != PAD
            there_BL[:, : size - 1] = False
            mixed_BL = (key_BL * MIXED) >> 20
            buckets.append(torch.where(there_BL, mixed_BL % self.buckets + 1, PAD))
        return torch.cat(buckets, 1)
