"""A time limit becomes a number of steps once, may stop a run earlier, and is shared by all its sittings."""

import signal

import pytest
import torch
from small import Fitted, same

from aurify.core.errors import Interrupted
from aurify.core.watch import Watch
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper


class Clock(Watch):
    """A watch whose seconds pass when the test says so."""

    seconds = 0.0

    @property
    def spent(self):
        return self._spent + self.seconds


def fit(lab, recipe, folder, clock, seconds_at, stop_at=None):
    """Train; after each step the clock shows what ``seconds_at`` says."""
    problem, keeper = lab.problem(recipe), Keeper(folder, 1e9)

    def show(run):
        clock.seconds = seconds_at(run.step)
        if run.step == stop_at:
            clock.signal_number = signal.SIGTERM

    run = loop.fit(recipe, problem, torch.device("cpu"), keeper, clock, show)
    return Fitted(recipe, [], run, problem, (*problem.answer_layers, *loop.answers(run, lambda: problem.held(run))))


def test_steps_are_written_down_before_the_first_one(lab, folder):
    recipe, seen = lab.recipe("classify", budget={"steps": None, "epochs": 50}), []

    def look(step):
        seen.append(dict(folder.choices_made()))
        return 0.0

    fitted = fit(lab, recipe, folder, Clock(limit_seconds=0.2), look)
    assert seen[0]["steps"] == fitted.run.steps
    assert all(choices == seen[0] for choices in seen)
    assert 1 <= fitted.run.steps <= 50 * fitted.problem.feed.steps_per_epoch


@pytest.mark.parametrize("batch_size", [32, 4])
def test_ample_time_gives_the_very_run_without_a_limit(lab, folder, batch_size):
    """The probe that measures speed leaves no trace, whether it takes several epochs or a part of one."""
    techniques = {"dropout": {}, "mixup": {}, "weight_averaging": {}, "early_stopping": {"patience": 1}}
    recipe = lab.recipe("classify", techniques, budget={"batch_size": batch_size})
    timed = fit(lab, recipe, folder, Clock(limit_seconds=1e6), lambda step: 0.0)
    assert folder.choices_made() == {"steps": 12}
    assert same(timed.trace(), lab.fitted(recipe).trace())


def test_clock_stops_a_run_and_says_where(lab, folder):
    folder.choose("steps", 12)
    clock = Clock(limit_seconds=10.0)
    fitted = fit(lab, lab.recipe("classify", {"cosine": {}}), folder, clock, lambda step: 9.9 if step == 6 else 0.0)
    assert fitted.run.step == 6
    assert fitted.run.stopped == "time was up at step 6 of 12"
    assert [entry["step"] for entry in fitted.run.log] == [4, 6], "the weights that are kept are scored"


def test_resumed_run_has_the_remaining_time(lab, folder):
    folder.choose("steps", 12)
    recipe = lab.recipe("classify")
    with pytest.raises(Interrupted):
        fit(lab, recipe, folder, Clock(limit_seconds=10.0), lambda step: 3.0, stop_at=4)
    clock = Clock(limit_seconds=10.0)
    fitted = fit(lab, recipe, folder, clock, lambda step: 6.0 if step >= 7 else 0.0)
    assert clock.spent == 9.0
    assert fitted.run.step == 7
    assert fitted.run.stopped == "time was up at step 7 of 12"


def test_schedules_run_over_the_steps_that_time_allows(lab, folder):
    folder.choose("steps", 6)
    recipe = lab.recipe("classify", {"cosine": {"floor": 0.0}}, budget={"validate_every": 1, "steps": 1000})
    fitted = fit(lab, recipe, folder, Clock(limit_seconds=1e6), lambda step: 0.0)
    assert fitted.run.steps == fitted.run.step == 6
    assert fitted.run.log[-1]["rate"] < 0.1 * fitted.run.log[0]["rate"]


def test_choice_of_steps_is_replayed_when_resumed(lab, folder):
    recipe = lab.recipe("classify", budget={"steps": None, "epochs": 3})
    with pytest.raises(Interrupted):
        fit(lab, recipe, folder, Clock(limit_seconds=1e6), lambda step: 0.0, stop_at=5)
    chosen = folder.choices_made()["steps"]
    folder.choose("steps", chosen - 4)  # as if another machine had measured
    assert fit(lab, recipe, folder, Clock(limit_seconds=1e6), lambda step: 0.0).run.step == chosen - 4


def test_patience_that_ends_with_the_last_step_stopped_nothing(lab):
    """The second validation ends a patience of one; the run has two."""
    techniques = {"early_stopping": {"patience": 1, "least_gain": 1e9}}
    ended, stopped = (
        lab.fitted(lab.recipe("classify", techniques, budget={"steps": steps, "validate_every": 4})).run
        for steps in (8, 12)
    )
    assert (ended.step, ended.stopped) == (ended.steps, None)
    assert stopped.step < stopped.steps
    assert stopped.stopped == "no gain in 1 validations"
