"""Our loop equals a loop written by hand in plain torch, with the same first weights and the same order of rows."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from aurify.core import rng
from aurify.training import fit as loop

OPTIMIZERS = {
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.999), weight_decay=0.0),
    "adam": lambda groups: torch.optim.Adam(groups, lr=0.01, betas=(0.9, 0.999)),
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, lr=0.01, alpha=0.99),
}


def by_hand(lab, recipe, make, *, loss=None, groups=None, each_gradient=None, rate=None):
    """Train a recipe's network in plain torch; nothing of the loop, the feed or the techniques is used."""
    problem = lab.problem(recipe)
    parts = recipe.task.part(recipe, lab.store(recipe.task.kind))
    store = lab.store(recipe.task.kind)
    inputs, target = problem.feed.inputs, torch.from_numpy(np.array(store.target[parts.fit]))
    model = loop.build(recipe, problem.signature).train()
    if loss is None and problem.classes is None:
        loss = lambda output, y, model: F.mse_loss(output[:, 0], y.float())  # noqa: E731
    elif loss is None:
        loss = lambda output, y, model: F.cross_entropy(output, y)  # noqa: E731
    optimizer = make(groups(model) if groups else [{"params": list(model.parameters())}])
    first, step, size = [g["lr"] for g in optimizer.param_groups], 0, recipe.budget.batch_size
    for epoch in range(10**6):
        order = torch.randperm(len(target), generator=rng.generator(recipe.seed, "order", epoch))
        for pick in order.split(size):
            for group, base in zip(optimizer.param_groups, first, strict=True):
                group["lr"] = base * (rate(step) if rate else 1.0)
            optimizer.zero_grad()
            loss(model({k: v[pick] for k, v in inputs.items()}), target[pick], model).backward()
            if each_gradient:
                each_gradient(model)
            optimizer.step()
            step += 1
            if step == recipe.budget.steps:
                return dict(model.state_dict())
    raise AssertionError


def assert_close(fitted, by_hand, tolerance=1e-6):
    for name, weight in by_hand.items():
        torch.testing.assert_close(fitted.weights()[name], weight, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["classify", "regress"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_bare_training_equals_a_plain_torch_loop(lab, name, kind):
    recipe = lab.recipe(kind, optimizer={"name": name, "learning_rate": 0.01})
    assert_close(lab.fitted(recipe), by_hand(lab, recipe, OPTIMIZERS[name]))


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_weight_decay_equals_torch_groups_without_biases(lab, name):
    recipe = lab.recipe("classify", {"weight_decay": {"amount": 0.3}}, optimizer={"name": name, "learning_rate": 0.01})

    def groups(model):
        matrices, biases = ([p for p in model.parameters() if (p.ndim > 1) == wide] for wide in (True, False))
        return [{"params": matrices, "weight_decay": 0.3}, {"params": biases, "weight_decay": 0.0}]

    assert_close(lab.fitted(recipe), by_hand(lab, recipe, OPTIMIZERS[name], groups=groups))


def test_gradient_clipping_equals_torch(lab):
    recipe = lab.recipe(
        "regress", {"gradient_clipping": {"limit": 0.1}}, optimizer={"name": "sgd", "learning_rate": 0.01}
    )
    clip = lambda model: torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)  # noqa: E731
    assert_close(lab.fitted(recipe), by_hand(lab, recipe, OPTIMIZERS["sgd"], each_gradient=clip))


def test_cosine_equals_torch_cosine_annealing(lab):
    recipe = lab.recipe("classify", {"cosine": {"floor": 0.1}}, budget={"validate_every": 1})
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12, eta_min=0.001)
    expected = []
    for _ in range(12):
        expected.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    fitted = lab.fitted(recipe)
    np.testing.assert_allclose([entry["rate"] for entry in fitted.run.log], expected, rtol=1e-12)
    assert_close(fitted, by_hand(lab, recipe, OPTIMIZERS["adamw"], rate=lambda step: expected[step] / 0.01))


def test_warm_up_rises_in_equal_steps_and_multiplies_the_schedule(lab):
    budget = {"validate_every": 1}
    rates = {
        name: [entry["rate"] for entry in lab.fitted(lab.recipe("classify", used, budget=budget)).run.log]
        for name, used in {
            "warm": {"warm_up": {"share": 0.5}},
            "cosine": {"cosine": {}},
            "both": {"warm_up": {"share": 0.5}, "cosine": {}},
        }.items()
    }
    np.testing.assert_allclose(rates["warm"], [0.01 * min(1, (s + 1) / 6) for s in range(12)], rtol=1e-12)
    np.testing.assert_allclose(rates["both"], np.multiply(rates["warm"], rates["cosine"]) / 0.01, rtol=1e-12)


def test_label_smoothing_equals_torch(lab):
    recipe = lab.recipe("classify", {"label_smoothing": {"amount": 0.2}})
    loss = lambda output, y, model: F.cross_entropy(output, y, label_smoothing=0.2)  # noqa: E731
    assert_close(lab.fitted(recipe), by_hand(lab, recipe, OPTIMIZERS["adamw"], loss=loss))


def test_balanced_classes_equal_torch_class_weights(lab):
    """Divided by the number of rows, not by their weights: a rare row weighs the same in whichever batch it is."""
    recipe = lab.recipe("classify", {"balance_classes": {}})
    store = lab.store("classify")
    target = torch.from_numpy(np.array(store.target[recipe.task.part(recipe, store).fit]))
    weight = len(target) / (3 * torch.bincount(target)).float()
    loss = lambda output, y, model: F.cross_entropy(output, y, weight=weight, reduction="sum") / len(y)  # noqa: E731
    assert_close(lab.fitted(recipe), by_hand(lab, recipe, OPTIMIZERS["adamw"], loss=loss))


def test_l1_equals_the_sum_of_absolute_matrices(lab):
    recipe = lab.recipe("regress", {"l1": {"strength": 0.01}})

    def loss(output, y, model):
        return F.mse_loss(output[:, 0], y.float()) + 0.01 * sum(p.abs().sum() for p in model.parameters() if p.ndim > 1)

    assert_close(lab.fitted(recipe), by_hand(lab, recipe, OPTIMIZERS["adamw"], loss=loss))


def test_focal_equals_a_slow_loop_with_its_weight_part_of_the_gradient(lab):
    recipe = lab.recipe("classify", {"focal": {"gamma": 2.0}})

    def loss(output, y, model):
        terms = []
        for row, label in zip(output, y, strict=True):
            right = torch.exp(row[label]) / torch.exp(row).sum()
            terms.append(-((1 - right) ** 2.0) * torch.log(right))
        return sum(terms) / len(terms)

    assert_close(lab.fitted(recipe), by_hand(lab, recipe, OPTIMIZERS["adamw"], loss=loss), 1e-5)


def test_sam_equals_its_two_gradients_by_hand(lab):
    recipe = lab.recipe("classify", {"sam": {"radius": 0.1}}, optimizer={"name": "sgd", "learning_rate": 0.01})
    problem, steps = lab.problem(recipe), recipe.budget.steps
    model = loop.build(recipe, problem.signature).train()
    optimizer, feed = OPTIMIZERS["sgd"]([{"params": list(model.parameters())}]), problem.feed
    for _ in range(steps):
        batch = feed.next(model)
        gradients = torch.autograd.grad(F.cross_entropy(model(batch.inputs), batch.target), list(model.parameters()))
        length = math.sqrt(sum(float((g**2).sum()) for g in gradients))
        here = [p.detach().clone() for p in model.parameters()]
        with torch.no_grad():
            for p, g in zip(model.parameters(), gradients, strict=True):
                p += 0.1 * g / length
        optimizer.zero_grad()
        F.cross_entropy(model(batch.inputs), batch.target).backward()
        with torch.no_grad():
            for p, old in zip(model.parameters(), here, strict=True):
                p.copy_(old)
        optimizer.step()
    assert_close(lab.fitted(recipe), dict(model.state_dict()), 1e-5)


def test_full_batch_sgd_is_plain_gradient_descent(lab):
    recipe = lab.recipe(
        "regress",
        optimizer={"name": "sgd", "learning_rate": 0.02, "momentum": 0.0, "full_batch": True},
        budget={"steps": 5},
    )
    problem, store = lab.problem(recipe), lab.store("regress")
    target = torch.from_numpy(np.array(store.target[recipe.task.part(recipe, store).fit])).float()
    model = loop.build(recipe, problem.signature).train()
    for _ in range(5):
        loss = F.mse_loss(model(problem.feed.inputs)[:, 0], target)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for p, g in zip(model.parameters(), gradients, strict=True):
                p -= 0.02 * g
    assert problem.feed.steps_per_epoch == 1
    assert_close(lab.fitted(recipe), dict(model.state_dict()), 1e-5)


def test_scaled_target_is_learnt_in_deviations_and_answered_in_its_units(lab):
    recipe = lab.recipe("regress", {"scale_target": {}})
    store = lab.store("regress")
    target = np.array(store.target[recipe.task.part(recipe, store).fit])
    loss = lambda output, y, model: F.mse_loss(output[:, 0], ((y - target.mean()) / target.std()).float())  # noqa: E731
    weights = by_hand(lab, recipe, OPTIMIZERS["adamw"], loss=loss)
    fitted = lab.fitted(recipe)
    assert_close(fitted, weights)
    with torch.no_grad():
        plain = fitted.run.model(fitted.problem.unseen[0])[:, 0].double().numpy()
    np.testing.assert_allclose(fitted.held()[:, 0], plain * target.std() + target.mean(), rtol=1e-9)
