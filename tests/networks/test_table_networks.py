"""resnet_table and ft_transformer: equal to their papers' formulas, exact in pieces, exportable, better than lines."""

import pytest
import torch
import torch.nn.functional as F
from small import OPTIMIZER

import aurify
from aurify.core import rng
from aurify.core.parts import Trait
from aurify.core.types import Blend
from aurify.networks.ft_transformer import FtTransformer
from aurify.networks.resnet_table import ResnetTable
from aurify.training.fit import build

NETWORKS = {
    "resnet_table": {"width": 24, "depth": 2, "norm": "layer"},
    "ft_transformer": {"width": 16, "depth": 2},
}
PREPARED = {"fill_missing": {}, "scale_numbers": {}, "encode_categories": {}}


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def recipe_of(lab, name, techniques=None, optimizer=OPTIMIZER, **settings):
    network = {"name": name, **NETWORKS[name], **settings}
    return lab.recipe("classify", {**PREPARED, **(techniques or {})}, network=network, optimizer=optimizer)


def built(lab, recipe):
    problem = lab.problem(recipe)
    return build(recipe, problem.signature), problem.feed.next(None)


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_resnet_equals_its_formula(lab, norm):
    recipe = recipe_of(lab, "resnet_table", norm=norm, expand=1.5)
    model, batch = built(lab, recipe)
    model.eval()
    weights = dict(model.state_dict())

    def normed(x, at):
        if norm == "none":
            return x
        scale, shift = weights[f"{at}.weight"], weights[f"{at}.bias"]
        if norm == "layer":
            return F.layer_norm(x, (24,), scale, shift)
        return F.batch_norm(x, weights[f"{at}.running_mean"], weights[f"{at}.running_var"], scale, shift)

    def linear(x, at):
        return x @ weights[f"{at}.weight"].T + weights[f"{at}.bias"]

    x = linear(model.enter(batch.inputs), "widen")
    for block in ("body.0.branch", "body.1.branch"):
        x = x + linear(linear(normed(x, f"{block}.0"), f"{block}.1").relu(), f"{block}.4")
    expected = linear(normed(x, "norm").relu(), "leave")
    assert weights["body.0.branch.1.weight"].shape == (36, 24)
    torch.testing.assert_close(model(batch.inputs), expected)


def test_transformer_equals_whole_blocks_read_at_the_class_token(lab):
    """The shortcut of the last block leaves no trace."""
    model, batch = built(lab, recipe_of(lab, "ft_transformer"))
    x_BTD = model.gather(model.tokens(model.enter(batch.inputs)))
    assert x_BTD.shape == (32, 1 + len(model.enter.widths), 16)
    for block in model.body:
        x_BTD = block(x_BTD)
    torch.testing.assert_close(model(batch.inputs), model.leave(x_BTD[:, 0]))


@pytest.mark.parametrize(("width", "heads", "taken"), [(16, 4, 16), (17, 4, 20), (1, 8, 8)])
def test_token_width_is_rounded_up_to_a_multiple_of_heads(lab, width, heads, taken):
    model, _ = built(lab, recipe_of(lab, "ft_transformer", width=width, heads=heads))
    assert model.tokens.weight.shape[1] == taken


def test_pieces_give_the_weights_of_whole_batches(lab, folder, name):
    techniques = {"dropout": {"rate": 0.3}, "mixup": {"alpha": 0.5}}
    recipe = recipe_of(lab, name, techniques=techniques, optimizer={"name": "sgd", "learning_rate": 0.01})
    folder.choose("micro_batches", [[0, 5]])
    pieced, whole = lab.fit(recipe, folder).weights(), lab.fit(recipe).weights()
    for path, weight in whole.items():
        torch.testing.assert_close(pieced[path], weight, rtol=1e-5, atol=1e-5)


def test_outputs_of_a_batch_in_pieces_are_those_of_the_whole(lab, name):
    model, batch = built(lab, recipe_of(lab, name, techniques={"dropout": {"rate": 0.3}}))
    rng.attach(model, draws := rng.Draws(0))
    draws.at(7, 0, 32)
    whole, pieces = model(batch.inputs), []
    for start in range(0, 32, 5):
        draws.at(7, start, 32)
        pieces.append(model({k: v[start : start + 5] for k, v in batch.inputs.items()}))
    torch.testing.assert_close(torch.cat(pieces), whole, rtol=0, atol=1e-6)


def test_a_blend_with_itself_changes_nothing(lab, name):
    model, batch = built(lab, recipe_of(lab, name))
    blend = Blend(batch.inputs, torch.full((32,), 0.3))
    torch.testing.assert_close(model(batch.inputs, blend), model(batch.inputs))


def test_networks_have_branches_to_skip():
    assert FtTransformer().offers == ResnetTable().offers == {Trait.RESIDUAL}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")  # the exporter's own
@pytest.mark.parametrize("coded", [False, True])
def test_networks_export_with_any_number_of_rows(lab, name, coded, exported):
    recipe = recipe_of(lab, name) if coded else lab.recipe("regress", network={"name": name, **NETWORKS[name]})
    model, batch = built(lab, recipe)
    assert exported(model, batch.inputs) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "epochs"), [({"name": "resnet_table", "width": 64}, 30), ({"name": "ft_transformer", "width": 32}, 40)]
)
def test_networks_learn_a_product_that_a_linear_model_cannot(crossed, network, epochs):
    settings = {"budget.epochs": epochs, "budget.batch_size": 64, "optimizer.learning_rate": 3e-3}
    run = aurify.fit(crossed, "y", recipe={"network": network}, settings=settings, inspect=False)
    scores, baselines = run.summary["scores"], run.summary["baselines"]
    assert baselines["linear"]["r2"] < 0.2
    assert scores["r2"]["low"] > 0.8, scores["r2"]
    assert run.summary["differences"]["linear"]["rmse"]["verdict"] == "better"
