"""Intervals cover what they promise, differences are paired, and the same seed gives the same numbers."""

from dataclasses import replace

import numpy as np
import pytest

from aurify.measure.intervals import (
    Difference,
    bootstrap_weights,
    differences,
    draws_within_limits,
    score_table,
    scores,
)
from aurify.measure.metrics import metrics_for
from aurify.measure.predictions import Predictions


def regressed(error):
    target = np.sin(np.arange(len(error)))
    return Predictions(
        row=np.arange(len(error)), target=target, prediction=target + error, probabilities=None, classes=None
    )


def classified(target, chance):
    """Two classes; ``chance`` (n,) of the second."""
    return Predictions(
        row=np.arange(len(target)),
        target=np.asarray(target, dtype=np.int64),
        prediction=(chance > 0.5).astype(np.int64),
        probabilities=np.column_stack([1 - chance, chance]),
        classes=("no", "yes"),
    )


def guesses(seed, signal, count=400):
    target = np.random.default_rng(0).integers(0, 2, count)
    noise = np.random.default_rng(seed).normal(size=count)
    return classified(target, 1 / (1 + np.exp(-(signal * (2 * target - 1) + noise))))


@pytest.mark.slow
def test_the_interval_covers_the_true_value_as_often_as_it_says():
    # 95% +- 4 standard errors (sqrt(.95 * .05 / 500) = 1%), and a point for the percentile interval at n = 200
    random = np.random.default_rng(5)
    covered = 0
    for trial in range(500):
        score = scores(regressed(random.exponential(size=200)), draws=300, seed=trial)["mae"]
        covered += score.low <= 1.0 <= score.high
    assert 0.90 <= covered / 500 <= 0.99


def test_the_paired_interval_covers_the_true_difference_as_often_as_it_says():
    random = np.random.default_rng(6)
    covered, widths = 0, []
    for trial in range(300):
        shared = random.exponential(size=200)
        # errors that mostly agree: pairing is what makes the interval narrow
        ours, theirs = regressed(shared), regressed(shared + 0.1 * random.exponential(size=200))
        found = differences(ours, theirs, draws=300, seed=trial)["mae"]
        covered += found.low <= -0.1 <= found.high
        widths.append(found.high - found.low)
    assert 0.90 <= covered / 300 <= 0.99
    alone = scores(regressed(random.exponential(size=200)), draws=300)["mae"]
    assert np.mean(widths) < 0.3 * (alone.high - alone.low)


def test_the_spread_of_resampled_accuracy_is_the_binomial_one():
    target = np.arange(500) % 2
    hit = np.random.default_rng(0).random(500) < 0.8
    predictions = classified(target, np.where(hit, target, 1 - target).astype(np.float64))
    accuracy = next(metric for metric in metrics_for(predictions) if metric.name == "accuracy")
    drawn = np.concatenate([accuracy(predictions, weights) for weights in bootstrap_weights(500, 4000, 1)])
    expected = np.sqrt(hit.mean() * (1 - hit.mean()) / 500)
    # the standard deviation of 4,000 draws is known to 1.1%
    assert drawn.std() == pytest.approx(expected, rel=0.05)
    assert drawn.mean() == pytest.approx(hit.mean(), abs=4 * expected / np.sqrt(4000))


def test_resamples_hold_as_many_rows_as_there_are_and_start_the_same_when_there_are_more():
    few = np.concatenate(list(bootstrap_weights(1000, 300, 3)))
    many = np.concatenate(list(bootstrap_weights(1000, 700, 3)))
    assert few.shape == (300, 1000)
    assert few.dtype == np.float64
    assert (few.sum(axis=1) == 1000).all()
    np.testing.assert_array_equal(few, many[:300])
    assert not np.array_equal(few, np.concatenate(list(bootstrap_weights(1000, 300, 4))))


def test_clusters_are_drawn_whole():
    clusters = np.array([7, 7, 7, 2, 2, 9])
    weights = np.concatenate(list(bootstrap_weights(6, 500, 0, clusters)))
    assert (weights[:, :3] == weights[:, [0]]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, [0, 3, 5]].sum(axis=1) == 3).all()


def test_rows_that_come_in_clusters_make_the_interval_wider():
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 10)
    predictions = regressed(random.exponential(size=40)[clusters])
    apart, together = scores(predictions)["mae"], scores(predictions, clusters=clusters)["mae"]
    assert apart.value == together.value
    # identical rows in each cluster: sqrt(10) times as wide
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(np.sqrt(10), rel=0.15)


def test_identical_predictions_differ_by_exactly_nothing():
    ours = guesses(1, 1.0)
    for found in differences(ours, replace(ours, seed=5)).values():
        assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
        assert found.verdict == "no measurable difference"


def test_a_better_model_is_called_better_in_every_metric_whichever_way_it_counts():
    strong, weak = guesses(1, 3.0), guesses(2, 0.3)
    forth, back = differences(strong, weak), differences(weak, strong)
    # neither is calibrated, so that metric alone has no winner
    assert {found.verdict for name, found in forth.items() if name != "calibration_error"} == {"better"}
    assert {found.verdict for name, found in back.items() if name != "calibration_error"} == {"worse"}


def test_the_verdict_follows_the_interval_and_its_direction():
    assert Difference("mae", 1.0, 0.5, 1.5, greater_is_better=False).verdict == "worse"
    assert Difference("mae", -1.0, -1.5, -0.5, greater_is_better=False).verdict == "better"
    assert Difference("mae", 1.0, 0.0, 1.5, greater_is_better=False).verdict == "no measurable difference"
    nan = float("nan")
    assert Difference("r2", 1.0, nan, nan, greater_is_better=True).verdict == "no measurable difference"


def test_the_table_equals_scores_and_differences_taken_one_by_one():
    sets = {
        "network": guesses(1, 1.0),
        "linear": guesses(2, 1.1),
        "majority": classified(guesses(1, 1.0).target, np.full(400, 0.4)),
    }
    table = score_table(sets, reference="network", seed=4)
    assert (table.rows, table.draws) == (400, 1000)
    assert set(table.differences) == {"linear", "majority"}
    for name, predictions in sets.items():
        assert table.scores[name] == scores(predictions, seed=4)
    assert table.differences["linear"] == differences(sets["network"], sets["linear"], seed=4)
    area = table.differences["majority"]["roc_auc"]
    assert area.value == table.scores["network"]["roc_auc"].value - 0.5


def test_sets_without_probabilities_are_compared_in_what_both_have():
    bare = replace(guesses(2, 1.0), probabilities=None)
    found = differences(guesses(1, 1.0), bare)
    assert "accuracy" in found
    assert "log_loss" not in found


def test_other_rows_or_another_order_are_refused():
    ours = guesses(1, 1.0)
    with pytest.raises(AssertionError, match="same rows"):
        differences(ours, ours.take(np.arange(400)[::-1]))


def test_the_same_seed_gives_the_same_interval_and_another_does_not():
    predictions = guesses(1, 1.0)
    assert scores(predictions, seed=1) == scores(predictions, seed=1)
    assert scores(predictions, seed=1)["log_loss"].low != scores(predictions, seed=2)["log_loss"].low


def test_an_interval_is_unknown_when_most_resamples_lack_a_class():
    # a single positive is in 63% of resamples, a single cluster of them among two in 75%, among many classes fewer
    target = np.zeros(50, np.int64)
    chance = np.linspace(0.1, 0.9, 50)
    one = target.copy()
    one[10] = 1
    score = scores(classified(one, chance))["roc_auc"]
    assert np.isfinite([score.value, score.low, score.high]).all()
    four = Predictions(
        row=np.arange(50),
        target=np.append(np.arange(4), np.zeros(46, np.int64)),
        prediction=target,
        probabilities=np.full((50, 4), 0.25),
        classes=("a", "b", "c", "d"),
    )
    found = scores(four)
    assert np.isfinite(found["balanced_accuracy"].value)
    assert np.isnan([found["balanced_accuracy"].low, found["balanced_accuracy"].high]).all()
    assert np.isfinite([found["accuracy"].low, found["accuracy"].high]).all()
    none = scores(classified(target, chance))["roc_auc"]
    assert np.isnan([none.value, none.low, none.high]).all()


@pytest.mark.parametrize("clusters", [None, np.zeros(30, np.int64)])
def test_a_single_unit_says_nothing_about_how_sure_a_score_is(clusters):
    predictions = regressed(np.ones(1 if clusters is None else 30))
    score = scores(predictions, clusters=clusters)["mae"]
    assert score.value == 1.0
    assert np.isnan([score.low, score.high]).all()


def test_draws_are_lowered_for_many_rows_but_never_below_what_an_interval_needs():
    assert draws_within_limits(1000, 1_409, 2) == 1000
    assert draws_within_limits(1000, 100_000, 2) == 500
    assert draws_within_limits(1000, 10_000_000, 2) == 200
    assert draws_within_limits(1000, 10_000, 100) == 500
    assert draws_within_limits(50, 10_000_000, 2) == 50
    big = regressed(np.random.default_rng(0).normal(size=120_000))
    assert score_table({"ours": big}, reference="ours").draws == 416


def test_measuring_can_be_interrupted():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_table({"ours": guesses(1, 1.0)}, reference="ours", check=stop)


def test_the_interval_of_the_calibration_error_holds_its_value_although_resampling_biases_it():
    random = np.random.default_rng(7)
    for seed in range(20):
        chance = random.uniform(size=400)
        target = (random.uniform(size=400) < chance).astype(np.int64)
        found = scores(
            Predictions(
                row=np.arange(400),
                target=target,
                prediction=(chance > 0.5).astype(np.int64),
                probabilities=np.stack([1 - chance, chance], 1),
                classes=("no", "yes"),
            ),
            draws=200,
            seed=seed,
        )["calibration_error"]
        assert found.low <= found.value <= found.high
