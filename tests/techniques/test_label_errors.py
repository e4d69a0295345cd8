"""Planted label errors are found, few others; rare classes and copies do no harm."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import same

from aurify.core.errors import AurifyError
from aurify.core.ragged import from_texts
from aurify.core.types import Input, RowPlan, View
from aurify.techniques.label_errors import CleanLabels, _keys


def planted(seed=0, count=600, classes=3):
    """A table whose classes lie apart, with a tenth of its labels changed; and which rows (N,) those are."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, count)
    numbers = np.c_[3.0 * np.cos(2 * truth), 3.0 * np.sin(2 * truth)] + random.normal(size=(count, 2))
    numbers[random.random(numbers.shape) < 0.02] = np.nan
    codes = np.where(random.random(count) < 0.8, truth, random.integers(-1, classes, count))[:, None]
    wrong = np.arange(count) < count // 10
    target = np.where(wrong, (truth + random.integers(1, classes, count)) % classes, truth)
    inputs = {"numbers": Input("numbers", (2,), ("a", "b")), "codes": Input("codes", (1,), ("c",), (classes,))}
    values = {"numbers": torch.from_numpy(numbers), "codes": torch.from_numpy(codes)}
    names = tuple("xyzuvw"[:classes])
    view = View(inputs, values, torch.from_numpy(target), names, seed, torch.ones(count).double())
    return view, wrong, truth


def plan(view):
    return RowPlan(torch.arange(len(view)), view.weight)


@pytest.mark.parametrize("model", ["linear", "boosting"])
@pytest.mark.parametrize("classes", [2, 3])
def test_planted_errors_go_and_few_others(model, classes):
    view, wrong, _ = planted(classes=classes)
    gone = ~np.isin(np.arange(len(view)), CleanLabels(model=model, share=0.3).rows(view, plan(view)).index)
    assert (gone & wrong).sum() > 0.8 * wrong.sum()
    assert (gone & ~wrong).sum() < 0.05 * (~wrong).sum()


def test_relabelling_gives_most_errors_their_true_class_and_drops_no_row():
    view, wrong, truth = planted()
    planned = CleanLabels(method="relabel", share=0.3).rows(view, plan(view))
    assert torch.equal(planned.index, torch.arange(len(view)))
    assert (planned.target.numpy() == truth)[wrong].mean() > 0.8
    assert (planned.target.numpy() == truth).mean() > 0.96


def test_surest_errors_come_first_and_no_more_than_the_share_are_touched():
    view, wrong, _ = planted()
    kept = CleanLabels(share=0.02).rows(view, plan(view)).index.numpy()
    gone = np.setdiff1d(np.arange(len(view)), kept)
    assert len(gone) == 12
    assert wrong[gone].all()


def test_no_class_loses_more_than_half():
    view, _, _ = planted()
    noise = np.random.default_rng(1).integers(0, 3, len(view))
    spoiled = replace(view, target=torch.from_numpy(noise))  # nothing can be said about these labels
    kept = CleanLabels(share=0.5).rows(spoiled, plan(spoiled)).index
    assert (torch.bincount(spoiled.target[kept]) >= torch.bincount(spoiled.target) / 2).all()


def test_rows_of_very_rare_classes_are_not_judged():
    view, _, _ = planted(classes=4)
    target = torch.where(view.target == 3, 0, view.target)
    target[-3:] = 3
    kept = CleanLabels(share=0.3).rows(replace(view, target=target), plan(view)).index
    assert set(kept.tolist()) >= set(range(597, 600))


def test_nothing_is_judged_with_one_class_that_is_frequent_enough():
    view, _, _ = planted()
    target = torch.zeros_like(view.target)
    target[:4] = 1
    assert len(CleanLabels().rows(replace(view, target=target), plan(view)).index) == len(view)


def test_rows_left_out_before_stay_out_and_weights_travel():
    view, wrong, _ = planted()
    later = replace(plan(view), weight=1 + torch.arange(len(view)).double()).keep(torch.arange(len(view)) % 2 > 0)
    planned = CleanLabels(share=0.3).rows(view, later)
    assert (planned.index % 2 > 0).all()
    assert torch.equal(planned.weight, 1 + planned.index.double())
    assert wrong[planned.index].mean() < 0.05


def test_entries_with_equal_inputs_share_a_key_whatever_their_labels_say():
    view, _, _ = planted()
    copies = replace(view.take(torch.arange(len(view)).repeat(2)), target=view.target.repeat(2).roll(1))
    keys = _keys(copies, np.arange(len(copies)))
    np.testing.assert_array_equal(keys[:600], keys[600:])
    assert len(np.unique(keys)) == 600
    np.testing.assert_array_equal(_keys(copies, np.array([7, 3])), keys[[7, 3]])


def test_same_seed_same_plan():
    view, _, _ = planted()
    one, two = (CleanLabels().rows(view, plan(view)) for _ in range(2))
    assert same(vars(one), vars(two))


def test_missing_cleanlab_is_one_line_with_the_fix(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    view, _, _ = planted()
    with pytest.raises(AurifyError) as caught:
        CleanLabels().rows(view, plan(view))
    assert str(caught.value) == "clean_labels needs cleanlab: pip install 'aurify[labels]'"
    CleanLabels(share=0.0).rows(view, plan(view))  # off needs nothing


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("method", ["drop", "relabel"])
def test_planted_errors_in_labels_of_texts_are_found(method, beside):
    random = np.random.default_rng(3)
    truth = random.integers(0, 2, 600)
    known = (("good", "swift", "warm", "fine"), ("bad", "slow", "cold", "poor"))
    said = [" ".join([*random.choice(known[at], 4), *random.choice(["the", "room", "was", "we"], 6)]) for at in truth]
    wrong = np.arange(600) < 60
    target = torch.from_numpy(np.where(wrong, 1 - truth, truth))
    inputs = {"texts": Input("texts", (1, -1), ("said",))}
    values = {"texts": from_texts(said)}
    if beside:
        inputs["numbers"] = Input("numbers", (1,), ("a",))
        values["numbers"] = torch.from_numpy(random.normal(size=(600, 1)))
    view = View(inputs, values, target, ("x", "y"), 0, torch.ones(600).double())
    after = CleanLabels(method=method, share=0.3).rows(view, plan(view))
    if method == "relabel":
        touched = (after.targets(view.target) != view.target).numpy()
    else:
        touched = ~np.isin(np.arange(600), after.index)
    assert touched[wrong].mean() >= 0.9
    assert touched[~wrong].mean() <= 0.02
