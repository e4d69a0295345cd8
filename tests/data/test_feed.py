"""Batches: every planned row once an epoch, in an order that depends on seed and epoch alone."""

import pytest
import torch
from small import same

from aurify.core.types import Batch, Blend, RowPlan
from aurify.data.feed import RowFeed


def feed(count=70, batch_size=16, seed=0, plan=None):
    plan = plan or RowPlan(torch.arange(count), torch.ones(count, dtype=torch.float64))
    inputs = {"numbers": torch.arange(count, dtype=torch.float32)[:, None] * 10}
    rows = torch.arange(count) + 1000
    target = torch.arange(count, dtype=torch.float64)
    cpu = torch.device("cpu")
    return RowFeed(inputs, target, rows, plan, lambda t: t.float(), batch_size=batch_size, seed=seed, device=cpu)


def epoch(served):
    return [served.next(None) for _ in range(served.steps_per_epoch)]


@pytest.mark.parametrize("batch_size", [1, 16, 35, 69, 70, 1000])
def test_an_epoch_serves_every_row_once(batch_size):
    served = feed(batch_size=batch_size)
    for _ in range(2):
        batches = epoch(served)
        assert sorted(torch.cat([b.rows for b in batches]).tolist()) == list(range(1000, 1070))
        assert all(len(b) == min(batch_size, 70) for b in batches[:-1])


def test_inputs_targets_and_ids_belong_together():
    for batch in epoch(feed()):
        assert torch.equal(batch.inputs["numbers"][:, 0], 10 * batch.target)
        assert torch.equal(batch.rows, batch.target.long() + 1000)


def test_order_depends_on_seed_and_epoch_alone():
    one, two, other = feed(seed=1), feed(seed=1), feed(seed=2)
    first, again = epoch(one), epoch(two)
    assert same([b.rows for b in first], [b.rows for b in again])
    second = epoch(one)
    assert not same([b.rows for b in first], [b.rows for b in second])
    assert not same([b.rows for b in first], [b.rows for b in epoch(other)])
    assert one.state()["served"] != two.state()["served"] != other.state()["served"]


@pytest.mark.parametrize("at", [0, 1, 4, 5, 7, 12])
def test_restored_feed_goes_on_with_the_same_batches(at):
    whole, broken = feed(), feed()
    for _ in range(at):
        whole.next(None), broken.next(None)
    resumed = feed()
    resumed.restore(broken.state())
    for _ in range(9):
        assert torch.equal(whole.next(None).rows, resumed.next(None).rows)
    assert whole.state() == resumed.state()


@pytest.mark.parametrize("at", [0, 2, 4, 5, 7])
def test_feed_put_back_serves_and_says_the_same_again(at):
    """As after a speed probe, or a step that failed."""
    plain, probed = feed(), feed()
    for _ in range(at):
        plain.next(None), probed.next(None)
    before = probed.state()
    for _ in range(3):
        probed.next(None)
    probed.restore(before)
    for _ in range(7):
        assert torch.equal(plain.next(None).rows, probed.next(None).rows)
        assert plain.state() == probed.state()


def test_plan_chooses_repeats_weighs_pairs_and_relabels():
    plan = RowPlan(
        index=torch.tensor([3, 3, 5]),
        weight=torch.tensor([1.0, 1.0, 4.0], dtype=torch.float64),
        partner=torch.tensor([0, 1, 2]),
        share=torch.tensor([0.5, 0.25, 1.0]),
        target=torch.tensor([7.0, 8.0, 9.0], dtype=torch.float64),
    )
    batch = feed(plan=plan, batch_size=3).next(None)
    by_target = {float(t): i for i, t in enumerate(batch.target)}
    assert sorted(by_target) == [7.0, 8.0, 9.0]
    at = by_target[8.0]
    assert batch.rows[at] == 1003
    assert batch.blend.inputs["numbers"][at] == 10.0
    assert batch.blend.share[at] == 0.25
    assert float(batch.weight.mean()) == pytest.approx(1.0)
    assert float(batch.weight[by_target[9.0]]) == pytest.approx(2.0)


def test_micro_batch_holds_its_rows_of_everything():
    rows = torch.arange(6)
    blend = Blend({"numbers": rows * 2}, rows / 10)
    batch = Batch({"numbers": rows * 3}, rows * 4.0, rows, rows * 5.0, blend, {"lengths": rows * 6})
    part = batch.part(2, 4)
    assert part.rows.tolist() == [2, 3]
    assert part.inputs["numbers"].tolist() == [6, 9]
    assert part.target.tolist() == [8, 12]
    assert part.weight.tolist() == [10, 15]
    assert part.blend.inputs["numbers"].tolist() == [4, 6]
    assert part.blend.share.tolist() == pytest.approx([0.2, 0.3])
    assert part.extra["lengths"].tolist() == [12, 18]
    assert len(part) == 2


def test_equal_weights_are_no_weights():
    plan = RowPlan(torch.arange(70), torch.full((70,), 3.0, dtype=torch.float64))
    assert feed(plan=plan).next(None).weight is None


def test_keeping_some_entries_of_a_plan_keeps_all_its_fields():
    plan = RowPlan(torch.arange(4), torch.ones(4), target=torch.arange(4.0))
    kept = plan.keep(torch.tensor([True, False, False, True]))
    assert kept.index.tolist() == [0, 3]
    assert kept.target.tolist() == [0.0, 3.0]
    assert kept.partner is None
