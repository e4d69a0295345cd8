"""What each agent of a run would get on average, computed from the model of its world and not by playing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from aurify.catalog import load
from aurify.core.folder import RunFolder
from aurify.ship.bundle import Bundle
from aurify.worlds.exact import expected_return, model_of, optimal_return
from aurify.worlds.world import World


def exact_returns(run: Path) -> tuple[float, list[float]]:
    """The most that an episode can return on average, and what the surest actions of each agent return."""
    folder = RunFolder(run)
    world = World.open(folder.store)
    model = model_of(world)
    assert model is not None, f"the model of {world.source} is not known"
    bundle = Bundle.load(folder.bundle, load(), torch.device("cpu"))
    values = world.values(np.arange(len(model.start)))
    with torch.no_grad():
        answers = [bundle.pipeline.answer(member, values) for member in bundle.members]
    policies = [answer.argmax(1).numpy() for answer in answers]
    return optimal_return(model, world.limit), [expected_return(model, each, world.limit) for each in policies]
