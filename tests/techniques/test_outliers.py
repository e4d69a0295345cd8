"""Which rows are taken for outliers, against slow obvious loops and against what was planted."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aurify.core.types import Input, RowPlan, View
from aurify.techniques.outliers import RemoveOutliers, robust_z


def view(numbers, target=None, classes=("x", "y")):
    numbers = torch.as_tensor(numbers, dtype=torch.float64)
    count, width = numbers.shape
    target = torch.zeros(count, dtype=torch.int64) if target is None else torch.as_tensor(target)
    inputs = {"numbers": Input("numbers", (width,), tuple("abcdefgh"[:width]))}
    return View(inputs, {"numbers": numbers}, target, classes, 0, torch.ones(count).double())


def kept(technique, rows, plan=None):
    plan = plan or RowPlan(torch.arange(len(rows)), rows.weight)
    return set(technique.rows(rows, plan).index.tolist())


def table(seed=0, count=400):
    """Two plain columns and one with gaps; rows 0 to 4 are far off in the first, 3 to 7 in the second."""
    numbers = np.random.default_rng(seed).normal(size=(count, 3))
    numbers[:5, 0], numbers[3:8, 1] = 50.0, -70.0
    numbers[10:60, 2] = np.nan
    return numbers


def test_scores_equal_the_formula_of_iglewicz_and_hoaglin():
    numbers = table()
    for column, ours in zip(numbers.T, robust_z(torch.from_numpy(numbers)).numpy().T, strict=True):
        median = np.nanmedian(column)
        deviation = np.nanmedian(abs(column - median))
        np.testing.assert_allclose(ours, np.nan_to_num(0.6745 * (column - median) / deviation), rtol=1e-12)


@pytest.mark.parametrize("least", [1, 2])
def test_rows_far_off_in_enough_columns_go(least):
    rows = view(table())
    z = robust_z(rows.values["numbers"]).abs().numpy()
    far = {at for at in range(len(rows)) if sum(value > 10 for value in z[at]) >= least}
    assert far == (set(range(8)) if least == 1 else {3, 4})
    assert kept(RemoveOutliers(limit=10.0, least=least, share=0.1), rows) == set(range(400)) - far


def test_farthest_go_first_up_to_the_share():
    rows = view(np.r_[np.linspace(-1, 1, 90), np.arange(10, 20)][:, None])
    assert kept(RemoveOutliers(share=0.05), rows) == set(range(95))


def test_no_class_loses_more_than_the_share_of_its_rows():
    """Rare classes are often the far ones; they would vanish if the farthest of all rows went."""
    numbers = np.random.default_rng(0).normal(size=(300, 1))
    target = np.arange(300) % 100 == 0
    numbers[target] += 1000
    left = kept(RemoveOutliers(share=0.2, limit=3.0), view(numbers, target.astype(int)))
    assert left >= set(np.flatnonzero(target).tolist())


@pytest.mark.parametrize("method", ["robust_z", "isolation_forest"])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_every_class_keeps_its_half_whatever_the_rows_hold(method, share):
    random = np.random.default_rng(1)
    target = np.r_[np.zeros(50, int), np.ones(3, int), [2]]
    left = kept(RemoveOutliers(method=method, share=share, limit=0.0), view(random.normal(size=(54, 2)), target, "xyz"))
    counts = np.bincount(target[sorted(left)], minlength=3)
    np.testing.assert_array_equal(counts, np.bincount(target) - np.floor(share * np.bincount(target)))


def test_column_of_mostly_one_value_is_judged_without_it():
    gains = np.r_[np.zeros(300), np.linspace(900, 1100, 99), 1e5]
    flags = np.r_[np.zeros(390), np.ones(10)]
    z = robust_z(torch.from_numpy(np.stack([gains, flags, np.full(400, 7.0), np.full(400, np.nan)], 1)))
    assert torch.isfinite(z).all()
    assert (z[:300, 0] == 0).all()
    assert z[:399, 0].abs().max() < 3.5 < z[399, 0]
    assert (z[:, 1:] == 0).all()  # a rare flag is no outlier


def test_target_of_a_regression_is_a_column_unless_told_otherwise():
    target = np.random.default_rng(2).normal(size=200)
    target[:3] = 1e4
    rows = view(np.random.default_rng(3).normal(size=(200, 1)), target, None)
    assert kept(RemoveOutliers(limit=8.0), rows) == set(range(3, 200))
    assert kept(RemoveOutliers(limit=8.0, with_target=False), rows) == set(range(200))


def test_isolation_forest_finds_rows_that_are_far_in_no_single_column():
    random = np.random.default_rng(4)
    along = random.normal(size=500)
    numbers = np.stack([along, along + 0.05 * random.normal(size=500)], 1)
    numbers[:5] = [[2, -2], [-2, 2], [2.1, -1.9], [-1.9, 2.1], [1.8, -2.2]]
    left = kept(RemoveOutliers(method="isolation_forest", share=0.02), view(numbers))
    assert len(left) == 490
    assert not left & set(range(5))


def test_only_the_rows_still_planned_are_judged_and_kept():
    rows = view(table())
    plan = RowPlan(torch.arange(5, 400), torch.ones(395).double())
    assert kept(RemoveOutliers(limit=10.0, share=0.1), rows, plan) == set(range(8, 400))


@pytest.mark.parametrize("method", ["robust_z", "isolation_forest"])
def test_absurd_numbers_are_cut_not_overflown(method):
    numbers = table()
    numbers[0] = (1e300, -1e300, np.nan)
    left = kept(RemoveOutliers(method=method, share=0.01), view(numbers))
    assert 0 not in left
    assert len(left) == 396


def test_dates_are_judged_like_numbers():
    rows = view(np.random.default_rng(5).normal(size=(200, 1)))
    dates = 1.6e9 + 1e6 * np.random.default_rng(6).normal(size=(200, 1))
    dates[0] = -2.2e9  # a forgotten date, written as 1900
    inputs = {**rows.inputs, "dates": Input("dates", (1,), ("sold",))}
    rows = replace(rows, inputs=inputs, values={**rows.values, "dates": torch.from_numpy(dates)})
    assert kept(RemoveOutliers(limit=6.0), rows) == set(range(1, 200))
