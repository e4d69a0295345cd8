"""Every technique, network and optimizer, on every task it fits: repeatable, resumable, harmless to the recipe."""

import copy

import pytest
from small import same, variants

from aurify.core.folder import RunFolder
from aurify.ship.bundle import Bundle
from aurify.training.checkpoint import Keeper


@pytest.fixture
def recipe(lab, group, part, kind, variant):
    """A bare recipe with only the part in question in it."""
    return lab.using(lab.recipe(kind), group, part, variants(part)[variant])


def test_same_recipe_gives_same_weights_and_predictions(lab, recipe, group, part, kind, variant):
    assert same(lab.fit(recipe).trace(), lab.fitted(recipe).trace())


def test_run_resumed_after_every_step_equals_the_unbroken_one(lab, recipe, folder, group, part, kind, variant):
    resumed = lab.fit_in_sittings(recipe, folder, range(recipe.budget.steps))
    assert same(resumed.trace(), lab.fitted(recipe).trace())


def test_run_among_the_defaults_resumes_wherever_it_was_stopped(lab, group, part, kind, tmp_path_factory):
    recipe = lab.using(lab.default(kind), group, part, variants(part).get("vivid", {}))
    whole = lab.fitted(recipe).trace()
    for stop in range(1, recipe.budget.steps, 2):
        folder = RunFolder(tmp_path_factory.mktemp("run"))
        assert same(lab.fit_in_sittings(recipe, folder, [stop]).trace(), whole), f"stopped at step {stop}"


def test_finished_run_fitted_again_stays_as_it_is(lab, recipe, folder, group, part, kind, variant):
    lab.fit(recipe, keeper=Keeper(folder, 0.0))  # a checkpoint after every step, the last one included
    again = lab.fit(recipe, keeper=Keeper(folder, 0.0))
    assert same(again.trace(), lab.fitted(recipe).trace())


def test_fit_leaves_the_recipe_as_it_was(lab, recipe, group, part, kind, variant):
    parts = (recipe.task, recipe.network, recipe.optimizer, *recipe.techniques)
    before, text = copy.deepcopy([vars(p) for p in parts]), recipe.to_yaml()
    lab.fit(recipe)
    assert same([vars(p) for p in parts], before)
    assert recipe.to_yaml() == text


def test_part_survives_save_load_and_predict(lab, recipe, tmp_path, csv_files, group, part, kind, variant):
    fitted = lab.fitted(recipe)
    bundle = lab.bundle(fitted)
    before = bundle.predict(csv_files[kind])
    bundle.save(tmp_path / "model.aurify", lab.catalog)
    loaded = Bundle.load(tmp_path / "model.aurify", lab.catalog, bundle.device)
    assert loaded.recipe == recipe
    assert loaded.predict(csv_files[kind]).equals(before)
    assert same(loaded.members[0].network.state_dict(), bundle.members[0].network.state_dict())


def test_bundle_predicts_raw_rows_as_training_saw_them(lab, recipe, frames, group, part, kind, variant):
    fitted = lab.fitted(recipe)
    store = lab.store(kind)
    held = recipe.task.part(recipe, store).held
    answered = recipe.task.answers(fitted.held().double()).numpy()
    raw = lab.bundle(fitted).answer(frames[kind][held.tolist()]).predictions
    served = raw.prediction if raw.probabilities is None else raw.probabilities
    assert abs(served - answered).max() < 1e-6
