"""Networks passed from Python: a copy is trained, rebuilt when passed again, resumed bit for bit, or refused."""

import copy

import pytest
import torch
from small import NETWORK, Lab, same
from torch import nn

import aurify
from aurify import workbench
from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.networks.given import given
from aurify.networks.mlp import Mlp
from aurify.workbench.passed import catalog_with

SETTINGS = {"budget.steps": 8, "budget.batch_size": 32, "budget.validate_every": 4}
PREPARED = {"fill_missing": {}, "scale_numbers": {}, "encode_categories": {}}
TECHNIQUES = {"regress": {**PREPARED, "scale_target": {}}, "classify": PREPARED}


def sequential(width=None, outputs=1, drop=0.0):
    """Without a ``width`` the first layer takes whatever comes."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = nn.LazyLinear(16) if width is None else nn.Linear(width, 16)
        return nn.Sequential(first, nn.ReLU(), nn.Dropout(drop), nn.BatchNorm1d(16), nn.Linear(16, outputs))


@pytest.fixture
def fit(csv_files):
    def fitted(network, kind="regress", **options):
        options = {"settings": SETTINGS, "recipe": {"techniques": TECHNIQUES[kind]}, "inspect": False, **options}
        return aurify.fit(csv_files[kind], "y", network=network, **options)

    return fitted


@pytest.fixture(scope="session")
def width(lab):
    recipe = lab.recipe("regress", TECHNIQUES["regress"])
    return Mlp().build(lab.problem(recipe).signature).enter.width


@pytest.fixture
def trained(lab, frames):
    """Return a function from a network, techniques and stops to its run in the lab."""

    def train(network, folder=None, stops=(), techniques=()):
        catalog, plain = catalog_with((), network)
        own = Lab(catalog, frames)
        used = {**TECHNIQUES["regress"], **{name: {} for name in techniques}}
        recipe = own.recipe("regress", used, network=plain)
        return own.fit_in_sittings(recipe, folder, stops) if stops else own.fit(recipe)

    return train


def test_module_is_trained_from_its_weights_and_left_alone(trained, width):
    network = sequential(width)
    before = copy.deepcopy(network.state_dict())
    _, plain = catalog_with((), network)
    run = trained(network).run
    assert same(dict(network.state_dict()), dict(before))
    assert all(v.grad is None for v in network.parameters())
    first = first_weights(network, run.problem.signature)
    assert same(first, dict(before))
    assert not torch.equal(run.model.network[0].weight, network[0].weight)
    assert plain["name"] == "given"
    assert plain["origin"].startswith("Sequential ")


def first_weights(network, signature, seed=0):
    part = given(network)
    model = part.build(signature)
    rng.initialise(model, seed)
    part.first_weights(model)
    return dict(model.network.state_dict())


def test_lazy_layers_are_drawn_and_the_others_kept(trained):
    network = sequential()
    run = trained(network).run
    first, other = (first_weights(network, run.problem.signature, seed) for seed in (0, 1))
    assert torch.equal(first["4.weight"], network[4].weight)
    assert not torch.equal(first["0.weight"], other["0.weight"])


@pytest.mark.parametrize("kind", ["regress", "classify"])
def test_function_of_the_signature_makes_the_network(fit, kind, csv_files):
    def make(signature):
        return sequential(outputs=signature.outputs)

    run = fit(make, kind)
    assert run.recipe.network.settings() == {"origin": f"made by {make.__qualname__}"}
    assert run.predict(csv_files[kind]).equals(aurify.load(run.path, network=make).predict(csv_files[kind]))


def test_what_a_function_draws_follows_the_recipe_seed_alone(trained):
    def make(signature):
        return nn.Sequential(nn.LazyLinear(8), nn.Linear(8, 1))

    torch.manual_seed(1)
    one = trained(make).weights()
    torch.manual_seed(2)
    assert same(one, trained(make).weights())


def test_saved_model_is_rebuilt_only_with_its_network(fit, csv_files, width, words):
    network = sequential(width)
    run = fit(network, out="runs/own")
    predicted = run.predict(csv_files["regress"])
    other = nn.Sequential(*sequential(width))
    for path in (run.path, run.folder.bundle):
        assert aurify.load(path, network=other).predict(csv_files["regress"]).equals(predicted)
    assert workbench.predict(run.path, csv_files["regress"], network=other).to_frame().equals(predicted)
    assert workbench.evaluate(run.path, network=other)["scores"] == run.summary["scores"]
    line = "this model's network was passed from Python; pass it again: aurify.load(PATH, network=...)"
    with pytest.raises(AurifyError, match="passed from Python") as caught:
        aurify.load(run.path).predict(csv_files["regress"])
    assert line in str(caught.value)
    said = words("predict", run.path, csv_files["regress"], check=False)
    assert said.code == 2
    assert line in said.err
    with pytest.raises(AurifyError, match=r"not the one that was trained: network.0.bias is \(5,\), it was \(16,\)"):
        aurify.load(run.path, network=nn.Sequential(nn.Linear(width, 5), nn.Linear(5, 1))).predict(csv_files["regress"])


def test_resumed_run_equals_the_unbroken_one_with_random_layers_of_another_kind(trained, folder):
    network = sequential(drop=0.4)
    techniques = ("mixup", "weight_averaging")
    unbroken = trained(network, techniques=techniques).trace()
    torch.rand(17)  # whatever else draws from torch's generator
    assert same(trained(network, folder, (1, 5, 9), techniques).trace(), unbroken)
    assert not same(trained(sequential(drop=0.0), techniques=techniques).weights(), unbroken["weights"])


def test_foreign_dropout_is_drawn_anew_in_each_step_and_disturbs_nobody(trained):
    fitted = trained(sequential(drop=0.5))
    model, inputs = fitted.run.model.train(), fitted.problem.feed.next(fitted.run).inputs
    before = torch.get_rng_state()
    rng.attach(model, draws := rng.Draws(0))
    seen = []
    for step in (0, 0, 1):
        draws.at(step, 0, 32)
        seen.append(model(inputs))
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_resume_refuses_a_network_with_other_weights(fit, width):
    fit(sequential(width), out="own")
    (aurify.load("own", network=sequential(width)).folder.scores).unlink()
    other = sequential(width)
    nn.init.zeros_(other[0].bias)
    with pytest.raises(AurifyError, match=r"began with network.origin = Sequential \w+, now it is Sequential \w+"):
        fit(other, out="own", resume=True)
    assert fit(sequential(width), out="own", resume=True).folder.finished()


def test_tied_weights_stay_tied_and_are_saved(fit, width, csv_files):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.enter = nn.Linear(width, 8)
            self.one, self.two = nn.Linear(8, 8), nn.Linear(8, 8)
            self.two.weight = self.one.weight

        def forward(self, x):
            return self.two(self.one(self.enter(x)).relu()).sum(1)  # (B,)

    run = fit(Tied())
    network = aurify.load(run.path, network=Tied()).bundle.members[0].network.network
    assert torch.equal(network.one.weight, network.two.weight)


def test_module_that_takes_the_inputs_themselves(fit, csv_files):
    class Own(nn.Module):
        takes_inputs = True

        def __init__(self):
            super().__init__()
            self.numbers = nn.LazyLinear(1)

        def forward(self, inputs, blend=None):
            return self.numbers(inputs["numbers"])

    run = fit(Own())
    assert run.predict(csv_files["regress"]).equals(aurify.load(run.path, network=Own()).predict(csv_files["regress"]))


@pytest.mark.slow
def test_network_by_name_or_as_a_part(csv_files):
    for network in ("mlp", Mlp(width=16, depth=2)):
        run = aurify.fit(csv_files["regress"], "y", network=network, settings=SETTINGS)
        assert run.recipe.network.name() == "mlp"
    assert run.recipe.network == Mlp(width=NETWORK["width"], depth=NETWORK["depth"])
    assert aurify.load(run.path).recipe == run.recipe


def misfits(width):
    def fails(signature):
        raise KeyError("colour")

    def layers(*modules):
        return nn.Sequential(*modules)

    return {
        "takes 10 inputs, the prepared table has": layers(nn.Linear(10, 1)),
        "takes 5 inputs, the prepared table has": layers(nn.BatchNorm1d(5), nn.LazyLinear(1)),
        "mat1 and mat2": layers(nn.Linear(width, 4), nn.Linear(3, 1)),
        r"returns outputs \(3, 2\) for 3 rows, the task needs \(3, 1\) or \(3,\)": layers(nn.LazyLinear(2)),
        "returns a tuple for 3 rows": nn.LSTM(width, 1),
        "the function that makes the network failed: KeyError: 'colour'": fails,
        "returned a int, needed is a torch module": lambda signature: 5,
        "give a name, a torch module or a function": 5,
        "no network is called 'tamb'": "tamb",
    }


@pytest.mark.parametrize("message", misfits(1))
def test_network_that_does_not_fit_is_refused_before_training_in_one_line(fit, width, message):
    with pytest.raises(AurifyError, match=message) as caught:
        fit(misfits(width)[message])
    assert "\n" not in str(caught.value)


def test_probabilities_are_refused_where_outputs_are_needed(fit):
    with pytest.raises(AurifyError, match="leave its last softmax out"):
        fit(nn.Sequential(nn.LazyLinear(3), nn.Softmax(1)), "classify")


def test_network_that_cannot_be_copied_or_saved_is_refused(fit, width):
    odd = nn.Linear(width, 1)
    odd.kept = odd.weight * 2  # deep copies of computed tensors are refused by torch
    with pytest.raises(AurifyError, match="cannot be copied"):
        fit(odd)

    class Noting(nn.Linear):
        def get_extra_state(self):
            return {"seen": 3}

        def set_extra_state(self, state):
            pass

    with pytest.raises(AurifyError, match="is no tensor"):
        fit(Noting(width, 1))


def test_single_row_passes_a_foreign_batch_norm_while_training(trained):
    fitted = trained(sequential())
    inputs = fitted.problem.feed.next(fitted.run).inputs
    assert fitted.run.model.train()({n: v[:1] for n, v in inputs.items()}).shape == (1, 1)


@pytest.mark.slow
def test_network_passed_is_exported_and_measured_in_folds_as_others_are(fit):
    network = sequential(drop=0.5)  # in one fold a rare colour is never seen: there the table is narrower
    run = fit(network, folds=2, out="folded")
    assert len(run.bundle.members) == 2
    with pytest.raises(AurifyError, match="passed from Python"):
        workbench.export("folded", "model.onnx")
    assert workbench.export("folded", "model.onnx", network=network)["difference"] < 1e-5
