"""Techniques that change the tokens of a text a little in each step, so that none is learnt by heart."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from aurify.blocks import token_edits
from aurify.core.parts import knob
from aurify.core.ragged import MASK, UNKNOWN
from aurify.data.edited import TokenEdit, Tokens


@dataclass(kw_only=True)
class RandomDeletion(TokenEdit):
    """Leave out a share of each text's tokens in each step (Wei & Zou 2019, EDA).

    At least one token of a text stays. Helps: little data, labels that many words tell. Hurts: where single words
    decide (not, never), and tasks about word order or counts; 0.3 and more spoils most.
    """

    rate: float = knob(0.1, "chance of each token to be left out", low=0.02, high=0.3, legal=(0.0, 0.95))
    vivid = {"rate": 0.3}
    stacks = True
    order = -3

    def edit(self, tokens: Tokens) -> Tensor:
        return token_edits.packed(tokens.ids, token_edits.chosen(tokens.free, self.rate, tokens.random))


@dataclass(kw_only=True)
class RandomSwap(TokenEdit):
    """Exchange pairs of each text's tokens, wherever they stand (Wei & Zou 2019, EDA).

    Helps: little data, where a network that sees the order reads too much into it. Hurts: where the order is what
    tells (who did what to whom); a bag of words does not notice it at all.
    """

    rate: float = knob(0.1, "share of the tokens that change places", low=0.02, high=0.4, legal=(0.0, 1.0))
    vivid = {"rate": 1.0}
    stacks = True
    order = -5

    def edit(self, tokens: Tokens) -> Tensor:
        return token_edits.swapped(tokens.ids, tokens.free, self.rate, tokens.random)


@dataclass(kw_only=True)
class SentenceShuffle(TokenEdit):
    """Put the sentences of a text in another order, each of them whole (Yan et al. 2019).

    A sentence ends with a full stop, an exclamation or question mark, a semicolon (Chinese ones too) or a line; what
    the vocabulary lacks ends none. Sentences of different columns do not mix. Helps: reviews and reports whose
    sentences each say something. Hurts: stories and arguments, whose last sentence decides; single sentences and bags
    of words do not notice it.
    """

    rate: float = knob(0.3, "chance of each text in each step", low=0.1, high=1.0, legal=(0.0, 1.0))
    vivid = {"rate": 1.0}
    stacks = True
    order = -8

    def edit(self, tokens: Tokens) -> Tensor:
        rows = token_edits.draws((len(tokens.ids),), tokens.random, tokens.ids.device) < self.rate
        ends = tokens.kinds.sentence_ends(tokens.ids)
        return token_edits.reordered(tokens.ids, ends, ~tokens.free, rows, tokens.random)


@dataclass(kw_only=True)
class SpanMasking(TokenEdit):
    """Hide spans of a text's tokens behind the mask token (Joshi et al. 2020, SpanBERT).

    Spans have geometric lengths, 10 at most; at least one token of a text stays. Helps: networks that see the
    order, encoders that were trained with a mask. Hurts: short texts, where a span is all there is.
    """

    rate: float = knob(0.15, "share of the tokens that are hidden", low=0.02, high=0.4, legal=(0.0, 0.95))
    length: float = knob(5.0, "mean length of a span before it is cut at 10", low=1.0, high=8.0, legal=(1.0, 100.0))
    vivid = {"rate": 0.4}
    stacks = True
    order = -2

    def edit(self, tokens: Tokens) -> Tensor:
        return tokens.ids.masked_fill(token_edits.spans(tokens.free, self.rate, self.length, tokens.random), MASK)


@dataclass(kw_only=True)
class TokenDropout(TokenEdit):
    """Make a share of each text's tokens unknown, each where it stands (Bowman et al. 2016, word dropout).

    Unlike random_deletion it keeps length and order, and it is how a network learns what to make of unknown words,
    which training rows may hold none of. Helps: new texts with words of their own, networks that lean on a few words.
    Hurts: vocabularies of characters or pieces, where next to nothing is unknown later.
    """

    rate: float = knob(0.1, "chance of each token to be unknown", low=0.02, high=0.5, legal=(0.0, 0.95))
    vivid = {"rate": 0.4}
    stacks = True
    order = -1

    def edit(self, tokens: Tokens) -> Tensor:
        return tokens.ids.masked_fill(token_edits.chosen(tokens.free, self.rate, tokens.random), UNKNOWN)
