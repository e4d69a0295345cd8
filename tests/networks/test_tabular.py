"""The table: a row a state, begun where it is told, trained, resumed, saved and exported as every network is."""

import re

import numpy as np
import polars as pl
import pytest
import torch

from aurify.core.errors import AurifyError
from aurify.core.types import Blend, Input, Signature
from aurify.networks.tabular import Tabular
from aurify.testing import exporting, training
from aurify.testing.cases import Case
from aurify.testing.lab import Lab
from aurify.worlds.exact import solved
from aurify.worlds.grid_world import ID
from aurify.worlds.world import World

STATES = Signature({"codes": Input("codes", (1,), ("observation",), (5,))}, 3)


def built(signature=STATES, **settings):
    network = Tabular(**settings)
    model = network.build(signature)
    network.first_weights(model)
    return model


@pytest.fixture
def case(catalog, monkeypatch):
    """The table as a network for rows with a single category, so that the promises to networks can be tried on it."""
    monkeypatch.setattr(Tabular, "needs", frozenset())
    random = np.random.default_rng(0)
    state = random.integers(0, 9, 200)
    rows = pl.DataFrame({"state": [f"s{at}" for at in state], "y": np.where(random.random(200) < state / 8, "a", "b")})
    return Case(Lab(catalog, {"classify": rows}), "network", Tabular, "classify", "default")


def test_every_state_has_a_row_that_begins_as_it_is_told():
    model = built(initial=0.25)
    assert torch.equal(model({"codes": torch.arange(5)[:, None]}), torch.full((5, 3), 0.25))
    with torch.no_grad():
        model.table.weight.copy_(torch.arange(15.0).view(5, 3))
    assert model({"codes": torch.tensor([[4], [1]])}).tolist() == [[12, 13, 14], [3, 4, 5]]


def test_learning_of_one_state_leaves_the_others():
    model = built()
    model({"codes": torch.tensor([[2]])}).sum().backward()
    assert model.table.weight.grad.sum(1).tolist() == [0, 0, 3, 0, 0]


def test_a_blend_is_a_mix_of_two_rows():
    model = built()
    torch.nn.init.normal_(model.table.weight)
    one, other = torch.tensor([[0], [1]]), torch.tensor([[3], [4]])
    mixed = model({"codes": one}, Blend({"codes": other}, torch.tensor([0.25, 1.0])))
    rows = model.table.weight
    torch.testing.assert_close(mixed, torch.stack([0.25 * rows[0] + 0.75 * rows[3], rows[1]]))


@pytest.mark.parametrize(
    ("inputs", "seen"),
    [
        ({"numbers": Input("numbers", (4,), ("a", "b", "c", "d"))}, "4 of numbers"),
        ({"codes": Input("codes", (2,), ("a", "b"), (3, 4))}, "2 of codes"),
        (dict(STATES.inputs) | {"numbers": Input("numbers", (1,), ("a",))}, "1 of codes, 1 of numbers"),
    ],
)
def test_what_is_not_one_category_is_refused(inputs, seen):
    words = (
        "network = 'tabular' has a row for each state, a single category that is seen; here"
        f" {seen} are seen: take another, such as --set network=mlp"
    )
    with pytest.raises(AurifyError, match=re.escape(words)):
        Tabular().build(Signature(inputs, 3))


def test_rows_of_a_table_are_refused_before_they_are_read(lab):
    with pytest.raises(AurifyError) as refused:
        lab.recipe("classify", network={"name": "tabular"})
    assert str(refused.value) == "'tabular' does not fit: it needs a world of countable states, such as FrozenLake-v1"


@pytest.mark.parametrize(
    "promise",
    [
        exporting.row_is_answered_alike_alone_and_among_others,
        exporting.graph_answers_as_torch_does,
        training.same_recipe_gives_same_weights_and_predictions,
        training.run_resumed_after_every_step_equals_the_unbroken_one,
        training.part_survives_save_load_and_predict,
        training.bundle_predicts_raw_rows_as_training_saw_them,
    ],
)
def test_it_keeps_the_promises_of_networks(case, promise):
    promise(case)


@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")  # the exporter's own
def test_exact_values_are_weights_of_it(exported):
    world = World.of(ID, {"width": 3, "height": 3, "slip": 0.1})
    values = torch.from_numpy(solved(world, 0.9)).float()
    observed = torch.arange(9)[:, None]
    model = built(Signature({"codes": Input("codes", (1,), ("observation",), (9,))}, 4))
    model.load_state_dict({"table.weight": values})
    assert torch.equal(model({"codes": observed}), values)
    assert exported(model, {"codes": observed}) == 0
