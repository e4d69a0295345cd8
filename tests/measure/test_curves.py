"""Curves are scikit-learn's at their grid, their bands cover what they promise, and a row of weight w is w rows."""

import json
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from sklearn import metrics

from aurify.measure import curves
from aurify.measure.intervals import scores
from aurify.measure.predictions import Predictions
from aurify.measure.residuals import residuals

ONE_AGAINST_REST = (partial(curves.roc, of=1), partial(curves.precision_recall, of=1), curves.thresholds)
EVERY = (*ONE_AGAINST_REST, curves.calibration, curves.confusion)


def classified(count=300, classes=2, seed=0, digits=2, weighed=False, signal=1.0):
    """Probabilities rounded to ``digits``, so that there are ties."""
    random = np.random.default_rng(seed)
    target = random.integers(0, classes, count)
    logits = random.normal(size=(count, classes)) + signal * np.eye(classes)[target]
    chances = np.round(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), digits)
    chances[:, 0] = (1 - chances[:, 1:].sum(1)).clip(0, 1)
    return Predictions(
        row=np.arange(count),
        target=target,
        prediction=chances.argmax(1),
        probabilities=chances,
        classes=tuple(f"class {code}" for code in range(classes)),
        weight=random.integers(0, 4, count).astype(float) if weighed else None,
    )


def regressed(count=400, seed=0, weighed=False):
    random = np.random.default_rng(seed)
    prediction = random.normal(size=count)
    return Predictions(
        row=np.arange(count) + 7,
        target=prediction + np.abs(prediction) * random.normal(size=count),
        prediction=prediction,
        probabilities=None,
        classes=None,
        weight=random.integers(0, 4, count).astype(float) if weighed else None,
    )


def without_bands(found):
    """All but the ends of intervals, and the raw rows."""
    if isinstance(found, dict):
        return {k: without_bands(v) for k, v in found.items() if k not in ("low", "high", "rows")}
    return [without_bands(v) for v in found] if isinstance(found, list) else found


def repeated(weighed):
    rows = weighed.take(np.repeat(np.arange(len(weighed)), weighed.weight.astype(int)))
    return replace(rows, weight=None)


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("of", [0, 1, 2])
def test_roc_is_scikit_learns_at_the_grid_with_ties_and_weights(of, weighed):
    predictions = classified(classes=3, weighed=weighed)
    found = curves.roc(predictions, of, draws=200)
    truth, score = predictions.target == of, predictions.probabilities[:, of]
    x, y, _ = metrics.roc_curve(truth, score, sample_weight=predictions.weight)
    np.testing.assert_allclose(found["y"], np.interp(curves.FALSE_POSITIVE_RATES, x, y), rtol=1e-5)
    area = metrics.roc_auc_score(truth, score, sample_weight=predictions.weight)
    assert found["area"]["value"] == pytest.approx(area, rel=1e-5)
    assert all(low <= y <= high for low, y, high in zip(found["low"], found["y"], found["high"], strict=True))


@pytest.mark.parametrize("weighed", [False, True])
def test_precision_at_a_recall_is_that_of_scikit_learns_highest_threshold_reaching_it(weighed):
    predictions = classified(weighed=weighed)
    found = curves.precision_recall(predictions, 1, draws=200)
    truth, score = predictions.target == 1, predictions.probabilities[:, 1]
    precision, recall, _ = metrics.precision_recall_curve(truth, score, sample_weight=predictions.weight)
    # scikit-learn's recalls fall with the thresholds: the last that still reaches it
    expected = [precision[np.flatnonzero(recall >= wanted - 1e-12)[-1]] for wanted in found["x"]]
    np.testing.assert_allclose(found["y"], expected, rtol=1e-5)
    average = metrics.average_precision_score(truth, score, sample_weight=predictions.weight)
    assert found["area"]["value"] == pytest.approx(average, rel=1e-5)
    assert found["base"] == pytest.approx(np.average(truth, weights=predictions.weight), rel=1e-5)


def test_areas_have_the_intervals_of_the_scores():
    predictions, clusters = classified(weighed=True), np.arange(300) // 5
    told = scores(predictions, draws=300, seed=3, clusters=clusters)
    for name, curve in (("roc_auc", curves.roc), ("average_precision", curves.precision_recall)):
        area = curve(predictions, 1, draws=300, seed=3, clusters=clusters)["area"]
        assert area == pytest.approx({k: getattr(told[name], k) for k in ("value", "low", "high")}, rel=1e-5)


def test_thresholds_are_what_deciding_at_each_gives():
    predictions = classified(weighed=True)
    weight, target = predictions.weight, predictions.target
    for row in curves.thresholds(predictions, draws=200):
        called = predictions.probabilities[:, 1] >= row["threshold"]
        assert row["flagged"]["value"] == pytest.approx(np.average(called, weights=weight), rel=1e-5)
        recall = metrics.recall_score(target, called, sample_weight=weight)
        assert row["recall"]["value"] == pytest.approx(recall, rel=1e-5)
        if called.any():
            precision = metrics.precision_score(target, called, sample_weight=weight)
            assert row["precision"]["value"] == pytest.approx(precision, rel=1e-5)
        else:
            assert row["precision"]["value"] is None


@pytest.mark.parametrize("classes", [2, 3])
def test_calibration_bins_are_of_about_equal_weight_and_hold_what_they_say(classes):
    predictions = classified(3000, classes, digits=8, weighed=True)
    found = curves.calibration(predictions, draws=200)
    bins, weight = found["bins"], predictions.weight
    assert len(bins) == 10
    assert sum(row["rows"] for row in bins) == 3000
    assert all(row["weight"] == pytest.approx(weight.sum() / 10, abs=4) for row in bins)
    assert found["of"] == ("class 1" if classes == 2 else None)
    told = predictions.probabilities[:, 1] if classes == 2 else predictions.probabilities.max(1)
    true = predictions.target == (1 if classes == 2 else predictions.prediction)
    for name, values in (("predicted", told), ("observed", true)):
        each = [row[name] if name == "predicted" else row[name]["value"] for row in bins]
        total = np.average(each, weights=[row["weight"] for row in bins])
        assert total == pytest.approx(np.average(values, weights=weight), rel=1e-4)
    assert all(row["predicted"] < other["predicted"] for row, other in pairwise(bins))


def test_rows_of_one_probability_share_a_bin():
    predictions = classified(digits=1)
    bins = curves.calibration(predictions, draws=200)["bins"]
    told, counts = np.unique(predictions.probabilities[:, 1], return_counts=True)
    assert len(bins) <= len(told)
    assert sum(row["rows"] for row in bins) == counts.sum()
    assert all(row["rows"] in {counts[a:b].sum() for a in range(len(told)) for b in range(a, 12)} for row in bins)


def test_a_share_of_nothing_is_not_certain():
    chance = np.repeat([0.01, 0.6], 50)
    predictions = Predictions(
        row=np.arange(100),
        target=np.where(chance > 0.5, np.arange(100) % 2, 0),
        prediction=(chance > 0.5).astype(np.int64),
        probabilities=np.column_stack([1 - chance, chance]),
        classes=("no", "yes"),
    )
    first = curves.calibration(predictions, draws=200)["bins"][0]["observed"]
    # none of 50: as scipy's exact interval
    assert (first["value"], first["low"]) == (0.0, 0.0)
    assert first["high"] == pytest.approx(1 - 0.025 ** (1 / 50), rel=1e-5)
    together = curves.calibration(predictions, draws=200, clusters=np.arange(100) // 10)["bins"][0]["observed"]
    assert together["high"] == pytest.approx(1 - 0.025 ** (1 / 5), rel=1e-5)


@pytest.mark.parametrize("weighed", [False, True])
def test_confusion_is_scikit_learns(weighed):
    predictions = classified(classes=4, weighed=weighed)
    found = curves.confusion(predictions, draws=200)
    arguments = {"y_true": predictions.target, "y_pred": predictions.prediction, "sample_weight": predictions.weight}
    np.testing.assert_allclose(found["counts"], metrics.confusion_matrix(**arguments))
    each = metrics.precision_recall_fscore_support(**arguments)
    for name, expected in zip(("precision", "recall", "f1"), each, strict=False):
        np.testing.assert_allclose([row[name]["value"] for row in found["classes"]], expected, rtol=1e-5)
        assert all(row[name]["low"] <= row[name]["value"] <= row[name]["high"] for row in found["classes"])
    assert [row["support"] for row in found["classes"]] == np.asarray(found["counts"]).sum(1).tolist()
    assert found["pairs"] == []


def test_of_many_classes_only_the_worst_and_the_most_confused_are_told():
    random = np.random.default_rng(0)
    target = random.integers(0, 60, 4000)
    prediction = np.where(target < 58, target, 59)
    prediction[target == 3] = np.where(random.random((target == 3).sum()) < 0.5, 4, 3)
    predictions = Predictions(
        row=np.arange(4000),
        target=target,
        prediction=prediction,
        probabilities=None,
        classes=tuple(map(str, range(60))),
    )
    found = curves.confusion(predictions, draws=200)
    assert found["counts"] is None
    assert {(row["target"], row["prediction"]) for row in found["pairs"]} == {("58", "59"), ("3", "4")}
    assert found["pairs"][0] == {"target": "58", "prediction": "59", "rows": (target == 58).sum(), "share": 1.0}
    told = {row["class"]: row for row in found["classes"]}
    assert len(told) == 20
    assert {"58", "59", "3", "4"} <= set(told)
    assert told["58"]["precision"] == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize("function", EVERY)
def test_weights_equal_repeated_rows_and_everything_is_json(function):
    weighed = classified(weighed=True)
    found = function(weighed, draws=200)
    assert without_bands(found) == without_bands(function(repeated(weighed), draws=200))
    assert "NaN" not in json.dumps(found)
    assert function(weighed, draws=200) == found
    assert function(weighed, draws=200, seed=1) != found


@pytest.mark.parametrize("target", [0, 1])
def test_one_class_alone_leaves_curves_undefined(target):
    predictions = replace(classified(50), target=np.full(50, target))
    found = curves.roc(predictions, 1, draws=200)
    assert set(found["y"]) == set(found["low"]) == {None}
    assert found["area"] == {"value": None, "low": None, "high": None}
    if target == 0:
        assert set(curves.precision_recall(predictions, 1, draws=200)["y"]) == {None}
        assert curves.thresholds(predictions, draws=200)[3]["recall"]["value"] is None


def test_one_cluster_gives_no_band():
    found = curves.roc(classified(), 1, draws=200, clusters=np.zeros(300, dtype=np.int64))
    assert None not in found["y"]
    assert set(found["low"]) == set(found["high"]) == {None}


def test_the_roc_band_covers_the_true_curve_as_often_as_it_says():
    # scores normal, one apart: the true rate at a false-positive rate of 0.2025 is known
    from scipy.stats import norm

    at = 45
    truth = norm.sf(norm.isf(curves.FALSE_POSITIVE_RATES[at]) - 1)
    covered = 0
    for trial in range(200):
        random = np.random.default_rng(trial)
        target = np.arange(200) % 2
        chance = norm.cdf(random.normal(size=200) + target)
        predictions = Predictions(
            row=np.arange(200),
            target=target,
            prediction=target,
            probabilities=np.column_stack([1 - chance, chance]),
            classes=("no", "yes"),
        )
        found = curves.roc(predictions, 1, draws=200, seed=trial)
        covered += found["low"][at] <= truth <= found["high"][at]
    # 95% +- 4 standard errors of 1.5%
    assert 0.89 <= covered / 200 <= 1.0


def test_residuals_hold_what_a_slow_loop_finds():
    predictions = regressed()
    found = residuals(predictions, draws=200)
    residual = predictions.target - predictions.prediction
    rows = np.asarray(found["points"]["row"]) - 7
    assert sorted(rows) == list(range(400))
    np.testing.assert_allclose(found["points"]["target"], predictions.target[rows], rtol=1e-5)
    histogram = found["histogram"]
    assert sum(histogram["counts"]) + histogram["below"] + histogram["above"] == 400
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1
    order = np.argsort(predictions.prediction)
    for part, row in zip(np.split(order, 10), found["bins"], strict=True):
        assert row["rows"] == 40
        assert row["prediction"] == pytest.approx(predictions.prediction[part].mean(), rel=1e-5)
        assert row["mean"]["value"] == pytest.approx(residual[part].mean(), rel=1e-5)
        expected = np.quantile(residual[part], (0.1, 0.5, 0.9), method="inverted_cdf")
        np.testing.assert_allclose(row["quantiles"], expected, rtol=1e-5)
        error = residual[part].std() / np.sqrt(40)
        assert row["mean"]["high"] - row["mean"]["low"] == pytest.approx(3.92 * error, rel=0.3)


def test_weighted_residuals_equal_those_of_repeated_rows():
    weighed = regressed(weighed=True)
    one, other = (residuals(p, draws=200) for p in (weighed, repeated(weighed)))
    assert without_bands(one["bins"]) == without_bands(other["bins"])
    assert one["histogram"] == other["histogram"]
    assert set(one["points"]["row"]) == set(weighed.row[weighed.weight > 0])
    assert len(residuals(regressed(5000), draws=200)["points"]["row"]) == 1000
    assert "NaN" not in json.dumps(one)


def test_equal_residuals_have_a_histogram_too():
    predictions = regressed()
    found = residuals(replace(predictions, target=predictions.prediction), draws=200)["histogram"]
    assert (sum(found["counts"]), found["below"], found["above"]) == (400, 0, 0)
