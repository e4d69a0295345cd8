"""Preparing: the bare conversion, chunks, and what each stage sees."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from small import KINDS, same

from aurify.core.parts import Stage, Technique, knob
from aurify.core.types import Layer
from aurify.data import prepare
from aurify.study.kept import Kept


def bare(lab, kind):
    """The Store, its training rows and what the bare conversion makes of all rows."""
    recipe, store = lab.recipe(kind), lab.store(kind)
    parts = recipe.task.part(recipe, store)
    prepared = prepare.prepare((), prepare.view_of(store, parts.fit, 0))
    return store, parts, prepare.apply(prepared.layers, store.inputs, np.arange(len(store))), prepared


@pytest.mark.parametrize("kind", KINDS)
def test_bare_numbers_are_centred_on_training_rows_with_missing_at_the_mean(lab, kind):
    store, parts, values, _ = bare(lab, kind)
    days = (np.array(store.inputs["dates"]) - np.nanmin(store.inputs["dates"][parts.fit])) / 86_400
    raw = np.concatenate([store.inputs["numbers"], days], axis=1)
    expected = np.nan_to_num(raw - np.nanmean(raw[parts.fit], axis=0), nan=0.0)
    np.testing.assert_allclose(values["numbers"], expected, atol=1e-6)
    assert values["numbers"].dtype == torch.float32


@pytest.mark.parametrize("kind", KINDS)
def test_bare_codes_are_ranks_among_training_values(lab, kind):
    store, parts, values, prepared = bare(lab, kind)
    raw = np.array(store.inputs["codes"])
    for column in range(raw.shape[1]):
        seen = sorted(set(raw[parts.fit, column].tolist()) - {-1})
        expected = [seen.index(code) + 1 if code in seen else 0 for code in raw[:, column].tolist()]
        assert values["codes"][:, column].tolist() == expected
        assert prepared.inputs["codes"].cardinalities[column] == len(seen) + 1


@pytest.mark.parametrize("size", [1, 7, 239, 240])
def test_chunks_change_nothing(lab, monkeypatch, size):
    store, _, whole, prepared = bare(lab, "classify")
    monkeypatch.setattr(prepare, "CHUNK_ROWS", size)
    assert same(prepare.apply(prepared.layers, store.inputs, np.arange(240)), whole)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_scores_and_predictions_do_not_depend_on_chunks(lab, monkeypatch, frames, size):
    fitted = lab.fitted(lab.default("classify"))
    held = fitted.problem.held(fitted.run)
    frame = lab.bundle(fitted).predict(frames["classify"])
    monkeypatch.setattr(prepare, "rows_at_once", lambda device: size)
    torch.testing.assert_close(fitted.problem.held(fitted.run).output, held.output, rtol=1e-5, atol=1e-6)
    again = lab.bundle(fitted).predict(frames["classify"])
    assert (again["prediction"] == frame["prediction"]).all()
    assert abs(again["p_low"] - frame["p_low"]).max() < 1e-6


def test_no_rows_are_prepared_to_no_rows(lab):
    store, _, whole, prepared = bare(lab, "classify")
    none = prepare.apply(prepared.layers, store.inputs, np.arange(0))
    assert {k: v.shape[1:] for k, v in none.items()} == {k: v.shape[1:] for k, v in whole.items()}
    assert all(len(v) == 0 for v in none.values())


class Doubled(Layer):
    def forward(self, values):
        return {**values, "numbers": 2 * values["numbers"]}


def test_each_stage_sees_what_earlier_stages_left(lab):
    seen = {}

    @dataclass(kw_only=True)
    class Early(Technique):
        stage = Stage.CLIP

        def layer(self, view):
            seen["early"] = view.values["numbers"]
            return Doubled()

    @dataclass(kw_only=True)
    class Late(Technique):
        stage = Stage.SCALE

        def layer(self, view):
            seen["late"] = view.values["numbers"]

    recipe, store = lab.recipe("classify"), lab.store("classify")
    view = prepare.view_of(store, recipe.task.part(recipe, store).fit, 0)
    prepare.prepare((Early(), Late()), view)
    assert torch.equal(torch.nan_to_num(seen["late"]), torch.nan_to_num(2 * seen["early"]))


def test_layers_are_fitted_on_the_rows_that_are_learnt_from(lab):
    """A row that a technique leaves out must not move the scale either."""

    @dataclass(kw_only=True)
    class FirstHalf(Technique):
        def rows(self, view, plan):
            return plan.keep(torch.arange(len(plan.index)) < len(plan.index) // 2)

    recipe, store = lab.recipe("regress"), lab.store("regress")
    view = prepare.view_of(store, recipe.task.part(recipe, store).fit, 0)
    half = len(view) // 2
    first = view.take(torch.arange(half))
    scaler, target = (lab.catalog.find("technique", n)() for n in ("scale_numbers", "scale_target"))
    one = prepare.prepare((FirstHalf(), scaler, target), view)
    two = prepare.prepare((scaler, target), first)
    assert same([x.tensors() for x in one.layers], [x.tensors() for x in two.layers])
    assert same(one.target.tensors(), two.target.tensors())


def test_a_row_of_weight_three_moves_the_target_scale_as_three_rows_do(lab):
    store = lab.store("regress")
    view = prepare.view_of(store, np.arange(60), 0)
    times = torch.arange(60) % 4
    scale = lab.catalog.find("technique", "scale_target")()
    weighed = scale.target(replace(view, weight=times.double())).tensors()
    repeated = scale.target(view.take(torch.arange(60).repeat_interleave(times))).tensors()
    for name, value in repeated.items():
        torch.testing.assert_close(weighed[name], value, rtol=1e-12, atol=0)


def test_view_holds_copies_so_that_no_technique_can_change_the_store(lab):
    store = lab.store("classify")
    before = {k: np.array(v) for k, v in store.inputs.items()}
    view = prepare.view_of(store, np.arange(240), 0)
    for values in (*view.values.values(), view.target):
        values.fill_(0)
    for name, values in before.items():
        np.testing.assert_array_equal(store.inputs[name], values)
    assert store.target.any()


def test_corrected_targets_are_what_later_techniques_are_fitted_on(lab):
    seen = {}

    @dataclass(kw_only=True)
    class Corrected(Technique):
        def rows(self, view, plan):
            return replace(plan, target=plan.index.double() + 0.5).keep(plan.index % 3 > 0)

        def layer(self, view):
            seen["target"] = view.target

    recipe, store = lab.recipe("regress"), lab.store("regress")
    view = prepare.view_of(store, recipe.task.part(recipe, store).fit, 0)
    prepared = prepare.prepare((Corrected(),), view)
    assert torch.equal(seen["target"], prepared.used.double() + 0.5)
    assert torch.equal(prepared.plan.target, prepared.used.double() + 0.5)


PREPARING = {
    "all": {
        "drop_duplicates": {},
        "fill_missing": {"flag": True},
        "scale_numbers": {},
        "encode_categories": {"method": "target"},
        "calendar": {},
        "clip_outliers": {},
    },
    "rows": {"drop_duplicates": {}, "oversample": {}, "scale_numbers": {}},
    "hidden": {"exclude_columns": {"columns": ["a", "colour"]}, "scale_numbers": {}, "encode_categories": {}},
}


def plain(prepared):
    layers = [(type(layer).__name__, layer.tensors()) for layer in prepared.layers]
    plan = {k: v for k, v in vars(prepared.plan).items() if v is not None}
    return layers, plan, prepared.used, dict(prepared.values), repr(prepared.inputs)


@pytest.mark.parametrize("name", PREPARING)
def test_preparing_once_for_many_recipes_is_preparing_each_anew(name, lab):
    """Every recipe with one technique less, one after another, all out of the same kept steps."""
    known = {n: s for n, s in PREPARING[name].items() if n in lab.catalog.parts["technique"]}
    recipe, store, once = lab.recipe("classify", known), lab.store("classify"), Kept()
    rows = recipe.task.part(recipe, store).fit
    variants = [recipe, *(recipe.without(n) for n in known), lab.recipe("classify", {}), recipe]
    for variant in variants:
        view = lambda variant=variant: prepare.view_of(store.hiding(variant.hidden), rows, 5)  # noqa: E731
        kept = prepare.prepare(variant.techniques, view(), once)
        assert same(plain(kept), plain(prepare.prepare(variant.techniques, view()))), variant.techniques


def test_a_step_is_fitted_once_for_all_recipes_that_do_the_same_before_it(lab):
    fitted = []

    @dataclass(kw_only=True)
    class Counted(Technique):
        size: float = knob(1.0, "of what")
        stage = Stage.CLIP

        def layer(self, view):
            fitted.append((self.size, tuple(view.inputs["numbers"].names)))
            return Doubled()

    recipe, store, once = lab.recipe("classify", {}), lab.store("classify"), Kept()
    rows = recipe.task.part(recipe, store).fit
    hide = lab.catalog.part("technique", {"name": "exclude_columns", "columns": ["a"]})
    drop = lab.catalog.part("technique", {"name": "drop_duplicates"})
    scale = lab.catalog.part("technique", {"name": "scale_numbers"})

    def fit(*techniques):
        variant = replace(recipe, techniques=techniques)
        prepare.prepare(variant.techniques, prepare.view_of(store.hiding(variant.hidden), rows, 5), once)
        return len(fitted)

    assert fit(Counted()) == 1
    assert fit(Counted(), scale) == 1
    assert fit(Counted(size=2.0)) == 2
    assert fit(Counted(), drop) == 3
    assert fit(Counted(), hide) == 4
    assert fit(Counted(), hide, scale) == 4
    assert fit(Counted()) == 4
    assert fitted[0][1] == fitted[2][1] != fitted[3][1]
