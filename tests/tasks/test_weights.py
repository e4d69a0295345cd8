"""Weights of rows from the source to the scores: what they change, and what they leave alone."""

import numpy as np
import polars as pl
import pytest
import torch
from small import KINDS, same

from aurify.core.recipe import Source
from aurify.data.tables import say_left_out
from aurify.measure.intervals import scores

WEIGHT = {"source": {"target": "y", "weight": "w"}}


def weighed(frame, values):
    return frame.with_columns(w=pl.Series(np.resize(values, frame.height), strict=False))


def read(lab, kind, frame, **source):
    return lab.task(kind).read(Source(target="y", weight="w", **source), frame)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_weights_change_nothing_whatever_their_unit(lab, frames, kind):
    recipe = lab.recipe(kind, {"gradient_clipping": {}} | ({} if kind == "regress" else {"temperature": {}}))
    plain = lab.fitted(recipe)
    for unit in (1.0, 1024.0):
        found = read(lab, kind, weighed(frames[kind], [unit]))
        assert (found.notes, say_left_out(found.store.schema)) == ((), ["column 'w' is left out: the rows' weight"])
        store = found.store
        fitted = lab.fit(recipe, problem=lab.problem(recipe, store))
        assert same(fitted.weights(), plain.weights())
        torch.testing.assert_close(fitted.held(), plain.held())


@pytest.mark.parametrize("kind", KINDS)
def test_rows_without_a_weight_or_of_weight_0_are_left_out_and_said(lab, frames, kind):
    found = read(lab, kind, weighed(frames[kind], [1.0, None, 0.0, float("inf")]))
    assert "180 rows have no weight in 'w', or 0, and are left out" in found.notes
    store = found.store
    assert np.flatnonzero(store.labelled).tolist() == list(range(0, 240, 4))
    recipe = lab.recipe(kind)
    parts = recipe.task.part(recipe, store)
    assert {*parts.fit, *parts.held, *parts.test} == set(range(0, 240, 4))


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_weighs_new_rows(lab, frames, kind):
    frame = weighed(frames[kind], [1, 2, 0, 3])
    bundle = lab.bundle(lab.fitted(lab.recipe(kind)))
    schema, task = read(lab, kind, frame).store.schema, lab.task(kind)
    asked = task.ask(schema, frame, Source(), labelled=True)
    repeated = frame[np.repeat(np.arange(240), frame["w"].to_numpy()).tolist()].drop("w")
    again = task.ask(schema, repeated, Source(), labelled=True)
    assert "the data lacks the weight column 'w': its rows count once each" in again.notes
    one, other = (scores(bundle.predictions(a), draws=2) for a in (asked, again))
    assert {n: s.value for n, s in one.items()} == pytest.approx({n: s.value for n, s in other.items()}, rel=1e-9)


def test_baselines_are_weighed_as_the_network_is(lab, frames):
    frame = weighed(frames["classify"], [1.0, 5.0])
    store = read(lab, "classify", frame).store
    recipe = lab.recipe("classify", **WEIGHT)
    parts = recipe.task.part(recipe, store)
    asked = lab.task("classify").ask(store.schema, frame, Source(), labelled=True)
    answers = recipe.task.baselines(recipe, store, parts, asked, lambda: None)
    for predictions in answers.values():
        np.testing.assert_array_equal(predictions.weight, frame["w"])
