"""How many rows each class has after resampling, and where SMOTE's partners lie."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import same

from aurify.core.types import Input, RowPlan, View
from aurify.techniques.mixing import Mixup
from aurify.techniques.resampling import Resample, Smote
from aurify.training import fit as loop


def view(counts=(200, 60, 9), seed=0, codes=True):
    """Classes of several sizes; numbers of very different scale with gaps, and codes."""
    random = np.random.default_rng(seed)
    count = sum(counts)
    target = random.permutation(np.repeat(np.arange(len(counts)), counts))
    numbers = random.normal(size=(count, 2)) * (1e6, 1e-3) + target[:, None]
    numbers[random.random(numbers.shape) < 0.05] = np.nan
    inputs = {"numbers": Input("numbers", (2,), ("a", "b"))}
    values = {"numbers": torch.from_numpy(numbers)}
    if codes:
        inputs["codes"] = Input("codes", (2,), ("c", "d"), (5, 3))
        values["codes"] = torch.from_numpy(np.stack([random.integers(-1, 5, count), random.integers(0, 3, count)], 1))
    classes = tuple("uvwxyz"[: len(counts)])
    return View(inputs, values, torch.from_numpy(target), classes, 0, torch.ones(count).double())


def whole(rows):
    return RowPlan(torch.arange(len(rows)), rows.weight)


def class_counts(rows, plan):
    return torch.bincount(rows.target[plan.index], minlength=len(rows.classes)).tolist()


@pytest.mark.parametrize(
    ("method", "strength", "expected"),
    [
        ("over", 0.0, [200, 60, 9]),
        ("over", 0.5, [200, 130, 104]),
        ("over", 1.0, [200, 200, 200]),
        ("under", 0.5, [104, 34, 9]),
        ("under", 1.0, [9, 9, 9]),
    ],
)
def test_class_sizes_lie_the_asked_share_of_the_way_to_equal(method, strength, expected):
    rows = view()
    assert class_counts(rows, Resample(method=method, strength=strength).rows(rows, whole(rows))) == expected


def test_no_row_is_repeated_more_than_once_more_than_another_of_its_class():
    rows = view()
    times = torch.bincount(Resample().rows(rows, whole(rows)).index, minlength=len(rows))
    for code in range(3):
        own = times[rows.target == code]
        assert own.min() >= 1
        assert own.max() <= own.min() + 1


def test_classes_are_compared_by_the_weight_of_their_rows():
    rows = view((100, 100))
    weight = torch.where(rows.target == 0, 3.0, 1.0).double()
    plan = RowPlan(torch.arange(200), weight)
    over, under = (Resample(method=method).rows(rows, plan) for method in ("over", "under"))
    assert class_counts(rows, over) == [100, 300]
    assert class_counts(rows, under) == [33, 100]
    assert torch.equal(over.weight, weight[over.index])


@pytest.mark.parametrize("technique", [Resample(), Resample(method="under"), Smote()])
def test_rows_left_out_before_stay_out_and_what_came_before_travels_with_its_row(technique):
    rows = view()
    plan = replace(whole(rows), weight=torch.arange(len(rows)).double(), target=rows.target.clone())
    planned = technique.rows(rows, plan.keep(torch.arange(len(rows)) % 3 > 0))
    assert (planned.index % 3 > 0).all()
    assert planned.partner is None or (planned.partner % 3 > 0).all()
    assert torch.equal(planned.weight, planned.index.double())
    assert torch.equal(planned.target, rows.target[planned.index])


def test_corrected_targets_decide_the_class():
    rows = view((100, 20))
    corrected = torch.zeros(120, dtype=torch.int64)
    corrected[:40] = 1
    planned = Resample().rows(rows, replace(whole(rows), target=corrected))
    assert torch.bincount(planned.target).tolist() == [80, 80]


@pytest.mark.parametrize("technique", [Resample(), Resample(method="under"), Smote()])
def test_absent_and_weightless_classes_do_no_harm(technique):
    rows = view((50, 10, 4, 1))
    plan = whole(rows).keep(rows.target != 1)
    plan = replace(plan, weight=torch.where(rows.target[plan.index] == 2, 0.0, 1.0).double())
    counts = class_counts(rows, technique.rows(rows, plan))
    assert counts[1] == 0
    assert counts[2] == 4
    assert min(counts[0], counts[3]) >= 1


@pytest.mark.parametrize("technique", [Resample(), Resample(method="under"), Smote()])
def test_same_seed_same_plan_and_another_seed_another(technique):
    rows = view()
    one, two = technique.rows(rows, whole(rows)), technique.rows(rows, whole(rows))
    assert same(vars(one), vars(two))
    assert not same(vars(one), vars(technique.rows(replace(rows, seed=1), whole(rows))))


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_smote_adds_as_many_rows_as_oversampling(strength):
    rows = view()
    ours = class_counts(rows, Smote(strength=strength).rows(rows, whole(rows)))
    assert ours == class_counts(rows, Resample(strength=strength).rows(rows, whole(rows)))


def test_original_rows_stay_first_and_whole():
    rows = view()
    planned = Smote().rows(rows, whole(rows))
    count = len(rows)
    assert torch.equal(planned.index[:count], torch.arange(count))
    assert torch.equal(planned.partner[:count], torch.arange(count))
    assert (planned.share[:count] == 1).all()
    assert abs(float(planned.share[count:].mean()) - 0.5) < 0.05
    assert planned.share.min() >= 0


@pytest.mark.parametrize("codes", [False, True])
def test_partners_are_among_the_nearest_rows_of_the_class(codes):
    """Nearest by a slow loop over robustly scaled numbers and differing codes."""
    rows = view(codes=codes)
    planned = Smote(neighbours=3).rows(rows, whole(rows))
    for own, partner in zip(*(x[len(rows) :].tolist() for x in (planned.index, planned.partner)), strict=True):
        members = torch.nonzero(rows.target == rows.target[own])[:, 0].tolist()
        numbers = rows.values["numbers"][members].numpy()
        low, middle, high = np.nanquantile(numbers, (0.25, 0.5, 0.75), axis=0)
        places = np.nan_to_num((numbers - middle) / (0.7413 * (high - low)))
        at = members.index(own)
        distance = ((places - places[at]) ** 2).sum(1)
        if codes:
            of_class = rows.values["codes"][members].numpy()
            distance = distance + (of_class != of_class[at]).sum(1)
        distance[at] = np.inf
        assert distance[members.index(partner)] <= np.sort(distance)[2] + 1e-9


def test_partners_differ_from_the_row_itself_even_where_rows_are_equal():
    rows = view((40, 6))
    equal = {"numbers": torch.ones(46, 2).double(), "codes": torch.zeros(46, 2, dtype=torch.int64)}
    planned = Smote().rows(replace(rows, values=equal), whole(rows))
    assert (planned.partner[46:] != planned.index[46:]).all()


def test_class_of_one_row_gets_no_partner():
    rows = view((40, 6, 1))
    assert class_counts(rows, Smote().rows(rows, whole(rows))) == [40, 40, 1]


def test_blend_happens_after_encoding_and_not_for_original_rows(lab):
    recipe = lab.recipe("classify", {"encode_categories": {"method": "one_hot"}, "smote": {}})
    problem = lab.problem(recipe)
    run = loop.begin(recipe, problem, torch.device("cpu"), 12)
    blended = 0
    for _ in range(problem.feed.steps_per_epoch):
        batch = problem.feed.next(run)
        assert batch.blend.inputs["codes"].dtype == torch.int64
        entered, own = run.model.enter(batch.inputs, batch.blend), run.model.enter(batch.inputs)
        original = batch.blend.share == 1
        assert torch.equal(entered[original], own[original])
        blended += int((entered != own).any(1).sum())
    assert blended > 0


def test_smote_and_mixup_are_not_used_together():
    assert Smote.slot == Mixup.slot == "blend"


@pytest.mark.parametrize("technique", [Resample(), Smote()])
def test_class_of_next_to_no_weight_does_not_grow_without_bound(technique):
    rows = view()
    light = torch.where(rows.target == 2, 1e-9, 1.0).double()
    plan = technique.rows(rows, replace(whole(rows), weight=light))
    assert class_counts(rows, plan)[2] <= 10 * len(rows)
