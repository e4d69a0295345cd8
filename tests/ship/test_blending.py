"""The share of each model is the one that held-out rows like best."""

import numpy as np
import pytest

from aurify.data.store import Asked
from aurify.measure.predictions import Predictions
from aurify.ship.blending import network_share


class Said:
    """A stand-in for a Bundle: it says what it is told to say."""

    def __init__(self, answers):
        self.answers = answers

    def predictions(self, asked):
        classes = None if self.answers.ndim == 1 else ("no", "yes")
        return Predictions(
            row=asked.rows,
            target=asked.target[asked.rows],
            prediction=self.answers if classes is None else self.answers.argmax(1),
            probabilities=None if classes is None else self.answers,
            classes=classes,
        )


def share(ours, theirs, target, weight=None):
    asked = Asked({}, target, np.arange(len(target)), {} if weight is None else {"weight": weight})
    return network_share(Said(ours), Said(theirs), asked)


def test_share_of_numbers_is_the_least_squares_one():
    random = np.random.default_rng(0)
    target = random.normal(size=400)
    ours, theirs = target + random.normal(size=400), target + 0.5 * random.normal(size=400)
    weight = random.exponential(size=400)
    for given in (None, weight):
        w = np.ones(400) if given is None else given
        exact = -(w * (ours - theirs) * (theirs - target)).sum() / (w * (ours - theirs) ** 2).sum()
        assert share(ours, theirs, target, given) == pytest.approx(exact, abs=1e-5)


def test_share_of_classes_has_the_least_log_loss_of_a_fine_grid():
    random = np.random.default_rng(1)
    truth = random.uniform(size=500)
    target = (random.uniform(size=500) < truth).astype(np.int64)
    chances = [np.clip(truth + noise * random.normal(size=500), 0.01, 0.99) for noise in (0.3, 0.2)]
    ours, theirs = (np.column_stack([1 - c, c]) for c in chances)
    grid = np.linspace(0, 1, 2001)
    at = np.arange(500), target
    losses = [-np.log(w * ours[at] + (1 - w) * theirs[at]).mean() for w in grid]
    assert share(ours, theirs, target) == pytest.approx(grid[np.argmin(losses)], abs=1e-3)


def test_worthless_model_has_next_to_no_share():
    target = np.linspace(0, 1, 50)
    assert share(target, 1 - target, target) > 0.9999
    assert share(1 - target, target, target) < 0.0001
    assert 0 <= share(target, target, target) <= 1
