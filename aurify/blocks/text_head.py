"""What networks for texts share: what was read in the text meets the columns beside it, and words' vectors."""

# B batch, L tokens of the longest, F features of a text, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from aurify.blocks.meeting import Meeting
from aurify.blocks.vector_files import vectors_of
from aurify.blocks.word_table import WordTable
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, knob
from aurify.core.types import Blend, Input, Signature

TOKENS = "tokens"


def token_input(signature: Signature) -> Input:
    """The tokens that a network reads; raises AurifyError where no step left any."""
    if TOKENS not in signature.inputs:
        raise AurifyError(
            "the network reads words, and no column of texts is left: all are hidden, or frozen_encoder took them; take"
            " one for tables, such as --set network=mlp"
        )
    return signature.inputs[TOKENS]


class Reader(Protocol):
    """A module from ids (B, L) to features (B, ``width``)."""

    width: int


@dataclass(kw_only=True)
class TextNetwork(Network):
    """A network whose tokens' vectors may come from a file."""

    vectors: str = knob(
        "", "file of pretrained word vectors: word2vec, fastText .vec or GloVe; none when empty", file=True
    )
    freeze: bool = knob(False, "leave pretrained vectors as they are")

    def table(self, given: Input, width: int) -> WordTable:
        """The vectors of an input's words, ``width`` numbers each."""
        return WordTable(given, width, self.vectors, self.freeze)

    def first_weights(self, model: nn.Module) -> None:
        tables = [module for module in model.modules() if isinstance(module, WordTable)]
        if self.vectors and tables:
            found = vectors_of(self.vectors, tables[0].words)  # once for all members
            for table in tables:
                table.fill(*found)


class TextHead(Meeting):
    """Answers from a text and the columns beside it: ``inputs`` and a blend's partners to (B, K).

    ``read`` makes features (B, F) of the ids; with a blend each row's are mixed with its partner's, as ``Entries`` does
    for columns.
    """

    def __init__(self, read: nn.Module, features: int, signature: Signature, width: int):
        super().__init__(features, signature, TOKENS, width)
        self.read = read

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        text_BF = self.read(inputs[TOKENS])
        if blend is not None:
            others_BF = self.read(blend.inputs[TOKENS])
            text_BF = torch.lerp(others_BF, text_BF, blend.share[:, None].to(text_BF.dtype))
        return self.together(text_BF, inputs, blend)
