"""Batches of small images, and runs as far as techniques that change them look."""

from types import SimpleNamespace

import torch

from aurify.core import rng
from aurify.core.types import Batch, Input


def images_of(count=6, height=12, width=10, channels=3, seed=0):
    """Noise (N, H, W, C) uint8."""
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, height, width, channels), dtype=torch.uint8, generator=random)


def run_of(techniques, shape=(12, 10, 3), step=0, seed=0, centre=(), progress=0.5):
    given = Input("pixels", shape, ("picture",), centre=centre)
    problem = SimpleNamespace(signature=SimpleNamespace(inputs={"images": given}))
    run = SimpleNamespace(problem=problem, techniques=tuple(techniques), step=step, members=1)
    run.device = torch.device("cpu")
    run.random = lambda stream: rng.generator(seed, stream, run.step)
    run.randoms = lambda stream: [run.random(stream)]
    run.recipe, run.progress = SimpleNamespace(seed=seed), progress
    return run


def batch_of(images, target=None, **more):
    rows = len(images)
    target = torch.eye(3)[torch.arange(rows) % 3] if target is None else target
    return Batch({"images": images}, target, torch.arange(rows), **more)


def changed(images, *techniques, **more):
    """The images of a batch after some techniques, acting in the order given."""
    run = run_of(techniques, tuple(images.shape[1:]) if images.dtype == torch.uint8 else (12, 10, 3), **more)
    batch = batch_of(images)
    for technique in techniques:
        batch = technique.on_batch(batch, run)
    return batch.inputs["images"]
