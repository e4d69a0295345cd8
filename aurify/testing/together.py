"""Promises of parts together: networks learn with optimizers, and two techniques train and resume in one recipe."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import SkipTest

import torch

from aurify.core.errors import Apart, listing
from aurify.core.folder import RunFolder
from aurify.core.once import anew
from aurify.core.recipe import Recipe
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.data.prepare import raw_values
from aurify.ship.bundle import Bundle
from aurify.ship.make import make, make_together
from aurify.testing.cases import Broken, Case, require
from aurify.testing.differences import first_difference
from aurify.testing.lab import NETWORK, SMALL, STEPS, variants
from aurify.testing.scratch import scratch_folder
from aurify.testing.tables import IMAGE, TEXT
from aurify.testing.training import IN_STATE
from aurify.training.begin import begin
from aurify.training.checkpoint import Keeper

TECHNIQUES = ("fill_missing", "scale_numbers", "encode_categories", "gradient_clipping")
SHORT, LONG = 60, 240
NEAR = 1e-5
MODELS = 3
SIDE_BY_SIDE_STEPS = {TEXT: 18, IMAGE: 12}
"""Of tables 200."""
SIDE_BY_SIDE_NETWORKS = {
    TEXT: {"name": "textcnn", "width": 16, "channels": 8},
    IMAGE: {"name": "convnet", "channels": 8, "width": 16},
}
CPU = torch.device("cpu")
LEARNT = 0.9
"""A network has learnt when the error of held-out rows is below this share of what it was with its first weights."""


def network_learns_with_every_optimizer(case: Case) -> None:
    """In 60 steps, or 240 where it begins slowly, the error of held-out rows falls by a tenth and more."""
    left = error_left(case, SHORT)
    left = left if left < LEARNT else error_left(case, LONG)
    require(
        left < LEARNT,
        f"{case.part.name()} trained with {case.other.name()} keeps {left:.0%} of the error of its first weights;"
        " look at first weights, activations and the default learning rate",
    )


def error_left(case: Case, steps: int) -> float:
    """The lowest error of held-out rows in a run of some steps, as a share of that of the first weights."""
    names = TECHNIQUES + (("scale_target",) if case.kind == "regress" else ())
    recipe = case.lab.recipe(
        case.kind,
        {name: {} for name in names},
        network={"name": case.part.name()},
        optimizer={"name": case.other.name()},
        budget={"steps": steps, "validate_every": 10},
    )
    fitted = case.lab.fitted(recipe)
    wild = [name for name, value in fitted.weights().items() if not torch.isfinite(value).all()]
    require(not wild, f"with {case.other.name()} weights are not finite: {listing(wild)}")
    problem = case.lab.problem(recipe)
    untrained = begin(recipe, problem, torch.device("cpu"), steps)
    untrained.model.eval()
    first = problem.score(untrained).item()
    return min(entry[fitted.problem.score_name] for entry in fitted.run.log) / first


def agents_side_by_side_learn_as_each_would_alone(case: Case) -> None:
    """Several agents that train as one stacked model end as each would by itself, with its own seed."""
    recipe = case.vivid()
    beside = case.lab.fitted(recipe).weights()
    for agent in range(SMALL["agents"]):
        task = replace(recipe.task, agents=1)
        alone = case.lab.fitted(replace(recipe, task=task, seed=recipe.seed + agent)).weights()
        far = [
            name
            for name, value in alone.items()
            if not torch.allclose(beside[name][agent], value, rtol=NEAR, atol=NEAR)
        ]
        require(
            not far,
            f"agent {agent} ends with other weights ({listing(far)}) than by itself; tensors of members are stacked"
            " (run.members, ...) and rows come member after member: treat each by itself, or leave stacks = False",
        )


def models_side_by_side_end_as_each_would_alone(case: Case) -> None:
    """Models of one recipe, seeds and rows of their own, that train as one stacked model end as each would alone."""
    # targets as they are make steps so large that rounding grows to differences of its own
    names = TECHNIQUES + (("scale_target",) if case.kind == "regress" else ())
    plain = case.lab.recipe(
        case.kind,
        {name: {} for name in names},
        network=SIDE_BY_SIDE_NETWORKS.get(case.kind, NETWORK),
        budget={"steps": SIDE_BY_SIDE_STEPS.get(case.kind, 200), "validate_every": 20},
    )
    recipe = case.lab.using(plain, case.group, case.part, getattr(case.part, "vivid", {}))
    if not recipe.network.stacks:
        raise SkipTest(f"it needs {recipe.network.name()}, which does not train several models side by side")
    with _double():
        _compare(case, [replace(recipe, seed=recipe.seed + at) for at in range(MODELS)])


def _compare(case: Case, recipes: list[Recipe]) -> None:
    made = _together(case, recipes)
    for at, (own, (beside, _)) in enumerate(made):
        by_itself, _ = make(recipes[at], case.lab.store(case.kind), own, CPU, Keeper(None), Watch(), _unseen)
        (mine,), (its,) = beside.members, by_itself.members
        weights = [(n.state_dict() if (n := member.network) else {}) for member in (mine, its)]
        far = [name for name, value in weights[1].items() if not _near(weights[0][name], value)]
        said = [bundle.pipeline(raw_values(case.lab.rows(case.kind), slice(None))) for bundle in (beside, by_itself)]
        require(
            not far and _near(*said),
            f"model {at} of those side by side ends with other weights ({listing(far)}) or answers than by itself;"
            " tensors are stacked (run.members, ...) and rows come model after model: treat each by itself and draw"
            " with run.randoms, or leave stacks = False",
        )


def _together(case: Case, recipes: list[Recipe]) -> list[tuple[Any, tuple[Bundle, dict[str, Any]]]]:
    """Models trained side by side, with the rows of each: of its own or, where those do not fit, the same for all."""
    task: Any = recipes[0].task
    store = case.lab.store(case.kind)
    own = [task.part(recipe, store) for recipe in recipes]
    for parts in (own, [own[0]] * len(recipes)):
        try:
            return list(
                zip(parts, make_together(recipes, store, parts, CPU, Watch(), _unseen, [anew] * MODELS), strict=True)
            )
        except Apart as reason:
            why = reason
    raise Broken(f"it says that it stacks, and on the same rows too models cannot train side by side: {why}")


@contextmanager
def _double() -> Iterator[None]:
    """Everything in double precision: a network that learns its rows by heart makes much of what was rounded."""
    single, torch.Tensor.float = torch.Tensor.float, torch.Tensor.double
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.Tensor.float = single
        torch.set_default_dtype(torch.float32)


def _unseen(run: Run) -> None:
    """Nobody looks."""


def _near(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=NEAR, atol=NEAR)


def pair_of_techniques_trains_and_resumes(case: Case) -> None:
    """Beside another technique, with drawn settings of both, weights stay finite and a resumed run ends the same."""
    draw = random.Random(str(case))
    network = {"name": "mlp", "width": 16, "norm": draw.choice(["none", "batch", "layer"])}
    recipe = case.lab.recipe(case.kind, network=network)
    for technique in (case.part, case.other):
        recipe = case.lab.using(recipe, "technique", technique, draw.choice(list(variants(technique).values())))
    stops = sorted(draw.sample(range(STEPS), 3))
    said = f"{[(t.name(), t.settings()) for t in recipe.techniques]} stopped after {stops}"
    with scratch_folder() as folder:
        resumed = case.lab.fit_in_sittings(recipe, RunFolder(folder), stops)
    wild = [name for name, value in resumed.weights().items() if not torch.isfinite(value).all()]
    require(not wild, f"{said}: weights are not finite: {listing(wild)}")
    place = first_difference(case.lab.fit(recipe).trace(), resumed.trace())
    require(place is None, f"{said}: a resumed run ends otherwise, first {place}; {IN_STATE}")
