"""Gaps are filled from groups and from the past as a slow, obvious loop would fill them, and never from the future."""

import numpy as np
import pytest
import torch
from sklearn.impute import SimpleImputer
from small import KINDS, same

from aurify.core.errors import AurifyError
from aurify.core.types import Input, View
from aurify.ship.bundle import Bundle
from aurify.techniques.filling import FillMissing, carry_on

NAMES = ("day", "smooth", "whole")
COUNT = 300
GROUPS = 4


def table(seed=0, count=COUNT):
    """Days with ties, a smooth reading and a whole number, both with gaps, and a category with missing and unknown."""
    random = np.random.default_rng(seed)
    day = random.permutation(np.sort(random.integers(0, 2 * count, count))).astype(float)
    smooth = np.sin(day / 40) + 0.1 * random.normal(size=count)
    whole = random.integers(0, 6, count).astype(float)
    numbers = np.stack([day, smooth, whole], 1)
    numbers[:, 1:][random.random((count, 2)) < 0.3] = np.nan
    numbers[random.random(count) < 0.05, 0] = np.nan
    return numbers, random.integers(-2, GROUPS, (count, 1))


def view(numbers, codes):
    inputs = {"numbers": Input("numbers", (3,), NAMES), "codes": Input("codes", (1,), ("kind",), (GROUPS + 1,))}
    values = {"numbers": torch.from_numpy(numbers.copy()), "codes": torch.from_numpy(codes)}
    return View(inputs, values, torch.zeros(len(numbers)), None, 0, torch.ones(len(numbers)).double())


def filled(settings, train, asked):
    layer = FillMissing(**settings).layer(view(*train))
    again = type(layer)(**layer.config, **layer.tensors())
    after = again({"numbers": torch.from_numpy(asked[0].copy()), "codes": torch.from_numpy(asked[1])})
    assert same(after, layer({"numbers": torch.from_numpy(asked[0].copy()), "codes": torch.from_numpy(asked[1])}))
    return after["numbers"].numpy()


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
def test_filling_equals_scikit_learn(strategy):
    (train, codes), other = table(), table(seed=1)
    reference = SimpleImputer(strategy=strategy, fill_value=7.5).fit(train).transform(other[0])
    ours = filled({"strategy": strategy, "constant": 7.5}, (train, codes), other)
    np.testing.assert_allclose(ours, reference, rtol=1e-12)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
def test_filling_by_category_equals_scikit_learn_on_each(strategy):
    (train, codes), (asked, kinds) = table(), table(seed=1)
    train[codes[:, 0] == 3, 2] = np.nan  # nothing is known of this category
    kinds[:5] = GROUPS  # a category without a training row
    ours = filled({"strategy": strategy, "by": "kind"}, (train, codes), (asked, kinds))
    whole = SimpleImputer(strategy=strategy).fit(train)
    for kind in range(-2, GROUPS + 1):
        own = train[codes[:, 0] == kind]
        expected = whole.transform(asked[kinds[:, 0] == kind])
        if 0 <= kind < GROUPS:
            columns = [0, 1] if kind == 3 else [0, 1, 2]
            reference = SimpleImputer(strategy=strategy).fit(own[:, columns])
            expected[:, columns] = reference.transform(asked[kinds[:, 0] == kind][:, columns])
        np.testing.assert_allclose(ours[kinds[:, 0] == kind], expected, rtol=1e-12)


def slowly(train, asked, column, by, points, degree):
    """What fills a column of the rows asked for, one row after the other."""
    (numbers, codes), (rows, kinds) = train, asked
    found = []
    for row, kind in zip(rows, kinds[:, 0], strict=True):
        same_kind = codes[:, 0] == kind if by else np.ones(len(numbers), bool)
        with np.errstate(invalid="ignore"):
            past = same_kind & ~np.isnan(numbers[:, column]) & (numbers[:, 0] <= row[0])
        if not past.any():
            of_kind = numbers[same_kind, column] if by and kind >= 0 else numbers[:, column]
            known = of_kind if (~np.isnan(of_kind)).any() else numbers[:, column]
            found.append(np.nanmedian(known))
            continue
        order = np.flatnonzero(past)[np.argsort(numbers[past, 0], kind="stable")][-points:]
        times, values = numbers[order, 0], numbers[order, column]
        power = min(degree, len(set(times.tolist())) - 1)
        fitted = np.polynomial.Polynomial.fit(times, values, power, domain=[times.min() - 1, times.max() + 1])
        found.append(np.clip(fitted(row[0]), np.nanmin(numbers[:, column]), np.nanmax(numbers[:, column])))
    return np.where(np.isnan(rows[:, column]), found, rows[:, column])


@pytest.mark.parametrize("by", ["", "kind"])
@pytest.mark.parametrize("degree", [None, 0, 1, 2])
def test_filling_from_the_past_equals_a_slow_loop(by, degree):
    train, asked = table(), table(seed=1, count=120)
    if degree is None:
        settings, points = {"strategy": "forward"}, 1
    else:
        settings, points = {"strategy": "local_polynomial", "degree": degree, "points": 6}, 6
    ours = filled({**settings, "order_by": "day", "by": by}, train, asked)
    for column in (1, 2):
        expected = slowly(train, asked, column, by, points, degree or 0)
        np.testing.assert_allclose(ours[:, column], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("strategy", ["forward", "local_polynomial"])
def test_later_rows_change_nothing_for_earlier_ones(strategy):
    numbers, codes = table()
    numbers[:, 0] = np.random.default_rng(5).permutation(COUNT)
    settings = {"strategy": strategy, "order_by": "day"}
    before = filled(settings, (numbers, codes), (numbers, codes))
    tampered, now = numbers.copy(), 150
    later = tampered[:, 0] > now
    inside = np.random.default_rng(0).uniform(0, 1, (int(later.sum()), 2))
    tampered[later, 1:] = np.where(inside < 0.3, np.nan, inside)
    after = filled(settings, (tampered, codes), (tampered, codes))
    first = np.nanmin(np.where(np.isnan(numbers[:, 1:]).any(1), np.nan, numbers[:, 0]))
    earlier = (numbers[:, 0] <= now) & (numbers[:, 0] >= first)
    assert earlier.sum() > 100
    np.testing.assert_array_equal(before[earlier], after[earlier])
    assert (before[later] != after[later]).any()


def test_filling_does_not_depend_on_which_rows_are_asked_together():
    train, asked = table(), table(seed=1)
    settings = {"strategy": "local_polynomial", "order_by": "day", "by": "kind"}
    whole = filled(settings, train, asked)
    for start in (0, 7, 100):
        np.testing.assert_allclose(
            filled(settings, train, (asked[0][start : start + 3], asked[1][start : start + 3])),
            whole[start : start + 3],
            rtol=1e-12,
        )


def test_a_line_is_carried_on_within_the_training_range():
    day = np.arange(20.0)
    numbers = np.stack([day, 3 * day + 1, day], 1)
    numbers[10, 1] = np.nan
    asked = np.array([[10.0, np.nan, 0.0], [100.0, np.nan, 0.0], [-1.0, np.nan, 0.0]])
    codes = np.zeros((20, 1), np.int64)
    ours = filled({"strategy": "local_polynomial", "order_by": "day"}, (numbers, codes), (asked, codes[:3]))
    np.testing.assert_allclose(ours[:, 1], [31.0, 58.0, np.nanmedian(numbers[:, 1])])


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_carrying_on_equals_numpy_polynomials(degree):
    random = np.random.default_rng(degree)
    ago, seen = -np.sort(random.uniform(0, 1e4, (50, 9))), random.normal(size=(50, 9))
    ours = carry_on(torch.from_numpy(ago), torch.from_numpy(seen), torch.ones(50, 9).double(), degree)
    expected = [np.polynomial.Polynomial.fit(a, s, degree)(0.0) for a, s in zip(ago, seen, strict=True)]
    np.testing.assert_allclose(ours[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("strategy", ["forward", "local_polynomial"])
def test_without_an_order_the_median_fills(strategy):
    train, asked = table(), table(seed=1)
    np.testing.assert_array_equal(filled({"strategy": strategy}, train, asked), filled({}, train, asked))


@pytest.mark.parametrize("strategy", ["median", "most_frequent", "forward", "local_polynomial"])
def test_empty_column_is_filled_with_a_number(strategy):
    (numbers, codes), asked = table(), table(seed=1)
    numbers[:, 2] = np.nan
    settings = {"strategy": strategy, "by": "kind", "order_by": "day"}
    assert np.isfinite(filled(settings, (numbers, codes), asked)[:, 1:]).all()


@pytest.mark.parametrize(("setting", "near"), [("by", "kind"), ("order_by", "day")])
def test_wrong_column_is_refused_with_the_nearest(setting, near):
    settings = {"strategy": "forward", setting: near + "s"}
    with pytest.raises(AurifyError, match=f"fill_missing.{setting} = '{near}s'.*did you mean '{near}'"):
        FillMissing(**settings).layer(view(*table()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strategy", ["median", "forward", "local_polynomial"])
def test_model_filled_by_group_and_order_survives_save_and_load(lab, csv_files, tmp_path, kind, strategy):
    settings = {"strategy": strategy, "by": "colour", "order_by": "c"}
    bundle = lab.bundle(lab.fit(lab.recipe(kind, {"fill_missing": settings})))
    bundle.save(tmp_path / "model.aurify", lab.catalog)
    loaded = Bundle.load(tmp_path / "model.aurify", lab.catalog, bundle.device)
    assert loaded.predict(csv_files[kind]).equals(bundle.predict(csv_files[kind]))
    plain = lab.bundle(lab.fit(lab.recipe(kind, {"fill_missing": {}})))
    assert not plain.predict(csv_files[kind]).equals(bundle.predict(csv_files[kind]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the exporter's own
def test_filling_from_the_past_exports(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    train, asked = table(), table(seed=1)
    settings = {"strategy": "local_polynomial", "order_by": "day", "by": "kind"}
    layer = FillMissing(**settings).layer(view(*train)).eval()
    given = {"numbers": torch.from_numpy(asked[0]), "codes": torch.from_numpy(asked[1])}
    axes, path = {"values": {name: {0: "rows"} for name in given}}, tmp_path / "layer.onnx"
    names = {"input_names": list(given), "output_names": [f"{name}_after" for name in layer(given)]}
    torch.onnx.export(layer, kwargs={"values": given}, f=path, dynamic_shapes=axes, verbose=False, **names)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 100):
        (answered,) = session.run(["numbers_after"], {name: values[:count].numpy() for name, values in given.items()})
        expected = layer({name: values[:count] for name, values in given.items()})["numbers"]
        np.testing.assert_allclose(answered, expected, rtol=1e-9)
