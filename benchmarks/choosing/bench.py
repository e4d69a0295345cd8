"""A table with its folds, and what was trained on them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from aurify import catalog as catalogs
from aurify.core.recipe import Recipe, Source, Split
from aurify.core.watch import Watch
from aurify.data.store import Asked
from aurify.measure.verdict import telling
from aurify.study.answers import Lines
from aurify.study.cells import Cell
from aurify.study.examples import scores
from aurify.study.portfolio import entered
from aurify.study.trainings import Trainings, Wanted
from aurify.study.worker import Trainer
from aurify.study.workers import Here
from aurify.training import device as devices
from benchmarks.choosing.candidates import Entry
from benchmarks.choosing.tables import Table

FOLDS = 3

SMALL = 1000
"""Rows below which one fold says next to nothing: all are trained on from the start."""


class Bench:
    """Trains entries on the folds of one table; a line in ``folder`` for each, never made twice."""

    def __init__(self, table: Table, folder: Path):
        self.table, self.folder = table, folder / table.name
        self.catalog, device = catalogs.load(), devices.choose("cpu")
        about = {"name": "table", "kind": table.kind}
        task: Any = self.catalog.part("task", about)
        self.store = task.read(Source.make({"target": "y"}), table.frame, "random").store
        recipe = self.catalog.recipe({"task": about, **task.defaults(self.store)})
        self.recipe: Recipe = replace(recipe, split=Split(folds=FOLDS))
        version = {**devices.environment(device), "threads": 1, "data": self.store.fingerprint}
        here = Here(Trainer(self.store, self.catalog, device, Watch()))
        self.trainings = Trainings(Lines(self.folder / "trainings.jsonl", version), here)

    @property
    def small(self) -> bool:
        return len(self.table.frame) < SMALL

    @cached_property
    def cells(self) -> list[Cell]:
        found = []
        for at, parts in enumerate(self.recipe.task.folds(self.recipe, self.store), 1):
            path = self.folder / f"fold_{at}.aurify"
            self.folder.mkdir(parents=True, exist_ok=True)
            parts.write(path)
            found.append(Cell(1, at, at, str(path), parts))
        return found

    @property
    def first(self) -> list[Cell]:
        """The folds on which every candidate is trained."""
        return self.cells if self.small else self.cells[:1]

    @property
    def last(self) -> list[Cell]:
        """The folds on which the finalists are trained."""
        return self.cells if self.small else self.cells[:2]

    def make(self, entry: Entry, cells: Sequence[Cell]) -> None:
        self.trainings.make(self._wanted(entry, cells), lambda: None, lambda done, total: None)

    def measured(self, entry: Entry, cells: Sequence[Cell]) -> list[Mapping[str, Any]] | None:
        """What was measured on each fold; None where one of them is not trained yet, or could not be."""
        wanted = self._wanted(entry, cells)
        if not wanted or self.trainings.missing(wanted):
            return None
        found = [self.trainings.known(one.key) for one in wanted]
        return None if any("refused" in one for one in found) else found

    def _wanted(self, entry: Entry, cells: Sequence[Cell]) -> list[Wanted]:
        recipe = entered(self.recipe, entry, self.catalog)
        return [] if recipe is None else [Wanted(recipe, cell) for cell in cells]

    def linear(self, cells: Sequence[Cell]) -> float:
        """Mean loss of the linear model (logistic or ridge, tuned) that stands beside every fit."""
        file = self.folder / "linear.json"
        kept = json.loads(file.read_text()) if file.exists() else {}
        for cell in cells:
            if str(cell.fold) not in kept:
                asked = Asked(self.store.inputs, self.store.target, cell.parts.test, self.store.roles)
                task: Any = self.recipe.task
                answers = task.baselines(self.recipe, self.store, cell.parts, asked, lambda: None)
                kept[str(cell.fold)] = loss(scores(answers["linear"]))
        file.write_text(json.dumps(kept))
        return float(np.mean([kept[str(cell.fold)] for cell in cells]))


def loss(scored: Mapping[str, float | None]) -> float:
    """What a training is judged by, smaller being better."""
    metric = telling(scored)
    value = scored[metric]
    return np.inf if value is None else -value if metric == "roc_auc" else value
