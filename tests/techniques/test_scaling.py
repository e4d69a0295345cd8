"""Bent scales and fences equal scikit-learn's and scipy's, ties, gaps, infinite cells and export included."""

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from scipy.stats.mstats import winsorize
from sklearn.preprocessing import QuantileTransformer, RobustScaler

from aurify.blocks.search import place_after
from aurify.core.errors import AurifyError
from aurify.core.types import Input, View
from aurify.data import prepare
from aurify.techniques.clipping import ClipOutliers
from aurify.techniques.scaling import ScaleNumbers

METHODS = ("standard", "min_max", "robust", "quantile", "log")


def view(numbers):
    names = tuple("abcdefgh"[: numbers.shape[1]])
    inputs, values = {"numbers": Input("numbers", (len(names),), names)}, {"numbers": torch.from_numpy(numbers.copy())}
    return View(inputs, values, torch.zeros(len(numbers)), None, 0, torch.ones(len(numbers)).double())


def after(layer, numbers):
    again = type(layer)(**layer.config, **layer.tensors())
    return again({"numbers": torch.from_numpy(numbers.copy())})["numbers"].numpy()


def table(seed=0, count=1500):
    """A normal, a heavy-tailed, a column of few values and one that is mostly zero; gaps everywhere."""
    random = np.random.default_rng(seed)
    zeros = np.where(random.random(count) < 0.7, 0.0, random.exponential(size=count))
    columns = [random.normal(size=count), random.standard_cauchy(count), random.integers(0, 4, count), zeros]
    numbers = np.stack(columns, 1).astype(float)
    numbers[random.random(numbers.shape) < 0.1] = np.nan
    return numbers


@pytest.mark.parametrize("most", [1, 2, 3, 7, 8, 9, 100])
def test_place_after_equals_searchsorted(most):
    random = np.random.default_rng(most)
    tables = [np.sort(random.integers(0, 9, size)).astype(float) for size in (most, 1, most // 2)]
    asked = random.integers(-1, 11, (50, 3)).astype(float)
    end = np.cumsum([len(t) for t in tables])
    begin = end - [len(t) for t in tables]
    found = place_after(*map(torch.from_numpy, (np.concatenate(tables), begin, end, asked)), most)
    expected = [np.searchsorted(t, a, side="right") + b for t, a, b in zip(tables, asked.T, begin, strict=True)]
    np.testing.assert_array_equal(found, np.transpose(expected))


def test_quantile_scale_is_near_scikit_learn():
    train, other = table(), table(seed=1)
    ours = after(ScaleNumbers(method="quantile").layer(view(train)), other)
    reference = QuantileTransformer(n_quantiles=1000, output_distribution="normal", subsample=None).fit(train)
    expected = reference.transform(other)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(expected))
    inner = abs(expected) < 2.5  # further out scikit-learn puts the least number at -5.2, we at a share of 0.5 rows
    assert inner.mean() > 0.6
    np.testing.assert_allclose(ours[inner], expected[inner], atol=0.01)
    for column in (2, 3):  # values that occur often are at the middle of their quantiles, to the last digit
        often = np.isin(other[:, column], [0, 1, 2, 3]) & inner[:, column]
        np.testing.assert_allclose(ours[often, column], expected[often, column], rtol=1e-6)


def test_quantile_scale_is_normal_and_never_falls():
    train = table()[:, :2]
    layer = ScaleNumbers(method="quantile").layer(view(train))
    ours = after(layer, np.sort(train, 0))
    assert (np.diff(ours[~np.isnan(ours).any(1)], axis=0) >= 0).all()
    for column in ours.T:
        uniform = np.sort(ndtr(column[~np.isnan(column)]))
        assert abs(uniform - (np.arange(len(uniform)) + 0.5) / len(uniform)).max() < 0.002
    assert abs(np.nanmax(ours)) < 3.5


@pytest.mark.parametrize("quantiles", [2, 32, 100])
def test_small_tables_of_quantiles_bend_coarsely(quantiles):
    layer = ScaleNumbers(method="quantile", quantiles=quantiles).layer(view(table()))
    assert len(layer.steps) <= 4 * quantiles
    assert np.isfinite(after(layer, np.nan_to_num(table(seed=1)))).all()


def test_log_scale_is_odd_and_a_logarithm():
    train, other = table()[:, :2], table(seed=1)[:, :2]
    ours = after(ScaleNumbers(method="log").layer(view(train)), other)
    scaled = RobustScaler().fit(train).transform(other)
    np.testing.assert_allclose(ours, np.sign(scaled) * np.log1p(abs(scaled)), rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_infinite_and_absurd_cells_do_not_move_a_scale(method):
    train = table()[:, :2]
    spoiled = train.copy()
    spoiled[:3] = [[np.inf, np.inf], [-np.inf, np.inf], [np.inf, -np.inf]]
    train[:3] = np.nan
    clean, other = (ScaleNumbers(method=method).layer(view(t)) for t in (train, spoiled))
    np.testing.assert_array_equal(after(clean, train), after(other, train))
    prepared = prepare.prepare([ScaleNumbers(method=method)], view(spoiled))
    assert torch.isfinite(prepared.values["numbers"]).all()
    assert prepared.values["numbers"][3:].std(0).min() > 0 or method != "quantile"


@pytest.mark.parametrize("column", [0, 3])
@pytest.mark.parametrize("method", ["standard", "robust"])
def test_squares_that_overflow_leave_a_scale_in_reach(method, column):
    """The deviation about a mean of 1e297 was taken as 1: every row of the column became the farthest number."""
    train = table()[:, [column]]
    train[5] = 1e300
    train[6] = train[7] = np.nan
    assert np.nanmax(np.abs(after(ScaleNumbers(method=method).layer(view(train)), train))[8:]) < 1e4


@pytest.mark.parametrize("method", METHODS)
def test_scale_survives_empty_constant_and_single_values(method):
    numbers = np.full((5, 3), np.nan)
    numbers[:, 1], numbers[0, 2] = 7.0, 3.0
    layer = ScaleNumbers(method=method).layer(view(numbers))
    assert all(torch.isfinite(t).all() for t in layer.tensors().values())
    ours = after(layer, np.array([[1.0, 7.0, 3.0]]))
    assert np.isfinite(ours).all()
    assert ours[0, 1] == ours[0, 2] == 0


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1])
def test_clipping_at_quantiles_winsorises(share):
    numbers = np.random.default_rng(0).normal(size=(201, 2))
    ours = after(ClipOutliers(method="quantile", share=share).layer(view(numbers)), numbers)
    np.testing.assert_allclose(ours, np.clip(numbers, *np.quantile(numbers, [share, 1 - share], 0)), rtol=1e-12)
    if share == 0.1:  # 20 of 200 steps: a quantile is a value, as scipy has it
        np.testing.assert_allclose(ours, np.stack([winsorize(c, (0.1, 0.1)) for c in numbers.T], 1), rtol=1e-12)


def test_clipping_at_ranges_puts_tukeys_fences():
    train, other = table(), table(seed=1)
    layer = ClipOutliers(method="range", ranges=1.5).layer(view(train))
    first, third = np.nanquantile(train, [0.25, 0.75], 0)
    low, high = first - 1.5 * (third - first), third + 1.5 * (third - first)
    np.testing.assert_allclose(after(layer, other)[:, :3], np.clip(other, low, high)[:, :3], rtol=1e-12)
    layer = ClipOutliers(method="range").layer(view(np.where(train == 0, 0, 5 * (train > 2))))
    assert torch.isinf(layer.low[3]), "a column whose quartiles are one value has no fences"


def test_clipping_leaves_gaps_empty_columns_and_what_is_spared():
    numbers = table()
    numbers[:, 2] = np.nan
    ours = after(ClipOutliers(share=0.2, spare="b").layer(view(numbers)), numbers)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(numbers))
    np.testing.assert_array_equal(ours[:, 1], numbers[:, 1])
    assert (ours[:, 0] != numbers[:, 0])[~np.isnan(ours[:, 0])].mean() > 0.3
    with pytest.raises(AurifyError, match=r"clip_outliers\.spare = 'day': there is no such column"):
        ClipOutliers(spare="day").layer(view(numbers))


class Steps(torch.nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, x):
        return self.layers({"numbers": x})["numbers"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the exporter's own
def test_bent_scales_export(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    techniques = (ClipOutliers(), ScaleNumbers(method="quantile"), ScaleNumbers(method="log"))
    steps, path = Steps([t.layer(view(table())) for t in techniques]).eval(), tmp_path / "steps.onnx"
    asked, axes = torch.from_numpy(table(seed=1)), ({0: torch.export.Dim("rows")},)
    torch.onnx.export(steps, (asked,), path, dynamic_shapes=axes, verbose=False, input_names=["x"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 1000):
        (answered,) = session.run(None, {"x": asked[:count].numpy()})
        np.testing.assert_allclose(answered, steps(asked[:count]), rtol=1e-9)
