"""How numbers enter the network: as curves over bins, or as waves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from aurify.blocks.number_embeddings import FARTHEST, PiecewiseEncoding
from aurify.blocks.number_embeddings import Periodic as PeriodicEntry
from aurify.blocks.number_embeddings import PiecewiseLinear as PiecewiseLinearEntry
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View

LEAF_ROWS = 64
"""Fewest training rows on each side of a tree's split, where there are enough."""

SMALLEST = 1e-30
"""Numbers nearer to the centre count as the centre: the slopes of bins between them would not fit into float32."""


@dataclass(kw_only=True)
class PiecewiseLinear(Technique):
    """Let each number enter as learnt piecewise-linear curves over bins of its column (Gorishniy et al. 2022).

    The bins end at quantiles of the training rows, or (``tree``) where a small decision tree of that column alone
    would split for the target, or at ``both``, which may be twice ``bins``. ``width`` learnt numbers a column start as
    a line and learn their curves as in TabM (Gorishniy et al. 2024); width 0 is the encoding itself, one number a bin.
    Weights of rows are not looked at. Helps: where a number's effect bends or jumps, which weighted sums of raw numbers
    learn slowly; nearly always on tables with more than a few hundred rows. Hurts: tiny tables, where curves fit noise;
    many columns cost time.
    """

    family = "encoding"
    edges: str = knob("both", "where bins end", choices=("quantile", "tree", "both", "none"))
    bins: int = knob(48, "most bins of a column", low=2, high=128, log=True, legal=(1, 4096))
    width: int = knob(16, "learnt numbers a column; 0: one unlearnt number a bin", low=0, high=32, legal=(0, 1024))
    needs = frozenset({Trait.COLUMNS})
    neutral = {"edges": "none"}
    stage = Stage.ENCODE
    slot = "number_entry"
    order = 1  # after what encodes categories as numbers
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "numbers" not in view.values or self.edges == "none":
            return None
        numbers = view.values["numbers"].clamp(-FARTHEST, FARTHEST)
        centre = torch.nan_to_num(numbers.nanmean(0))
        centred = (numbers - centre).float()
        centred[centred.abs() < SMALLEST] = 0.0
        edges = [self._edges(c, view) for c in centred.T.numpy()]
        longest = max(map(len, edges))
        padded = [np.pad(e, (0, longest - len(e)), constant_values=np.inf) for e in edges]
        stacked = torch.from_numpy(np.stack(padded))
        return Bins(centre=centre, edges=stacked, width=self.width)

    def _edges(self, column: np.ndarray, view: View) -> np.ndarray:
        """Ends of bins of one column (N,) float32, ascending, at least two."""
        there = ~np.isnan(column)
        present = column[there]
        if len(present) == 0 or present.min() == present.max():
            first = present[0] if len(present) else np.float32(0)
            return np.array([first, first + max(np.float32(1), abs(first))])  # one bin of a constant column
        ends = [present.min(), present.max()]
        if self.edges != "tree":
            ends.extend(np.quantile(present, np.linspace(0, 1, self.bins + 1)).astype(np.float32))
        if self.edges != "quantile":
            ends.extend(self._splits(present, view.target.numpy()[there], view))
        return np.unique(np.array(ends, dtype=np.float32))

    def _splits(self, present: np.ndarray, target: np.ndarray, view: View) -> np.ndarray:
        """Where a decision tree of this column alone splits."""
        if self.bins == 1:
            return np.empty(0, np.float32)
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeRegressor if view.classes is None else DecisionTreeClassifier
        least = max(1, min(LEAF_ROWS, len(present) // (2 * self.bins)))
        tree = kind(max_leaf_nodes=self.bins, min_samples_leaf=least, random_state=0).fit(present[:, None], target)
        inner = tree.tree_.children_left != tree.tree_.children_right
        return tree.tree_.threshold[inner].astype(np.float32)


class Bins(Layer):
    """Fitted bins of the numbers: ``edges`` (C, J) of columns centred on ``centre`` (C,), filled up with infinity."""

    centre: Tensor
    edges: Tensor
    width: int

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**values, "numbers": values["numbers"] - self.centre}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        edges = tuple(tuple(e for e in column if e < torch.inf) for column in self.edges.tolist())
        if self.width:
            entry = partial(PiecewiseLinearEntry, edges=edges, width=self.width)
        else:
            entry = partial(PiecewiseEncoding, edges=edges)
        return {**before, "numbers": replace(before["numbers"], entry=entry)}


@dataclass(kw_only=True)
class Periodic(Technique):
    """Let each number enter as waves of learnt frequencies (Gorishniy et al. 2022, PLR; ``lite``: TabR 2023).

    Helps: where the target changes often and finely along a number, such as places on a map; large tables. Hurts:
    small and noisy tables, where high frequencies fit noise; ``spread`` decides much and should be tuned.
    """

    family = "encoding"
    width: int = knob(16, "learnt numbers a column; 0: numbers as they are", low=4, high=32, legal=(0, 1024))
    frequencies: int = knob(48, "waves a column", low=8, high=96, log=True, legal=(1, 4096))
    spread: float = knob(0.01, "deviation of the first frequencies", low=0.01, high=1.0, log=True, legal=(1e-6, 100.0))
    lite: bool = knob(True, "mix the waves of all columns with one matrix")
    needs = frozenset({Trait.COLUMNS})
    neutral = {"width": 0}
    stage = Stage.ENCODE
    slot = "number_entry"
    order = 1

    def layer(self, view: View) -> Layer | None:
        if "numbers" not in view.values or self.width == 0:
            return None
        return Waves(width=self.width, frequencies=self.frequencies, spread=self.spread, lite=self.lite)


class Waves(Layer):
    """Numbers stay as they are; a network takes them in as waves."""

    width: int
    frequencies: int
    spread: float
    lite: bool

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return values

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        settings = {"frequencies": self.frequencies, "spread": self.spread, "width": self.width, "lite": self.lite}
        return {**before, "numbers": replace(before["numbers"], entry=partial(PeriodicEntry, **settings))}
