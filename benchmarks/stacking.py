"""Seeds of one network as one stacked program, beside one after another and, of tables, beside two processes.

    stacking.py [tables] [--widths 32 64 128 256] [--seeds 10] [--rounds 5] [--steps 300] [--network mlp] [--plain]
    stacking.py texts | images [--widths 32 128] [--seeds 5 10] [--network textcnn | convnet] ...

A made-up table of 3,000 rows and 12 numbers; 2,000 questions of TREC, or of made-up words where
``$AURIFY_SHARED/data`` lacks them; 2,000 made-up images of 28 x 28 pixels in gray. The rows are parted anew for each
seed, with the techniques that such rows get (``--plain``: none). Rounds take turns; one line of JSON a width and number
of seeds: the seconds of a core that each way took, and the ratios of each round with their median. Of two processes the
one that takes longer counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
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

ROWS, COLUMNS, FEWER, SIDE = 3000, 12, 2000, 28
USUAL = ("gradient_clipping", "cosine", "early_stopping")
CPU = torch.device("cpu")
DATA = Path(os.environ.get("AURIFY_SHARED", Path(__file__).parents[2] / "shared")) / "data"


@dataclass(frozen=True)
class Subject:
    """What is learnt: the task that reads ``frame``, its usual techniques, batch and network with the widths to try."""

    task: str
    frame: Callable[[], pl.DataFrame]
    techniques: Mapping[str, Any]
    batch: int
    network: str
    widths: tuple[int, ...]


def table() -> pl.DataFrame:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(ROWS, COLUMNS))
    value = numbers[:, 0] * numbers[:, 1] + np.sin(2 * numbers[:, 2]) + 0.5 * random.normal(size=ROWS)
    return pl.DataFrame({f"x{at}": numbers[:, at] for at in range(COLUMNS)} | {"y": value > 0.3})


def texts() -> pl.DataFrame:
    file, random = DATA / "sentence_clf" / "TREC.train.all", np.random.default_rng(0)
    if file.is_file():
        lines = [line.split(" ", 1) for line in file.read_text("utf-8", errors="replace").splitlines()[:FEWER]]
        return pl.DataFrame({"text": [text for _, text in lines], "y": [label for label, _ in lines]})
    words = [" ".join(f"w{at}" for at in random.geometric(0.005, random.integers(4, 20))) for _ in range(FEWER)]
    return pl.DataFrame({"text": words, "y": [str(len(text) % 2 + ("w1 " in text)) for text in words]})


def images() -> pl.DataFrame:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 160, (FEWER, SIDE, SIDE), dtype=np.uint8)
    kinds, places = random.integers(0, 4, FEWER), random.integers(0, SIDE - 10, (FEWER, 2))
    for image, kind, (top, left) in zip(pixels, kinds, places, strict=True):
        image[top : top + 4 + 2 * (kind % 2), left : left + 4 + 2 * (kind // 2)] = 200
    return pl.DataFrame({"image": pl.Series(pixels, dtype=pl.Array(pl.UInt8, (SIDE, SIDE))), "y": kinds.astype(str)})


TABLES = ("fill_missing", "scale_numbers", "dropout", "weight_decay", "weight_averaging", *USUAL)
SUBJECTS = {
    "tables": Subject("table", table, {name: {} for name in TABLES}, 128, "mlp", (32, 64, 128, 256)),
    "texts": Subject(
        *("text", texts),
        {"tokenize": {"by": "words"}, "dropout": {"rate": 0.4}, "token_dropout": {}, **{name: {} for name in USUAL}},
        *(64, "textcnn", (32, 128)),
    ),
    "images": Subject(
        *("image", images),
        {name: {} for name in ("normalize", "translate", "dropout", "weight_decay", *USUAL)},
        *(64, "convnet", (8, 32)),
    ),
}


def posed(arguments: argparse.Namespace, width: int, seeds: int) -> tuple[list[Recipe], Any, list[Any]]:
    """Recipes that differ in the seed, the Store, and the rows of each."""
    about, catalog = SUBJECTS[arguments.subject], catalogs.load()
    named = {"name": about.task, "kind": "classify"}
    task: Any = catalog.part("task", named)
    store = task.read(Source.make({"target": "y"}), about.frame()).store
    network = arguments.network or about.network
    wide = "channels" if network in ("textcnn", "convnet") else "width"
    plain = {
        "task": named,
        "source": {"target": "y"},
        "network": {"name": network, wide: width},
        "optimizer": {"name": arguments.optimizer, "learning_rate": 1e-3},
        "techniques": {} if arguments.plain else about.techniques,
        "budget": {"steps": arguments.steps, "batch_size": about.batch},
        "seed": 0,
    }
    first = catalog.recipe(plain)
    recipes = [replace(first, seed=seed) for seed in range(seeds)]
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


def two_processes(width: int, seeds: int) -> float:
    """Half of the seeds in each of two processes at once: the seconds of the slower one, its start left out."""
    words = [sys.executable, __file__, *sys.argv[1:], "--widths", str(width), "--seeds", str(seeds)]
    halves = [subprocess.Popen([*words, "--half", half], stdout=subprocess.PIPE, text=True) for half in ("0", "1")]
    return max(float(half.communicate()[0]) for half in halves)


def half(arguments: argparse.Namespace) -> float:
    (seeds,) = arguments.seeds
    recipes, store, parts = posed(arguments, arguments.widths[0], seeds)
    mine = slice(arguments.half * seeds // 2, (arguments.half + 1) * seeds // 2)
    one_by_one([replace(recipes[0], budget=replace(recipes[0].budget, steps=20))], store, parts[:1])
    return one_by_one(recipes[mine], store, parts[mine])


def measured(arguments: argparse.Namespace, width: int, seeds: int) -> dict[str, Any]:
    recipes, store, parts = posed(arguments, width, seeds)
    short = [replace(recipe, budget=replace(recipe.budget, steps=20)) for recipe in recipes]
    stacked(short, store, parts)  # what is imported once
    one_by_one(short, store, parts)
    ways: dict[str, Callable[[], float]] = {
        "stacked": lambda: stacked(recipes, store, parts),
        "one_by_one": lambda: one_by_one(recipes, store, parts),
    }
    if arguments.subject == "tables":
        ways["two_processes"] = lambda: two_processes(width, seeds)
    seconds = {name: list[float]() for name in ways}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            seconds[name].append(way())
    network = recipes[0].network.name()
    found: dict[str, Any] = {"network": network, "width": width, "seeds": seeds, "steps": arguments.steps}
    for name, each in seconds.items():
        ratios = [one / stack for one, stack in zip(each, seconds["stacked"], strict=True)]
        found[name] = {"seconds": round(median(each), 3), "ratios": [round(r, 2) for r in ratios]}
        found[name]["times_stacked"] = round(median(ratios), 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", nargs="?", choices=SUBJECTS, default="tables")
    parser.add_argument("--widths", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[10])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--network")
    parser.add_argument("--optimizer", default="adamw")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--half", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.half is not None:
        print(half(arguments))
        return
    for width, seeds in product(arguments.widths or SUBJECTS[arguments.subject].widths, arguments.seeds):
        print(json.dumps(measured(arguments, width, seeds)), flush=True)


if __name__ == "__main__":
    main()
