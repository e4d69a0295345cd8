"""What changing images costs beside learning from them: flip, translate, rotate and random_erasing, batches of 512.

Images are 32 x 32 x 3. For each network the share of a whole training step (changing, forward, backward, update) that
changing takes, in CPU seconds; and what each technique takes by itself. Target: less than 25 % of the step of a small
residual network. ``python benchmarks/augmenting.py [ROUNDS]``, one thread.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch

from aurify.catalog import Catalog, load
from aurify.core.types import Batch
from aurify.core.watch import Watch
from aurify.data.columns import IMAGE, Column
from aurify.data.schema import CATEGORY, Schema
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper

BATCH, SIDE, HELD, TARGET = 512, 32, 64, 0.25
FOUR: dict[str, dict[str, Any]] = {"flip": {}, "translate": {}, "rotate": {}, "random_erasing": {}}
EACH: dict[str, dict[str, Any]] = {
    **FOUR,
    "random_erasing": {"chance": 1.0},
    "zoom": {},
    "shear": {},
    "colour_jitter": {},
    "blur": {"chance": 1.0},
    "pixel_noise": {},
    "cutout": {},
    "cutmix": {"chance": 1.0},
    "mixup": {},
    "rand_augment": {},
    "trivial_augment": {},
    "progressive_resizing": {},
}
NETWORKS = {
    "resnet-14x16": ({"name": "resnet", "depth": 14, "channels": 16}, "float32"),
    "resnet-14x16-bf16": ({"name": "resnet", "depth": 14, "channels": 16}, "bfloat16"),
    "resnet-8x16": ({"name": "resnet", "depth": 8, "channels": 16}, "float32"),
    "speednet": ({"name": "speednet"}, "float32"),
    "convnet": ({"name": "convnet"}, "float32"),
}


def store() -> Store:
    """Noise as images, ten classes."""
    random, count = np.random.default_rng(0), BATCH + HELD
    images = random.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    classes = tuple(map(str, range(10)))
    columns = (Column("image", IMAGE, format=f"{SIDE}x{SIDE}x3 crop"), Column("y", CATEGORY, values=classes))
    unmarked = np.zeros(count, dtype=bool)
    return Store.of(Schema(columns, "y", classes), {"images": images}, random.integers(0, 10, count), unmarked)


def trainer(catalog: Catalog, network: dict[str, Any], techniques: dict[str, Any], precision: str = "float32") -> Any:
    """A loop that has not begun, over one batch again and again."""
    plain = {
        "task": {"name": "image", "kind": "classify"},
        "network": network,
        "optimizer": {"name": "adamw"},
        "techniques": {"normalize": {}, **techniques},
        "budget": {"batch_size": BATCH, "validate_every": 1_000_000, "steps": 1_000_000},
        "precision": precision,
    }
    recipe, data, device = catalog.recipe(plain), store(), torch.device("cpu")
    rows = np.arange(BATCH + HELD)
    problem = recipe.task.problem(recipe, data, Parts(rows[:BATCH], rows[BATCH:], rows[BATCH:]), device)
    run = loop.begin(recipe, problem, device, 1_000_000)
    return loop.Loop(run, loop.make_optimizer(run), Keeper(None), Watch(), lambda run: None)


def changed(loop_: Any, batch: Batch) -> Batch:
    for technique in loop_.on_batch:
        batch = technique.on_batch(batch, loop_.run)
    return batch


def of_one_step(loop_: Any) -> tuple[float, float]:
    """CPU seconds of a step in all, and of changing its images."""
    began = time.process_time()
    batch = loop_.problem.feed.next(loop_.run)
    at = time.process_time()
    batch = changed(loop_, batch)
    changing = time.process_time() - at
    loop_.set_rate()
    loop_.update(batch)
    loop_.run.step += 1
    return time.process_time() - began, changing


def share(loop_: Any, rounds: int) -> dict[str, float]:
    of_one_step(loop_)
    told = [of_one_step(loop_) for _ in range(rounds)]
    whole, changing = (statistics.median(each) for each in zip(*told, strict=True))
    weights = sum(p.numel() for p in loop_.run.parameters)
    return {
        "share": round(changing / whole, 4),
        "step_ms": round(whole * 1e3, 1),
        "changing_ms": round(changing * 1e3, 2),
        "weights": weights,
    }


def alone(loop_: Any, rounds: int) -> float:
    """Milliseconds of CPU that a technique takes for a batch, of ready bytes."""
    batch, told = loop_.problem.feed.next(loop_.run), []
    for _ in range(rounds):
        began = time.process_time()
        changed(loop_, batch)
        told.append(time.process_time() - began)
        loop_.run.step += 1
    return round(statistics.median(told) * 1e3, 2)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    torch.set_num_threads(1)
    catalog = load()
    shares = {
        name: share(trainer(catalog, net, FOUR, precision), rounds) for name, (net, precision) in NETWORKS.items()
    }
    small = NETWORKS["resnet-8x16"][0]
    each = {name: alone(trainer(catalog, small, {name: given}), rounds) for name, given in EACH.items()}
    print(
        json.dumps(
            {"batch": BATCH, "side": SIDE, "rounds": rounds, "target": TARGET, "of_a_step": shares, "alone_ms": each}
        )
    )


if __name__ == "__main__":
    main()
