"""Whatever the test rows hold, nothing that was fitted or trained changes."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from small import KINDS, same

import aurify
from aurify.core.recipe import Source
from aurify.data.splits import fold_rows, part_rows

EXTRA = {
    "classify": {"mixup": {}, "label_smoothing": {}, "balance_classes": {}, "sam": {}, "l1": {}},
    "regress": {"mixup": {}, "sam": {}, "l1": {}},
}


def everything(lab, kind):
    """The default recipe with nearly every other technique on."""
    recipe = lab.default(kind)
    for name, settings in EXTRA[kind].items():
        recipe = lab.using(recipe, "technique", lab.catalog.find("technique", name), settings)
    return recipe


@pytest.mark.parametrize("kind", KINDS)
def test_test_rows_of_the_store_change_nothing(lab, kind):
    recipe, store = everything(lab, kind), lab.store(kind)
    parts = recipe.task.part(recipe, store)
    inputs = {name: np.array(values) for name, values in store.inputs.items()}
    inputs["numbers"][parts.test] = np.where(np.arange(len(parts.test))[:, None] % 2, 1e30, np.nan)
    inputs["codes"][parts.test] = -2
    target = np.array(store.target)
    target[parts.test] = target[parts.test][::-1] if kind == "classify" else 1e9
    other = replace(store, inputs=inputs, target=target)
    problems = [recipe.task.problem(recipe, s, parts, torch.device("cpu")) for s in (store, other)]
    one, two = (lab.fit(recipe, problem=p) for p in problems)
    assert same(one.trace(), two.trace())
    assert same([x.tensors() for x in one.problem.layers], [x.tensors() for x in two.problem.layers])
    assert same([x.tensors() for x in one.answers], [x.tensors() for x in two.answers])


@pytest.mark.parametrize("kind", KINDS)
def test_test_file_changes_nothing(lab, kind, frames, tmp_path):
    """New category strings, huge numbers, gaps, another column order and other targets in the test file."""
    train, test = frames[kind].head(190), frames[kind].tail(50)
    strange = test.with_columns(
        colour=pl.Series([f"never seen {i}" for i in range(50)]),
        a=pl.Series([1e30, None] * 25),
        b=-1e30 * pl.col("b"),
        y=pl.col("y").reverse() if kind == "classify" else 1e6 * pl.col("y"),
    ).select(reversed(test.columns))
    tensors = []
    for name, frame in (("one", test), ("two", strange)):
        frame.write_csv(tmp_path / f"{name}.csv")
        run = aurify.fit(
            train,
            "y",
            test=tmp_path / f"{name}.csv",
            recipe=plain(lab, kind),
            out=tmp_path / name,
            seed=3,
            inspect=False,
        )
        (member,) = run.bundle.members
        tensors.append((dict(member.network.state_dict()), *([x.tensors() for x in member.layers],)))
    assert same(tensors[0], tensors[1])


def plain(lab, kind):
    return {k: v for k, v in everything(lab, kind).plain().items() if k not in ("source", "seed")}


@pytest.mark.parametrize("kind", KINDS)
def test_features_of_test_rows_do_not_move_the_split_or_the_weights(lab, kind, frames):
    """In one file: rows that are no copies may hold anything, the others stay where they were."""
    recipe = everything(lab, kind)
    parts = part_rows(lab.store(kind), 0.2, 0.1, recipe.seed)
    alone = np.setdiff1d(parts.test, np.r_[0:24, 216:240])  # the copies lie there
    at = pl.Series(np.isin(np.arange(240), alone))
    frame = frames[kind].with_columns(
        colour=pl.when(at).then(pl.lit("a colour never seen")).otherwise("colour"),
        a=pl.when(at).then(pl.int_range(240) * 1e20).otherwise("a"),
    )
    store = lab.read(kind, frame)
    again = part_rows(store, 0.2, 0.1, recipe.seed)
    for name in ("fit", "held", "test"):
        np.testing.assert_array_equal(getattr(again, name), getattr(parts, name))
    fitted = lab.fit(recipe, problem=lab.problem(recipe, store))
    assert same(fitted.weights(), lab.fit(recipe).weights())


def in_parts(lab, kind, frames, by):
    """A store of the table with a group and a time, and the parts or folds of its rows."""
    random = np.random.default_rng(1)
    frame = frames[kind].with_columns(
        g=pl.Series(random.integers(0, 24, 240)), t=pl.Series(random.integers(0, 90, 240))
    )
    store = lab.task(kind).read(Source.make({"target": "y"}), frame, by).store
    return store, [part_rows(store, 0.2, 0.15, 3, by), *fold_rows(store, 3, 0.15, 3, by)]


@pytest.mark.parametrize("by", ["random", "group:g", "time:t"])
@pytest.mark.parametrize("kind", KINDS)
def test_test_rows_of_every_split_and_fold_change_nothing(lab, kind, frames, by):
    """Their inputs, targets, groups and times: rows that are later are not even in reach of a fold by time."""
    recipe = everything(lab, kind)
    store, every = in_parts(lab, kind, frames, by)
    for parts in every:
        gone = np.setdiff1d(np.arange(240), np.r_[parts.fit, parts.held])
        inputs = {name: np.array(values) for name, values in store.inputs.items()}
        inputs["numbers"][gone] = np.where(np.arange(len(gone))[:, None] % 2, 1e30, np.nan)
        inputs["codes"][gone] = -2
        target = np.array(store.target)
        target[gone] = target[gone][::-1] if kind == "classify" else 1e9
        roles = {name: np.array(values) for name, values in store.roles.items()}
        for values in roles.values():
            values[gone] = -1
        other = replace(store, inputs=inputs, target=target, roles=roles)
        problems = [recipe.task.problem(recipe, s, parts, torch.device("cpu")) for s in (store, other)]
        one, two = (lab.fit(recipe, problem=p) for p in problems)
        assert same(one.trace(), two.trace())
        assert same([x.tensors() for x in one.problem.layers], [x.tensors() for x in two.problem.layers])
        assert same([x.tensors() for x in one.answers], [x.tensors() for x in two.answers])


@pytest.mark.parametrize("by", ["random", "group:g", "time:t"])
def test_inputs_of_test_rows_move_no_split_and_no_fold(lab, frames, by):
    store, every = in_parts(lab, "classify", frames, by)
    for at, parts in enumerate(every):
        alone = np.setdiff1d(parts.test, np.r_[0:24, 216:240])  # the copies lie there
        inputs = {name: np.array(values) for name, values in store.inputs.items()}
        inputs["numbers"][alone] += 1e6 * np.arange(1, len(alone) + 1)[:, None]
        other = replace(store, inputs=inputs)
        again = [part_rows(other, 0.2, 0.15, 3, by), *fold_rows(other, 3, 0.15, 3, by)][at]
        for name in ("fit", "held", "test"):
            np.testing.assert_array_equal(getattr(again, name), getattr(parts, name))


@pytest.mark.parametrize("kind", KINDS)
def test_held_rows_move_no_weight_while_nothing_looks_at_them(lab, kind):
    """Without early stopping the held-out rows are watched, not learnt from."""
    recipe = lab.default(kind).without("early_stopping").without("temperature")
    store = lab.store(kind)
    parts = recipe.task.part(recipe, store)
    target = np.array(store.target)
    target[parts.held] = target[parts.held][::-1]
    inputs = {name: np.array(values) for name, values in store.inputs.items()}
    inputs["numbers"][parts.held] = 7.0
    other = replace(store, inputs=inputs, target=target)
    one, two = (
        lab.fit(recipe, problem=recipe.task.problem(recipe, s, parts, torch.device("cpu"))) for s in (store, other)
    )
    assert same(one.weights(), two.weights())
    assert one.run.log != two.run.log
