"""Ledgers of small recipes, trained in this process by the package itself."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.recipe import Source
from aurify.core.watch import Watch
from aurify.study.ablate import Ablation, ablate
from aurify.study.answers import Lines
from aurify.study.cells import Size, cells
from aurify.study.contrasts import Contrasts
from aurify.study.trainings import Trainings
from aurify.study.worker import Trainer
from aurify.study.workers import Here
from benchmarks.proving.tables import ROWS

STEPS = 40
BATCH = 64

RECIPE: Mapping[str, Any] = {
    "task": "table",
    "network": {"name": "mlp", "width": 32, "depth": 2},
    "optimizer": {"name": "adamw", "learning_rate": 0.015},
    "budget": {"steps": STEPS, "batch_size": BATCH, "validate_every": STEPS},
}

TECHNIQUES: Mapping[str, Mapping[str, Any]] = {
    "fill_missing": {},
    "scale_numbers": {},
    "encode_categories": {},
    "dropout": {"rate": 0.2},
    "cosine": {},
}


@cache
def catalog() -> Catalog:
    """The package's parts, the placebos and the planted ones."""
    here = Path(__file__).parent
    return catalogs.load([here / "placebos.py", here / "planted.py"])


def ledger(
    frame: pl.DataFrame,
    target: str,
    sweeps: Sequence[str],
    *,
    seed: int,
    techniques: Mapping[str, Mapping[str, Any]] | None = None,
    worth: float | None = None,
    rows: int = ROWS,
) -> dict[str, Any]:
    """The ledger of the small recipe, with more ``techniques``, on one table: a row for each value of each sweep."""
    every: dict[str, Any] = {**TECHNIQUES, **(techniques or {})}
    recipe = catalog().recipe({**RECIPE, "techniques": every, "source": {"target": target}, "seed": seed})
    store = recipe.task.read(Source(target=target), frame).store
    task: Any = recipe.task.settled(store)
    regress = {"scale_target": {}} if store.schema.classes is None else {}
    plain = {**RECIPE, "task": {"name": "table", "kind": task.kind}, "techniques": {**every, **regress}}
    contrasts = Contrasts(catalog().recipe({**plain, "source": {"target": target}, "seed": seed}), catalog())
    for sweep in sweeps:
        contrasts.sweep(sweep)
    size = Size(rows=rows, steps=STEPS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        workers = Here(Trainer(store, catalog(), torch.device("cpu"), Watch()))
        study = Ablation(
            contrasts=contrasts,
            cells=cells(contrasts.recipe, store, np.arange(len(store)), size, folder / "parts"),
            size=size,
            trainings=Trainings(Lines(folder / "trainings.jsonl", {}), workers),
            check=lambda: None,
            progress=lambda done, of, open_rows, what: None,
            worth=worth,
        )
        return ablate(study)
