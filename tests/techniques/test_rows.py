"""Which rows are learnt from and how much they weigh, against slow obvious loops."""

import numpy as np
import pytest
import torch

from aurify.core.types import Input, RowPlan, View
from aurify.techniques.rows import BalanceClasses, DropDuplicates


def view(seed=0, count=400):
    """Rows with many copies, some of them with another target."""
    random = np.random.default_rng(seed)
    numbers = random.choice([0.0, -0.0, 1.5, np.nan], (count, 2))
    codes = random.integers(-1, 2, (count, 2))
    target = random.choice(3, count, p=[0.7, 0.25, 0.05])
    inputs = {"numbers": Input("numbers", (2,), ("a", "b")), "codes": Input("codes", (2,), ("c", "d"), (2, 2))}
    values = {"numbers": torch.from_numpy(numbers), "codes": torch.from_numpy(codes)}
    return View(inputs, values, torch.from_numpy(target), ("x", "y", "z"), 0, torch.ones(len(target)).double())


def plan(count):
    return RowPlan(torch.arange(count), torch.ones(count, dtype=torch.float64))


@pytest.mark.parametrize("seed", range(5))
def test_first_of_equal_rows_is_kept_and_equal_inputs_with_other_targets_too(seed):
    rows = view(seed)
    seen, kept = set(), []
    for at in range(len(rows)):
        numbers = ["gap" if v != v else v + 0.0 for v in rows.values["numbers"][at].tolist()]
        row = (*numbers, *rows.values["codes"][at].tolist(), rows.target[at].item())
        if row not in seen:
            kept.append(at)
        seen.add(row)
    assert DropDuplicates().rows(rows, plan(len(rows))).index.tolist() == kept
    assert len(kept) < len(rows)


def test_copies_are_looked_for_among_the_rows_still_planned():
    """Rows that an earlier technique left out do not stand for those that are left."""
    rows = view()
    later = plan(len(rows)).keep(torch.arange(len(rows)) >= 200)
    kept = DropDuplicates().rows(rows, later).index
    assert kept.min() >= 200
    assert kept[0] == 200


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_weights_of_classes_follow_the_formula(strength):
    rows = view()
    weight = BalanceClasses(strength=strength).rows(rows, plan(len(rows))).weight
    counts = np.bincount(rows.target, minlength=3)
    for code in range(3):
        expected = (len(rows) / (3 * counts[code])) ** strength
        np.testing.assert_allclose(weight[rows.target == code], expected, rtol=1e-12)
    if strength == 1.0:
        totals = [float(weight[rows.target == code].sum()) for code in range(3)]
        np.testing.assert_allclose(totals, totals[0])


def test_weights_multiply_what_earlier_techniques_gave():
    rows = view()
    once = BalanceClasses().rows(rows, plan(len(rows))).weight
    before = RowPlan(torch.arange(len(rows)), torch.full((len(rows),), 3.0, dtype=torch.float64))
    torch.testing.assert_close(BalanceClasses().rows(rows, before).weight, 3 * once)


def test_absent_class_has_no_say():
    rows = view()
    present = plan(len(rows)).keep(rows.target != 2)
    weight = BalanceClasses().rows(rows, present).weight
    assert torch.isfinite(weight).all()
    assert float(weight.mean()) == pytest.approx(1.0)


def test_copies_do_not_count_twice_when_both_are_on(lab):
    """Duplicates go first, whatever the order of writing; classes are balanced over what is left."""
    recipe = lab.recipe("classify", {"balance_classes": {}, "drop_duplicates": {}})
    assert [t.name() for t in recipe.techniques] == ["drop_duplicates", "balance_classes"]
