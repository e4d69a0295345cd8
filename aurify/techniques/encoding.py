"""How categories enter the network."""

# N rows, C columns, T numbers a category

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from aurify.blocks.entries import Categories
from aurify.core import rng
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View, widened
from aurify.data.prepare import rank_codes

METHODS = ("auto", "embedding", "one_hot", "ordinal", "frequency", "target", "hashing")


@dataclass(kw_only=True)
class EncodeCategories(Technique):
    """Give each category its own input, its own learnt vector or a telling number instead of a rank.

    ``one_hot``: one column a value; ``embedding``: a learnt vector a value (Guo & Berkhahn 2016); ``auto``: one-hot
    for columns of up to ``hot_up_to`` values, a learnt vector beyond. Values seen less than ``least`` times in training
    share one code with values never seen, so that this code is learnt too. ``hashing``: as ``auto``, after all values
    fell into ``buckets`` by a hash of their place among the column's values, known or not (Weinberger et al. 2009).
    ``target``: the target's mean of a value, drawn to the mean of all as if ``smoothing`` more rows had it
    (Micci-Barreca 2001), one number a class (of two classes one), rare values together; of a training row from the
    other ``folds`` alone, so that no row sees its own target. ``frequency``: the share of training rows that have the
    value, 0 for unseen ones. Both become standardised number columns. Helps: nearly always, since the bare rank invents
    an order; ``target`` and ``hashing`` with hundreds of values a column. Hurts: one-hot grows wide with many values;
    embeddings of rare values are noise, raise ``least``; ``target`` forgets all but the mean; ``frequency`` and
    ``hashing`` take values that differ as one. Bare (``ordinal``): the rank as a number.
    """

    family = "encoding"
    method: str = knob("auto", "how a value enters", choices=METHODS)
    hot_up_to: int = knob(32, "auto: most values of a one-hot column", low=2, high=256, log=True, legal=(0, 1_000_000))
    least: int = knob(3, "times a value must occur to get a code of its own", low=1, high=20, legal=(1, 1_000_000))
    most: int = knob(16, "widest embedding of a column", low=2, high=64, log=True, legal=(1, 1024))
    smoothing: float = knob(20.0, "target: rows at the mean", low=1.0, high=200.0, log=True, legal=(0.0, 1e9))
    folds: int = knob(5, "target: folds of the training rows", low=2, high=10, legal=(2, 100))
    buckets: int = knob(32, "hashing: buckets of a column", low=8, high=512, log=True, legal=(1, 65_536))
    needs = frozenset({Trait.COLUMNS})
    neutral = {"method": "ordinal"}
    stage = Stage.ENCODE
    slot = "encoder"
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "codes" not in view.values or self.method == "ordinal":
            return None
        codes, given = view.values["codes"], view.inputs["codes"]
        match self.method:
            case "frequency":
                return self._frequencies(view)
            case "target":
                return self._targets(view)
            case "hashing":
                ranks, offsets, sizes = self._hashed(codes, given)
            case _:
                ranks, offsets, sizes = rank_codes(codes, given, self.least)
        hot_up_to = {"embedding": 0, "one_hot": max(sizes)}.get(self.method, self.hot_up_to)
        return Encode(ranks=ranks, offsets=offsets, sizes=sizes, hot_up_to=hot_up_to, most=self.most)

    def _hashed(self, codes: Tensor, given: Input) -> tuple[Tensor, Tensor, list[int]]:
        """Ranks of the buckets into which codes fall, as ``rank_codes`` gives ranks of codes."""
        fallen = [
            torch.tensor([-2, -1, *(rng.key(0, f"{name}/{code}") % self.buckets for code in range(size))])
            for name, size in zip(given.names, given.cardinalities, strict=True)
        ]
        bucketed = torch.stack([into[c + 2] for into, c in zip(fallen, codes.T, strict=True)], 1)
        ranks, starts, sizes = rank_codes(
            bucketed, replace(given, cardinalities=(self.buckets,) * len(fallen)), self.least
        )
        joined = torch.cat([ranks[start + into] for start, into in zip(starts, fallen, strict=True)])
        return joined, _offsets(fallen), sizes

    def _frequencies(self, view: View) -> Layer:
        given = view.inputs["codes"]
        counts = [
            torch.bincount(column + 2, minlength=size + 2)
            for column, size in zip(view.values["codes"].T, given.cardinalities, strict=True)
        ]
        shares = [count[:, None].double() / len(view) for count in counts]
        return Told.fit(view, shares, [f"{name} frequency" for name in given.names])

    def _targets(self, view: View) -> Layer:
        """Smoothed means of the target by value, and those of the other folds for the training rows themselves."""
        codes, given = view.values["codes"], view.inputs["codes"]
        goal_NT, endings = _goal(view)
        mean_T = (view.weight @ goal_NT) / view.weight.sum()
        heavy_NT = torch.cat([view.weight[:, None] * goal_NT, view.weight[:, None]], 1)
        fold = torch.randperm(len(view), generator=rng.generator(view.seed, "target encoding")) % self.folds
        ranks, _, sizes = rank_codes(codes, given, self.least)
        tables, own = [], []
        for column, ranked, size in zip(codes.T, ranks.split([k + 2 for k in given.cardinalities]), sizes, strict=True):
            seen = ranked[column + 2]
            cells = [torch.bincount(fold * size + seen, heavy, self.folds * size) for heavy in heavy_NT.T]
            sums = torch.stack(cells, 1).reshape(self.folds, size, -1)
            tables.append(self._smoothed(sums.sum(0), mean_T)[ranked])
            own.append(self._smoothed(sums.sum(0) - sums, mean_T)[fold, seen])
        names = [f"{name} target{ending}" for name in given.names for ending in endings]
        return Told.fit(view, tables, names, torch.cat(own, 1))

    def _smoothed(self, sums: Tensor, mean: Tensor) -> Tensor:
        """Means (..., T) from sums of goals and weights (..., T + 1), drawn to ``mean``, which unseen values have."""
        weight = sums[..., -1:] + self.smoothing
        return torch.where(weight > 1e-9, (sums[..., :-1] + self.smoothing * mean) / weight, mean)


def _goal(view: View) -> tuple[Tensor, list[str]]:
    """What target encoding averages (N, T), and how the columns that come of it are called."""
    if view.classes is None:
        return view.target[:, None], [""]
    if view.several:
        return view.target.double(), [f" {c}" for c in view.classes]
    hot = F.one_hot(view.target, len(view.classes)).double()
    return (hot[:, 1:], [""]) if len(view.classes) == 2 else (hot, [f" {c}" for c in view.classes])


def _offsets(tables: list[Tensor]) -> Tensor:
    """Where code 0 of each column is in the joined tables, each of which begins with codes -2 and -1."""
    lengths = torch.tensor([len(table) for table in tables])
    return lengths.cumsum(0) - lengths + 2


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


class Told(Layer):
    """Categories told by numbers: joined tables (M, T) by code, standardised, after the other number columns."""

    table: Tensor
    offsets: Tensor
    shift: Tensor
    spread: Tensor
    names: list[str]
    numbered: bool

    @classmethod
    def fit(cls, view: View, tables: list[Tensor], names: list[str], own: Tensor | None = None) -> Told:
        """``tables`` hold what each code says, from -2 on; ``own`` (N, C T) what those of the training rows say."""
        table, offsets = torch.cat(tables), _offsets(tables)
        told = table[view.values["codes"] + offsets].flatten(1) if own is None else own
        shift, spread = told.mean(0), told.std(0, correction=0)
        spread = torch.where(spread > 1e-12, spread, 1.0)
        fitted = {"table": table, "offsets": offsets, "shift": shift, "spread": spread}
        layer = cls(**fitted, names=names, numbered="numbers" in view.inputs)
        if own is not None:
            layer.own = layer.joined(dict(view.values), own)
        return layer

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return self.joined(values, self.table[values["codes"] + self.offsets].flatten(1))

    def joined(self, values: dict[str, Tensor], told: Tensor) -> dict[str, Tensor]:
        """The values with what the codes say (B, C T) in place of the codes."""
        scaled = (told - self.shift) / self.spread
        numbers = torch.cat([values["numbers"], scaled], 1) if self.numbered else scaled
        return {**{k: v for k, v in values.items() if k != "codes"}, "numbers": numbers}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        kept = {k: v for k, v in before.items() if k != "codes"}
        if not self.numbered:
            return {**kept, "numbers": Input("numbers", (len(self.names),), tuple(self.names))}
        return {**kept, "numbers": widened(before["numbers"], names=(*before["numbers"].names, *self.names))}
