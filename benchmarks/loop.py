"""Rows a second that aurify's loop trains on, beside torch by hand and Lightning.

An MLP of 3 x 128 on 100,000 rows of 40 numbers, two classes, batch 256, AdamW, one thread, the whole table in memory.
The contestants take turns in one process; what counts is the median over the rounds of the ratio within a round, in
CPU seconds, so that other work on the machine weighs little. Targets: 0.9 of torch by hand, 1.8 times Lightning.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import logging
import os
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.core.recipe import Budget, Recipe
from aurify.core.watch import Watch
from aurify.data.schema import CATEGORY, NUMBER, Column, Schema
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.networks.mlp import Mlp
from aurify.optimizers.adam import Adamw
from aurify.tasks.table import Table
from aurify.training.checkpoint import Keeper
from aurify.training.fit import fit

ROWS, COLUMNS, WIDTH, BATCH, EPOCHS, HELD, ROUNDS = 100_000, 40, 128, 256, 2, 256, 7
RATE = 1e-3
TARGETS = {"by_hand": 0.9, "lightning": 1.8}

Contestant = Callable[[], float]


def table() -> tuple[Tensor, Tensor]:
    """Numbers (N, C) float32 and labels (N,) int64 that depend on them."""
    random = torch.Generator().manual_seed(0)
    x_NC = torch.randn(ROWS + HELD, COLUMNS, generator=random)
    merit_N = x_NC @ torch.randn(COLUMNS, generator=random) + x_NC[:, 0] * x_NC[:, 1]
    return x_NC, (merit_N + torch.randn(ROWS + HELD, generator=random) > 0).long()


def network() -> nn.Module:
    sizes = [COLUMNS, WIDTH, WIDTH, WIDTH]
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 2))


def ours(x_NC: Tensor, y_N: Tensor) -> Contestant:
    """The loop that every aurify run goes through, with no technique switched on."""
    columns = [Column(f"x{i}", NUMBER) for i in range(COLUMNS)]
    schema = Schema((*columns, Column("y", CATEGORY, values=("no", "yes"))), "y", ("no", "yes"))
    unmarked = np.zeros(len(y_N), dtype=bool)
    store = Store.of(schema, {"numbers": x_NC.double().numpy()}, y_N.numpy(), unmarked)
    budget = Budget(epochs=EPOCHS, batch_size=BATCH, validate_every=1_000_000_000)
    recipe = Recipe(
        task=Table(kind="classify"),
        network=Mlp(width=WIDTH, depth=3),
        optimizer=Adamw(learning_rate=RATE),
        budget=budget,
    )
    rows = np.arange(len(y_N))
    parts = Parts(rows[:ROWS], rows[ROWS:], rows[ROWS:])
    device = torch.device("cpu")

    def train() -> float:
        problem = recipe.task.problem(recipe, store, parts, device)
        began = time.process_time()
        fit(recipe, problem, device, Keeper(None), Watch(), lambda run: None)
        return time.process_time() - began

    return train


def by_hand(x_NC: Tensor, y_N: Tensor, **settings: Any) -> Contestant:
    """What one writes without a library."""

    def train() -> float:
        torch.manual_seed(0)
        model = network()
        began = time.process_time()
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, **settings)
        for _ in range(EPOCHS):
            order_N = torch.randperm(ROWS)
            for start in range(0, ROWS, BATCH):
                rows_B = order_N[start : start + BATCH]
                loss = F.cross_entropy(model(x_NC.index_select(0, rows_B)), y_N.index_select(0, rows_B))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            F.cross_entropy(model(x_NC[ROWS:]), y_N[ROWS:]).item()
        return time.process_time() - began

    return train


def lightning(x_NC: Tensor, y_N: Tensor) -> Contestant | None:
    """Lightning with everything off that is not training; None when it is not installed."""
    if importlib.util.find_spec("lightning") is None:
        return None
    import lightning as L
    from torch.utils.data import DataLoader, TensorDataset

    class Module(L.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = network()
            self.began = self.seconds = 0.0

        def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
            return F.cross_entropy(self.model(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.parameters(), lr=RATE)

        def on_train_start(self) -> None:
            self.began = time.process_time()

        def on_train_end(self) -> None:
            self.seconds = time.process_time() - self.began

    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    data = TensorDataset(x_NC[:ROWS], y_N[:ROWS])

    def train() -> float:
        torch.manual_seed(0)
        module = Module()
        loader = DataLoader(data, batch_size=BATCH, shuffle=True, num_workers=0)
        off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
        trainer = L.Trainer(accelerator="cpu", devices=1, max_epochs=EPOCHS, **off)
        trainer.fit(module, loader)
        return module.seconds

    return train


def main() -> None:
    warnings.filterwarnings("ignore")  # Lightning's advice on workers
    torch.set_num_threads(1)
    x_NC, y_N = table()
    contestants = {
        "aurify": ours(x_NC, y_N),
        "by_hand": by_hand(x_NC, y_N),
        "by_hand_fused": by_hand(x_NC, y_N, fused=True),
        "lightning": lightning(x_NC, y_N),
    }
    running = {name: train for name, train in contestants.items() if train is not None}
    for train in running.values():  # the first round pays for imports and caches
        train()
    rounds = [{name: train() for name, train in running.items()} for _ in range(ROUNDS)]

    speed, ratio = dict.fromkeys(contestants), dict.fromkeys(name for name in contestants if name != "aurify")
    for name in running:
        speed[name] = round(EPOCHS * ROWS / statistics.median(r[name] for r in rounds))
        if name in ratio:
            ratio[name] = round(statistics.median(r[name] / r["aurify"] for r in rounds), 3)
    met = {name: None if ratio[name] is None else ratio[name] >= least for name, least in TARGETS.items()}
    print(
        json.dumps(
            {
                "benchmark": "loop",
                "rows_per_cpu_second": speed,
                "aurify_against": ratio,
                "targets": TARGETS,
                "met": met,
                "rounds": ROUNDS,
                "torch": str(torch.__version__),
            }
        )
    )


if __name__ == "__main__":
    main()
