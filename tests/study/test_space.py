"""A space: from settings to recipes and back, whatever is switched; words that mean nothing are refused in one line."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from aurify.core.errors import AurifyError
from aurify.study.propose import propose
from aurify.study.space import space_of


@pytest.fixture
def recipe(lab):
    techniques = {"scale_numbers": {}, "dropout": {"rate": 0.2}, "cosine": {}, "weight_decay": {}}
    return lab.recipe("classify", techniques, network={"name": "mlp", "width": 9, "depth": 2})


@pytest.fixture
def space(recipe, catalog):
    return lambda *knobs, written=None: space_of(recipe, catalog, knobs, written)


def test_the_recipe_itself_is_a_point_of_every_space(recipe, space):
    for one in (space(), space("all"), space("network", "network.width"), space("dropout", "mixup")):
        assert one.made(one.defaults) == recipe


def test_axes_are_those_of_the_parts(space):
    found = space("network.width", "optimizer.learning_rate", "dropout", "scale_numbers.method").distributions
    assert found["network.width"] == IntDistribution(9, 512, log=True)  # the recipe's own 9 is in it
    assert isinstance(found["optimizer.learning_rate"], FloatDistribution)
    assert found["optimizer.learning_rate"].log
    assert found["dropout.on"] == CategoricalDistribution((False, True))
    assert set(found) == {
        "network.width",
        "optimizer.learning_rate",
        "dropout.on",
        "dropout.rate",
        "scale_numbers.method",
    }


def test_what_is_written_holds_even_where_the_recipe_lies_outside(space):
    one = space(written={"network.width": {"low": 32, "high": 64}})
    assert one.defaults == {"network.width": 32}
    assert one.distributions["network.width"].low == 32


def test_settings_become_a_recipe(space):
    one = space("network.width", "dropout", "mixup", "optimizer.learning_rate")
    made = one.made({**one.defaults, "network.width": 64, "dropout.on": False, "mixup.on": True, "mixup.alpha": 0.3})
    names = {technique.name(): technique for technique in made.techniques}
    assert made.network.settings()["width"] == 64
    assert "dropout" not in names
    assert names["mixup"].settings()["alpha"] == 0.3
    off = one.made({**one.defaults, "mixup.on": False, "mixup.alpha": 0.9})
    assert "mixup" not in {technique.name() for technique in off.techniques}


def test_one_technique_a_slot_is_used_and_the_new_one_wins(space):
    one = space("one_cycle.on", "decay.on", "cosine.on")
    made = one.made({"one_cycle.on": True, "decay.on": True, "cosine.on": True})
    names = {technique.name() for technique in made.techniques}
    assert "decay" in names
    assert not names & {"one_cycle", "cosine"}


def test_another_network_brings_its_own_settings_and_loses_what_does_not_fit(lab, catalog):
    recipe = lab.recipe("classify", {"stochastic_depth": {}}, network={"name": "resnet_table"})
    one = space_of(recipe, catalog, ["network", "network.width"])
    made = one.made({**one.defaults, "network": "tabm", "network.width": 40})
    assert (made.network.name(), made.network.settings()["width"]) == ("tabm", 40)
    assert not made.techniques
    same = one.made({**one.defaults, "network": "resnet_table", "network.width": 40})
    assert "stochastic_depth" in {technique.name() for technique in same.techniques}


@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_every_point_of_the_widest_space_is_a_recipe(lab, catalog, kind):
    one = space_of(lab.recipe(kind, {"scale_numbers": {}}), catalog, ["all"])
    for number in range(60):
        settings = propose("random", one.distributions, [], number, 0)
        assert one.made(settings).plain() == one.made(dict(settings)).plain()


def test_a_space_moves_to_another_recipe(lab, catalog, space):
    one = space("network.width", "dropout.rate", "optimizer.learning_rate")
    other = lab.recipe("classify", {"dropout": {"rate": 0.4}}, network={"name": "tabm", "width": 64})
    moved = one.around(other)
    assert moved.defaults["network.width"] == 64
    assert moved.defaults["dropout.rate"] == 0.4
    assert moved.near(other) == moved.defaults
    assert one.near(other) is None


def test_what_is_written_narrows_and_widens(space):
    one = space(written={"network.width": {"low": 8, "high": 2048}, "dropout.rate": [0, 0.5], "mixup.on": True})
    assert one.distributions["network.width"] == IntDistribution(8, 2048, log=True)
    assert one.distributions["dropout.rate"] == CategoricalDistribution((0, 0.5))
    assert set(one.distributions) == {"network.width", "dropout.rate", "mixup.on"}
    both = space("network.width", "dropout.rate", written={"dropout.rate": None, "network.depth": True})
    assert set(both.distributions) == {"network.width", "network.depth"}


@pytest.mark.parametrize(
    ("knobs", "written", "said"),
    [
        (["network.wdth"], None, "network.width"),
        (["dropuot"], None, "dropout"),
        ([], {"netwrk.width": True}, "network.width"),
        (["tokenize"], None, "--knobs tokenize: 'tokenize' does not fit: it needs texts"),
        ([], {"crop.share": True}, "space: 'crop' does not fit: it needs images"),
        ([], {"network.width": {"low": 9, "high": 3}}, "no range"),
        ([], {"network.width": {"low": 0, "high": 3}}, "no range"),
        ([], {"network.width": {"low": 8, "high": 10**9}}, "not allowed"),
        ([], {"network.width": {"low": "a", "high": 10}}, "needs numbers"),
        ([], {"network.width": {"from": 1}}, "low, high and log"),
        ([], {"network.width": "wide"}, "low, high and log"),
        ([], {"scale_numbers.method": ["standard", "magic"]}, "magic"),
        ([], {"scale_numbers.method": {"low": 1, "high": 2}}, "a list of values"),
        ([], {"network.width": []}, "list of values"),
        (["network.width"], {"network.width": None}, "empty"),
    ],
)
def test_words_that_mean_nothing_are_one_line(space, knobs, written, said):
    with pytest.raises(AurifyError, match=said) as caught:
        space(*knobs, written=written)
    assert "\n" not in str(caught.value)
