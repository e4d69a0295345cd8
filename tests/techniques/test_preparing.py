"""Scaling, filling and encoding equal scikit-learn's, missing values included."""

import numpy as np
import pytest
import torch
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler

from aurify.core.types import Input, View
from aurify.data import prepare
from aurify.techniques.encoding import EncodeCategories
from aurify.techniques.filling import FillMissing
from aurify.techniques.scaling import ScaleNumbers, ScaleTarget

NAMES = ("wide", "skewed", "constant", "mostly", "empty")
SCALERS = {"standard": StandardScaler(), "min_max": MinMaxScaler(), "robust": RobustScaler()}


def numbers(seed=0, count=301):
    random = np.random.default_rng(seed)
    table = np.stack(
        [
            1e6 + 1e3 * random.normal(size=count),
            random.exponential(size=count),
            np.full(count, 7.0),
            (random.random(count) < 0.3) * 5.0,
            np.full(count, np.nan),
        ],
        1,
    )
    table[random.random(table.shape) < 0.15] = np.nan
    return table


def view(table=None, codes=None, target=None, cardinalities=()):
    inputs, values = {}, {}
    if table is not None:
        names = NAMES[: table.shape[1]]
        inputs["numbers"] = Input("numbers", (len(names),), names)
        values["numbers"] = torch.from_numpy(table)
    if codes is not None:
        inputs["codes"] = Input("codes", (codes.shape[1],), NAMES[: codes.shape[1]], cardinalities)
        values["codes"] = torch.from_numpy(codes)
    count = len(next(iter(values.values()))) if values else len(target)
    return View(inputs, values, torch.zeros(count) if target is None else target, None, 0, torch.ones(count).double())


@pytest.mark.parametrize("method", SCALERS)
def test_scaling_equals_scikit_learn_with_missing_values(method):
    columns = 3 if method == "robust" else 4  # robust falls back on the deviation where half the values are one
    train, other = numbers()[:, :columns], numbers(seed=1)[:, :columns]
    layer = ScaleNumbers(method=method).layer(view(train))
    ours = layer({"numbers": torch.from_numpy(other)})["numbers"].numpy()
    np.testing.assert_allclose(ours, SCALERS[method].fit(train).transform(other), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", SCALERS)
def test_scaling_survives_empty_and_constant_columns(method):
    layer = ScaleNumbers(method=method).layer(view(numbers()))
    for tensor in layer.tensors().values():
        assert torch.isfinite(tensor).all()
    ours = layer({"numbers": torch.full((1, 5), 7.0, dtype=torch.float64)})["numbers"]
    assert torch.isfinite(ours).all()
    assert ours[0, 2] == 0


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_filling_and_flags_equal_scikit_learn(strategy):
    train, other = numbers()[:, :4], numbers(seed=1)[:, :4]
    layer = FillMissing(strategy=strategy).layer(view(train))
    ours = layer({"numbers": torch.from_numpy(other)})
    reference = SimpleImputer(strategy=strategy, add_indicator=True).fit(train).transform(other)
    np.testing.assert_allclose(ours["numbers"], reference[:, :4], rtol=1e-12)
    np.testing.assert_array_equal(ours["missing"], reference[:, 4:])


def test_flags_are_for_columns_with_gaps_in_training_only():
    train = numbers()[:, :2].copy()
    train[:, 0] = np.nan_to_num(train[:, 0])
    layer = FillMissing().layer(view(train))
    assert layer.inputs(view(train).inputs)["missing"].names == ("skewed missing",)
    other = numbers(seed=1)[:, :2]  # gaps in both columns now
    flags = layer({"numbers": torch.from_numpy(other)})["missing"]
    np.testing.assert_array_equal(flags, np.isnan(other[:, 1:]))


def test_filling_an_empty_column_puts_a_number_there():
    layer = FillMissing().layer(view(numbers()))
    assert torch.isfinite(layer({"numbers": torch.from_numpy(numbers(seed=1))})["numbers"]).all()


def test_scaled_target_equals_scikit_learn_and_comes_back():
    target = torch.from_numpy(numbers()[:, 1]).nan_to_num(3.0)
    layer = ScaleTarget().target(view(target=target))
    np.testing.assert_allclose(layer.encode(target), StandardScaler().fit_transform(target[:, None])[:, 0], rtol=1e-9)
    np.testing.assert_allclose(layer(layer.encode(target)[:, None])[:, 0], target, rtol=1e-12)


def test_constant_target_is_not_divided_by_zero():
    layer = ScaleTarget().target(view(target=torch.full((9,), 5.0, dtype=torch.float64)))
    assert torch.equal(layer.encode(torch.tensor([5.0, 6.0])), torch.tensor([0.0, 1.0], dtype=torch.float64))


def coded(seed=0, count=300):
    """Two columns of codes; of the second, value k occurs exactly k + 1 times but for 0, which is common."""
    random = np.random.default_rng(seed)
    rare = np.repeat(np.arange(1, 9), np.arange(2, 10))
    second = random.permutation(np.r_[rare, 8 * [9], [10], np.zeros(count - len(rare) - 9, int)])
    return np.stack([random.integers(-1, 6, count), second], 1)


def encoded(train, other, settings):
    """What the network's body would see of the rows ``other``."""
    given = view(codes=train, cardinalities=(8, 11))  # codes 6 and 7 of the first column never occur in training
    prepared = prepare.prepare([EncodeCategories(**settings)], given)
    values = {"codes": torch.from_numpy(other)}
    for layer in prepared.layers:
        values = layer(values)
    return prepared.inputs["codes"].entry(prepared.inputs["codes"])(values["codes"]), values["codes"]


@pytest.mark.parametrize("least", [1, 5])
def test_one_hot_equals_scikit_learn(least):
    train, other = coded(), coded(seed=1)
    other[:3, 0] = (-2, 6, 7)  # unknown to the schema, and known to it but never seen in training
    ours, _ = encoded(train, other, {"method": "one_hot", "least": least})
    at = 0
    for column in range(2):
        seen = train[train[:, column] >= 0][:, [column]]  # scikit-learn has no code for the missing
        unknown = "infrequent_if_exist" if least > 1 else "ignore"
        reference = OneHotEncoder(handle_unknown=unknown, min_frequency=least, sparse_output=False).fit(seen)
        asked = np.where(other[:, [column]] < 0, 99, other[:, [column]])
        kept = int((np.unique(seen, return_counts=True)[1] >= least).sum())  # its infrequent column comes after these
        np.testing.assert_array_equal(ours[:, at + 1 : at + 1 + kept], reference.transform(asked)[:, :kept])
        at += 1 + kept
    assert ours.shape[1] == at
    assert (ours.sum(1) == 2).all()


def test_ordinal_is_the_rank_among_training_values():
    train, other = coded(), coded(seed=1)
    _, ranks = encoded(train, other, {"method": "ordinal"})
    reference = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(train[(train >= 0).all(1)])
    np.testing.assert_array_equal(ranks, reference.transform(other) + 1)


def test_unseen_missing_and_rare_values_share_one_code():
    train = coded()
    other = np.array([[-1, 0], [-2, 0], [6, 0], [7, 0]])
    for method in ("one_hot", "embedding", "ordinal"):
        entered, _ = encoded(train, other, {"method": method})
        assert (entered == entered[0]).all()
