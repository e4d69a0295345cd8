"""Proposals are a function of what is known: the same again, spread where nothing is, near the best where much is."""

import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from aurify.study.propose import SAMPLERS, SEEN, Known, _frozen, _seen, propose

SPACE = {
    "a": FloatDistribution(0.0, 1.0),
    "b": FloatDistribution(1e-4, 1.0, log=True),
    "n": IntDistribution(1, 64, log=True),
    "on": CategoricalDistribution((False, True)),
}


def loss(settings):
    return (settings["a"] - 0.7) ** 2 + (math.log10(settings["b"]) + 2) ** 2 / 10 + 0.2 * settings["on"]


def history(count, seed=0):
    known = []
    for number in range(count):
        settings = propose("random", SPACE, known, number, seed)
        known.append(Known(settings, (loss(settings),)))
    return known


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_is_proposed_again_and_something_else_for_another_trial(sampler):
    known = history(12)
    one = propose(sampler, SPACE, known, 12, 0)
    assert one == propose(sampler, SPACE, list(known), 12, 0)
    assert one != propose(sampler, SPACE, known, 13, 0)
    assert one != propose(sampler, SPACE, known, 12, 1)
    assert set(one) == set(SPACE)
    assert 0 <= one["a"] <= 1
    assert isinstance(one["n"], int)
    assert isinstance(one["on"], bool)


@pytest.mark.parametrize("sampler", ["tpe", "bayes"])
def test_a_model_of_the_scores_finds_where_they_are_good(sampler):
    known = history(30)
    ours = [loss(propose(sampler, SPACE, known, 30, seed)) for seed in range(6)]
    chance = [loss(propose("random", SPACE, known, 30, seed)) for seed in range(60)]
    assert np.mean(ours) < np.mean(chance) / 2


@pytest.mark.parametrize("sampler", ["tpe", "bayes"])
def test_open_failed_and_pruned_trials_are_understood(sampler):
    known = history(10)
    known += [Known(known[0].settings, None), Known(known[1].settings, (0.2,), share=1 / 3)]
    assert set(propose(sampler, SPACE, known, 12, 0)) == set(SPACE)
    assert set(propose(sampler, SPACE, [Known(known[0].settings, None)], 1, 0)) == set(SPACE)


def test_a_failure_and_an_open_trial_count_as_bad_as_the_worst():
    known = [Known({"a": 0.1}, (0.5,)), Known({"a": 0.9}, (0.2,)), Known({"a": 0.4}, None)]
    frozen = [_frozen(one, SPACE, (0.5,)) for one in known]
    assert [one.value for one in frozen] == [0.5, 0.2, 0.5]
    pruned = _frozen(Known({"a": 0.4}, (0.3,), share=0.5), SPACE, (0.5,))
    assert (pruned.value, pruned.intermediate_values) == (None, {500: 0.3})


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize("sampler", ["tpe", "bayes"])
def test_known_trials_are_not_copied_which_changes_no_proposal(sampler, objectives, monkeypatch):
    known = [replace(one, values=one.values * objectives) for one in history(12)]
    known[3:5] = replace(known[3], values=None), replace(known[4], share=1 / 3)
    uncopied = _frozen(known[0], SPACE, known[0].values)
    assert deepcopy(uncopied) is uncopied
    ours = propose(sampler, SPACE, known, 12, 0)
    monkeypatch.setattr("aurify.study.propose._uncopied", lambda: FrozenTrial)
    copied = _frozen(known[0], SPACE, known[0].values)
    assert deepcopy(copied) is not copied
    assert propose(sampler, SPACE, known, 12, 0) == ours


def test_of_very_many_trials_the_best_and_the_latest_are_looked_at():
    known = history(SEEN + 50)
    best = Known({"a": 0.7, "b": 0.01, "n": 8, "on": False}, (-1.0,))
    seen = _seen([best, *known])
    assert len(seen) == SEEN
    assert seen[0] is best
    assert list(seen[-SEEN // 2 :]) == known[-SEEN // 2 :]


def test_several_objectives_are_weighed():
    known = [Known(k.settings, (*(k.values or ()), k.settings["a"])) for k in history(15)]
    assert set(propose("tpe", SPACE, known, 15, 0)) == set(SPACE)


def test_what_optuna_logs_stays_as_the_caller_set_it():
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.DEBUG)
    try:
        propose("random", {"x": optuna.distributions.FloatDistribution(0, 1)}, [], 0, 0)
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    finally:
        optuna.logging.set_verbosity(before)
