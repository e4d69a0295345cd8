"""Share of the training time that checkpoints take at the default interval. Target: at most 3 %.

Three multilayer perceptrons learn from 40 numbers, batch 256, AdamW, one thread, in a run folder on disk, each for long
enough to be saved several times at the pace the Keeper chooses for itself. Wall clock: waiting for the disk counts.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch

from aurify.core.folder import RunFolder
from aurify.core.recipe import Budget, Recipe
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.data.schema import CATEGORY, NUMBER, Column, Schema
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.networks.mlp import Mlp
from aurify.optimizers.adam import Adamw
from aurify.tasks.table import Table
from aurify.training.checkpoint import Keeper
from aurify.training.fit import fit

ROWS, COLUMNS, HELD = 20_000, 40, 256
NETWORKS = {"small": (128, 3), "middle": (512, 4), "large": (1_800, 4)}
TARGET = 0.03


class Timed(Keeper):
    """A Keeper that notes how long it takes, whether or not it saves."""

    def __init__(self, folder: RunFolder):
        super().__init__(folder)
        self.seconds, self.saves, self.bytes = 0.0, 0, 0

    def save_if_due(self, run: Run, optimizer: Any, watch: Watch) -> None:
        due, began = self.due(), time.monotonic()
        super().save_if_due(run, optimizer, watch)
        self.seconds += time.monotonic() - began
        if due:
            self.saves += 1
            assert self.folder is not None
            self.bytes = max(path.stat().st_size for path in self.folder.checkpoints.iterdir())


def measure(width: int, depth: int, seconds: float) -> dict[str, Any]:
    """Train for ``seconds`` and say what share of them went into checkpoints."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=(ROWS + HELD, COLUMNS))
    target = (numbers @ random.normal(size=COLUMNS) > 0).astype(np.int64)
    columns = [Column(f"x{i}", NUMBER) for i in range(COLUMNS)]
    schema = Schema((*columns, Column("y", CATEGORY, values=("no", "yes"))), "y", ("no", "yes"))
    store = Store.of(schema, {"numbers": numbers}, target, np.zeros(len(target), dtype=bool))
    recipe = Recipe(
        task=Table(kind="classify"),
        network=Mlp(width=width, depth=depth),
        optimizer=Adamw(learning_rate=1e-4),
        budget=Budget(epochs=1_000_000),
    )
    rows, device = np.arange(len(target)), torch.device("cpu")
    problem = recipe.task.problem(recipe, store, Parts(rows[:ROWS], rows[ROWS:], rows[ROWS:]), device)
    Path("runs").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="runs") as place:  # /tmp may be memory
        keeper, began = Timed(RunFolder(Path(place))), time.monotonic()

        def show(run: Run) -> None:
            if time.monotonic() - began > seconds:
                run.stop("enough was measured")

        run = fit(recipe, problem, device, keeper, Watch(), show)
        whole = time.monotonic() - began
    return {
        "parameters": sum(p.numel() for p in run.model.parameters()),
        "share": round(keeper.seconds / whole, 4),
        "checkpoints": keeper.saves,
        "seconds_each": round(keeper.seconds / max(1, keeper.saves), 3),
        "megabytes_each": round(keeper.bytes / 1e6, 1),
        "training_seconds": round(whole, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        help="training time for each network; the large one takes four times as long",
    )
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    # a large network's first checkpoint comes late: long enough to see two
    lengths = {"large": 4 * seconds}
    found = {name: measure(*size, lengths.get(name, seconds)) for name, size in NETWORKS.items()}
    met = {name: result["checkpoints"] > 0 and result["share"] <= TARGET for name, result in found.items()}
    print(json.dumps({"benchmark": "checkpoint", **found, "target": TARGET, "met": met}))


if __name__ == "__main__":
    main()
