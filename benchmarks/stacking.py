"""Ten seeds of one network for tables as one stacked program, beside one after another and beside two processes.

    stacking.py [--widths 32 64 128 256] [--rounds 5] [--steps 300] [--network mlp] [--plain]

A made-up table of 3,000 rows and 12 numbers, the rows parted anew for each seed, the techniques that tables get
(``--plain``: none). Rounds take turns; one line of JSON a width: the seconds of a core that each way took, and the
ratios of each round with their median. Of two processes the one that takes longer counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl
import torch

from aurify import catalog as catalogs
from aurify.core.once import anew
from aurify.core.recipe import Recipe, Source
from aurify.core.watch import Watch
from aurify.ship.make import make, make_together
from aurify.training.checkpoint import Keeper

ROWS, COLUMNS, SEEDS = 3000, 12, 10
TECHNIQUES = (
    *("fill_missing", "scale_numbers", "dropout", "weight_decay", "gradient_clipping", "cosine", "weight_averaging"),
    "early_stopping",
)
CPU = torch.device("cpu")


def table() -> pl.DataFrame:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(ROWS, COLUMNS))
    value = numbers[:, 0] * numbers[:, 1] + np.sin(2 * numbers[:, 2]) + 0.5 * random.normal(size=ROWS)
    return pl.DataFrame({f"x{at}": numbers[:, at] for at in range(COLUMNS)} | {"y": value > 0.3})


def posed(arguments: argparse.Namespace, width: int) -> tuple[list[Recipe], Any, list[Any]]:
    """Recipes that differ in the seed, the Store, and the rows of each."""
    catalog = catalogs.load()
    task: Any = catalog.part("task", {"name": "table", "kind": "classify"})
    store = task.read(Source.make({"target": "y"}), table()).store
    plain = {
        "task": {"name": "table", "kind": "classify"},
        "source": {"target": "y"},
        "network": {"name": arguments.network, "width": width},
        "optimizer": {"name": "adamw", "learning_rate": 1e-3},
        "techniques": {} if arguments.plain else {name: {} for name in TECHNIQUES},
        "budget": {"steps": arguments.steps, "batch_size": 128},
        "seed": 0,
    }
    first = catalog.recipe(plain)
    recipes = [replace(first, seed=seed) for seed in range(SEEDS)]
    return recipes, store, [recipe.task.part(recipe, store) for recipe in recipes]


def stacked(recipes: list[Recipe], store: Any, parts: list[Any]) -> float:
    began = time.process_time()
    make_together(recipes, store, parts, CPU, Watch(), lambda run: None, [anew] * len(recipes))
    return time.process_time() - began


def one_by_one(recipes: list[Recipe], store: Any, parts: list[Any]) -> float:
    began = time.process_time()
    for recipe, own in zip(recipes, parts, strict=True):
        make(recipe, store, own, CPU, Keeper(None), Watch(), lambda run: None)
    return time.process_time() - began


def two_processes(width: int) -> float:
    """Half of the seeds in each of two processes at once: the seconds of the slower one, its start left out."""
    words = [sys.executable, __file__, *sys.argv[1:], "--widths", str(width)]
    halves = [subprocess.Popen([*words, "--half", half], stdout=subprocess.PIPE, text=True) for half in ("0", "1")]
    return max(float(half.communicate()[0]) for half in halves)


def half(arguments: argparse.Namespace) -> float:
    recipes, store, parts = posed(arguments, arguments.widths[0])
    mine = slice(arguments.half * SEEDS // 2, (arguments.half + 1) * SEEDS // 2)
    one_by_one([replace(recipes[0], budget=replace(recipes[0].budget, steps=20))], store, parts[:1])
    return one_by_one(recipes[mine], store, parts[mine])


def measured(arguments: argparse.Namespace, width: int) -> dict[str, Any]:
    recipes, store, parts = posed(arguments, width)
    short = [replace(recipe, budget=replace(recipe.budget, steps=20)) for recipe in recipes]
    stacked(short, store, parts)  # what is imported once
    one_by_one(short, store, parts)
    seconds = {"stacked": list[float](), "one_by_one": list[float](), "two_processes": list[float]()}
    for _ in range(arguments.rounds):
        seconds["stacked"].append(stacked(recipes, store, parts))
        seconds["one_by_one"].append(one_by_one(recipes, store, parts))
        seconds["two_processes"].append(two_processes(width))
    found: dict[str, Any] = {"network": arguments.network, "width": width, "seeds": SEEDS, "steps": arguments.steps}
    for name, each in seconds.items():
        ratios = [one / stack for one, stack in zip(each, seconds["stacked"], strict=True)]
        found[name] = {"seconds": round(median(each), 3), "ratios": [round(r, 2) for r in ratios]}
        found[name]["times_stacked"] = round(median(ratios), 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--network", default="mlp")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--half", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.half is not None:
        print(half(arguments))
        return
    for width in arguments.widths:
        print(json.dumps(measured(arguments, width)), flush=True)


if __name__ == "__main__":
    main()
