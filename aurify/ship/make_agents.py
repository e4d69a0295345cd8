"""From recipes that differ in nothing but the seed to a Bundle each: agents that are trained as one program."""

# S agents

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from aurify.core.errors import Apart, DivergedError
from aurify.core.recipe import Recipe
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.data.splits import Parts
from aurify.problems.acting import ActingProblem
from aurify.ship.bundle import Bundle
from aurify.ship.make import record_of
from aurify.ship.pipeline import Member
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper
from aurify.worlds.world import World


def make_agents(
    recipes: Sequence[Recipe], world: World, parts: Parts, device: torch.device, watch: Watch, show: loop.Show
) -> list[tuple[Bundle, dict[str, Any]]]:
    """Train the one agent of each recipe; what ``make`` would make of each (S,), in one training.

    Records have the ``log`` of each; ``seconds`` are those of all. Raises Apart, saying why, where they cannot train
    side by side or one of them diverged, and Interrupted as the loop does.
    """
    problem = agents_of(recipes, world, parts, device)
    try:
        run = loop.fit(recipes[0], problem, device, Keeper(None), watch, show)
    except DivergedError as error:
        raise Apart(f"one of them diverged: {error}") from None
    return [
        (
            Bundle(recipe, world.schema, (Member(one.layers, one.network, (), name=one.name),), device),
            {**record_of(run, watch), "log": _log(run, at)},
        )
        for at, (recipe, one) in enumerate(zip(recipes, problem.each(run), strict=True))
    ]


def agents_of(recipes: Sequence[Recipe], world: World, parts: Parts, device: torch.device) -> ActingProblem:
    """The agents of all recipes as one problem. Raises Apart where they cannot train side by side."""
    first = recipes[0]
    numbers = np.array([recipe.seed - first.seed for recipe in recipes], dtype=np.int64)
    problem = first.task.problem(first, world, replace(parts, fit=numbers), device)
    assert isinstance(problem, ActingProblem)
    return problem


def _log(run: Run, agent: int) -> list[dict[str, Any]]:
    """The validations of one of the agents."""
    return [{**each, "return": each["returns"][agent], "train_return": each["recent"][agent]} for each in run.log]
