"""Fit the preparing techniques on training rows, and run what they fitted: raw typed inputs to network inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.blocks.entries import Flat, Ordinal, Plain
from aurify.blocks.number_embeddings import FARTHEST
from aurify.core.errors import AurifyError, suggest
from aurify.core.gathering import joined
from aurify.core.once import Once, anew
from aurify.core.parts import Network, Stage, Technique, fills
from aurify.core.pixels import Pixels
from aurify.core.ragged import Ragged
from aurify.core.types import Input, Layer, RowPlan, View
from aurify.data.characters import Characters
from aurify.data.dates import DAY_SECONDS
from aurify.data.image_form import IMAGES, Form
from aurify.data.image_rows import ImageRows, rows_of_input
from aurify.data.packed import Packed
from aurify.data.schema import Schema
from aurify.data.store import Store

CHUNK_ROWS = 65_536


def rows_at_once(device: torch.device) -> int:
    """Rows to put through a network together: what stays in a CPU's cache is two to three times as fast."""
    return 512 if device.type == "cpu" else 16_384


@dataclass(frozen=True)
class Prepared:
    """What preparing fitted: the row plan, the layers in order, the target's layer and the inputs that result.

    ``used`` (U,) are the positions in the View that the plan uses at all, ``values`` what a network takes in of them,
    {name: (U, ...)}; the plan's positions are within these. ``other`` are ragged inputs of the same rows in other
    words, where a layer left some.
    """

    plan: RowPlan
    used: Tensor
    values: Mapping[str, Tensor | Ragged | Pixels]
    layers: tuple[Layer, ...]
    target: Layer | None
    inputs: Mapping[str, Input]
    other: Mapping[str, Ragged] | None = None


def raw_inputs(schema: Schema) -> dict[str, Input]:
    """Describe a table's typed columns before any layer."""
    inputs: dict[str, Input] = {}
    for kind, columns in (("numbers", schema.numbers), ("dates", schema.dates)):
        if columns:
            inputs[kind] = Input(kind, (len(columns),), tuple(c.name for c in columns))
    if schema.categories:
        names = tuple(c.name for c in schema.categories)
        inputs["codes"] = Input("codes", (len(names),), names, tuple(len(c.values) for c in schema.categories))
    if schema.texts:
        inputs["texts"] = Input("texts", (len(schema.texts), -1), tuple(c.name for c in schema.texts))
    if schema.image is not None:
        inputs[IMAGES] = Input("pixels", Form.of(schema.image.format).shape, (schema.image.name,))
    return inputs


def raw_values(inputs: Mapping[str, Any], rows: np.ndarray | slice) -> dict[str, Any]:
    """Copy rows out of the mapped arrays: floats as float64, codes as int64, texts as ``Ragged`` code points.

    Images are not copied: they are ``Pixels``.
    """
    return {name: _raw(values, rows) for name, values in inputs.items()}


def _raw(values: np.ndarray | Packed | ImageRows, rows: np.ndarray | slice) -> Tensor | Ragged | Pixels:
    values = rows_of_input(values, rows)
    if isinstance(values, ImageRows):
        return Pixels(torch.from_numpy(values.values), torch.from_numpy(np.array(values.index)))
    if isinstance(values, Packed):
        return values.ragged
    return torch.from_numpy(np.array(values, dtype=np.float64 if values.dtype.kind == "f" else np.int64))


def view_of(store: Store, rows: np.ndarray, seed: int) -> View:
    """The training rows as techniques see them: no other row is within reach."""
    target = torch.from_numpy(np.array(store.target[rows]))
    weight = torch.from_numpy(weights(store.roles, rows))
    return View(raw_inputs(store.schema), raw_values(store.inputs, rows), target, store.schema.classes, seed, weight)


def weights(roles: Mapping[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """How many rows each of ``rows`` (M,) stands for: 1 where the data does not say."""
    return np.array(roles["weight"][rows], dtype=np.float64) if "weight" in roles else np.ones(len(rows))


def prepare(techniques: Sequence[Technique], view: View, once: Once = anew, network: Network | None = None) -> Prepared:
    """Fit rows, target and layers on the training rows, each seeing what earlier stages left.

    A ``network`` may bring a layer of its own. With ``once`` each step is fitted once for all recipes that do the same
    up to there, to the same rows.
    """
    choosing = [t for t in techniques if fills(t, "rows")]
    done = tuple(map(repr, [*(t.hidden for t in techniques if t.hidden), *choosing]))  # the view lacks what is hidden
    plan, used, view = once(done, lambda: _chosen(choosing, view))
    targets = [layer for t in techniques if (layer := t.target(view)) is not None]
    assert len(targets) <= 1, "the slot 'target' lets one technique through"
    layers: list[Layer] = []

    def add(step: str, fit: Callable[[View], Layer | None]) -> None:
        nonlocal view, done
        done = (*done, step)
        layer, view = once(done, lambda: _added(fit, view))
        if layer is not None:
            layers.append(layer)

    preparing = [t for t in techniques if fills(t, "layer")]
    parsers = [t for t in preparing if t.stage in (None, Stage.PARSE)]
    for technique in parsers:
        add(repr(technique), technique.layer)
    add("elapsed", lambda view: Elapsed.fit(view) if "dates" in view.inputs else None)
    for technique in preparing:
        if technique not in parsers:
            add(repr(technique), technique.layer)
    if network is not None and type(network).layer is not Network.layer:
        add(repr(network), network.layer)
    add("characters", lambda view: Characters.fit(view) if "texts" in view.inputs else None)
    add("bare", Bare.fit)
    return Prepared(
        plan=plan.renumbered(used),
        used=used,
        values=view.values,
        layers=tuple(layers),
        target=targets[0] if targets else None,
        inputs=view.inputs,
        other=None if view.other is None else {n: v for n, v in view.other.items() if isinstance(v, Ragged)},
    )


def _chosen(choosing: Sequence[Technique], view: View) -> tuple[RowPlan, Tensor, View]:
    """Which rows to learn from, the positions (U,) that are in use at all, and the view of these."""
    plan = RowPlan(torch.arange(len(view)), view.weight / view.weight.mean())  # what unit weights come in means nothing
    for technique in choosing:
        plan = technique.rows(view, plan)
    used = torch.unique(plan.index if plan.partner is None else torch.cat([plan.index, plan.partner]))
    return plan, used, _corrected(view, plan).take(used)


def _added(fit: Callable[[View], Layer | None], view: View) -> tuple[Layer | None, View]:
    """A fitted step, and what it leaves to the next."""
    layer = fit(view)
    if layer is None:
        return None, view
    values = layer(dict(view.values)) if layer.own is None else layer.own
    other = layer.other if layer.other is not None or view.other is None else layer(dict(view.other))
    layer.own = layer.other = None
    return layer, replace(view, inputs=layer.inputs(view.inputs), values=values, other=other)


def _corrected(view: View, plan: RowPlan) -> View:
    """The view with the targets that the plan corrects: nothing that is fitted learns the old ones."""
    if plan.target is None:
        return view
    return replace(view, target=view.target.index_put((plan.index,), plan.target))


@torch.no_grad()
def apply(layers: Iterable[Layer], inputs: Mapping[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Run the layers over rows in chunks; what a network takes in, on the CPU."""
    layers = list(layers)
    pieces: list[dict[str, Any]] = []
    for start in range(0, max(len(rows), 1), CHUNK_ROWS):
        values = raw_values(inputs, rows[start : start + CHUNK_ROWS])
        for layer in layers:
            values = layer(values)
        pieces.append(values)
    return {name: joined([piece[name] for piece in pieces]) for name in pieces[0]}


class Elapsed(Layer):
    """Dates as plain numbers: days since the first in training. The bare conversion of dates, before all others."""

    origin: Tensor
    numbered: bool

    @classmethod
    def fit(cls, view: View) -> Elapsed:
        dates = view.values["dates"]
        first = dates.nan_to_num(nan=torch.inf).amin(0)
        return cls(origin=torch.where(torch.isfinite(first), first, 0.0), numbered="numbers" in view.inputs)

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        days = (values["dates"] - self.origin) / DAY_SECONDS
        numbers = torch.cat([values["numbers"], days], 1) if self.numbered else days
        return {**{k: v for k, v in values.items() if k != "dates"}, "numbers": numbers}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        names = (*(before["numbers"].names if self.numbered else ()), *before["dates"].names)
        kept = {k: v for k, v in before.items() if k != "dates"}
        return {**kept, "numbers": Input("numbers", (len(names),), names)}


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
        tensors = {f"{name}_centre": torch.nan_to_num(_within(view.values[name]).nanmean(0)) for name in numeric}
        coded: dict[str, list[int]] = {}
        for name, given in view.inputs.items():
            if given.kind == "codes" and given.entry is None:
                tensors[f"{name}_ranks"], tensors[f"{name}_offsets"], sizes = rank_codes(view.values[name], given)
                coded[name] = sizes
        return cls(numeric=numeric, coded=coded, **tensors)

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        after = dict(values)
        for name in self.numeric:
            centred = _within(values[name] - self.get_buffer(f"{name}_centre"))
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
            bare = Flat if given.kind == "pixels" else Plain
            after[name] = given if given.entry is not None else replace(given, entry=bare)
        return after


def _within(numbers: Tensor) -> Tensor:
    """Numbers that float32 can hold, which ends at 3e38: one absurd cell must not make infinities of a whole run."""
    return numbers.clamp(-FARTHEST, FARTHEST)


def column_quantiles(numbers: Tensor, share: float) -> Tensor:
    """Quantiles (C,) of columns (N, C), missing and infinite left out; NaN for an empty column."""
    # torch.quantile limits N, numpy does not
    columns = [c[torch.isfinite(c)].numpy() for c in numbers.T]
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers near the end of the range
        return torch.tensor([np.quantile(c, share) if len(c) else np.nan for c in columns], dtype=torch.float64)


def place_of(column: str, given: Input | None, setting: str) -> int:
    """Where a column named by a setting is in its input; raises AurifyError when it is not there."""
    names = () if given is None else given.names
    if column not in names:
        raise AurifyError(f"{setting} = {column!r}: there is no such column{suggest(column, names)}")
    return names.index(column)


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
