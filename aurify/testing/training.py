"""Promises about training: repeatable, resumable after every step, saved and loaded whole, harmless to the recipe."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aurify.core.errors import listing
from aurify.core.folder import RunFolder
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.ship.bundle import Bundle
from aurify.testing.cases import Case, require
from aurify.testing.differences import first_difference
from aurify.testing.drawing import OWN_STREAM
from aurify.testing.lab import STEPS, parts_in
from aurify.testing.scratch import scratch_folder
from aurify.testing.tables import IMAGE
from aurify.training.checkpoint import Keeper

CLOSE = 1e-6
NOBODYS_SEED = 1_907_551_063
IN_STATE = (
    "keep what changes during a run in fields made with state(), which travel in checkpoints, or in the model or the"
    " optimizer, and nowhere else"
)


def same_recipe_gives_same_weights_and_predictions(case: Case) -> None:
    """The same recipe gives the same weights and predictions, and nobody's global generator is drawn from or seeded."""
    recipe = case.recipe()
    whole = case.lab.fitted(recipe).trace()
    with _global_generators_watched():
        again = case.lab.fit(recipe).trace()
    place = first_difference(whole, again)
    require(place is None, f"two runs of one recipe differ, first {place}; {OWN_STREAM}")


@contextmanager
def _global_generators_watched() -> Iterator[None]:
    """Raise Broken when a global generator moves meanwhile, from a state that no part's own seed would lead to."""
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 # put back below
    try:
        random.seed(NOBODYS_SEED)
        np.random.seed(NOBODYS_SEED)  # noqa: NPY002
        torch.manual_seed(NOBODYS_SEED)
        before = _global_generators()
        yield
        moved = first_difference(before, _global_generators(), "generators")
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
        torch.set_rng_state(kept[2])
    require(moved is None, f"training draws from or seeds a global generator, {moved}; {OWN_STREAM}")


def _global_generators() -> dict[str, Any]:
    of_numpy: Any = np.random.get_state()  # noqa: NPY002
    return {
        "random": random.getstate(),
        "numpy": [part.tolist() if isinstance(part, np.ndarray) else part for part in of_numpy],
        "torch": torch.get_rng_state(),
    }


def run_resumed_after_every_step_equals_the_unbroken_one(case: Case) -> None:
    """A run that is stopped and resumed after every step ends bit for bit as an unbroken one."""
    recipe = case.recipe()
    with scratch_folder() as folder:
        resumed = case.lab.fit_in_sittings(recipe, RunFolder(folder), range(STEPS)).trace()
    place = first_difference(case.lab.fitted(recipe).trace(), resumed)
    require(place is None, f"a resumed run ends otherwise, first {place}; {IN_STATE}")


def run_among_the_defaults_resumes_wherever_it_was_stopped(case: Case) -> None:
    """So does one among the techniques that a recipe starts with, wherever it was stopped."""
    settings = getattr(case.part, "vivid", {})
    recipe = case.lab.using(case.lab.default(case.kind), case.group, case.part, settings)
    whole = case.lab.fitted(recipe).trace()
    for first in (1, 3):
        stops = range(first, STEPS, 4)
        with scratch_folder() as folder:
            resumed = case.lab.fit_in_sittings(recipe, RunFolder(folder), stops).trace()
        place = first_difference(whole, resumed)
        said = f"a run resumed after steps {listing(stops)} ends otherwise, first {place}; {IN_STATE}"
        require(place is None, said)


def finished_run_fitted_again_stays_as_it_is(case: Case) -> None:
    """A finished run that is fitted again stays as it is."""
    recipe = case.recipe()
    with scratch_folder() as folder:
        run_folder = RunFolder(folder)
        case.lab.fit(recipe, keeper=_KeeperOfTheEnd(run_folder))
        again = case.lab.fit(recipe, run_folder).trace()
    place = first_difference(case.lab.fitted(recipe).trace(), again)
    require(place is None, f"a finished run changes when it is fitted again, first {place}; {IN_STATE}")


class _KeeperOfTheEnd(Keeper):
    """Saves a run after its last step."""

    def save_if_due(self, run: Run, optimizer: Any, watch: Watch) -> None:
        if run.step == run.steps or run.stopped is not None:
            self.save(run, optimizer, watch)


def fit_leaves_the_recipe_as_it_was(case: Case) -> None:
    """Training changes copies of the recipe's parts, never the recipe."""
    fitted = case.lab.fitted(case.recipe())
    place = first_difference(fitted.given, parts_in(fitted.recipe), "parts")
    same = place is None and fitted.recipe.to_yaml() == case.recipe().to_yaml()
    require(same, f"training changes the recipe it was given: {place}")


def part_survives_save_load_and_predict(case: Case) -> None:
    """A saved model is rebuilt from its file alone and predicts raw rows as before, to the last bit."""
    bundle = case.lab.bundle(case.lab.fitted(case.recipe()))
    with scratch_folder() as folder:
        rows: Any = case.lab.frame(case.kind)
        if case.kind != IMAGE:  # arrays of pixels are no cells
            rows.write_csv(folder / "rows.csv")
            rows = folder / "rows.csv"
        before = bundle.predict(rows)
        loaded = _saved_and_loaded(case, bundle, folder / "model.aurify")
        after = loaded.predict(rows)
    require(loaded.recipe == bundle.recipe, "the recipe of the loaded model is another one")
    one, other = (_weights(each) for each in (bundle, loaded))
    place = first_difference(one, other)
    require(place is None, f"the loaded network has other weights, first {place}")
    require(after.equals(before), f"the loaded model predicts otherwise; {REBUILT}")


REBUILT = (
    "a Layer is rebuilt as type(layer)(**layer.config, **layer.tensors()): annotate its fields, give them all to"
    " super().__init__ by name, and define it at the top of its file without a leading underscore; a network is"
    " rebuilt by build() and begin() and takes its state_dict()"
)


def _weights(bundle: Bundle) -> dict[str, Any]:
    network = bundle.members[0].network
    assert network is not None
    return dict(network.state_dict())


def _saved_and_loaded(case: Case, bundle: Bundle, path: Path) -> Bundle:
    try:
        bundle.save(path, case.lab.catalog)
        return Bundle.load(path, case.lab.catalog, bundle.device)
    except Exception as error:
        require(False, f"the model cannot be saved and loaded ({type(error).__name__}: {error}); {REBUILT}")
        raise


def bundle_predicts_raw_rows_as_training_saw_them(case: Case) -> None:
    """From raw rows a model predicts what it said of them, prepared, in training."""
    recipe = case.recipe()
    fitted = case.lab.fitted(recipe)
    task = case.lab.task(case.kind)
    held = task.part(recipe, case.lab.store(case.kind)).held
    answered = recipe.task.answers(fitted.held().double()).numpy()
    raw = case.lab.bundle(fitted).answer(case.lab.frame(case.kind)[held.tolist()]).predictions
    served = raw.prediction if raw.probabilities is None else raw.probabilities
    difference = abs(served - answered).max()
    require(
        bool(difference < CLOSE),
        f"predictions of raw rows differ by {difference:.2g} from those of training; forward() of a layer and of a"
        " network must depend on nothing but a row's own values",
    )
