"""A Keras model on torch is a network like any other: copied, trained, saved under stable names, resumed."""

import pytest
import torch
from small import Lab, same

import aurify
from aurify.blocks.keras_model import KerasModel
from aurify.core.errors import AurifyError
from aurify.workbench.passed import catalog_with

TECHNIQUES = {"fill_missing": {}, "scale_numbers": {}, "encode_categories": {}, "scale_target": {}}
SETTINGS = {"budget.steps": 12, "budget.batch_size": 32, "budget.validate_every": 4}


@pytest.fixture(scope="module")
def keras():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        found = pytest.importorskip("keras", reason="Keras is not installed")
    if found.backend.backend() != "torch":
        pytest.skip("Keras was loaded with another backend")
    return found


@pytest.fixture
def model(keras):
    """Return a function that makes a model of the test table's 14 encoded inputs; ``width`` None leaves it unbuilt."""

    def make(width=14, drop=0.3, start=0):
        keras.utils.set_random_seed(start)
        layers = [keras.layers.Dense(8, activation="relu"), keras.layers.BatchNormalization()]
        layers += [keras.layers.Dropout(drop), keras.layers.GaussianNoise(0.1, seed=5), keras.layers.Dense(1)]
        return keras.Sequential(layers if width is None else [keras.Input((width,)), *layers])

    return make


@pytest.fixture
def functional(keras):
    def make(width=14):
        keras.utils.set_random_seed(0)
        entered = keras.Input((width,))
        hidden = keras.layers.Dense(8, activation="tanh")(entered)
        return keras.Model(entered, keras.layers.Dense(1)(keras.layers.add([hidden, keras.layers.Dense(8)(hidden)])))

    return make


@pytest.fixture(params=["model", "functional"])
def make(request):
    return request.getfixturevalue(request.param)


def trained(network, frames, folder=None, stops=(), **budget):
    catalog, plain = catalog_with((), network)
    lab = Lab(catalog, frames)
    recipe = lab.recipe("regress", {**TECHNIQUES, "weight_averaging": {}}, network=plain, budget=budget)
    return lab.fit_in_sittings(recipe, folder, stops) if stops else lab.fit(recipe)


@pytest.mark.slow
def test_model_trains_saves_and_predicts_alike_under_any_layer_names(make, csv_files, tmp_path):
    network = make()
    before = [w.value.detach().clone() for w in network.weights]
    run = aurify.fit(
        csv_files["regress"],
        "y",
        network=network,
        settings=SETTINGS,
        recipe={"techniques": TECHNIQUES},
        out="own",
        inspect=False,
    )
    assert all(torch.equal(w.value, old) for w, old in zip(network.weights, before, strict=True))
    other = make()  # Keras names its layers anew
    assert other.weights[0].path != network.weights[0].path
    predicted = run.predict(csv_files["regress"])
    assert predicted["prediction"].n_unique() > 100
    assert aurify.load("own", network=other).predict(csv_files["regress"]).equals(predicted)
    with pytest.raises(AurifyError, match="passed from Python"):
        aurify.load("own").predict(csv_files["regress"])


def test_first_loss_and_every_weight_come_from_the_model_given(make, frames):
    network = make()
    run = trained(network, frames, steps=1, validate_every=1).run
    held = run.model.network
    assert [p.requires_grad for p in held.weights] == [w.trainable for w in network.weights]
    pairs = [(p.detach(), w.value.detach()) for p, w in zip(held.weights, network.weights, strict=True) if w.trainable]
    assert all((p - w).abs().max() < 0.011 for p, w in pairs)  # one step of adam
    assert not all(torch.equal(p, w) for p, w in pairs)


def test_resumed_run_equals_the_unbroken_one(make, frames, folder):
    network = make()
    whole = trained(network, frames).trace()
    torch.rand(3)
    assert same(trained(network, frames, folder, (1, 4, 7)).trace(), whole)


def test_unbuilt_model_and_function_are_drawn_from_the_seed(model, keras, frames):
    def make(signature):
        return keras.Sequential([keras.layers.Dense(8), keras.layers.Dense(signature.outputs)])

    for network in (lambda: model(None), lambda: make):
        one, two = (trained(network(), frames).weights() for _ in range(2))
        assert same(one, two)


def test_training_and_prediction_are_told_apart(model):
    held = KerasModel(model(drop=0.5), 14)
    x = torch.randn(6, 14, generator=torch.Generator().manual_seed(0))
    assert torch.equal(held.eval()(x), held(x))
    held.train()
    torch.manual_seed(0)
    one = held(x)
    assert not torch.equal(one, held(x))
    torch.manual_seed(0)
    assert torch.equal(one, held(x))
    assert not torch.equal(held.state_dict()["weights.4"], KerasModel(model(), 14).state_dict()["weights.4"])


def test_loaded_weights_are_those_computed_with(model):
    one, two = KerasModel(model(), 14).eval(), KerasModel(model(start=1), 14).eval()
    x = torch.ones(2, 14)
    assert not torch.equal(one(x), two(x))
    for assign in (False, True):
        target = KerasModel(model(start=2), 14).eval()
        target.load_state_dict(one.state_dict(), assign=assign)
        assert torch.equal(target(x), one(x))
        target(x).sum().backward()
        assert target.weights[0].grad is not None


def test_misfits_are_refused_in_one_line(keras, model, frames):
    with pytest.raises(AurifyError, match="takes 7 inputs, the prepared table has 14"):
        trained(model(7), frames)

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.leave = keras.layers.Dense(1)

        def call(self, x):
            return self.leave(x)

    with pytest.raises(AurifyError, match="Keras cannot copy the network"):
        trained(Own(), frames)
    assert trained(lambda signature: Own(), frames).run.step == 12
    with pytest.raises(AurifyError, match="pass the Keras model alone"):
        trained(torch.nn.Sequential(model(), torch.nn.ReLU()), frames)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")  # the exporter's own
@pytest.mark.filterwarnings("ignore:While compiling, we found certain side effects:UserWarning")  # Keras notes calls
def test_model_is_exported_as_others_are(make, frames, exported):
    fitted = trained(make(), frames)
    assert exported(fitted.run.model, fitted.problem.feed.next(fitted.run).inputs) < 1e-5
