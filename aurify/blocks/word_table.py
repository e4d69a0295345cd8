"""Each word of a vocabulary as a vector: learnt, or read from a file of pretrained ones."""

# B rows, L tokens of the longest, V words, E numbers of a vector in the table, D numbers of one that is used

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aurify.blocks.vector_files import width_of
from aurify.core.ragged import PAD
from aurify.core.types import Input

SPREAD = 0.1
"""Standard deviation of first weights. With 1, as torch has it, words that are seen seldom stay noise."""


class Vectors(nn.Embedding):
    """Ids (B, L) to vectors (B, L, E), zeros for ``PAD``; first weights are normal with deviation ``spread``."""

    FILLED_UP = ("weight",)  # words that another one's rows have
    EACH_ITS_OWN = ("num_embeddings",)

    def __init__(self, count: int, width: int, spread: float = SPREAD):
        self.spread = spread
        super().__init__(count, width, padding_idx=PAD)

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=self.spread)
        self._fill_padding_idx_with_zero()


class WordTable(nn.Module):
    """Tokens' vectors: ids (B, L) to (B, L, ``width``), zeros for padding.

    With a ``source`` the table has that file's width and a learnt map, without bias, brings its vectors to ``width``.
    Words that the file lacks begin at random; with ``freeze`` the table never changes (Kim 2014, CNN-static). Built on
    the meta device, for a model that is loaded, the file is not needed and the saved tensors say the width.
    """

    EACH_ITS_OWN = ("words", "count")

    def __init__(self, given: Input, width: int, source: str = "", freeze: bool = False):
        super().__init__()
        self.words, self.width, self.source, self.freeze = given.vocabulary, width, source, freeze
        self.count = given.cardinalities[0]
        self._make(1 if source and torch.empty(0).device.type == "meta" else width_of(source) if source else width)

    def _make(self, table_width: int) -> None:
        self.table = Vectors(self.count, table_width)
        self.table.requires_grad_(not (self.source and self.freeze))
        self.adapt = nn.Linear(table_width, self.width, bias=False) if self.source else nn.Identity()

    def fill(self, at: np.ndarray, vectors: np.ndarray) -> None:
        """Put vectors (M, E) of some words in their places (M,), stretched to the spread of the others."""
        scale = SPREAD / max(float(vectors.std()), 1e-12)
        with torch.no_grad():
            self.table.weight[torch.from_numpy(at)] = torch.from_numpy(vectors * scale).to(self.table.weight)

    def forward(self, ids_BL: Tensor) -> Tensor:
        return self.adapt(self.table(ids_BL))

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any, **rest: Any) -> None:
        saved = state_dict.get(f"{prefix}table.weight")
        if self.source and self.table.weight.is_meta and isinstance(saved, Tensor) and saved.ndim == 2:
            with torch.device("meta"):
                self._make(saved.shape[1])
        super()._load_from_state_dict(state_dict, prefix, *args, **rest)
