"""Sharpness-aware steps: the adaptive way uphill, running statistics, few digits, pieces, other optimizers."""

import math

import pytest
import torch
import torch.nn.functional as F
from small import same

from aurify.training import fit as loop

SGD = {"name": "sgd", "learning_rate": 0.01}
NORMED = {"name": "mlp", "width": 16, "depth": 2, "norm": "batch"}


def test_adaptive_way_uphill_equals_the_formula_of_its_paper(lab):
    """Kwon et al. 2021: radius * T^2 g / |T g| with T = |w| + 0.01."""
    recipe = lab.recipe("classify", {"sam": {"radius": 0.4, "adaptive": True}}, optimizer=SGD)
    problem = lab.problem(recipe)
    model = loop.build(recipe, problem.signature).train()
    weights = list(model.parameters())
    optimizer = torch.optim.SGD(weights, lr=0.01, momentum=0.9, nesterov=True)
    for _ in range(recipe.budget.steps):
        batch = problem.feed.next(model)
        gradients = torch.autograd.grad(F.cross_entropy(model(batch.inputs), batch.target), weights)
        here = [p.detach().clone() for p in weights]
        length = math.sqrt(
            sum(float((((w.abs() + 0.01) * g) ** 2).sum()) for w, g in zip(here, gradients, strict=True))
        )
        with torch.no_grad():
            for p, w, g in zip(weights, here, gradients, strict=True):
                p += 0.4 * (w.abs() + 0.01) ** 2 * g / length
        optimizer.zero_grad()
        F.cross_entropy(model(batch.inputs), batch.target).backward()
        with torch.no_grad():
            for p, w in zip(weights, here, strict=True):
                p.copy_(w)
        optimizer.step()
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(lab.fitted(recipe).weights()[name], weight, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("adaptive", [False, True])
def test_running_statistics_see_each_batch_once_and_never_the_weights_uphill(lab, adaptive):
    """A rate near nothing leaves the weights where they are: the statistics must be those without the technique."""
    still = {"name": "sgd", "learning_rate": 1e-12}
    plain = lab.fit(lab.recipe("classify", network=NORMED, optimizer=still))
    sharp = {"sam": {"radius": 0.5, "adaptive": adaptive}}
    uphill = lab.fit(lab.recipe("classify", sharp, network=NORMED, optimizer=still))
    buffers = dict(plain.run.model.named_buffers())
    assert any(name.endswith("running_var") for name in buffers)
    for name, value in uphill.run.model.named_buffers():
        torch.testing.assert_close(value, buffers[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_it_trains_repeats_and_resumes_with_any_optimizer_precision_and_size_of_pieces(
    lab, folder, optimizer, precision
):
    folder.choose("micro_batches", [[3, 10]])
    recipe = lab.recipe(
        "classify",
        {"sam": {"radius": 0.1}, "dropout": {}, "one_cycle": {}},
        network=NORMED,
        optimizer={"name": optimizer},
        precision=precision,
    )
    resumed = lab.fit_in_sittings(recipe, folder, [2, 5, 8])
    assert all(torch.isfinite(w).all() for w in resumed.weights().values())
    assert same(lab.fit(recipe, folder).trace(), resumed.trace())
