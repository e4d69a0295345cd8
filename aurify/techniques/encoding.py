"""How categories enter the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from aurify.blocks.entries import Categories
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View
from aurify.data.prepare import rank_codes


@dataclass(kw_only=True)
class EncodeCategories(Technique):
    """Give each category its own input or its own learnt vector instead of a rank.

    ``one_hot``: one column a value; ``embedding``: a learnt vector a value (Guo & Berkhahn 2016); ``auto``: one-hot
    for columns of up to ``hot_up_to`` values, a learnt vector beyond. Values seen less than ``least`` times in training
    share one code with values never seen, so that this code is learnt too. Helps: nearly always, since the bare rank
    invents an order. Hurts: one-hot grows wide with many values; embeddings of rare values are noise, raise ``least``.
    Bare (``ordinal``): the rank as a number.
    """

    method: str = knob("auto", "how a value enters", choices=("auto", "embedding", "one_hot", "ordinal"))
    hot_up_to: int = knob(32, "auto: most values of a one-hot column", low=2, high=256, log=True, legal=(0, 1_000_000))
    least: int = knob(3, "times a value must occur to get a code of its own", low=1, high=20, legal=(1, 1_000_000))
    most: int = knob(16, "widest embedding of a column", low=2, high=64, log=True, legal=(1, 1024))
    needs = frozenset({Trait.COLUMNS})
    neutral = {"method": "ordinal"}
    stage = Stage.ENCODE
    slot = "encoder"
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "codes" not in view.values or self.method == "ordinal":
            return None
        ranks, offsets, sizes = rank_codes(view.values["codes"], view.inputs["codes"], self.least)
        hot_up_to = {"embedding": 0, "one_hot": max(sizes), "auto": self.hot_up_to}[self.method]
        return Encode(ranks=ranks, offsets=offsets, sizes=sizes, hot_up_to=hot_up_to, most=self.most)


class Encode(Layer):
    """Fitted ranks of category codes, and the entry by which a network takes them in."""

    ranks: Tensor
    offsets: Tensor
    sizes: list[int]
    hot_up_to: int
    most: int

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**values, "codes": self.ranks[values["codes"] + self.offsets]}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        entry = partial(Categories, hot_up_to=self.hot_up_to, most=self.most)
        return {**before, "codes": replace(before["codes"], cardinalities=tuple(self.sizes), entry=entry)}
