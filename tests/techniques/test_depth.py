"""Rates by depth, and branches that are skipped."""

import itertools

import pytest
import torch
from small import same
from torch import nn

from aurify.blocks.chain import links
from aurify.blocks.drop_path import DropPath
from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.training import fit as loop

RESIDUAL = {"name": "mlp", "width": 16, "depth": 4, "residual": True}
HOT = {"encode_categories": {"method": "embedding"}}


def begun(lab, techniques, **sections):
    recipe = lab.recipe("classify", {**HOT, **techniques}, **sections)
    run = loop.begin(recipe, lab.problem(recipe), torch.device("cpu"), 12)
    return run, loop.make_optimizer(run)


def rates(run, optimizer):
    """The share of the learning rate and the decay of every parameter, by name."""
    names = {id(p): name for name, p in run.model.named_parameters()}
    groups = optimizer.param_groups
    return {names[id(p)]: (g.get("rate", 1.0), g.get("weight_decay", 0.0)) for g in groups for p in g["params"]}


def depth(name):
    return next(at for at, start in enumerate(("leave", "body.1", "body.0", "enter")) if name.startswith(start))


def test_rate_falls_with_the_distance_from_the_output(lab):
    found = rates(*begun(lab, {"layer_rates": {"decay": 0.5}}))
    assert {depth(name) for name in found} == {0, 1, 2, 3}
    assert found == {name: (0.5 ** depth(name), 0.0) for name in found}


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("order", [-1, 1])
def test_rates_and_weight_decay_compose_in_either_order(lab, monkeypatch, order, optimizer):
    monkeypatch.setattr(lab.catalog.find("technique", "weight_decay"), "order", order)
    techniques = {"layer_rates": {"decay": 0.5}, "weight_decay": {"amount": 0.3}}
    run, built = begun(lab, techniques, optimizer={"name": optimizer, "learning_rate": 0.01})
    assert run.techniques[1 if order > 0 else 0].name() != "layer_rates"
    sizes = {name: p.ndim for name, p in run.model.named_parameters()}
    expected = {name: (0.5 ** depth(name), 0.3 if ndim >= 2 else 0.0) for name, ndim in sizes.items()}
    assert rates(run, built) == expected


def test_steps_are_as_long_as_the_rates_say(lab):
    """A plain gradient step moves each layer by its own rate times the gradient."""
    optimizer = {"name": "sgd", "learning_rate": 0.01, "momentum": 0.0}
    moved = []
    for decay in (1.0, 0.5):
        recipe = lab.recipe("classify", {**HOT, "layer_rates": {"decay": decay}}, optimizer=optimizer)
        before = loop.build(recipe, lab.problem(recipe).signature).state_dict()
        after = lab.fit(lab.recipe("classify", recipe.plain()["techniques"], optimizer=optimizer, budget={"steps": 1}))
        moved.append({n: after.weights()[n] - before[n] for n in before if before[n].is_floating_point()})
    for name, full in moved[0].items():
        torch.testing.assert_close(moved[1][name], full * 0.5 ** depth(name), rtol=1e-3, atol=1e-7)


def test_depth_of_any_module_is_the_order_in_which_it_was_written():
    block = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))

    class Inner(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(torch.zeros(4))
            self.blocks = nn.ModuleList([block, nn.Linear(4, 4)])
            self.norm = nn.LayerNorm(4)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()
            self.head = nn.Linear(4, 4)
            self.head.weight = self.inner.blocks[1].weight
            self.still = nn.Linear(4, 4).requires_grad_(False)

    model = Outer()
    names = {id(p): name for name, p in model.named_parameters()}
    assert [[names[id(p)] for p in link] for link in links(model)] == [
        ["inner.token"],
        [f"inner.blocks.0.{at}.{kind}" for at in (0, 2) for kind in ("weight", "bias")],
        ["inner.blocks.1.weight", "inner.blocks.1.bias"],
        ["inner.norm.weight", "inner.norm.bias"],
        ["head.bias"],
    ]
    trained = [id(p) for p in model.parameters() if p.requires_grad]
    assert sorted(id(p) for link in links(model) for p in link) == sorted(trained), "each in exactly one"


def test_skipping_grows_with_depth_up_to_the_rate(lab):
    run, _ = begun(lab, {"stochastic_depth": {"rate": 0.3}}, network=RESIDUAL)
    found = [m.rate for m in run.model.modules() if isinstance(m, DropPath)]
    assert found == pytest.approx([0.1, 0.2, 0.3])


def test_network_without_branches_is_refused_in_one_line(lab):
    for network in ({"name": "mlp"}, {**RESIDUAL, "depth": 1}):
        with pytest.raises(AurifyError, match=r"stochastic_depth.*residual branches.*mlp.*--without stochastic_depth"):
            lab.recipe("classify", {"stochastic_depth": {}}, network=network)


@pytest.mark.parametrize("shape", [(4096, 3), (4096, 2, 3)])
def test_example_keeps_a_branch_whole_or_skips_it_whole(shape):
    layer = DropPath().train()
    layer.rate = 0.25
    x = torch.ones(shape)
    for draws in (None, rng.Draws(0)):
        layer.draws = draws
        if draws:
            draws.at(5, 0, len(x))
        kept = layer(x).flatten(1)
        assert torch.equal(kept, kept[:, :1].expand_as(kept))
        values, counts = kept[:, 0].unique(return_counts=True)
        torch.testing.assert_close(values, torch.tensor([0.0, 1 / 0.75]))
        assert counts[0] / len(x) == pytest.approx(0.25, abs=0.03)
    assert layer.eval()(x) is x


def test_pieces_of_a_batch_skip_what_the_whole_batch_skips(lab, folder):
    optimizer = {"name": "sgd", "learning_rate": 0.01}
    recipe = lab.recipe("classify", {"stochastic_depth": {"rate": 0.5}}, network=RESIDUAL, optimizer=optimizer)
    folder.choose("micro_batches", [[0, 5]])
    pieced, whole = lab.fit(recipe, folder), lab.fitted(recipe)
    for name, weight in whole.weights().items():
        torch.testing.assert_close(pieced.weights()[name], weight, rtol=1e-6, atol=1e-6)


def test_branches_skip_independently(lab):
    run, _ = begun(lab, {"stochastic_depth": {"rate": 0.5}}, network=RESIDUAL)
    run.draws.at(0, 0, 4096)
    layers = [m.train() for m in run.model.modules() if isinstance(m, DropPath)]
    ways = []
    for layer in layers:
        layer.rate = 0.5
        ways.append(layer(torch.ones(4096, 1))[:, 0] > 0)
    for one, other in itertools.combinations(ways, 2):
        assert not same(one, other)
        assert (one & other).float().mean() == pytest.approx(0.25, abs=0.03)
