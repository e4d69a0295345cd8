"""Rows that look mislabelled have less to say, and no others."""

from types import SimpleNamespace

import pytest
import torch

from aurify.core.types import Batch
from aurify.objectives import classify
from aurify.techniques.noisy_labels import RobustLoss, SmallLoss


def batch_of(target, rows=None):
    return Batch({}, target, torch.arange(len(target)) if rows is None else rows)


def test_gradient_is_that_of_generalized_cross_entropy():
    output = torch.randn(8, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    batch = batch_of(torch.eye(4).repeat(2, 1))
    run = SimpleNamespace(problem=SimpleNamespace(losses=classify.losses))
    weighed = RobustLoss(q=0.7).weigh(classify.losses(output, batch), output, batch, run)
    right = (output.softmax(1) * batch.target).sum(1)
    ours, theirs = (torch.autograd.grad(loss.sum(), output)[0] for loss in (weighed, (1 - right**0.7) / 0.7))
    torch.testing.assert_close(ours, theirs)


def after_epochs(technique, losses, epochs, batches=((0, 1, 2), (3, 4, 5)), parts=1):
    """What six rows weigh in each batch after some epochs of two batches."""
    problem = SimpleNamespace(rows=torch.tensor([10, 20, 30, 40, 50, 60]), feed=SimpleNamespace(steps_per_epoch=2))
    run = SimpleNamespace(problem=problem, step=0)
    for run.step in range(2 * epochs):
        run.progress = run.step / (2 * epochs)
        weights = []
        for rows in torch.tensor(batches[run.step % 2]).chunk(parts):
            problem.losses = lambda output, batch, rows=rows: losses[rows]
            batch = batch_of(torch.zeros(len(rows)), problem.rows[rows])
            weights += technique.weigh(torch.ones(len(rows)), torch.zeros(len(rows), 1), batch, run).tolist()
        technique.after_update(run)
        yield weights


@pytest.mark.parametrize("parts", [1, 3])
def test_rows_with_the_largest_losses_are_left_out_after_the_beginning(parts):
    losses = torch.tensor([0.1, 5.0, 0.2, 0.3, 0.1, 9.0])
    weights = list(after_epochs(SmallLoss(share=0.34, begin_at=0.5), losses, 4, parts=parts))
    assert all(w == [1, 1, 1] for w in weights[:6])
    assert weights[6:] == [[1, 0, 1], [1, 1, 0]]


def test_row_that_is_understood_later_comes_back():
    losses = torch.tensor([0.1, 5.0, 0.2, 0.3, 0.1, 0.2])
    weights = []
    for at, now in enumerate(after_epochs(SmallLoss(share=0.17, begin_at=0.0), losses, 5)):
        weights.append(now)
        if at == 4:
            losses[1], losses[2] = 0.0, 3.0
    assert weights[4] == [1, 0, 1]
    assert weights[8] == [1, 1, 0]


def test_training_rows_are_in_the_order_that_they_are_looked_up_in(lab):
    for kind in ("classify", "image", "multi_label"):
        rows = lab.problem(lab.recipe(kind)).rows
        assert bool((rows[1:] > rows[:-1]).all())


def test_wrong_labels_do_less_harm_with_either(lab):
    """Linear classes with a third of the labels wrong, learnt by heart by a wide network."""
    random = torch.Generator().manual_seed(1)
    x = torch.randn(1000, 10, generator=random)
    true = (x[:, 0] > 0).long()
    wrong = torch.rand(1000, generator=random) < 0.3
    told = torch.where(wrong, 1 - true, true)
    new = torch.randn(2000, 10, generator=random)

    def accuracy(technique):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(10, 256), torch.nn.ReLU(), torch.nn.Linear(256, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        problem = SimpleNamespace(
            rows=torch.arange(1000), feed=SimpleNamespace(steps_per_epoch=1), losses=classify.losses
        )
        run = SimpleNamespace(problem=problem)
        batch = batch_of(torch.eye(2)[told])
        for run.step in range(150):
            run.progress = run.step / 150
            output = model(x)
            losses = classify.losses(output, batch)
            losses = technique.weigh(losses, output, batch, run) if technique else losses
            optimizer.zero_grad()
            losses.mean().backward()
            optimizer.step()
            if technique:
                technique.after_update(run)
        return float((model(new).argmax(1) == (new[:, 0] > 0)).float().mean())

    plain = accuracy(None)
    assert accuracy(RobustLoss(q=0.8)) > plain + 0.02
    assert accuracy(SmallLoss(share=0.3, begin_at=0.05)) > plain + 0.02
