"""Models of rows that train side by side end as each would by itself, or it is said why they cannot."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aurify.core.errors import Apart, Interrupted
from aurify.core.once import anew
from aurify.core.watch import Watch
from aurify.data.prepare import raw_values
from aurify.ship.make import make, make_together, side_by_side
from aurify.training.checkpoint import Keeper

CPU, MODELS = torch.device("cpu"), 3
USUAL = {
    **{name: {} for name in ("fill_missing", "scale_numbers", "encode_categories", "piecewise_linear", "dropout")},
    **{name: {} for name in ("weight_decay", "gradient_clipping", "cosine", "weight_averaging")},
}


def seeded(recipe):
    """Recipes that differ in the seed alone."""
    return [replace(recipe, seed=recipe.seed + at) for at in range(MODELS)]


def posed(lab, kind, recipes, same_rows=False):
    """A Store, and the rows that each recipe's own seed gives it; or those of the first seed for all."""
    store = lab.store(kind)
    return store, [recipe.task.part(recipes[0] if same_rows else recipe, store) for recipe in recipes]


def together(recipes, store, parts):
    return make_together(recipes, store, parts, CPU, Watch(), lambda run: None, [anew] * len(recipes))


def alone(recipes, store, parts):
    return [
        make(recipe, store, own, CPU, Keeper(None), Watch(), lambda run: None)
        for recipe, own in zip(recipes, parts, strict=True)
    ]


def answered(bundle, rows):
    """Probabilities or numbers for raw rows."""
    return bundle.pipeline(raw_values(rows, slice(None)))


def assert_equal(beside, by_itself, rows):
    """The same weights, the same answers to raw rows, and the same said of the training."""
    for (one, told), (other, its) in zip(beside, by_itself, strict=True):
        assert one.recipe == other.recipe
        for mine, theirs in zip(one.members, other.members, strict=True):
            assert (mine.network is None) == (theirs.network is None)
            if mine.network is not None and theirs.network is not None:
                weights = theirs.network.state_dict()
                for name, value in mine.network.state_dict().items():
                    torch.testing.assert_close(value, weights[name], rtol=1e-5, atol=1e-5, msg=name)
        torch.testing.assert_close(answered(one, rows), answered(other, rows), rtol=1e-5, atol=1e-5)
        assert {k: told[k] for k in ("steps", "planned_steps", "learning_rate")} == {
            k: its[k] for k in ("steps", "planned_steps", "learning_rate")
        }
        assert str(told["stopped"]) == str(its["stopped"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "more", "network"),
    [
        ("classify", "temperature", {"name": "mlp", "width": 16}),
        ("regress", "scale_target", {"name": "tabm", "width": 16, "members": 4}),
    ],
)
def test_each_ends_as_it_would_alone_on_rows_of_its_own(lab, kind, more, network):
    # a rate at which rounding does not grow: at 0.01 a tabm's grows a thousandfold in 100 steps once it knows the rows
    optimizer = {"name": "adamw", "learning_rate": 2e-3}
    recipes = seeded(lab.recipe(kind, {**USUAL, more: {}}, network=network, optimizer=optimizer, budget={"steps": 200}))
    store, parts = posed(lab, kind, recipes)
    assert len({len(own.fit) for own in parts}) > 1, "some have more rows than others"
    made, others = together(recipes, store, parts), alone(recipes, store, parts)
    assert_equal(made, others, lab.rows(kind))


@pytest.mark.slow
def test_each_stops_when_it_would_alone_and_keeps_the_weights_it_would_keep(lab):
    for settings in ({"patience": 2}, {"patience": 2, "keep_best": False}, {"patience": 0}):
        techniques = {**USUAL, "scale_target": {}, "early_stopping": settings}
        recipes = seeded(lab.recipe("regress", techniques, budget={"steps": 120}))
        store, parts = posed(lab, "regress", recipes)
        made, others = together(recipes, store, parts), alone(recipes, store, parts)
        if settings["patience"]:
            assert len({told["steps"] for _, told in made}) > 1, "they stop at different steps"
        assert_equal(made, others, lab.rows("regress"))
        for (_, told), (_, its) in zip(made, others, strict=True):
            assert told["log"][-1]["step"] == its["steps"]


def test_rows_that_are_mixed_or_made_anew_are_each_model_s_own(lab):
    """The same rows and other seeds: what is drawn is drawn with each model's own."""
    recipes = seeded(lab.recipe("classify", {**USUAL, "resample": {}, "mixup": {}}, budget={"steps": 60}))
    store, parts = posed(lab, "classify", recipes)
    assert_equal(together(recipes, store, parts), alone(recipes, store, parts), lab.rows("classify"))


def test_full_batches_are_each_model_s_own(lab):
    optimizer = {"name": "sgd", "learning_rate": 0.02, "full_batch": True}
    recipes = seeded(lab.recipe("classify", USUAL, optimizer=optimizer, budget={"steps": 20}))
    store, parts = posed(lab, "classify", recipes)
    assert_equal(together(recipes, store, parts), alone(recipes, store, parts), lab.rows("classify"))


OF_TEXTS = {
    **{name: {} for name in ("fill_missing", "scale_numbers", "encode_categories", "drop_duplicates", "random_swap")},
    **{
        "tokenize": {"by": "words", "least": 18},
        "token_dropout": {"rate": 0.2},
        "random_deletion": {"rate": 0.2},
        "mixup": {},
    },
    **{"dropout": {"rate": 0.3}, "early_stopping": {"patience": 2}, "temperature": {}},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "network",
    [
        {"name": "textcnn", "width": 8, "channels": 8},
        {"name": "textcnn", "width": 8, "channels": 8, "members": 2},
        {"name": "bag", "width": 8, "buckets": 64},
        {"name": "mlp", "width": 16},
    ],
    ids=["textcnn", "members", "bag", "mlp"],
)
def test_models_of_texts_know_words_of_their_own(lab, network):
    optimizer = {"name": "adamw", "learning_rate": 2e-3}
    # few texts: some words are common enough for some models only, and batches are of different widths
    budget = {"steps": 30, "batch_size": 8, "validate_every": 10}
    recipes = seeded(lab.recipe("text", OF_TEXTS, network=network, optimizer=optimizer, budget=budget))
    store, parts = posed(lab, "text", recipes)
    few = [replace(own, fit=own.fit[:41], held=np.sort(np.concatenate([own.held, own.fit[41:]]))) for own in parts]
    made, others = together(recipes, store, few), alone(recipes, store, few)
    tables = [n for n in made[0][0].members[0].network.state_dict() if n.endswith(("table.weight", "vectors.weight"))]
    assert len({len(b.members[0].network.state_dict()[tables[0]]) for b, _ in made}) > 1, "other words in each"
    assert_equal(made, others, lab.rows("text"))


def test_token_edits_and_masks_are_drawn_for_rows_as_wide_as_they_are_alone(lab):
    recipes = seeded(lab.recipe("text", OF_TEXTS, budget={"batch_size": 8}))
    store, parts = posed(lab, "text", recipes)
    problem = side_by_side(recipes, store, parts, CPU, Watch(), [anew] * MODELS)
    batches = [problem.feed.next(None) for _ in range(problem.feed.steps_per_epoch)]
    assert any(len(set(batch.widths)) > 1 for batch in batches)
    for at, own in enumerate(parts):
        feed = recipes[at].task.problem(recipes[at], store, own, CPU).feed
        for batch in batches:
            alone_, count = feed.next(None), len(batch) // MODELS
            assert batch.widths[at] == alone_.inputs["tokens"].shape[1]
            rows = batch.inputs["tokens"][at * count : at * count + len(alone_)]
            assert torch.equal(rows[:, : batch.widths[at]], alone_.inputs["tokens"])
            assert not rows[:, batch.widths[at] :].any()


@pytest.mark.parametrize(
    ("network", "optimizer", "more"),
    [
        ({"name": "convnet", "channels": 8, "width": 8}, "sgd", {"cutmix": {}}),
        ({"name": "speednet", "width": 2, "depth": 1}, "muon", {"progressive_resizing": {}, "mixup": {}}),
        ({"name": "mlp", "width": 8}, "adamw", {}),
    ],
    ids=["convnet", "speednet", "mlp"],
)
def test_models_of_images_change_each_its_own(lab, network, optimizer, more):
    techniques = {name: {} for name in ("normalize", "flip", "translate", "rotate", "cutout", "dropout")}
    techniques["exclude_columns"] = {"columns": ["colour"]}  # of which one is rare
    recipe = lab.recipe(
        "image",
        {**techniques, "fill_missing": {}, "scale_numbers": {}, **more},
        network=network,
        optimizer={"name": optimizer, "learning_rate": 1e-3},
        budget={"steps": 10},
    )
    recipes = seeded(recipe)
    # norms of batches need as many rows of each
    store, parts = posed(lab, "image", recipes, same_rows=network["name"] == "speednet")
    assert_equal(together(recipes, store, parts), alone(recipes, store, parts), lab.rows("image"))


@pytest.mark.parametrize(
    ("techniques", "sections", "why"),
    [
        ({"sam": {}}, {}, "sam does not train several models side by side"),
        ({}, {"network": {"name": "mlp", "norm": "batch"}}, "norms of batches would see those that fill up"),
        ({}, {"budget": {"batch_size": 172}}, "they take more or fewer steps of 172 in an epoch"),
        ({}, {"budget": {"find_rate": True}}, "a learning rate of its own"),
    ],
)
def test_why_they_cannot_is_said(lab, techniques, sections, why):
    recipes = seeded(lab.recipe("classify", techniques, **sections))
    with pytest.raises(Apart, match=why):
        together(recipes, *posed(lab, "classify", recipes))


def test_recipes_that_differ_in_more_than_the_seed_are_refused(lab):
    recipes = seeded(lab.recipe("classify"))
    recipes[1] = replace(recipes[1], budget=replace(recipes[1].budget, steps=3))
    with pytest.raises(Apart, match="differ in more than the seed"):
        together(recipes, *posed(lab, "classify", recipes))


def test_one_that_diverges_is_left_to_those_who_train_it_alone(lab):
    recipes = seeded(lab.recipe("regress", optimizer={"name": "sgd", "learning_rate": 900.0}))
    with pytest.raises(Apart, match="one of them diverged"):
        together(recipes, *posed(lab, "regress", recipes))


def test_a_signal_ends_all_of_them(lab):
    recipes, watch = seeded(lab.recipe("classify")), Watch()
    watch.signal_number = 15
    store, parts = posed(lab, "classify", recipes)
    with pytest.raises(Interrupted):
        make_together(recipes, store, parts, CPU, watch, lambda run: None, [anew] * MODELS)


def test_the_same_call_gives_the_same_bits(lab):
    recipes = seeded(lab.recipe("classify", USUAL))
    first, second = (together(recipes, *posed(lab, "classify", recipes)) for _ in range(2))
    for (one, _), (other, _) in zip(first, second, strict=True):
        assert torch.equal(answered(one, lab.rows("classify")), answered(other, lab.rows("classify")))
