"""The learning-rate finder: a workable rate from any start, written down first, no trace, replayed when resumed."""

import json
import math
import signal

import pytest
import torch
from small import same

from aurify import workbench
from aurify.core.errors import Interrupted
from aurify.core.folder import RunFolder
from aurify.core.watch import Watch
from aurify.training import find_rate as finder
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper
from aurify.training.find_rate import LEAST, MOST, RANGE_STEPS, choose

RATES = [LEAST * (MOST / LEAST) ** (at / (RANGE_STEPS - 1)) for at in range(RANGE_STEPS)]
FINDING = {"budget": {"find_rate": True}}
TECHNIQUES = {
    "dropout": {},
    "mixup": {},
    "weight_averaging": {},
    "early_stopping": {"patience": 1},
    "reduce_on_plateau": {"patience": 1},
}


def prepared(kind):
    techniques = {"fill_missing": {}, "scale_numbers": {}, "encode_categories": {}}
    return {**techniques, "scale_target": {}} if kind == "regress" else techniques


@pytest.mark.parametrize("wrong", [1e-3, 1e3])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "muon"])
@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_it_mends_a_rate_that_is_a_thousand_times_wrong(lab, folder, kind, optimizer, wrong):
    """Training with it comes near the best of a grid of rates; with the wrong one it does not."""
    budget = {"steps": 60, "validate_every": 60}
    own = lab.catalog.part("optimizer", optimizer).learning_rate

    def score(rate, **more):
        settings = {"name": optimizer, "learning_rate": rate}
        recipe = lab.recipe(kind, prepared(kind), optimizer=settings, budget={**budget, **more})
        try:
            return lab.fit(recipe, folder if more else None).run.best
        except loop.DivergedError:
            return -math.inf

    grid = [score(own * factor) for factor in (0.1, 1.0, 10.0)]
    untrained = score(own * 1e-6)
    found = score(own * wrong, find_rate=True)
    assert found > untrained + 0.6 * (max(grid) - untrained)
    assert score(own * wrong) < untrained + 0.3 * (max(grid) - untrained)
    assert own / 30 < folder.choices_made()["learning_rate"] < own * 30


@pytest.mark.parametrize("batch_size", [32, 4])
def test_it_leaves_no_trace_but_the_rate(lab, folder, batch_size):
    """A run that found its rate is the run that was given it: feed, techniques and draws begin where they would."""
    recipe = lab.recipe("classify", TECHNIQUES, budget={"find_rate": True, "batch_size": batch_size})
    found = lab.fit(recipe, folder)
    rate = folder.choices_made()["learning_rate"]
    assert rate != recipe.optimizer.learning_rate
    assert found.run.recipe.optimizer.learning_rate == rate
    assert any(f"learning rate found: {rate:.3g} (the recipe says 0.01)" in note for note in found.notes)
    given = lab.recipe(
        "classify", TECHNIQUES, optimizer={"name": "adamw", "learning_rate": rate}, budget={"batch_size": batch_size}
    )
    assert same(found.trace(), lab.fit(given).trace())


def test_rate_is_on_disk_before_the_first_step_and_replayed_when_resumed(lab, tmp_path):
    recipe = lab.recipe("classify", {**TECHNIQUES, "warm_up": {}}, **FINDING)
    folders = [RunFolder(tmp_path / name) for name in ("whole", "sittings")]
    for folder in folders:
        folder.path.mkdir()
    whole = lab.fit(recipe, folders[0])
    with pytest.raises(Interrupted):
        lab.fit(recipe, folders[1], stop_at=1)
    assert folders[1].choices_made() == folders[0].choices_made()
    assert same(lab.fit_in_sittings(recipe, folders[1], [4, 7]).trace(), whole.trace())
    folders[1].choose("learning_rate", 0.5)  # as if something else had been measured
    for path in folders[1].checkpoints.glob("*"):
        path.unlink()
    assert lab.fit(recipe, folders[1]).run.log[-1]["rate"] == 0.5


def test_time_is_shared_out_after_the_rate_is_found(lab, folder):
    """The probe of --time trains with the found rate: one that explodes would end it."""
    settings = {"name": "adamw", "learning_rate": 900.0}
    recipe = lab.recipe("regress", optimizer=settings, budget={"find_rate": True, "steps": 40})
    fitted = lab.fit(recipe, folder, watch=Watch(limit_seconds=1e6))
    assert list(folder.choices_made()) == ["learning_rate", "steps"]
    assert fitted.run.step == folder.choices_made()["steps"] == 40


def test_without_time_for_it_the_recipes_own_rate_stays(lab, folder):
    class Slow(Watch):
        ticks = 0

        @property
        def spent(self):
            self.ticks += 1
            return self.ticks * 1.0

    fitted = lab.fit(lab.recipe("classify", **FINDING), folder, watch=Slow(limit_seconds=200))
    assert folder.choices_made()["learning_rate"] == 0.01
    assert any("the recipe's own 0.01 stays" in note for note in fitted.notes)


def test_signal_while_finding_leaves_nothing_half_done(lab, folder):
    recipe, watch = lab.recipe("classify", **FINDING), Watch()
    watch.signal_number = signal.SIGTERM
    with pytest.raises(Interrupted):
        lab.fit(recipe, folder, watch=watch)
    assert folder.choices_made() == {}
    assert same(lab.fit(recipe, folder).trace(), lab.fit(recipe).trace())


def test_rate_stays_within_what_the_optimizer_allows(lab, folder, monkeypatch):
    narrow = lab.catalog.find("optimizer", "adamw")
    seen = []
    monkeypatch.setattr(finder, "choose", lambda rates, losses: seen.append(rates))
    lab.fit(lab.recipe("classify", **FINDING))
    assert (seen[0][0], seen[0][-1]) == (pytest.approx(LEAST), pytest.approx(MOST))
    knobs = narrow.knobs()
    tight = type(knobs["learning_rate"])("rate", 1e-3, 1e-2)
    monkeypatch.setattr(narrow, "knobs", classmethod(lambda cls: {**knobs, "learning_rate": tight}))
    lab.fit(lab.recipe("classify", **FINDING))
    assert (seen[1][0], seen[1][-1]) == (pytest.approx(1e-3), pytest.approx(1e-2))


def curve(lowest, *, noise=0.02, explodes=True):
    """A loss that falls around a rate and then rises, and is noise before."""
    random = torch.Generator().manual_seed(1)
    losses = []
    for rate in RATES:
        fallen = 0.6 / (1 + (lowest / 3 / rate) ** 2)
        risen = (rate / lowest / 3) ** 4 if explodes else 0.0
        losses.append(1 - fallen + risen + noise * float(torch.randn((), generator=random)))
        if losses[-1] > 2:
            break
    return losses


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("lowest", [1e-3, 1e-2, 0.1])
def test_choice_is_a_tenth_of_the_rate_of_the_lowest_loss(lowest, noise):
    assert lowest / 60 < choose(RATES, curve(lowest, noise=noise)) < lowest / 2


def test_nothing_is_chosen_where_nothing_is_learnt():
    random = torch.Generator().manual_seed(2)
    assert choose(RATES, (1 + 0.1 * torch.randn(RANGE_STEPS, generator=random)).tolist()[:100] + [3.0] * 20) is None
    assert choose(RATES, [1.0] * RANGE_STEPS) is None
    assert choose(RATES, [1.0] * 10) is None
    assert choose(RATES, []) is None


@pytest.mark.slow
def test_command_line_finds_a_rate_and_records_it(csv_files, tmp_path, words):
    run = tmp_path / "run"
    small = ("--set", "budget.steps=8", "--set", "optimizer.learning_rate=1e-6")
    said = words("fit", csv_files["classify"], "--target", "y", "--find-rate", *small, "--out", run)
    rate = json.loads((run / "choices.json").read_text())["learning_rate"]
    assert rate > 1e-5
    assert f"learning rate found: {rate:.3g} (the recipe says 1e-06)" in said.err
    assert json.loads((run / "training.json").read_text())["learning_rate"] == rate
    recipe = workbench.load(run).recipe
    assert (recipe.budget.find_rate, recipe.optimizer.learning_rate) == (True, 1e-6), "the recipe is what was asked"
    assert Keeper(RunFolder(run)).chosen("learning_rate", lambda: None) == rate
