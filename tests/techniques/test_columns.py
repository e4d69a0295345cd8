"""Which columns are left out, and that inputs and values follow."""

import numpy as np
import pytest
import torch

from aurify.core.errors import AurifyError
from aurify.core.types import Input, View
from aurify.data import prepare
from aurify.data.store import Asked
from aurify.ship.boosting import fit_trees
from aurify.techniques.columns import DropColumns

OFF = {"constant": 1.0, "missing": 1.0, "copies": 1.0}


def view(count=1000, **columns):
    """Columns by name: floats are numbers, whole numbers are codes."""
    kinds = {"numbers": {}, "codes": {}}
    for name, column in columns.items():
        kinds["numbers" if np.asarray(column).dtype.kind == "f" else "codes"][name] = np.asarray(column)
    inputs, values = {}, {}
    for kind, named in kinds.items():
        if named:
            table = np.stack(list(named.values()), 1)
            sizes = tuple(int(c.max()) + 1 for c in named.values()) if kind == "codes" else ()
            inputs[kind] = Input(kind, (len(named),), tuple(named), sizes)
            values[kind] = torch.from_numpy(table)
    return View(inputs, values, torch.zeros(count), None, 0, torch.ones(count).double())


def left(rows, **settings):
    layer = DropColumns(**{**OFF, **settings}).layer(rows)
    if layer is None:
        return [name for given in rows.inputs.values() for name in given.names]
    after, values = layer.inputs(rows.inputs), layer(dict(rows.values))
    assert set(after) == set(values)
    for kind, given in after.items():
        assert given.shape == (len(given.names),) == values[kind].shape[1:]
        assert len(given.cardinalities) in (0, len(given.names))
        before = rows.inputs[kind]
        for at, name in enumerate(given.names):
            old = before.names.index(name)
            assert torch.equal(values[kind][:, at].nan_to_num(-9), rows.values[kind][:, old].nan_to_num(-9))
            assert not given.cardinalities or given.cardinalities[at] == before.cardinalities[old]
    return [name for given in after.values() for name in given.names]


def noise(seed, count=1000):
    return np.random.default_rng(seed).normal(size=count)


def gaps(column, share):
    return np.where(np.arange(len(column)) < share * len(column), np.nan, column)


def test_columns_of_one_value_go_and_gaps_are_a_value():
    rows = view(
        plain=noise(0),
        same=np.full(1000, 3.0),
        nearly=np.r_[np.full(985, 3.0), noise(1, 15)],
        half=gaps(np.full(1000, 3.0), 0.5),
        empty=np.full(1000, np.nan),
        code=np.zeros(1000, int),
        gone=np.full(1000, -1),
        two=np.arange(1000) % 2,
    )
    assert left(rows, constant=0.999) == ["plain", "nearly", "half", "two"]
    assert left(rows, constant=0.98) == ["plain", "half", "two"]


@pytest.mark.parametrize(("limit", "expected"), [(0.95, ["full", "some", "code"]), (0.3, ["full"]), (1.0, None)])
def test_mostly_missing_columns_go(limit, expected):
    code = np.where(np.arange(1000) < 400, -1, np.arange(1000) % 3)
    rows = view(full=noise(0), some=gaps(noise(1), 0.5), none=gaps(noise(2), 0.96), code=code)
    assert left(rows, missing=limit) == (expected or ["full", "some", "none", "code"])


def test_later_of_two_correlated_columns_goes():
    base, other = noise(0), noise(1)
    rows = view(
        base=base,
        mirrored=5 - 1e6 * base,
        close=base + 0.1 * other,
        other=other,
        gaps=gaps(base, 0.3),
        big=1e8 + other,
    )
    assert left(rows, copies=0.999) == ["base", "close", "other", "gaps"]
    assert left(rows, copies=0.99) == ["base", "other", "gaps"]


def test_correlations_equal_numpys_and_are_measured_against_columns_that_stay():
    """A chain: each column resembles the one before, the third no longer the first."""
    random = np.random.default_rng(0)
    steps = np.cumsum(random.normal(size=(6, 1000)) * 0.45 + (np.arange(6) == 0)[:, None] * noise(9), 0)
    rows = view(**{f"c{at}": column for at, column in enumerate(steps)})
    correlation, kept = abs(np.corrcoef(steps)), []
    for at in range(6):
        if all(correlation[at, earlier] <= 0.9 for earlier in kept):
            kept.append(at)
    assert 1 < len(kept) < 6
    assert left(rows, copies=0.9) == [f"c{at}" for at in kept]


def test_category_columns_that_rename_each_other_are_copies():
    code = np.random.default_rng(0).integers(-1, 5, 1000)
    rows = view(code=code, renamed=np.where(code >= 0, 7 - code, 0), merged=np.where(code == 4, 3, code))
    assert left(rows, copies=0.999) == ["code", "merged"]


def test_input_without_a_column_left_vanishes():
    rows = view(same=np.full(1000, 3.0), code=np.arange(1000) % 3)
    layer = DropColumns().layer(rows)
    assert set(layer.inputs(rows.inputs)) == set(layer(dict(rows.values))) == {"codes"}
    assert set(prepare.prepare([DropColumns()], rows).inputs) == {"codes"}


def test_if_all_columns_would_go_all_stay():
    rows = view(same=np.full(1000, 3.0), code=np.zeros(1000, int))
    assert DropColumns().layer(rows) is None


def test_nothing_to_leave_out_adds_no_layer():
    assert DropColumns().layer(view(plain=noise(0), code=np.arange(1000) % 3)) is None


@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_excluded_columns_are_hidden_from_network_baselines_and_trees(lab, frames, kind):
    """With another column's values in them, nobody's answer changes."""
    asked = {"exclude_columns": {"columns": ["b", "colour"]}, "fill_missing": {}}
    recipe = lab.recipe(kind, asked)
    other = frames[kind].with_columns(b=-3 * frames[kind]["b"].reverse(), colour=frames[kind]["colour"].reverse())
    stores = [lab.store(kind), lab.read(kind, other)]
    parts = recipe.task.part(recipe, stores[0])
    answers = []
    for store in stores:
        problem = recipe.task.problem(recipe, store, parts, torch.device("cpu"))
        assert not {"b", "colour"} & {name for given in problem.signature.inputs.values() for name in given.names}
        rows = Asked(store.inputs, store.target, parts.test, store.roles)
        plain = recipe.task.baselines(recipe, store, parts, rows, lambda: None)
        trees = fit_trees(recipe, store, problem, parts.held)
        output = prepare.apply(trees, store.inputs, parts.test)["output"].numpy()
        answers.append([*(p.prediction for p in plain.values()), output])
    for one, two in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, two)


def test_excluding_every_column_is_refused(lab):
    names = ["a", "b", "c", "colour", "shape", "day"]
    with pytest.raises(AurifyError, match="leaves no column"):
        lab.fit(lab.recipe("classify", {"exclude_columns": {"columns": names}}))
