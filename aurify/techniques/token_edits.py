"""Techniques that change the tokens of a text a little in each step, so that none is learnt by heart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.blocks import token_edits
from aurify.core.parts import Technique, Trait, knob
from aurify.core.run import Run
from aurify.core.types import Batch
from aurify.data.edited import edited
from aurify.data.token_kinds import TokenKinds


@dataclass(kw_only=True)
class RandomDeletion(Technique):
    """Leave out a share of each text's tokens in each step (Wei & Zou 2019, EDA).

    At least one token of a text stays. Helps: little data, labels that many words tell. Hurts: where single words
    decide (not, never), and tasks about word order or counts; 0.3 and more spoils most.
    """

    family = "augmentation"
    rate: float = knob(0.1, "chance of each token to be left out", low=0.02, high=0.3, legal=(0.0, 0.95))
    needs = frozenset({Trait.TEXTS})
    neutral = {"rate": 0.0}
    vivid = {"rate": 0.3}
    order = -3

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.rate == 0.0:
            return batch

        def edit(ids: Tensor, free: Tensor, known: TokenKinds, random: torch.Generator) -> Tensor:
            return token_edits.packed(ids, token_edits.chosen(free, self.rate, random))

        return edited(batch, run, "random_deletion", edit)


@dataclass(kw_only=True)
class RandomSwap(Technique):
    """Exchange pairs of each text's tokens, wherever they stand (Wei & Zou 2019, EDA).

    Helps: little data, where a network that sees the order reads too much into it. Hurts: where the order is what
    tells (who did what to whom); a bag of words does not notice it at all.
    """

    family = "augmentation"
    rate: float = knob(0.1, "share of the tokens that change places", low=0.02, high=0.4, legal=(0.0, 1.0))
    needs = frozenset({Trait.TEXTS})
    neutral = {"rate": 0.0}
    vivid = {"rate": 1.0}
    order = -5

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.rate == 0.0:
            return batch

        def edit(ids: Tensor, free: Tensor, known: TokenKinds, random: torch.Generator) -> Tensor:
            return token_edits.swapped(ids, free, self.rate, random)

        return edited(batch, run, "random_swap", edit)


@dataclass(kw_only=True)
class SentenceShuffle(Technique):
    """Put the sentences of a text in another order, each of them whole (Yan et al. 2019).

    A sentence ends with a full stop, an exclamation or question mark, a semicolon (Chinese ones too) or a line; what
    the vocabulary lacks ends none. Sentences of different columns do not mix. Helps: reviews and reports whose
    sentences each say something. Hurts: stories and arguments, whose last sentence decides; single sentences and bags
    of words do not notice it.
    """

    family = "augmentation"
    rate: float = knob(0.3, "chance of each text in each step", low=0.1, high=1.0, legal=(0.0, 1.0))
    needs = frozenset({Trait.TEXTS})
    neutral = {"rate": 0.0}
    vivid = {"rate": 1.0}
    order = -8

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.rate == 0.0:
            return batch

        def edit(ids: Tensor, free: Tensor, known: TokenKinds, random: torch.Generator) -> Tensor:
            rows = token_edits.draws((len(ids),), random, ids.device) < self.rate
            return token_edits.reordered(ids, known.sentence_ends(ids), ~free, rows, random)

        return edited(batch, run, "sentence_shuffle", edit)


@dataclass(kw_only=True)
class SpanMasking(Technique):
    """Hide spans of a text's tokens behind the mask token (Joshi et al. 2020, SpanBERT).

    Spans have geometric lengths, 10 at most; at least one token of a text stays. Helps: networks that see the
    order, encoders that were trained with a mask. Hurts: short texts, where a span is all there is.
    """

    family = "augmentation"
    rate: float = knob(0.15, "share of the tokens that are hidden", low=0.02, high=0.4, legal=(0.0, 0.95))
    length: float = knob(5.0, "mean length of a span before it is cut at 10", low=1.0, high=8.0, legal=(1.0, 100.0))
    needs = frozenset({Trait.TEXTS})
    neutral = {"rate": 0.0}
    vivid = {"rate": 0.4}
    order = -2

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.rate == 0.0:
            return batch

        def edit(ids: Tensor, free: Tensor, known: TokenKinds, random: torch.Generator) -> Tensor:
            return ids.masked_fill(token_edits.spans(free, self.rate, self.length, random), known.mask)

        return edited(batch, run, "span_masking", edit)


@dataclass(kw_only=True)
class TokenDropout(Technique):
    """Make a share of each text's tokens unknown, each where it stands (Bowman et al. 2016, word dropout).

    Unlike random_deletion it keeps length and order, and it is how a network learns what to make of unknown words,
    which training rows may hold none of. Helps: new texts with words of their own, networks that lean on a few words.
    Hurts: vocabularies of characters or pieces, where next to nothing is unknown later.
    """

    family = "augmentation"
    rate: float = knob(0.1, "chance of each token to be unknown", low=0.02, high=0.5, legal=(0.0, 0.95))
    needs = frozenset({Trait.TEXTS})
    neutral = {"rate": 0.0}
    vivid = {"rate": 0.4}
    order = -1

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.rate == 0.0:
            return batch

        def edit(ids: Tensor, free: Tensor, known: TokenKinds, random: torch.Generator) -> Tensor:
            return ids.masked_fill(token_edits.chosen(free, self.rate, random), known.unknown)

        return edited(batch, run, "token_dropout", edit)
