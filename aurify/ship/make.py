"""From a recipe and parted rows to a Bundle: what fit does once, and studies do many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from aurify.core.errors import Apart, DivergedError
from aurify.core.once import Once, anew
from aurify.core.recipe import Recipe
from aurify.core.run import Run
from aurify.core.types import Layer
from aurify.core.watch import Watch
from aurify.data.store import Asked
from aurify.problems.rows import RowProblem
from aurify.problems.side_by_side import SideBySide, require_stacking
from aurify.ship.blending import blended, network_share
from aurify.ship.boosting import fit_trees
from aurify.ship.bundle import Bundle
from aurify.ship.ngram_model import fit_ngrams
from aurify.ship.pipeline import Member
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper


def make(
    recipe: Recipe,
    store: Any,
    parts: Any,
    device: torch.device,
    keeper: Keeper,
    watch: Watch,
    show: loop.Show,
    once: Once = anew,
    share: float = 1.0,
) -> tuple[Bundle, dict[str, Any]]:
    """Prepare, train, calibrate and blend on the training rows; returns the Bundle and a record of the training.

    ``Keeper(None)`` keeps nothing on disk; ``once`` is as ``Task.problem`` has it and ``share`` as the
    loop does. Raises DivergedError and
    Interrupted as the loop does.
    """
    problem = recipe.task.problem(recipe, store, parts, device, once)
    watch.check()
    # before the network: a limit on the time is shared out over what is left of it
    beside = _beside(recipe, store, problem, parts.held, watch)
    watch.check()
    run = loop.fit(recipe, problem, device, keeper, watch, show, share)
    answers = (*problem.answer_layers, *loop.answers(run, lambda: problem.held(run)))
    members = (Member(one.layers, one.network, answers, one.weight, one.name) for one in problem.trained(run))
    bundle = Bundle(recipe, store.schema, tuple(members), device)
    record = {**record_of(run, watch), **problem.chosen()}
    return _with_beside(bundle, record, beside, store, parts.held, keeper)


def make_together(
    recipes: Sequence[Recipe],
    store: Any,
    parts: Sequence[Any],
    device: torch.device,
    watch: Watch,
    show: loop.Show,
    onces: Sequence[Once],
    share: float = 1.0,
) -> list[tuple[Bundle, dict[str, Any]]]:
    """Make the Bundles of recipes that differ in the seed alone, each on ``parts`` of its own, in one training.

    Each is what ``make`` would make of it. The records have each one's ``log`` too; ``seconds`` are those of all.
    Raises Apart, saying why, where the models cannot train side by side or one of them diverged, and Interrupted.
    """
    problem = side_by_side(recipes, store, parts, device, watch, onces)
    posed = problem.problems
    every = [_beside(r, store, p, own.held, watch) for r, p, own in zip(recipes, posed, parts, strict=True)]
    try:
        run = loop.fit(recipes[0], problem, device, Keeper(None), watch, show, share)
    except DivergedError as error:
        raise Apart(f"one of them diverged: {error}") from None
    made, held = [], problem.held_by_each(run)
    for at, one in enumerate(problem.trained(run)):
        answers = (*posed[at].answer_layers, *loop.answers(run, partial(held.__getitem__, at)))
        bundle = Bundle(recipes[at], store.schema, (Member(one.layers, one.network, answers),), device)
        made.append(_with_beside(bundle, _record(run, at, watch), every[at], store, parts[at].held, Keeper(None)))
    return made


def side_by_side(
    recipes: Sequence[Recipe],
    store: Any,
    parts: Sequence[Any],
    device: torch.device,
    watch: Watch,
    onces: Sequence[Once],
) -> SideBySide:
    """The problems of recipes that differ in the seed alone, as one. Raises Apart where they cannot be."""
    require_stacking(recipes)  # before anything is prepared for nothing
    posed: list[RowProblem] = []
    for recipe, own, once in zip(recipes, parts, onces, strict=True):
        one = recipe.task.problem(recipe, store, own, device, once)
        if not isinstance(one, RowProblem):
            raise Apart("they do not learn from rows")
        posed.append(one)
        watch.check()
    return SideBySide(posed)


def record_of(run: Run, watch: Watch) -> dict[str, Any]:
    """What became of a training, as plain data."""
    return {
        "learning_rate": run.recipe.optimizer.learning_rate,
        "steps": run.step,
        "planned_steps": run.steps,
        "stopped": run.stopped,
        "seconds": round(watch.spent, 3),
    }


def _record(run: Run, member: int, watch: Watch) -> dict[str, Any]:
    """What became of one model of those side by side."""
    step, stopped = run.ended.get(member, (run.step, run.stopped))
    name = run.problem.score_name
    own = [
        {**entry, name: entry["scores"][member], f"train_{name}": entry["train_scores"][member]}
        for entry in run.log
        if entry["step"] <= step
    ]
    return {**record_of(run, watch), "steps": step, "stopped": stopped, "log": own}


Beside = tuple[tuple[Layer, ...], tuple[Layer, ...]]
"""Layers of the model that answers beside the network: as held-out rows judge it, and as it answers."""


def _with_beside(
    bundle: Bundle, record: dict[str, Any], beside: Beside | None, store: Any, held: np.ndarray, keeper: Keeper
) -> tuple[Bundle, dict[str, Any]]:
    """The Bundle with what answers beside the network, each with the share that held-out rows say."""
    if beside is None:
        return bundle, record
    name = bundle.recipe.blend.model
    judged, other = (replace(bundle, members=(Member(layers, None, (), name=name),)) for layers in beside)
    asked = Asked(store.inputs, store.target, held, store.roles)
    share = keeper.chosen("network_share", lambda: network_share(bundle, judged, asked))
    return blended((bundle, share), (other, 1 - share)), {**record, "network_share": share}


def _beside(recipe: Recipe, store: Any, problem: Any, held: np.ndarray, watch: Watch) -> Beside | None:
    match recipe.blend.model:
        case "trees":
            trees = fit_trees(recipe, store, problem, held)
            return trees, trees
        case "ngrams":
            judged, final = fit_ngrams(recipe, store, problem, held, watch.check)
            return (judged,), (final,)
    return None
