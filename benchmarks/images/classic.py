"""The classic CNN through our loop, by hand in torch and in Keras: images a second."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.core.recipe import Budget, Recipe
from aurify.core.watch import Watch
from aurify.data.columns import IMAGE, Column
from aurify.data.schema import CATEGORY, Schema
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.networks.convnet import Convnet
from aurify.optimizers.adam import Adam
from aurify.tasks.image import Image
from aurify.training.checkpoint import Keeper
from aurify.training.fit import fit

IMAGES, HELD, SIDE, CLASSES, BATCH, RATE, ROUNDS = 6400, 64, 28, 10, 32, 1e-3, 5
TARGETS = {"by_hand": 0.95, "keras": 2.0}

Contestant = Callable[[], float]
"""Trains an epoch and returns the CPU seconds it took."""


def digits() -> tuple[Tensor, Tensor]:
    """Images (N, 28, 28, 1) uint8 that look like nothing, and labels (N,): time does not depend on what is seen."""
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (IMAGES + HELD, SIDE, SIDE, 1), dtype=torch.uint8, generator=random)
    return images, torch.randint(0, CLASSES, (IMAGES + HELD,), generator=random)


def classic_network(side: int = SIDE, channels: int = 1, classes: int = CLASSES) -> nn.Module:
    """conv32-pool-conv64-pool-dense128."""
    flat = 64 * (side // 4) ** 2
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(flat, 128),
        nn.ReLU(),
        nn.Linear(128, classes),
    )


def ours(images: Tensor, labels: Tensor) -> Contestant:
    """The loop that every aurify run goes through, with no technique switched on."""
    classes = tuple(map(str, range(CLASSES)))
    columns = (Column("image", IMAGE, format=f"{SIDE}x{SIDE}x1 crop"), Column("y", CATEGORY, values=classes))
    schema = Schema(columns, "y", classes)
    store = Store.of(schema, {"images": images.numpy()}, labels.numpy(), np.zeros(len(labels), dtype=bool))
    budget = Budget(epochs=1, batch_size=BATCH, validate_every=1_000_000_000)
    recipe = Recipe(task=Image(kind="classify"), network=Convnet(), optimizer=Adam(learning_rate=RATE), budget=budget)
    rows = np.arange(len(labels))
    parts = Parts(rows[:IMAGES], rows[IMAGES:], rows[IMAGES:])

    def train() -> float:
        problem = recipe.task.problem(recipe, store, parts, torch.device("cpu"))
        began = time.process_time()
        fit(recipe, problem, torch.device("cpu"), Keeper(None), Watch(), lambda run: None)
        return time.process_time() - began

    return train


def by_hand(images: Tensor, labels: Tensor, *, last: bool = False) -> Contestant:
    """The loop everybody writes: numbers in memory, shuffled indices; with the images' channels ``last`` or first."""
    memory = torch.channels_last if last else torch.contiguous_format
    x_NCYX = images[:IMAGES].permute(0, 3, 1, 2).float().div(255).contiguous(memory_format=memory)
    y_N = labels[:IMAGES]

    def train() -> float:
        torch.manual_seed(0)
        model = classic_network().to(memory_format=memory)  # pyright: ignore[reportCallIssue]
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
        began = time.process_time()
        for index in torch.randperm(IMAGES).split(BATCH):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x_NCYX[index]), y_N[index])
            loss.backward()
            optimizer.step()
        return time.process_time() - began

    return train


def keras(images: Tensor, labels: Tensor) -> Contestant:
    """Keras on torch as its guide for MNIST has it, with the same layers."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    x, y = (images[:IMAGES].numpy().astype("float32") / 255), labels[:IMAGES].numpy()
    layers = keras.layers

    def train() -> float:
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((SIDE, SIDE, 1)),
                layers.Conv2D(32, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(2),
                layers.Conv2D(64, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
                layers.Dense(CLASSES),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(RATE), loss)
        began = time.process_time()
        model.fit(x, y, batch_size=BATCH, epochs=1, verbose="0")
        return time.process_time() - began

    return train


def measured(threads: int) -> dict[str, Any]:
    """Images a CPU second of each, and ours over each other's: the median over rounds of the ratio within a round."""
    torch.set_num_threads(threads)
    data = digits()
    contestants: dict[str, Contestant] = {
        "ours": ours(*data),
        "by_hand": by_hand(*data),
        "by_hand_channels_last": by_hand(*data, last=True),
    }
    try:
        contestants["keras"] = keras(*data)
    except ImportError:
        print("keras is not here: pip install keras", flush=True)
    for train in contestants.values():
        train()
    seconds = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, train in contestants.items():
            seconds[name].append(train())
    per_second = {n: round(IMAGES / statistics.median(s)) for n, s in seconds.items()}
    ratios = {
        n: round(statistics.median(t / own for t, own in zip(s, seconds["ours"], strict=True)), 3)
        for n, s in seconds.items()
        if n != "ours"
    }
    return {"threads": threads, "images_per_cpu_second": per_second, "ours_over": ratios, "targets": TARGETS}
