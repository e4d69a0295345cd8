"""Products that matter are found among those that do not, and are what they are called."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression

from aurify.core.types import Input, View
from aurify.data import prepare
from aurify.techniques.interactions import FARTHEST, CrossCategories, Interactions

NAMES = "abcdefghijkl"


def table(seed=0, count=1500, width=8):
    return np.random.default_rng(seed).normal(size=(count, width)) * np.logspace(-3, 3, width) + 5


def view(numbers, target, classes=None, weight=None):
    width = numbers.shape[1]
    inputs = {"numbers": Input("numbers", (width,), tuple(NAMES[:width]))}
    weight = torch.ones(len(numbers)).double() if weight is None else torch.from_numpy(weight)
    return View(inputs, {"numbers": torch.from_numpy(numbers)}, torch.from_numpy(target), classes, 0, weight)


def standard(numbers):
    return (numbers - numbers.mean(0)) / numbers.std(0)


def added(rows, **settings):
    layer = Interactions(**settings).layer(rows)
    return () if layer is None else layer.inputs(rows.inputs)["numbers"].names[rows.values["numbers"].shape[1] :]


def test_linear_model_learns_xor_with_products_only():
    numbers = table()
    z = standard(numbers)
    rows = view(numbers, (z[:, 0] * z[:, 5] > 0).astype(np.int64), ("no", "yes"))
    accuracy = {}
    for name, techniques in (("off", []), ("on", [Interactions()])):
        inputs = standard(prepare.prepare(techniques, rows).values["numbers"].double().numpy())
        halves = inputs[::2], inputs[1::2]
        model = LogisticRegression().fit(halves[0], rows.target[::2])
        accuracy[name] = model.score(halves[1], rows.target[1::2])
    assert accuracy["off"] < 0.6
    assert accuracy["on"] > 0.95


@pytest.mark.parametrize("classes", [None, ("u", "v", "w")])
def test_true_products_are_found_and_no_others(classes):
    numbers = table(1)
    z = standard(numbers)
    value = z[:, 0] + z[:, 1] * z[:, 2] - 0.7 * z[:, 3] * z[:, 7] + 0.3 * np.random.default_rng(2).normal(size=1500)
    target = value if classes is None else np.searchsorted([-0.5, 0.5], value)
    assert added(view(numbers, target, classes)) == ("b * c", "d * h")
    assert added(view(numbers, target, classes), most=1) == ("b * c",)


@pytest.mark.parametrize("seed", range(8))
def test_bends_and_noise_are_no_products(seed):
    """What single columns explain, squares included, is not credited to pairs of alike columns."""
    numbers = table(seed)
    numbers[:, 1] = numbers[:, 0] + 0.5e-3 * np.random.default_rng(seed + 99).normal(size=1500)
    value = standard(numbers)[:, 0] ** 2 + np.random.default_rng(seed).normal(size=1500)
    assert added(view(numbers, value)) == ()


def test_chosen_is_what_a_slow_loop_of_partial_correlations_chooses():
    numbers = table(3, width=5)
    z = standard(numbers)
    value = (
        z @ np.arange(5)
        + 0.4 * z[:, 0] * z[:, 4]
        + 0.3 * z[:, 1] * z[:, 2]
        + np.random.default_rng(3).normal(size=1500)
    )
    z = z.clip(-FARTHEST, FARTHEST)
    design = np.c_[z, z**2]
    rest = value - LinearRegression().fit(design, value).predict(design)
    scores = {}
    for one in range(5):
        for other in range(one):
            product = z[:, one] * z[:, other]
            product = product - LinearRegression().fit(design, product).predict(design)
            scores[f"{NAMES[other]} * {NAMES[one]}"] = abs(np.corrcoef(product, rest)[0, 1])
    assert list(added(view(numbers, value), threshold=0.0)) == sorted(scores, key=scores.get, reverse=True)


def test_products_are_standardised_and_cut_and_gaps_stay_gaps():
    numbers = table(4)
    z = standard(numbers)
    rows = view(numbers, z[:, 0] * z[:, 1])
    layer = Interactions(most=1).layer(rows)
    product = layer(dict(rows.values))["numbers"][:, -1]
    assert torch.equal(layer(dict(rows.values))["numbers"][:, :-1], rows.values["numbers"])
    assert abs(float(product.mean())) < 1e-9
    assert float(product.std(correction=0)) == pytest.approx(1)
    strange = torch.from_numpy(numbers[:3].copy())
    strange[0, 0], strange[1] = torch.nan, 1e30
    after = layer({"numbers": strange})["numbers"][:, -1]
    assert torch.isnan(after[0])
    assert abs(after[1]) < 2 * FARTHEST**2


def test_rows_of_no_weight_do_not_count():
    numbers = table(5)
    z = standard(numbers)
    half = np.arange(1500) % 2
    value = np.where(half, z[:, 0] * z[:, 1], 9 * z[:, 2] * z[:, 3])
    assert added(view(numbers, value, weight=half.astype(float)), most=1) == ("a * b",)


def test_empty_constant_and_copied_columns_and_few_rows_do_no_harm():
    numbers = table(6, count=60, width=6)
    numbers[:, 1], numbers[:, 2], numbers[:, 3] = np.nan, 7.0, numbers[:, 0]
    numbers[:, 4] = numbers[:, 4] > 5
    value = np.random.default_rng(6).normal(size=60)
    for count in (60, 15, 2):
        rows = view(numbers[:count], value[:count])
        layer = Interactions(threshold=0.0).layer(rows)
        if layer is not None:
            assert all(torch.isfinite(t).all() for t in layer.tensors().values())
            assert torch.isfinite(layer({"numbers": torch.ones(2, 6).double()})["numbers"][:, 6:]).all()


def coded(codes, target, classes=None, weight=None):
    """A view of category columns; one value of each more than training has."""
    sizes = tuple(int(column.max()) + 2 for column in codes.T)
    inputs = {"codes": Input("codes", codes.shape[1:], tuple(NAMES[: codes.shape[1]]), sizes)}
    weight = torch.ones(len(codes)).double() if weight is None else torch.from_numpy(weight)
    return View(inputs, {"codes": torch.from_numpy(codes)}, torch.from_numpy(target), classes, 0, weight)


def draw_codes(seed=0, count=2000):
    random = np.random.default_rng(seed)
    sizes = (2, 2, 3, 6, 12)
    return np.stack([random.integers(-1 if size > 2 else 0, size, count) for size in sizes], 1)


def crossed(rows, **settings):
    layer = CrossCategories(**settings).layer(rows)
    return () if layer is None else layer.inputs(rows.inputs)["codes"].names[rows.values["codes"].shape[1] :]


@pytest.mark.parametrize("classes", [None, ("u", "v", "w")])
def test_pairs_with_an_effect_of_their_own_are_crossed_and_no_others(classes):
    codes, random = draw_codes(), np.random.default_rng(1)
    table = random.normal(size=(8, 14))
    value = (codes[:, 0] ^ codes[:, 1]) + 0.7 * table[codes[:, 3], codes[:, 4]] + codes[:, 2] + random.normal(size=2000)
    target = value if classes is None else np.searchsorted([0.5, 1.5], value)
    assert set(crossed(coded(codes, target, classes))) == {"a * b", "d * e"}
    assert len(crossed(coded(codes, target, classes), most=1)) == 1
    assert crossed(coded(codes, target, classes), values=5) == ("a * b",)


@pytest.mark.parametrize("seed", range(8))
def test_single_columns_and_noise_are_no_crosses(seed):
    codes, random = draw_codes(seed), np.random.default_rng(seed)
    codes[:, 1] = np.where(random.random(2000) < 0.7, codes[:, 0], codes[:, 1])  # alike columns are told apart
    value = 2 * codes[:, 0] - codes[:, 1] + random.normal(size=14)[codes[:, 4]] + random.normal(size=2000)
    assert crossed(coded(codes, value)) == ()


def test_codes_of_a_cross_tell_its_combinations_apart_and_unseen_ones_are_unknown():
    codes = draw_codes(2)
    codes = codes[(codes[:, 2] != 2) | (codes[:, 3] != 5)][:, 2:4]
    rows = coded(codes, np.random.default_rng(2).normal(size=len(codes)))
    layer = CrossCategories(threshold=0.0).layer(rows)
    after = layer(dict(rows.values))["codes"]
    assert torch.equal(after[:, :2], rows.values["codes"])
    seen = {}
    for pair, code in zip(map(tuple, codes.tolist()), after[:, 2].tolist(), strict=True):
        assert seen.setdefault(pair, code) == code
    assert sorted(seen.values()) == list(range(len(seen)))
    assert layer.inputs(rows.inputs)["codes"].cardinalities == (*rows.inputs["codes"].cardinalities, len(seen))
    strange = torch.tensor([[2, 5], [-2, 0], [0, -2], [3, 6], [-2, -2], [0, 0]])
    assert layer({"codes": strange})["codes"][:, 2].tolist() == [-2, -2, -2, -2, -2, seen[0, 0]]


def test_crosses_of_weightless_rows_do_not_count():
    codes, random = draw_codes(3), np.random.default_rng(3)
    half = np.arange(2000) % 2
    pairs = np.where(half, codes[:, 0] ^ codes[:, 1], 9 * (codes[:, 2] == 1) * (codes[:, 3] == 2))
    rows = coded(codes, pairs + random.normal(size=2000), weight=half.astype(float))
    assert crossed(rows) == ("a * b",)


def test_empty_constant_and_copied_category_columns_and_few_rows_do_no_harm():
    codes = draw_codes(4, 60)
    codes[:, 0], codes[:, 1], codes[:, 2] = -1, 0, codes[:, 3]
    for count in (60, 3, 1):
        rows = coded(codes[:count], np.random.default_rng(4).normal(size=count))
        assert all("a" not in name and "b" not in name for name in crossed(rows, threshold=0.0))
    assert crossed(coded(codes, np.ones(60))) == ()
