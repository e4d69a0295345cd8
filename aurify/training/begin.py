"""A run's beginning: its network with first weights, its optimizer, and which techniques fill which seam."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from aurify.blocks.stack import MemberDraws
from aurify.core import rng
from aurify.core.parts import Technique, fills
from aurify.core.recipe import Recipe
from aurify.core.run import Problem, Run
from aurify.core.types import Signature


def begin(recipe: Recipe, problem: Problem, device: torch.device, steps: int) -> Run:
    """Build the network with its first weights, and a run around it."""
    model = problem.model(build)
    draws = rng.Draws(recipe.seed) if len(problem.seeds) == 1 else MemberDraws(problem.seeds)
    rng.attach(model, draws)
    techniques = copy.deepcopy(recipe.techniques)
    return Run(recipe, model.to(device), problem, techniques, steps, device, draws)


def build(recipe: Recipe, signature: Signature) -> nn.Module:
    """Build a recipe's network and let its techniques change it; weights depend on the seed alone."""
    with rng.seeded(recipe.seed, "build"):
        model = recipe.network.build(signature)
    rng.initialise(model, recipe.seed)
    with rng.seeded(recipe.seed, "first_weights"):
        recipe.network.first_weights(model)
    for technique in recipe.techniques:
        with rng.seeded(recipe.seed, f"begin/{technique.name()}"):
            technique.begin(model, recipe)
    return model


def make_optimizer(run: Run) -> Any:
    """Build the optimizer over the groups that techniques make; each parameter must be in exactly one."""
    trained = [p for p in run.model.parameters() if p.requires_grad]
    groups = run.recipe.network.groups(run.model)
    for technique in run.techniques:
        groups = technique.groups(run, groups)
    grouped = [id(p) for g in groups for p in g["params"]]
    assert sorted(grouped) == sorted(map(id, trained)), "a technique lost or doubled a parameter in groups()"
    optimizer: Any = run.recipe.optimizer.build(groups, run.model)
    for technique in run.techniques:
        optimizer = technique.wrap_optimizer(optimizer, run)
    return optimizer


def filling(run: Run, seam: str) -> list[Technique]:
    """The techniques that fill a seam; the others cost nothing."""
    return [t for t in run.techniques if fills(t, seam)]
