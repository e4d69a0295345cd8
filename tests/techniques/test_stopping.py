"""Early stopping: patience, the least gain, the best weights, over however many sittings."""

import pytest
import torch
from small import same

from aurify.techniques.stopping import EarlyStopping
from aurify.training import fit as loop


def stopped_at(lab, scores, **settings):
    """Feed scores (higher is better) one by one; return after which one the run is stopped, and its weights then."""
    recipe = lab.recipe("regress")
    run = loop.begin(recipe, lab.problem(recipe), torch.device("cpu"), 100)
    technique = EarlyStopping(**settings)
    for at, score in enumerate(scores):
        with torch.no_grad():
            for weight in run.model.parameters():
                weight.fill_(at)
        technique.on_score(torch.tensor([score], dtype=torch.float64), run)
        if run.stopped is not None:
            break
    technique.finish(run)
    return at, float(next(run.model.parameters()).detach().mean()), run.stopped


@pytest.mark.parametrize(
    ("scores", "settings", "at", "kept"),
    [
        ([1, 2, 3, 4, 5], {"patience": 2}, 4, 4),
        ([1, 5, 4, 3, 9], {"patience": 2}, 3, 1),
        ([1, 5, 4, 6, 5, 5, 9], {"patience": 2}, 5, 3),
        ([1, 1, 1, 1], {"patience": 3}, 3, 0),
        ([1, 1.5, 2.5, 3, 4], {"patience": 2, "least_gain": 1.0}, 4, 4),
        ([1, 1.5, 1.9, 3], {"patience": 2, "least_gain": 1.0}, 2, 0),
        ([-3, -2, -4, -5], {"patience": 2}, 3, 1),
        ([9, 1, 2, 3], {"patience": 0}, 3, 0),
        ([9, 1, 2, 3], {"patience": 0, "keep_best": False}, 3, 3),
        ([9, 1, 2, 3], {"patience": 2, "keep_best": False}, 2, 2),
    ],
)
def test_run_stops_when_patience_is_over_and_keeps_the_best_weights(lab, scores, settings, at, kept):
    stopped, weight, reason = stopped_at(lab, scores, **settings)
    assert (stopped, weight) == (at, kept)
    assert reason in (None, f"no gain in {settings['patience']} validations")
    assert reason is not None or at == len(scores) - 1


def test_patience_is_counted_across_sittings(lab, folder):
    """A run that is stopped and resumed between validations gives up at the very same one."""
    settings = {"early_stopping": {"patience": 3, "least_gain": 1e9}}
    recipe = lab.recipe("classify", settings, budget={"validate_every": 2})
    whole = lab.fitted(recipe)
    assert whole.run.step == 8
    assert whole.run.stopped == "no gain in 3 validations"
    assert same(lab.fit_in_sittings(recipe, folder, [3, 5, 7]).trace(), whole.trace())


def test_best_weights_of_an_earlier_sitting_are_kept(lab, folder):
    recipe = lab.recipe(
        "classify", {"early_stopping": {"patience": 0, "least_gain": 1e9}}, budget={"validate_every": 2}
    )
    resumed = lab.fit_in_sittings(recipe, folder, [3, 6, 9])
    after_two = lab.fit(lab.recipe("classify", budget={"steps": 2}))
    assert same(resumed.weights(), after_two.weights())
