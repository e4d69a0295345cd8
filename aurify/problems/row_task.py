"""Tasks whose examples are rows of typed columns: all that tables and texts have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from aurify.core.once import Once, anew
from aurify.core.parts import Task, Trait, knob
from aurify.core.recipe import Recipe, Source
from aurify.data.schema import Schema
from aurify.data.splits import Parts, Samples, fold_rows, held_share, part_rows, sample_rows, whole
from aurify.data.store import Asked, Read, Store
from aurify.data.tables import ask_table, read_table
from aurify.objectives.kinds import OBJECTIVES, kind_of
from aurify.problems.rows import RowProblem

FITTING = {"classify": "temperature", "regress": "scale_target", "multi_label": "label_temperature"}
"""The technique that a kind of target begins with: what its answers mean."""

OF_ROWS = frozenset({Trait.COLUMNS, Trait.ENTERED, Trait.BLENDABLE, Trait.OFFLINE})


@dataclass(kw_only=True)
class RowTask(Task):
    """Predict a class, a number or several labels of each row; ``beyond`` are kinds of columns not all tasks learn.

    ``tested`` is the share of rows that is sealed for the test where the recipe says none.
    """

    beyond: ClassVar[frozenset[str]] = frozenset()
    tested: ClassVar[float] = 0.2
    kind: str = knob("auto", "what the target is", choices=("auto", *OBJECTIVES))
    separator: str | None = knob(
        None, "what parts the labels of a cell that holds several; nothing: as it looks", signs="a separator"
    )

    @property
    def traits(self) -> frozenset[Trait]:
        kinds = OBJECTIVES if self.kind == "auto" else (self.kind,)
        return frozenset().union(*(OBJECTIVES[kind].TRAITS for kind in kinds)) | OF_ROWS

    def read(self, source: Source, data: Any, by: str = "random", *, labelled: bool = True) -> Read:
        return read_table(source, data, self.kind, by, labelled=labelled, beyond=self.beyond, separator=self.separator)

    def ask(self, schema: Schema, data: Any, source: Source, *, labelled: bool, by: str = "random") -> Asked:
        return ask_table(schema, data, source, labelled=labelled, by=by)

    def settled(self, store: Store) -> Self:
        labels = store.schema.labels
        return replace(self, kind=kind_of(store.schema), separator=(labels and labels.separator) or None)

    def part(self, recipe: Recipe, store: Store) -> Parts:
        held = held_share(recipe.split.held, int(store.labelled.sum()))
        test = self.tested if recipe.split.test is None else recipe.split.test
        return part_rows(store.hiding(recipe.hidden), test, held, recipe.seed, recipe.split.by)

    def folds(self, recipe: Recipe, store: Store, among: np.ndarray | None = None) -> list[Parts]:
        assert recipe.split.folds is not None
        held = held_share(recipe.split.held, int(store.labelled.sum()) if among is None else len(among))
        return fold_rows(store.hiding(recipe.hidden), recipe.split.folds, held, recipe.seed, recipe.split.by, among)

    def samples(self, recipe: Recipe, store: Store, among: np.ndarray, count: int, most: int | None) -> Samples:
        return sample_rows(store.hiding(recipe.hidden), among, count, most, recipe.seed, recipe.split.by)

    def whole(self, folds: list[Parts]) -> Parts:
        return whole(folds)

    def problem(
        self, recipe: Recipe, store: Store, parts: Parts, device: torch.device, once: Once = anew
    ) -> RowProblem:
        return RowProblem(recipe, store, parts, device, once)

    def merge(self, output: Tensor) -> Tensor:
        return OBJECTIVES[self.kind].merge(output)

    def answers(self, output: Tensor) -> Tensor:
        return OBJECTIVES[self.kind].answers(output)


def batch_size(rows: int) -> int:
    """One dial for small and large tables: about 64 updates an epoch, in batches of 16 to 256."""
    return min(256, max(16, 2 ** round(math.log2(max(1, rows / 64)))))
