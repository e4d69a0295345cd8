"""Averaged weights equal torch's own, and never disturb the weights that go on training."""

import pytest
import torch
from small import same
from torch.optim.swa_utils import AveragedModel

from aurify.core.watch import Watch
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper


def weights_along(lab, recipe):
    """The weights after every step of a run."""
    seen = []
    problem = lab.problem(recipe)
    keep = lambda run: seen.append({k: v.clone() for k, v in run.model.state_dict().items()})  # noqa: E731
    loop.fit(recipe, problem, torch.device("cpu"), Keeper(None), Watch(), keep)
    return seen, problem


@pytest.mark.parametrize(
    ("settings", "average", "begin"),
    [
        ({"method": "swa"}, None, 0),
        ({"method": "swa", "begin_at": 0.5}, None, 6),
        ({"method": "ema", "decay": 0.9}, 0.9, 0),
        ({"method": "ema", "decay": 0.15, "begin_at": 0.25}, 0.15, 3),
    ],
)
def test_average_equals_torch_averaged_model(lab, settings, average, begin):
    plain = lab.recipe("classify")
    seen, problem = weights_along(lab, plain)

    def ema(old, new, count):
        decay = min(average, (count.item() + 1) / (10 + count.item()))
        return decay * old + (1 - decay) * new

    model = loop.build(plain, problem.signature)
    averaged = AveragedModel(model, avg_fn=ema if average else None)
    for weights in seen[begin:]:
        model.load_state_dict(weights)
        averaged.update_parameters(model)
    fitted = lab.fitted(lab.recipe("classify", {"weight_averaging": settings}))
    for name, weight in averaged.module.state_dict().items():
        torch.testing.assert_close(fitted.weights()[name], weight, rtol=1e-5, atol=1e-6)


def test_averaging_leaves_the_training_itself_alone(lab):
    plain, _ = weights_along(lab, lab.recipe("classify"))
    averaged, _ = weights_along(lab, lab.recipe("classify", {"weight_averaging": {"decay": 0.9}}))
    assert same(plain, averaged)


def test_early_stopping_keeps_the_averaged_weights_that_scored_best(lab):
    settings = {"weight_averaging": {"decay": 0.9}, "early_stopping": {"patience": 0}}
    fitted = lab.fitted(lab.recipe("classify", settings, budget={"validate_every": 1}))
    best = min(entry["log_loss"] for entry in fitted.run.log)
    assert fitted.problem.score(fitted.run) == best == -fitted.run.best


def test_running_statistics_of_norms_are_averaged_with_the_weights(lab):
    network = {"name": "mlp", "width": 8, "depth": 1, "norm": "batch"}
    seen, _ = weights_along(lab, lab.recipe("classify", network=network))
    fitted = lab.fitted(lab.recipe("classify", {"weight_averaging": {"method": "swa"}}, network=network))
    expected = torch.stack([w["body.0.norm.running_mean"] for w in seen]).mean(0)
    torch.testing.assert_close(fitted.weights()["body.0.norm.running_mean"], expected, rtol=1e-5, atol=1e-6)
