"""Trees as tensors answer as scikit-learn does, learn from the rows of the plan, and stay whole in files."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from small import same

from aurify.core.types import RowPlan
from aurify.ship import trial
from aurify.ship.blending import blended
from aurify.ship.boosting import as_tensors, fit_trees
from aurify.ship.bundle import Bundle
from aurify.ship.export import export

ROWS, CODED = 600, [3, 40, 255]
PLAIN = {"scale_numbers": {}, "encode_categories": {}}


def columns(seed):
    """Category columns of few and many codes, then numbers, all with gaps."""
    random = np.random.default_rng(seed)
    codes = np.column_stack([random.integers(0, k, ROWS) for k in CODED]).astype(np.float64)
    codes[: max(CODED)] = np.arange(max(CODED))[:, None] % CODED  # so that every code is learnt
    numbers = random.normal(size=(ROWS, 3)) * [1.0, 1e6, 1e-6]
    table = np.concatenate([codes, numbers], 1)
    table[max(CODED) :][random.random((ROWS - max(CODED), table.shape[1])) < 0.15] = np.nan
    return table


def fitted(kind, depth):
    table, random = columns(0), np.random.default_rng(1)
    value = table[:, 0] + (table[:, 1] % 7) + (table[:, 2] % 3) + table[:, 3] + np.isnan(table[:, 4])
    value = np.nan_to_num(value) + random.normal(size=ROWS)
    settings = {"categorical_features": [True] * 3 + [False] * 3, "max_iter": 30, "max_depth": depth, "random_state": 0}
    if kind == "numbers":
        return HistGradientBoostingRegressor(**settings).fit(table, value)
    edges = np.quantile(value, {"two": [0.7], "four": [0.2, 0.5, 0.8]}[kind])
    return HistGradientBoostingClassifier(**settings).fit(table, np.searchsorted(edges, value))


@pytest.mark.parametrize("depth", [None, 2])
@pytest.mark.parametrize("kind", ["numbers", "two", "four"])
def test_tensors_answer_as_scikit_learn_does(kind, depth):
    model = fitted(kind, depth)
    asked = columns(2)
    layer = as_tensors(model, {"numbers": 1, "two": 2, "four": 4}[kind])
    output = layer({"columns": torch.from_numpy(asked)})["output"]
    assert bool(model._predictors[0][0].nodes["is_categorical"].any()), "else the test shows nothing"
    if kind == "numbers":
        assert output[:, 0].numpy() == pytest.approx(model.predict(asked), abs=1e-9)
    else:
        assert output.softmax(1).numpy() == pytest.approx(model.predict_proba(asked), abs=1e-9)


def test_codes_that_training_lacks_are_as_missing_ones(lab, frames):
    bundle = lab.trees(lab.recipe("classify", PLAIN))
    frame = frames["classify"].head(50)
    gone = frame.with_columns(colour=pl.lit(None, dtype=pl.String))
    assert bundle.predict(frame.with_columns(colour=pl.lit("never seen"))).equals(bundle.predict(gone))
    assert not bundle.predict(frame).equals(bundle.predict(gone))


def test_class_that_training_lacks_has_no_probability(lab):
    model = HistGradientBoostingClassifier(max_iter=3).fit(np.arange(100.0)[:, None], np.arange(100) % 2 * 2)
    output = as_tensors(model, 3)({"columns": torch.arange(5.0).double()[:, None]})["output"]
    assert output.softmax(1)[:, 1].tolist() == [0.0] * 5
    assert output.softmax(1)[:, [0, 2]].numpy() == pytest.approx(model.predict_proba(np.arange(5.0)[:, None]))


def learnt(lab, store, **plan):
    """The tensors of trees fitted on a plan of the first rows, with the last 40 held out."""
    index = torch.arange(150)
    given = {"index": index, "weight": torch.ones(150, dtype=torch.float64), **plan}
    problem = SimpleNamespace(plan=RowPlan(**given), rows=torch.arange(160))
    columns, trees = fit_trees(lab.recipe("regress"), store, problem, np.arange(200, 240))
    return {**columns.tensors(), **trees.tensors()}


@pytest.mark.slow
def test_trees_learn_from_the_plan_alone(lab):
    store = lab.store("regress")
    first, everyone = learnt(lab, store), np.arange(len(store))
    others = (everyone >= 150) & (everyone < 200)
    inputs = {n: np.where(others[:, None], -1 if n == "codes" else 1e9, v) for n, v in store.inputs.items()}
    tampered = replace(store, inputs=inputs, target=np.where(others, 1e9, store.target))
    assert same(learnt(lab, tampered), first)
    changed = replace(store, target=np.where(everyone < 10, store.target + 5, store.target))
    assert not same(learnt(lab, changed), first)
    assert same(learnt(lab, store, target=torch.from_numpy(changed.target[:150])), learnt(lab, changed)), "corrected"
    weightless = torch.from_numpy((everyone[:150] >= 10).astype(np.float64))
    assert same(learnt(lab, store, weight=weightless), learnt(lab, changed, weight=weightless))
    assert same(learnt(lab, store, weight=weightless * 7), learnt(lab, store, weight=weightless)), "the unit is free"
    assert not same(learnt(lab, store, weight=weightless + 1), first)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_blend_survives_save_load_and_export(lab, kind, tmp_path, frames):
    network = lab.bundle(lab.fitted(lab.default(kind)))
    trees = lab.trees(network.recipe)
    bundle = blended((network, 0.25), (trees, 0.75))
    bundle.save(tmp_path / "model.aurify", lab.catalog)
    loaded = Bundle.load(tmp_path / "model.aurify", lab.catalog, torch.device("cpu"))
    assert loaded.predict(frames[kind]).equals(bundle.predict(frames[kind]))
    alone = {name: each.predict(frames[kind]).select(pl.col(pl.Float64)) for name, each in loaded.apart().items()}
    assert list(alone) == ["blend", "network", "trees"]
    mixed = 0.25 * alone["network"].to_numpy() + 0.75 * alone["trees"].to_numpy()
    assert alone["blend"].to_numpy() == pytest.approx(mixed, abs=1e-12)
    assert alone["network"].equals(network.predict(frames[kind]).select(pl.col(pl.Float64)))
    rows = trial.with_gaps(lab.store(kind).inputs, seed=0)
    assert export(bundle, tmp_path / "model.onnx", rows, spread=1.0)["difference"] < 1e-5
