"""From a recipe and parted rows to a Bundle: what fit does once, and studies do many times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from aurify.core.once import Once, anew
from aurify.core.recipe import Recipe
from aurify.core.types import Layer
from aurify.core.watch import Watch
from aurify.data.store import Asked
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
    answers = (*problem.answer_layers, *loop.answers(run))
    record = {
        "learning_rate": run.recipe.optimizer.learning_rate,
        "steps": run.step,
        "planned_steps": run.steps,
        "stopped": run.stopped,
        "seconds": round(watch.spent, 3),
    }
    members = (Member(one.layers, one.network, answers, one.weight, one.name) for one in problem.trained(run))
    bundle = Bundle(recipe, store.schema, tuple(members), device)
    if beside is None:
        return bundle, record
    judged, other = (replace(bundle, members=(Member(layers, None, (), name=recipe.blend.model),)) for layers in beside)
    held = Asked(store.inputs, store.target, parts.held, store.roles)
    share = keeper.chosen("network_share", lambda: network_share(bundle, judged, held))
    return blended((bundle, share), (other, 1 - share)), {**record, "network_share": share}


def _beside(
    recipe: Recipe, store: Any, problem: Any, held: np.ndarray, watch: Watch
) -> tuple[tuple[Layer, ...], tuple[Layer, ...]] | None:
    """Layers of the model that answers beside the network: as held-out rows judge it, and as it answers."""
    match recipe.blend.model:
        case "trees":
            trees = fit_trees(recipe, store, problem, held)
            return trees, trees
        case "ngrams":
            judged, final = fit_ngrams(recipe, store, problem, held, watch.check)
            return (judged,), (final,)
    return None
