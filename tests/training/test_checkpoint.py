"""Checkpoints: two are kept, a damaged one is passed over, and a foreign one is refused."""

import json

import pytest
import torch
from small import same

from aurify.core.archive import load, unpack
from aurify.core.errors import AurifyError, DivergedError, Interrupted
from aurify.core.watch import Watch
from aurify.core.words import say
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper


def stopped(lab, recipe, folder, *steps):
    for step in steps:
        with pytest.raises(Interrupted):
            lab.fit(recipe, folder, stop_at=step)


def saved(folder):
    return sorted(p.name for p in folder.checkpoints.iterdir())


def test_two_checkpoints_are_kept(lab, folder):
    stopped(lab, lab.recipe("classify"), folder, 2, 5, 7)
    assert saved(folder) == ["step-000000005.aurify", "step-000000007.aurify"]


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b[:40], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1])]
)
def test_damaged_checkpoint_is_passed_over_and_said(lab, folder, damage):
    recipe = lab.default("classify")
    stopped(lab, recipe, folder, 3, 7)
    newest = folder.checkpoints / "step-000000007.aurify"
    newest.write_bytes(damage(newest.read_bytes()))
    fitted = lab.fit(recipe, folder)
    assert [note for note in fitted.notes if "checkpoint before" in note and newest.name in note]
    assert same(fitted.trace(), lab.fitted(recipe).trace())


def test_run_begins_anew_when_every_checkpoint_is_damaged(lab, folder):
    recipe = lab.default("regress")
    stopped(lab, recipe, folder, 3, 7)
    for path in folder.checkpoints.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert same(lab.fit(recipe, folder).trace(), lab.fitted(recipe).trace())


def test_checkpoint_of_another_network_is_refused_in_one_line(lab, folder):
    stopped(lab, lab.recipe("classify"), folder, 3)
    wider = lab.recipe("classify", network={"name": "mlp", "width": 20, "depth": 2})
    with pytest.raises(AurifyError, match="does not fit this recipe") as caught:
        lab.fit(wider, folder)
    assert "\n" not in str(caught.value)


def test_progress_holds_every_validation_once_however_often_a_run_was_stopped(lab, folder):
    recipe = lab.recipe("classify", budget={"validate_every": 1})
    fitted = lab.fit_in_sittings(recipe, folder, [2, 3, 3, 8, 11])
    lines = [json.loads(line) for line in folder.progress.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert lines == fitted.run.log


def test_validations_after_the_last_checkpoint_are_forgotten_by_a_resumed_run(lab, folder):
    """As after a kill: the log went on, the checkpoint did not."""
    recipe = lab.recipe("classify", budget={"validate_every": 1})
    stopped(lab, recipe, folder, 4)
    folder.progress.write_text(folder.progress.read_text() + '{"step": 5}\n{"step": 6, "l')
    lab.fit(recipe, folder)
    lines = [json.loads(line) for line in folder.progress.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))


def test_weights_that_are_not_finite_are_never_saved(lab, folder):
    recipe = lab.recipe("classify")
    run = loop.begin(recipe, lab.problem(recipe), torch.device("cpu"), 12)
    next(run.model.parameters()).data[0] = float("nan")
    with pytest.raises(DivergedError, match="no longer finite"):
        Keeper(folder).save(run, loop.make_optimizer(run), Watch())
    assert not folder.checkpoints.exists()


def test_keeper_without_a_folder_keeps_choices_and_saves_nothing():
    keeper = Keeper(None)
    assert [keeper.chosen("steps", lambda: 5), keeper.chosen("steps", lambda: 6)] == [5, 5]
    assert not keeper.due()


def test_state_of_every_technique_is_in_the_checkpoint(lab, folder):
    recipe = lab.recipe("classify", {"weight_averaging": {}, "early_stopping": {"patience": 2}})
    stopped(lab, recipe, folder, 5)
    tree = unpack(*load(folder.checkpoints / "step-000000005.aurify", "checkpoint"))
    assert tree["techniques"]["weight_averaging"]["count"] == 5
    assert set(tree["techniques"]["early_stopping"]) == {"best", "waited", "weights", "kept"}
    assert tree["feed"]["step"] == 5


def test_why_a_run_ended_is_kept_in_every_language(lab, folder):
    settings = {"early_stopping": {"patience": 1, "least_gain": 1e9}}
    ended = lab.fit(lab.recipe("classify", settings), folder).run
    loop_again = lab.fit(lab.recipe("classify", settings), folder).run
    assert say(loop_again.stopped, "zh") == say(ended.stopped, "zh") != ended.stopped == "no gain in 1 validations"


def test_a_part_of_a_training_is_not_answered_by_a_greater_part(lab, folder):
    """Of two trials with one recipe the second may be asked for less: what it comes to is not what lies there."""
    recipe = lab.recipe("classify", {"dropout": {}}, budget={"epochs": 9, "steps": None})

    def trained(keeper, share):
        return loop.fit(recipe, lab.problem(recipe), torch.device("cpu"), keeper, Watch(), lambda run: None, share)

    alone, whole = trained(Keeper(None), 1 / 9), trained(Keeper(None), 1.0)
    assert trained(Keeper(folder), 1 / 3).step == 3 * alone.step
    less = trained(Keeper(folder), 1 / 9)
    assert less.step == alone.step
    assert same(less.model.state_dict(), alone.model.state_dict())
    assert same(trained(Keeper(folder), 1.0).model.state_dict(), whole.model.state_dict())
