"""Techniques that choose among the columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.core.errors import AurifyError
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.ragged import Ragged
from aurify.core.types import Input, Layer, View, widened
from aurify.data.prepare import CHUNK_ROWS


@dataclass(kw_only=True)
class DropColumns(Technique):
    """Leave out columns that say next to nothing, or what another column says (Guyon & Elisseeff 2003).

    Gone are columns with one value in more than ``constant`` of the rows, with more than ``missing`` of their cells
    empty, and the later of two number columns that correlate beyond ``copies`` or of two category columns that rename
    each other; if that were all columns, all stay. Helps: many columns and few rows, where a network learns noise by
    heart. Hurts: a rare mark (an alarm in 1 of 10,000 rows) is nearly constant and may be the best column there is.
    """

    family = "cleaning"
    constant: float = knob(0.999, "share of one value above which a column goes", low=0.9, high=1.0, legal=(0.0, 1.0))
    missing: float = knob(0.95, "share of empty cells above which a column goes", low=0.5, high=1.0, legal=(0.0, 1.0))
    copies: float = knob(0.999, "correlation above which the later column goes", low=0.9, high=1.0, legal=(0.0, 1.0))
    needs = frozenset({Trait.COLUMNS})
    neutral = {"constant": 1.0, "missing": 1.0, "copies": 1.0}
    vivid = {"missing": 0.05}
    stage = Stage.CLIP
    order = -10
    stacks = True

    def layer(self, view: View) -> Layer | None:
        kept = {}
        for name, values in view.table.items():
            telling = [at for at, column in enumerate(values.T) if self._tells(column)]
            find = _renamed if view.inputs[name].kind == "codes" else _correlated
            copied = find(values[:, telling], self.copies) if self.copies < 1.0 and telling else set()
            kept[name] = [at for place, at in enumerate(telling) if place not in copied]
        whole = all(len(kept[name]) == values.shape[1] for name, values in view.table.items())
        return None if whole or not any(kept.values()) else Select(kept=kept)

    def _tells(self, column: Tensor) -> bool:
        gone = torch.isnan(column) if column.is_floating_point() else column == -1
        most = int(torch.unique(column[~gone], return_counts=True)[1].max()) if not gone.all() else 0
        lacking = int(gone.sum())
        return max(most, lacking) <= self.constant * len(column) and lacking <= self.missing * len(column)


@dataclass(kw_only=True)
class ExcludeColumns(Technique):
    """Leave out columns by name, for the network and for the plain models beside it (Kaufman et al. 2012, Leakage).

    Helps: columns that give the target away and will not be known when it matters; ``aurify inspect --fix`` names
    them. Switched off again it shows what the leak would have pretended. Hurts: leave out an honest column and what it
    tells is gone. A column that shall not even be read belongs in source.drop.
    """

    family = "cleaning"
    columns: tuple[str, ...] = knob((), "columns that nothing learns from", column=True)
    needs = frozenset({Trait.COLUMNS})
    neutral = {"columns": ()}
    vivid = {"columns": ("b", "colour")}
    stage = Stage.PARSE
    order = -100
    stacks = True

    @property
    def hidden(self) -> tuple[str, ...]:
        return self.columns

    def layer(self, view: View) -> Layer | None:
        kept = {
            name: [at for at, column in enumerate(given.names) if column not in self.columns]
            for name, given in view.inputs.items()
        }
        changed = {name: places for name, places in kept.items() if len(places) < len(view.inputs[name].names)}
        if not any(kept.values()):
            raise AurifyError("exclude_columns leaves no column to learn from; name fewer")
        return Select(kept=changed) if changed else None


def _correlated(numbers: Tensor, limit: float) -> set[int]:
    """Places of columns (N, C) that correlate beyond ``limit`` with an earlier one that stays; gaps are at the mean."""
    mean = numbers.nanmean(0)
    spread = (numbers - mean).square().nanmean(0).sqrt()
    products = torch.zeros(2 * [numbers.shape[1]], dtype=torch.float64)
    for chunk in numbers.split(CHUNK_ROWS):
        z = ((chunk - mean) / spread).nan_to_num(0.0)
        products += z.T @ z
    length = products.diagonal().sqrt()
    correlation = (products / (length[:, None] * length)).abs().nan_to_num(0.0).clamp(max=1.0)
    gone: set[int] = set()
    for at, row in enumerate(correlation.tolist()):
        if any(value > limit for earlier, value in enumerate(row[:at]) if earlier not in gone):
            gone.add(at)
    return gone


def _renamed(codes: Tensor, limit: float) -> set[int]:
    """Places of columns (N, C) of codes that part the rows exactly as an earlier one does; ``limit`` is for numbers."""
    gone, seen = set(), set()
    for at, column in enumerate(codes.numpy().T):
        firsts, inverse = np.unique(column, return_index=True, return_inverse=True)[1:]
        parting = firsts[inverse].tobytes()  # each row by the first row of its value
        gone |= {at} if parting in seen else set()
        seen.add(parting)
    return gone


class Select(Layer):
    """Some columns of each input, by position; one of which none is kept is left out, one not named stays as it is."""

    kept: dict[str, list[int]]

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: _chosen(v, self.kept.get(name)) for name, v in values.items() if self.kept.get(name, True)}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        chosen = {name: given for name, given in before.items() if self.kept.get(name, True)}
        return {n: _narrowed(given, self.kept[n]) if n in self.kept else given for n, given in chosen.items()}


def _chosen(values: Tensor | Ragged, kept: list[int] | None) -> Tensor | Ragged:
    if kept is None:
        return values
    return values.choose(kept) if isinstance(values, Ragged) else values[:, kept]


def _narrowed(given: Input, kept: list[int]) -> Input:
    if given.kind == "texts":
        return replace(given, names=tuple(given.names[at] for at in kept), shape=(len(kept), -1))
    sizes = tuple(given.cardinalities[at] for at in kept) if given.cardinalities else ()
    return widened(replace(given, cardinalities=sizes), names=tuple(given.names[at] for at in kept))
