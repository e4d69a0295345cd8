"""Muon: what it moves, how far, and that it acts as one optimizer."""

import pytest
import torch
import torch.nn.functional as F
from small import same
from torch import nn

from aurify.core.archive import pack, unpack
from aurify.optimizers import muon
from aurify.optimizers.muon import Muon, hidden_matrices
from aurify.training import fit as loop

HOT = {"encode_categories": {"method": "embedding"}}
NETWORKS = {
    "mlp": ({"depth": 3}, {"body.0.linear.weight", "body.1.linear.weight", "body.2.linear.weight"}),
    "tabm": ({"depth": 2}, {"body.0.0.weight", "body.1.0.weight"}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_it_moves_the_matrices_of_hidden_layers_alone(lab, name):
    """Not embeddings, the head, biases, or scalings with an axis for members."""
    settings, expected = NETWORKS[name]
    recipe = lab.recipe("classify", HOT, network={"name": name, **settings})
    model = loop.build(recipe, lab.problem(recipe).signature)
    hidden = hidden_matrices(model)
    assert {n for n, p in model.named_parameters() if id(p) in hidden} == expected


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_training_equals_torch_muon_and_adamw_side_by_side(lab, kind, depth, monkeypatch):
    monkeypatch.setattr(muon, "processor_bfloat16", lambda: True)  # as torch's is, wherever it runs
    settings = {"name": "muon", "learning_rate": 0.02, "others": 0.25, "momentum": 0.9}
    recipe = lab.recipe(
        kind,
        {"weight_decay": {"amount": 0.5}, "cosine": {}},
        network={"name": "mlp", "width": 16, "depth": depth},
        optimizer=settings,
    )
    problem = lab.problem(recipe)
    model = loop.build(recipe, problem.signature).train()
    hidden = [p for n, p in model.named_parameters() if n.startswith("body") and n.endswith("weight")]
    head, biases = model.leave.weight, [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": [head], "weight_decay": 0.5}, {"params": biases, "weight_decay": 0.0}]
    pair = [torch.optim.AdamW(groups, lr=0.005)]
    if depth:
        adjusted = {"momentum": 0.9, "weight_decay": 0.5, "adjust_lr_fn": "match_rms_adamw"}
        pair.append(torch.optim.Muon(hidden, lr=0.02, **adjusted))
    schedulers = [
        torch.optim.lr_scheduler.CosineAnnealingLR(o, recipe.budget.steps, eta_min=0.01 * o.param_groups[0]["lr"])
        for o in pair
    ]
    for _ in range(recipe.budget.steps):
        batch = problem.feed.next(model)
        model.zero_grad()
        output = model(batch.inputs)
        loss = F.cross_entropy(output, batch.target) if kind == "classify" else F.mse_loss(output[:, 0], batch.target)
        loss.backward()
        for part in (*pair, *schedulers):
            part.step()
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(lab.fitted(recipe).weights()[name], weight, rtol=1e-3, atol=1e-5)


def test_step_of_a_hidden_matrix_is_nearly_orthogonal_and_of_the_size_of_adamws(lab):
    recipe = lab.recipe("classify", network={"name": "mlp", "width": 32, "depth": 2}, budget={"steps": 1})
    moved = {}
    for name in ("adamw", "muon"):
        one = lab.using(recipe, "optimizer", lab.catalog.find("optimizer", name), {"learning_rate": 0.01})
        before = loop.build(one, lab.problem(one).signature).state_dict()["body.1.linear.weight"]
        moved[name] = (lab.fit(one).weights()["body.1.linear.weight"] - before) / 0.01
    sizes = torch.linalg.svdvals(moved["muon"])[:16]  # batches of 32 rows through relu: the rest may have no gradient
    assert sizes.max() / sizes.min() < 2.5
    theirs = torch.linalg.svdvals(moved["adamw"])[:16]
    assert theirs.max() / theirs.min() > 4
    size = moved["muon"].square().mean().sqrt()
    assert 0.1 < size < 0.3, "AdamW's steady steps are 0.2 to 0.4 of its rate (Liu et al. 2025)"


def test_its_state_survives_a_checkpoint(lab):
    recipe = lab.recipe("classify", {"layer_rates": {}, "weight_decay": {}}, optimizer={"name": "muon"})
    runs = [loop.begin(recipe, lab.problem(recipe), torch.device("cpu"), 12) for _ in range(2)]
    one, other = (loop.make_optimizer(run) for run in runs)

    def gradient(run, at):
        random = torch.Generator().manual_seed(at)
        for weight in run.parameters:
            weight.grad = torch.randn(weight.shape, generator=random)

    for at in range(3):
        gradient(runs[0], at)
        one.step()
    runs[1].model.load_state_dict(runs[0].model.state_dict())
    other.load_state_dict(unpack(*pack(one.state_dict())))
    assert same(other.state_dict(), one.state_dict())
    for run, optimizer in zip(runs, (one, other), strict=True):
        gradient(run, 9)
        optimizer.step()
    assert same(dict(runs[0].model.state_dict()), dict(runs[1].model.state_dict()))
    one.zero_grad()
    assert all(p.grad is None for p in runs[0].parameters)


def test_every_parameter_is_in_one_group_whose_rate_follows_the_schedule(lab):
    recipe = lab.recipe("classify", {**HOT, "layer_rates": {"decay": 0.5}}, optimizer={"name": "muon", "others": 0.1})
    run = loop.begin(recipe, lab.problem(recipe), torch.device("cpu"), 12)
    groups = loop.make_optimizer(run).param_groups
    assert sorted(id(p) for g in groups for p in g["params"]) == sorted(map(id, run.parameters))
    hidden = hidden_matrices(run.model)
    for group in groups:
        kinds = {id(p) in hidden for p in group["params"]}
        assert len(kinds) == 1, "one optimizer, one group"
        powers = [0.5**away * (1.0 if kinds == {True} else 0.1) for away in range(4)]
        assert min(abs(group["rate"] - power) for power in powers) < 1e-12


def test_closure_is_called_once_with_gradients_on():
    weight = torch.nn.Linear(3, 3)
    optimizer = Muon().build([{"params": list(weight.parameters())}], weight)
    calls = []

    def closure():
        calls.append(torch.is_grad_enabled())
        loss = weight(torch.ones(2, 3)).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).requires_grad
    assert calls == [True]


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
def test_filters_move_as_rows_of_their_numbers(memory, monkeypatch):
    """In whatever order a filter's numbers lie: what is orthogonal stays so when columns change places."""
    monkeypatch.setattr(muon, "processor_bfloat16", lambda: True)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.Linear(8, 2))
    model.to(memory_format=memory)
    filters = model[1].weight
    rows = nn.Parameter(filters.detach().clone(memory_format=torch.contiguous_format).flatten(1))
    groups = [{"params": list(model.parameters()), "weight_decay": 0.3}]
    optimizer = Muon(learning_rate=0.02, momentum=0.9).build(groups, model)
    theirs = torch.optim.Muon([rows], lr=0.02, momentum=0.9, weight_decay=0.3, adjust_lr_fn="match_rms_adamw")
    for at in range(3):
        random = torch.Generator().manual_seed(at)
        for weight in model.parameters():
            weight.grad = torch.randn(weight.shape, generator=random)
        rows.grad = filters.grad.flatten(1)
        optimizer.step()
        theirs.step()
    torch.testing.assert_close(filters.detach().flatten(1), rows.detach(), rtol=1e-2, atol=3e-4)
    assert filters.is_contiguous(memory_format=memory)
    assert hidden_matrices(model) == {id(filters)}, "not what enters, not filters of one channel, not the head"


@pytest.mark.parametrize("shape", [(24, 200), (64, 16)])
def test_processor_that_is_slow_with_bfloat16_makes_the_same_steps_in_float32(shape, monkeypatch):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    made = {}
    for quick in (True, False):
        monkeypatch.setattr(muon, "processor_bfloat16", lambda quick=quick: quick)
        made[quick] = muon.orthogonal(matrix)
    assert (made[True].dtype, made[False].dtype) == (torch.bfloat16, torch.float32)
    assert (made[True].float() - made[False]).norm() < 0.05 * made[False].norm()
    sizes = torch.linalg.svdvals(made[False])
    assert sizes.min() > 0.5
    assert sizes.max() < 1.5
