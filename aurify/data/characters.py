"""Texts as their characters: the bare conversion of texts, when no technique makes tokens of them."""

# N rows, T code points in all, V different ones

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from aurify.blocks.token_mean import TokenMean
from aurify.core.ragged import SEPARATOR, UNKNOWN, side_by_side
from aurify.core.types import Input, Layer, View

SPECIAL = ("", "<unknown>", "<separator>", "<mask>")
"""How the first ids, ``PAD`` and those after it, stand in a vocabulary."""

LONGEST = 512
"""Ids of a row that a network sees by default."""


def with_tokens(before: Mapping[str, Input], vocabulary: tuple[str, ...]) -> dict[str, Input]:
    """The inputs after texts have become ids of ``vocabulary``, the special ones included."""
    given = before["texts"]
    tokens = Input("tokens", (-1,), given.names, (len(vocabulary),), TokenMean, vocabulary)
    return {**{k: v for k, v in before.items() if k != "texts"}, "tokens": tokens}


class Characters(Layer):
    """Each character is a token; those that training rows lack are unknown."""

    points: Tensor
    length: int

    @classmethod
    def fit(cls, view: View, least: int = 1, size: int | None = None, length: int = LONGEST) -> Characters:
        """Learn the characters (V,) that are there ``least`` times, the ``size`` most frequent ones."""
        points, counts = torch.unique(view.values["texts"].values, return_counts=True)
        points, counts = points[counts >= least], counts[counts >= least]
        most = counts.argsort(descending=True, stable=True)[:size]
        return cls(points=points[most.sort().values], length=length)

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        texts = values["texts"]
        ids = torch.full_like(texts.values, UNKNOWN)
        if len(self.points):
            place = torch.searchsorted(self.points, texts.values).clamp(max=len(self.points) - 1)
            ids = torch.where(self.points[place] == texts.values, place.int() + len(SPECIAL), ids)
        tokens = side_by_side(replace(texts, values=ids), SEPARATOR, UNKNOWN).first(self.length)
        return {**{k: v for k, v in values.items() if k != "texts"}, "tokens": tokens}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        return with_tokens(before, (*SPECIAL, *map(chr, self.points.tolist())))
