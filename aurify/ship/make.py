"""From a recipe and parted rows to a Bundle: what fit does once, and studies do many times."""

from __future__ import annotations

from typing import Any

import torch

from aurify.core.recipe import Recipe
from aurify.core.watch import Watch
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import Member
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper


def make(
    recipe: Recipe, store: Any, parts: Any, device: torch.device, keeper: Keeper, watch: Watch, show: loop.Show
) -> tuple[Bundle, dict[str, Any]]:
    """Prepare, train and calibrate on the training rows; returns the Bundle and a plain record of the training.

    ``Keeper(None)`` keeps nothing on disk. Raises DivergedError and Interrupted as the loop does.
    """
    problem = recipe.task.problem(recipe, store, parts, device)
    watch.check()
    run = loop.fit(recipe, problem, device, keeper, watch, show)
    answers = (*problem.answer_layers, *loop.answers(run))
    record = {
        "learning_rate": run.recipe.optimizer.learning_rate,
        "steps": run.step,
        "planned_steps": run.steps,
        "stopped": run.stopped,
        "seconds": round(watch.spent, 3),
    }
    member = Member(tuple(problem.layers), run.model, answers)
    return Bundle(recipe, store.schema, (member,), device), record
