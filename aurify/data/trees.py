"""Fitted decision trees as tensors, answered by plain indexing: they export, and need no pickle."""

# B rows, C columns, T trees, P sums, K outputs, N nodes of all trees

from __future__ import annotations

import torch
from torch import Tensor

from aurify.core.types import Layer

MOST_CODES = 256
"""Codes that the set of a categorical split has places for; the last is never in one: missing values have it."""

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

    Every row walks down all trees at once, ``depth`` steps, and stays in a leaf once there. A row goes left where its
    value is at most the node's ``threshold`` (N,), where its code is in the node's set of codes (row ``sets`` (N,) of
    ``members``, row 0 is empty), or where it is missing and ``missing_left`` (N,) says so. ``turns`` (2N,) holds the
    nodes to the right and to the left of each. ``roots`` (T,) are in order of iteration, then of the P sums that trees
    make; ``places`` (P, K) says which output each is added to, on top of ``base`` (K,).
    """

    feature: Tensor
    threshold: Tensor
    missing_left: Tensor
    sets: Tensor
    members: Tensor
    turns: Tensor
    value: Tensor
    roots: Tensor
    places: Tensor
    base: Tensor
    depth: int
    categories: bool

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        columns = values["columns"]
        at_BT = self.roots.expand(columns.shape[0], -1)
        for _ in range(min(self.depth, DEEPEST)):
            x_BT = columns.gather(1, self.feature[at_BT])
            left_BT = (x_BT <= self.threshold[at_BT]) | (torch.isnan(x_BT) & self.missing_left[at_BT])
            if self.categories:
                code_BT = x_BT.nan_to_num(MOST_CODES - 1).clamp(0, MOST_CODES - 1).long()
                left_BT = left_BT | self.members[self.sets[at_BT] * MOST_CODES + code_BT]
            at_BT = self.turns[2 * at_BT + left_BT.long()]
        sums_BP = self.value[at_BT].unflatten(1, (-1, self.places.shape[0])).sum(1)
        return {**values, "output": self.base + sums_BP @ self.places}
