"""Losses, scores and answers of the two objectives, against scikit-learn and slow loops."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics
from small import KINDS

from aurify.core.types import Batch
from aurify.objectives import classify, regress


def outputs(seed=0, count=50, classes=4):
    random = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(count, classes, generator=random), torch.randint(0, classes, (count,), generator=random)


def test_cross_entropy_of_each_example_is_that_of_its_probabilities():
    output, target = outputs()
    soft = 0.7 * classify.encode(target, 4) + 0.3 * classify.encode((target + 1) % 4, 4)
    losses = classify.losses(output, Batch({}, soft, torch.arange(50)))
    for row, (logits, wanted) in enumerate(zip(output.double(), soft.double(), strict=True)):
        chances = [math.exp(z) / sum(math.exp(v) for v in logits) for z in logits]
        assert float(losses[row]) == pytest.approx(-sum(w * math.log(c) for w, c in zip(wanted, chances, strict=True)))


def test_class_codes_become_certain_probabilities():
    assert classify.encode(torch.tensor([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_log_loss_and_probabilities_equal_scikit_learn():
    output, target = outputs()
    chances = classify.probabilities(output.double()).numpy()
    np.testing.assert_allclose(chances.sum(1), 1)
    assert classify.log_loss(output, target, torch.ones(50)) == pytest.approx(
        metrics.log_loss(target, chances, labels=range(4))
    )


def test_weights_count_as_repeated_rows():
    output, target = outputs()
    times = torch.randint(0, 4, (50,), generator=torch.Generator().manual_seed(2))
    many = torch.arange(50).repeat_interleave(times)
    ones, numbers = torch.ones(len(many)), output[:, :1]
    for score, asked in ((classify.log_loss, output), (regress.rmse, numbers)):
        assert score(asked, target, times.double()) == pytest.approx(score(asked[many], target[many], ones))


def test_members_have_losses_of_their_own_and_merge_into_mean_probabilities():
    members = torch.stack([outputs(seed)[0] for seed in range(5)], 1)
    target = classify.encode(outputs()[1], 4)
    batch = Batch({}, target, torch.arange(50))
    alone = [classify.losses(members[:, m], batch) for m in range(5)]
    torch.testing.assert_close(classify.losses(members, batch), torch.stack(alone).mean(0))
    chances = classify.probabilities(classify.merge(members))
    torch.testing.assert_close(chances, members.softmax(-1).mean(1))
    torch.testing.assert_close(classify.merge(members[:, 0]), members[:, 0])


def test_members_of_a_regression_have_squared_errors_of_their_own_and_merge_into_their_mean():
    members, target = (
        torch.randn(50, 5, 1, generator=(random := torch.Generator().manual_seed(3))),
        torch.randn(50, generator=random),
    )
    batch = Batch({}, target, torch.arange(50))
    alone = [regress.losses(members[:, m], batch) for m in range(5)]
    torch.testing.assert_close(regress.losses(members, batch), torch.stack(alone).mean(0))
    torch.testing.assert_close(regress.merge(members), members.mean(1))


def test_squared_error_and_its_root_equal_scikit_learn():
    random = torch.Generator().manual_seed(1)
    output, target = (1e4 + torch.randn(50, 1, generator=random, dtype=torch.float64) for _ in range(2))
    losses = regress.losses(output, Batch({}, target[:, 0].float(), torch.arange(50)))
    np.testing.assert_allclose(losses, (output[:, 0].float() - target[:, 0].float()) ** 2, rtol=1e-6)
    expected = metrics.root_mean_squared_error(target[:, 0], output[:, 0])
    assert regress.rmse(output, target[:, 0], torch.ones(50)) == pytest.approx(expected)


def test_huge_and_tiny_outputs_give_finite_probabilities():
    output = torch.tensor([[1e30, -1e30, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    assert classify.probabilities(output).tolist() == [[1, 0, 0], pytest.approx([1 / 3] * 3)]


@pytest.mark.parametrize("kind", KINDS)
def test_score_of_a_run_is_that_of_its_predictions_for_the_held_out_rows(lab, kind, frames):
    """Early stopping, the log and the shipped model speak of one and the same number."""
    recipe = lab.default(kind).without("temperature")
    fitted = lab.fitted(recipe)
    held = recipe.task.part(recipe, lab.store(kind)).held
    predictions = lab.bundle(fitted).answer(frames[kind][held.tolist()]).predictions
    target = frames[kind]["y"].to_numpy()[held]
    if kind == "classify":
        expected = metrics.log_loss(target, predictions.probabilities, labels=predictions.classes)
    else:
        expected = metrics.root_mean_squared_error(target, predictions.prediction)
    assert fitted.problem.score(fitted.run) == pytest.approx(expected, rel=1e-5)
