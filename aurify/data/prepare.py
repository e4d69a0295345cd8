"""Fit the preparing techniques on training rows, and run what they fitted: raw typed inputs to network inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from aurify.blocks.entries import Ordinal, Plain
from aurify.core.parts import Technique
from aurify.core.types import Input, Layer, RowPlan, View
from aurify.data.schema import Schema
from aurify.data.store import Store

CHUNK_ROWS = 65_536
FARTHEST = 1e18


@dataclass(frozen=True)
class Prepared:
    """What preparing fitted: the row plan, the layers in order, the target's layer and the inputs that result."""

    plan: RowPlan
    layers: tuple[Layer, ...]
    target: Layer | None
    inputs: Mapping[str, Input]


def raw_inputs(schema: Schema) -> dict[str, Input]:
    """Describe a table's typed columns before any layer."""
    inputs: dict[str, Input] = {}
    if schema.numbers:
        inputs["numbers"] = Input("numbers", (len(schema.numbers),), tuple(c.name for c in schema.numbers))
    if schema.categories:
        names = tuple(c.name for c in schema.categories)
        inputs["codes"] = Input("codes", (len(names),), names, tuple(len(c.values) for c in schema.categories))
    return inputs


def raw_values(inputs: Mapping[str, np.ndarray], rows: np.ndarray | slice) -> dict[str, Tensor]:
    """Copy rows out of the mapped arrays: floats as float64, codes as int64."""
    return {
        name: torch.from_numpy(np.array(values[rows], dtype=np.float64 if values.dtype.kind == "f" else np.int64))
        for name, values in inputs.items()
    }


def view_of(store: Store, rows: np.ndarray, seed: int) -> View:
    """The training rows as techniques see them: no other row is within reach."""
    target = torch.from_numpy(np.array(store.target[rows]))
    return View(raw_inputs(store.schema), raw_values(store.inputs, rows), target, store.schema.classes, seed)


def prepare(techniques: Sequence[Technique], view: View) -> Prepared:
    """Fit rows, target and layers on the training rows, each seeing what earlier stages left."""
    plan = RowPlan(torch.arange(len(view)), torch.ones(len(view), dtype=torch.float64))
    for technique in techniques:
        plan = technique.rows(view, plan)
    used = torch.unique(plan.index)
    view = replace(view, values={k: v[used] for k, v in view.values.items()}, target=view.target[used])
    targets = [layer for t in techniques if (layer := t.target(view)) is not None]
    assert len(targets) <= 1, "the slot 'target' lets one technique through"
    layers: list[Layer] = []
    for technique in techniques:
        layer = technique.layer(view)
        if layer is not None:
            layers.append(layer)
            view = replace(view, inputs=layer.inputs(view.inputs), values=layer(dict(view.values)))
    bare = Bare.fit(view)
    layers.append(bare)
    return Prepared(plan, tuple(layers), targets[0] if targets else None, bare.inputs(view.inputs))


@torch.no_grad()
def apply(layers: Iterable[Layer], inputs: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, Tensor]:
    """Run the layers over rows in chunks; what a network takes in, on the CPU."""
    layers = list(layers)
    pieces: list[dict[str, Tensor]] = []
    for start in range(0, max(len(rows), 1), CHUNK_ROWS):
        values = raw_values(inputs, rows[start : start + CHUNK_ROWS])
        for layer in layers:
            values = layer(values)
        pieces.append(values)
    return {name: torch.cat([piece[name] for piece in pieces]) for name in pieces[0]}


class Bare(Layer):
    """The bare conversion that stands in for every technique that is off.

    Numbers are centred on their training mean and missing becomes 0; category codes become their rank among the
    values seen in training, 0 for missing or unseen. Numbers leave as float32.
    """

    numeric: list[str]
    coded: dict[str, list[int]]

    @classmethod
    def fit(cls, view: View) -> Bare:
        numeric = [n for n, i in view.inputs.items() if i.kind == "numbers"]
        tensors = {f"{name}_centre": torch.nan_to_num(view.values[name].nanmean(0)) for name in numeric}
        coded: dict[str, list[int]] = {}
        for name, given in view.inputs.items():
            if given.kind == "codes" and given.entry is None:
                tensors[f"{name}_ranks"], tensors[f"{name}_offsets"], sizes = rank_codes(view.values[name], given)
                coded[name] = sizes
        return cls(numeric=numeric, coded=coded, **tensors)

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        after = dict(values)
        for name in self.numeric:
            # float32 ends at 3e38: one absurd cell must not make infinities of a whole run
            centred = (values[name] - self.get_buffer(f"{name}_centre")).clamp(-FARTHEST, FARTHEST)
            after[name] = torch.where(torch.isnan(centred), torch.zeros_like(centred), centred).float()
        for name in self.coded:
            ranks, offsets = self.get_buffer(f"{name}_ranks"), self.get_buffer(f"{name}_offsets")
            after[name] = ranks[values[name] + offsets]
        return after

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        after = {}
        for name, given in before.items():
            if name in self.coded:
                given = replace(given, cardinalities=tuple(self.coded[name]), entry=Ordinal)
            after[name] = given if given.entry is not None else replace(given, entry=Plain)
        return after


def column_quantiles(numbers: Tensor, share: float) -> Tensor:
    """Quantiles (C,) of columns (N, C), missing left out; NaN for an empty column."""
    # torch.quantile limits N, numpy does not
    columns = [c[~torch.isnan(c)].numpy() for c in numbers.T]
    return torch.tensor([np.quantile(c, share) if len(c) else np.nan for c in columns], dtype=torch.float64)


def rank_codes(codes: Tensor, given: Input, least: int = 1) -> tuple[Tensor, Tensor, list[int]]:
    """Number the category values seen in training: 1, 2, ... for codes seen ``least`` times, 0 for all others.

    ``codes`` is (N, C) with -1 missing and -2 unknown. Returns the joined tables, the offsets (C,) such that
    ``tables[codes + offsets]`` are the ranks, and how many ranks each column has.
    """
    tables, sizes = [], []
    for column, cardinality in zip(codes.T, given.cardinalities, strict=True):
        seen = torch.bincount(column[column >= 0], minlength=cardinality) >= least
        ranks = torch.where(seen, torch.cumsum(seen, 0), 0)
        tables.append(torch.cat([torch.zeros(2, dtype=torch.int64), ranks]))
        sizes.append(int(seen.sum()) + 1)
    lengths = torch.tensor([0] + [len(t) for t in tables[:-1]])
    return torch.cat(tables), torch.cumsum(lengths, 0) + 2, sizes
