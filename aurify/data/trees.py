"""Fitted decision trees as tensors, answered by plain indexing: they export, and need no pickle."""

# B rows, C columns, T trees, P sums, K outputs, N nodes of all trees

from __future__ import annotations

import torch
from torch import Tensor

from aurify.core.types import Layer

PLACES = 257
"""Of the set of a categorical split: for what is missing, for codes 0 to 254, and for what is missing again."""

LOWEST = torch.finfo(torch.float64).min
"""At most every threshold but that of a leaf."""

DEEPEST = 64
"""Steps that are taken at most: a forged file must not ask for more."""


class TreeColumns(Layer):
    """Raw inputs as the columns (B, C) that trees split: codes as trees number them, then numbers; NaN for missing.

    ``tables[codes + offsets]`` are the trees' codes, below 0 for missing and unseen; ``numeric`` names the inputs of
    numbers, ``kept`` (C,) the columns in use, of which the first ``coded`` are codes.
    """

    tables: Tensor
    offsets: Tensor
    numeric: list[str]
    kept: Tensor
    coded: int

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        blocks = []
        if "codes" in values:
            codes = self.tables[values["codes"] + self.offsets]
            blocks.append(torch.where(codes < 0, torch.nan, codes.double()))
        for name in self.numeric:
            blocks.append(torch.where(torch.isfinite(values[name]), values[name], torch.nan))
        return {**values, "columns": torch.cat(blocks, 1)[:, self.kept]}


class Trees(Layer):
    """Sums of trees: columns (B, C) to outputs (B, K) in the value ``output``.

    Every row walks down all trees at once, ``depth`` steps, and stays in a leaf once there. A row goes left, to the
    node that follows, where its value is at most the node's ``threshold`` (N,), or where its code is in the node's set
    of codes (row ``sets`` (N,) of ``members``, of which row 0 is empty); else it goes to the node ``right`` (N,). Each
    column is there twice, what is missing in it lowest and then highest: ``feature`` (N,) says which is meant.
    ``roots`` (T,) are in order of iteration, then of the P sums that trees make; ``places`` (P, K) says which output
    each is added to, on top of ``base`` (K,).
    """

    feature: Tensor
    threshold: Tensor
    sets: Tensor
    members: Tensor
    right: Tensor
    value: Tensor
    roots: Tensor
    places: Tensor
    base: Tensor
    depth: int

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        columns = values["columns"]
        twice = torch.cat([columns.nan_to_num(LOWEST), columns.nan_to_num(torch.inf)], 1)
        at_BT = self.roots.repeat(columns.shape[0], 1)
        for _ in range(min(self.depth, DEEPEST)):
            x_BT = twice.gather(1, _taken(self.feature, at_BT))
            left_BT = x_BT <= _taken(self.threshold, at_BT)
            if len(self.members) > PLACES:
                place_BT = x_BT.clamp(-1, PLACES - 2).long() + 1
                left_BT = left_BT | _taken(self.members, _taken(self.sets, at_BT) * PLACES + place_BT)
            at_BT = torch.where(left_BT, at_BT + 1, _taken(self.right, at_BT))
        sums_BP = _taken(self.value, at_BT).unflatten(1, (-1, self.places.shape[0])).sum(1)
        return {**values, "output": self.base + sums_BP @ self.places}


def _taken(table_N: Tensor, at_BT: Tensor) -> Tensor:
    """``table_N[at_BT]``, by the operator that ONNX Runtime is several times as fast with."""
    return table_N.gather(0, at_BT.reshape(-1)).reshape(at_BT.shape)
