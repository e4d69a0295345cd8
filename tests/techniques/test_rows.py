"""Which rows are learnt from and how much they weigh, against slow obvious loops."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aurify.core.ragged import from_texts
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


def test_classes_are_balanced_by_the_weight_of_their_rows():
    """A row that stands for three counts as three, so that the total of each class comes out equal."""
    rows = view()
    before = torch.where(rows.target == 0, 3.0, 1.0).double() * (1 + torch.arange(len(rows)) % 5)
    weight = BalanceClasses().rows(rows, RowPlan(torch.arange(len(rows)), before)).weight
    totals = torch.bincount(rows.target, weight)
    torch.testing.assert_close(totals, totals[:1].expand(3))
    assert float(totals.sum()) == pytest.approx(float(before.sum()))


def test_class_without_weight_is_left_so():
    rows = view()
    before = torch.where(rows.target == 2, 0.0, 1.0).double()
    weight = BalanceClasses().rows(rows, RowPlan(torch.arange(len(rows)), before)).weight
    assert (weight[rows.target == 2] == 0).all()
    totals = torch.bincount(rows.target, weight)
    assert float(totals[0]) == pytest.approx(float(totals[1]))


def test_classes_are_counted_by_corrected_targets():
    rows = view()
    corrected = torch.arange(len(rows)) % 2
    weight = BalanceClasses().rows(rows, replace(plan(len(rows)), target=corrected)).weight
    torch.testing.assert_close(weight, torch.ones_like(weight))


def test_rows_that_the_data_weighs_differently_are_no_copies():
    rows = view()
    weighed = replace(rows, weight=1.0 + (torch.arange(len(rows)) % 2).double())
    kept = DropDuplicates().rows(weighed, RowPlan(torch.arange(len(rows)), weighed.weight))
    for parity in (0, 1):  # each half is as if it were alone
        half = plan(len(rows)).keep(torch.arange(len(rows)) % 2 == parity)
        alone = DropDuplicates().rows(rows, half).index
        assert torch.equal(kept.index[kept.index % 2 == parity], alone)
    assert torch.equal(kept.weight, weighed.weight[kept.index])


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


def test_row_techniques_act_in_the_order_that_makes_sense(lab):
    """Copies, wrong labels and outliers go first, however they are written down; what is left is balanced."""
    names = ["drop_duplicates", "clean_labels", "remove_outliers", "resample", "smote", "balance_classes"]
    recipe = lab.recipe("classify", {name: {} for name in reversed(names)})
    assert [t.name() for t in recipe.techniques] == names
    fitted = lab.fit(recipe)
    assert all(torch.isfinite(v).all() for v in fitted.weights().values())


def texts(*rows):
    """A view of one column of texts, all of one class."""
    inputs = {"texts": Input("texts", (1, -1), ("said",))}
    count = len(rows)
    target = torch.zeros(count, dtype=torch.int64)
    return View(inputs, {"texts": from_texts(rows)}, target, ("x", "y"), 0, torch.ones(count).double())


def test_texts_in_another_spelling_are_copies_where_that_is_asked_for():
    rows = texts("A fine  film", "a fine film", "\uff21 fine film", "a fine film", "another")
    assert DropDuplicates().rows(rows, plan(5)).index.tolist() == [0, 1, 2, 4]
    assert DropDuplicates(texts="plain").rows(rows, plan(5)).index.tolist() == [0, 4]
