"""Greedy selection: never worse than the best alone on what it is chosen by, and only what helps is in it."""

from dataclasses import replace

import numpy as np
import pytest

from aurify.measure.intervals import row_weights
from aurify.measure.metrics import EVERY, evaluator
from aurify.measure.predictions import Predictions
from aurify.study import ensemble


def answers(kind, noise, seed, folds=3, rows=300):
    """Answers of a model whose errors are its own, a fold each."""
    found = []
    for fold in range(folds):
        truth = np.random.default_rng(fold).normal(size=rows)
        seen = truth + noise * np.random.default_rng([seed, fold]).normal(size=rows)
        about = {"row": np.arange(rows) + fold * rows, "seed": 0}
        if kind == "regress":
            one = Predictions(**about, target=truth, prediction=seen, probabilities=None, classes=None)
        else:
            chance = 1 / (1 + np.exp(-2 * seen))
            both = np.stack([1 - chance, chance], 1)
            target = (truth > 0).astype(np.int64)
            one = Predictions(
                **about, target=target, prediction=both.argmax(1), probabilities=both, classes=("no", "yes")
            )
        found.append(one)
    return found


def score(folds, metric):
    return np.mean([evaluator([metric], one)(row_weights(one)[None])[0, 0] for one in folds])


def nothing():
    pass


@pytest.mark.parametrize(("kind", "name"), [("classify", "roc_auc"), ("classify", "log_loss"), ("regress", "rmse")])
def test_models_with_errors_of_their_own_are_better_together(kind, name):
    candidates, metric = [answers(kind, 1.0, seed) for seed in range(4)], EVERY[name]
    sign = 1 if metric.greater_is_better else -1
    candidates.sort(key=lambda folds: -sign * score(folds, metric))
    weights = ensemble.select(candidates, metric, nothing)
    together = ensemble.mean([candidates[at] for at in weights], list(weights.values()))
    assert sum(weights.values()) == pytest.approx(1)
    assert len(weights) > 2
    assert sign * score(together, metric) > sign * score(candidates[0], metric)


def test_a_model_that_adds_nothing_is_left_out():
    good, bad = answers("regress", 0.1, 1), answers("regress", 5.0, 2)
    assert ensemble.select([good, bad, good], EVERY["rmse"], nothing) == {0: 1.0}


def test_an_undefined_score_is_the_worst():
    one = [replace(folds, target=np.zeros(len(folds), dtype=np.int64)) for folds in answers("classify", 1.0, 1)]
    assert ensemble.select([one, one], EVERY["roc_auc"], nothing) == {0: 1.0}


def test_many_rows_are_thinned_out(monkeypatch):
    monkeypatch.setattr(ensemble, "MOST_ROWS", 50)
    candidates = [answers("classify", 1.0, seed) for seed in range(3)]
    weights = ensemble.select(candidates, EVERY["roc_auc"], nothing)
    assert ensemble.mean([candidates[at] for at in weights], list(weights.values()))[0].row.shape == (300,)


def test_who_waits_may_stop_it():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensemble.select([answers("regress", 1.0, seed) for seed in range(3)], EVERY["rmse"], stop)
