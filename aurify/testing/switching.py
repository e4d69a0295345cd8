"""Promises of a technique that is switched on: neutral equals off, vivid shows, only training rows are learnt from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from aurify.core import acting
from aurify.core.errors import listing
from aurify.core.parts import SEAMS, fills
from aurify.core.recipe import Recipe
from aurify.core.types import RowPlan
from aurify.data import prepare
from aurify.data.image_form import IMAGES
from aurify.data.packed import Packed
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.testing.cases import Case, require
from aurify.testing.differences import first_difference
from aurify.testing.lab import Fitted

OWN_SEED = "draw from aurify.core.rng.generator(view.seed, NAME), with a name of your own"


def technique_declares_what_off_means(case: Case) -> None:
    """A technique says which settings equal off (``neutral``) and which show (``vivid``, else the defaults)."""
    part = case.part
    require(bool(part.neutral), 'it must say which settings equal off: neutral = {"NAME": VALUE}')
    unknown = sorted({*part.neutral, *part.vivid} - set(part.knobs()))
    require(not unknown, f"neutral and vivid name settings that it does not have: {listing(unknown)}")
    differ = part.make(part.neutral) != part.make(part.vivid)
    require(differ, "its neutral and its vivid settings are the same; set vivid to values that must change something")


def technique_fills_a_seam(case: Case) -> None:
    """A technique fills at least one seam; otherwise it does nothing."""
    filled = [seam for seam in SEAMS if fills(case.part, seam)]
    filled += [seam for seam in acting.SEAMS if hasattr(case.part, seam)]
    require(bool(filled), f"it overrides no seam; the seams are {', '.join((*SEAMS, *acting.SEAMS))}")


def neutral_settings_equal_off_in_a_bare_recipe(case: Case) -> None:
    """Neutral settings equal off bit for bit."""
    _neutral_equals_off(case, case.lab.recipe(case.kind))


def neutral_settings_equal_off_among_the_defaults(case: Case) -> None:
    """Neutral settings equal off bit for bit among the techniques that a recipe starts with."""
    _neutral_equals_off(case, case.lab.default(case.kind))


def _neutral_equals_off(case: Case, base: Recipe) -> None:
    off, neutral = (_outcome(case.lab.fitted(recipe)) for recipe in case.pair(base, case.part.neutral))
    place = first_difference(off, neutral)
    require(
        place is None,
        f"with {dict(case.part.neutral)} something changes, first {place}; neutral settings must leave every bit alone",
    )


def _outcome(fitted: Fitted) -> dict[str, Any]:
    held = fitted.held()
    return {
        "weights": fitted.weights(),
        "predictions": {"outputs": held, "decided": fitted.decided(held)},
        "feed": fitted.problem.feed.state(),
    }


def vivid_settings_change_weights_or_predictions(case: Case) -> None:
    """Vivid settings show in weights or predictions."""
    off, vivid = (
        _outcome(case.lab.fitted(recipe)) for recipe in case.pair(case.lab.recipe(case.kind), case.part.vivid)
    )
    shown = any(first_difference(off[name], vivid[name]) for name in ("weights", "predictions"))
    require(shown, f"with {_vivid(case)} a run of a few steps ends as without it; choose stronger vivid settings")


def _vivid(case: Case) -> dict[str, Any]:
    return case.part.make(case.part.vivid).settings()


def vivid_settings_train_to_finite_weights(case: Case) -> None:
    """Vivid settings among the techniques that a recipe starts with leave finite weights."""
    _, vivid = case.pair(case.lab.default(case.kind), case.part.vivid)
    wild = [name for name, value in case.lab.fitted(vivid).weights().items() if not torch.isfinite(value).all()]
    require(not wild, f"weights that are not finite after {_vivid(case)}: {listing(wild)}")


def fitted_layers_come_from_training_rows_alone(case: Case) -> None:
    """Whatever the rows outside training hold, what is fitted stays."""
    recipe, store = case.vivid(), case.lab.store(case.kind)
    parts = case.lab.task(case.kind).part(recipe, store)
    one, other = (_fitted_on(recipe, each, parts) for each in (store, _tampered(store, parts)))
    place = first_difference(one, other)
    if place is None:
        return
    drawn = first_difference(one, _fitted_on(recipe, store, parts))
    require(drawn is None, f"fitted twice on the same rows it differs, first {drawn}; {OWN_SEED}")
    words = "look at nothing but the view: it holds the training rows"
    require(False, f"other values in rows that are not for training change what is fitted, first {place}; {words}")


def _fitted_on(recipe: Recipe, store: Store, parts: Parts) -> dict[str, Any]:
    """All that preparing fits on a store's training rows."""
    prepared = prepare.prepare(
        recipe.techniques, prepare.view_of(store, parts.fit, recipe.seed), network=recipe.network
    )
    return {
        "inputs": {n: (i.kind, i.shape, i.names, i.cardinalities) for n, i in prepared.inputs.items()},
        "layers": [(type(layer).__name__, layer.config, layer.tensors()) for layer in prepared.layers],
        "plan": vars(prepared.plan),
        "target": None if prepared.target is None else prepared.target.tensors(),
    }


def _tampered(store: Store, parts: Parts) -> Store:
    """The store with absurd values in every row outside training."""
    other = np.concatenate([parts.held, parts.test])
    inputs: dict[str, Any] = {n: v if isinstance(v, Packed) else np.array(v) for n, v in store.inputs.items()}
    if "texts" in inputs:
        inputs["texts"] = _garbled(inputs["texts"], other)
    if IMAGES in inputs:
        inputs[IMAGES][other] = np.random.default_rng(1).integers(0, 256, inputs[IMAGES][other].shape, dtype=np.uint8)
    inputs["numbers"][other] = np.where(np.arange(len(other))[:, None] % 2, 1e30, np.nan)
    inputs["codes"][other] = -2
    inputs["dates"][other] = np.where(np.arange(len(other))[:, None] % 2, 1e12, np.nan)
    target = np.array(store.target)
    target[other] = target[other][::-1]
    return replace(store, inputs=inputs, target=target)


def _garbled(texts: Packed, other: np.ndarray) -> Packed:
    """The texts with words that nobody ever wrote in the rows ``other``."""
    columns = [texts.column(at) for at in range(texts.columns)]
    for column in columns:
        for at in other.tolist():
            column[at] = "\u9f98 qzxv " * (at % 5)
    return Packed.of(columns)


def row_plan_keeps_to_the_training_rows(case: Case) -> None:
    """A row plan names training rows, each with a finite weight that is not negative, in float64."""
    recipe, store = case.vivid(), case.lab.store(case.kind)
    view = prepare.view_of(store, case.lab.task(case.kind).part(recipe, store).fit, recipe.seed)
    plan = RowPlan(torch.arange(len(view)), torch.ones(len(view), dtype=torch.float64))
    planned = recipe.techniques[0].rows(view, plan)
    inside = bool(0 <= planned.index.min() <= planned.index.max() < len(view))
    require(inside, f"rows() names positions outside the view's 0 to {len(view) - 1}")
    require(
        planned.index.shape == planned.weight.shape and planned.weight.dtype == torch.float64,
        f"rows() must give one float64 weight for each of {len(planned.index)} positions,"
        f" found {tuple(planned.weight.shape)} of {planned.weight.dtype}",
    )
    sound = bool(torch.isfinite(planned.weight).all() and (planned.weight >= 0).all())
    require(sound, "rows() gives weights that are negative or not finite")
