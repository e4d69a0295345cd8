"""Every technique on every task it fits: neutral settings equal off, vivid ones show, and nothing else moves."""

from dataclasses import replace

import numpy as np
import torch
from small import same

from aurify.core.parts import SEAMS, Technique
from aurify.core.types import RowPlan
from aurify.data import prepare


def pair(lab, base, technique, settings):
    """The recipe without the technique (and without what it clashes with), and with it."""
    on = lab.using(base, "technique", technique, settings)
    return on.without(technique.name()), on


def test_neutral_settings_equal_off_in_a_bare_recipe(lab, technique, kind):
    off, neutral = pair(lab, lab.recipe(kind), technique, technique.neutral)
    assert_equal_runs(lab.fitted(off), lab.fitted(neutral))


def test_neutral_settings_equal_off_among_the_defaults(lab, technique, kind):
    off, neutral = pair(lab, lab.default(kind), technique, technique.neutral)
    assert_equal_runs(lab.fitted(off), lab.fitted(neutral))


def assert_equal_runs(one, other):
    assert same(one.weights(), other.weights())
    assert same(one.held(), other.held())
    assert same(one.problem.feed.state(), other.problem.feed.state())


def test_vivid_settings_change_weights_or_predictions(lab, technique, kind):
    off, vivid = pair(lab, lab.recipe(kind), technique, technique.vivid)
    one, other = lab.fitted(off), lab.fitted(vivid)
    assert not (same(one.weights(), other.weights()) and same(one.held(), other.held()))


def test_vivid_settings_train_to_finite_weights(lab, technique, kind):
    _, vivid = pair(lab, lab.default(kind), technique, technique.vivid)
    assert all(torch.isfinite(v).all() for v in lab.fitted(vivid).weights().values())


def test_technique_declares_what_off_means(technique, kind):
    assert technique.neutral, "a technique must say which settings equal off"
    assert set(technique.neutral) | set(technique.vivid) <= set(technique.knobs())
    assert technique.make(technique.neutral) != technique.make(technique.vivid)


def test_technique_fills_a_seam(technique, kind):
    assert any(getattr(technique, seam) is not getattr(Technique, seam) for seam in SEAMS)


def test_fitted_layers_come_from_training_rows_alone(lab, technique, kind):
    """Whatever the other rows hold, what is fitted stays."""
    recipe = lab.using(lab.recipe(kind), "technique", technique, technique.vivid)
    store = lab.store(kind)
    parts = recipe.task.part(recipe, store)
    one = prepare.prepare(recipe.techniques, prepare.view_of(store, parts.fit, recipe.seed))
    two = prepare.prepare(recipe.techniques, prepare.view_of(tampered(store, parts), parts.fit, recipe.seed))
    assert fitted(one) == fitted(two)
    assert same([x.tensors() for x in one.layers], [x.tensors() for x in two.layers])
    assert same(vars(one.plan), vars(two.plan))
    assert (one.target is None) == (two.target is None)
    assert one.target is None or same(one.target.tensors(), two.target.tensors())


def tampered(store, parts):
    other = np.concatenate([parts.held, parts.test])
    inputs = {name: np.array(values) for name, values in store.inputs.items()}
    inputs["numbers"][other] = np.where(np.arange(len(other))[:, None] % 2, 1e30, np.nan)
    inputs["codes"][other] = -2
    inputs["dates"][other] = np.where(np.arange(len(other))[:, None] % 2, 1e12, np.nan)
    target = np.array(store.target)
    target[other] = target[other][::-1]
    return replace(store, inputs=inputs, target=target)


def fitted(prepared):
    described = {n: (i.kind, i.shape, i.names, i.cardinalities) for n, i in prepared.inputs.items()}
    return [(type(layer).__name__, layer.config) for layer in prepared.layers], described


def test_row_plan_keeps_to_the_training_rows(lab, technique, kind):
    recipe = lab.using(lab.recipe(kind), "technique", technique, technique.vivid)
    store = lab.store(kind)
    view = prepare.view_of(store, recipe.task.part(recipe, store).fit, recipe.seed)
    plan = RowPlan(torch.arange(len(view)), torch.ones(len(view), dtype=torch.float64))
    planned = recipe.techniques[0].rows(view, plan)
    assert 0 <= planned.index.min() <= planned.index.max() < len(view)
    assert planned.index.shape == planned.weight.shape
    assert planned.weight.dtype == torch.float64
    assert torch.isfinite(planned.weight).all()
    assert (planned.weight >= 0).all()
