"""Where the time of training goes: waiting for data, changing images, learning."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aurify.catalog import load
from aurify.core.recipe import Recipe
from aurify.core.watch import Watch
from aurify.data.columns import IMAGE, Column
from aurify.data.schema import CATEGORY, Schema
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.tasks.image import Image
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper

IMAGES, HELD, SIDE, STEPS, WARM = 20_000, 500, 32, 40, 5
FOUR = ("flip", "translate", "rotate", "random_erasing")
TARGETS = {"waiting": 0.05, "augmenting": 0.25}


def measured(threads: int) -> dict[str, Any]:
    """Shares of the training time, of the default recipe and of one with ``FOUR`` augmentations, batches of 512."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory(prefix="aurify-image-") as place:
        store = _store(Path(place) / "store")
        plain = {**Image(kind="classify").defaults(store), "task": {"name": "image", "kind": "classify"}}
        more = {**plain, "techniques": {**plain["techniques"], **{name: {} for name in FOUR}}}
        more["budget"] = {**plain["budget"], "batch_size": 512}
        recipes = {"default": load().recipe(plain), "augmented": load().recipe(more)}
        return {
            "threads": threads,
            **{name: _shares(recipe, store) for name, recipe in recipes.items()},
            "targets": TARGETS,
        }


def _store(folder: Path) -> Store:
    """Images in a file that is mapped, as those of a run are."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (IMAGES + HELD, SIDE, SIDE, 3), dtype=np.uint8)
    classes = tuple(map(str, range(10)))
    columns = (Column("image", IMAGE, format=f"{SIDE}x{SIDE}x3 crop"), Column("y", CATEGORY, values=classes))
    target = random.integers(0, 10, len(images))
    Store.of(Schema(columns, "y", classes), {"images": images}, target, np.zeros(len(images), dtype=bool)).write(folder)
    return Store.open(folder)


def _shares(recipe: Recipe, store: Store) -> dict[str, Any]:
    """Seconds of CPU in each part of a step, as shares of the whole."""
    rows, device = np.arange(len(store.target)), torch.device("cpu")
    parts = Parts(rows[:IMAGES], rows[IMAGES:], rows[IMAGES:])
    problem = recipe.task.problem(recipe, store, parts, device)
    run = loop.begin(recipe, problem, device, STEPS)
    spent = {"waiting": 0.0, "augmenting": 0.0}

    def timed(part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def measure(*given: Any) -> Any:
            began = time.process_time()
            made = call(*given)
            spent[part] += time.process_time() - began
            return made

        return measure

    each = loop.Loop(run, loop.make_optimizer(run), Keeper(None), Watch(), lambda run: None)
    each.train(until=WARM)
    problem.feed.next = timed("waiting", problem.feed.next)
    for technique in each.on_batch:
        object.__setattr__(technique, "on_batch", timed("augmenting", technique.on_batch))
    began = time.process_time()
    each.train()
    whole = time.process_time() - began
    batch = recipe.budget.batch_size
    shares = {part: round(seconds / whole, 4) for part, seconds in spent.items()}
    return {**shares, "images_per_cpu_second": round((STEPS - WARM) * batch / whole), "batch": batch}
