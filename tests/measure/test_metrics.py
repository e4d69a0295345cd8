"""Every metric equals scikit-learn's with sample weights, and is NaN, silently, where it has no meaning."""

import numpy as np
import pytest
from sklearn import metrics as reference

from aurify.measure.metrics import CHUNK_NUMBERS, metrics_for
from aurify.measure.predictions import Predictions


def classified(kind, classes, count=300, seed=0):
    """Predictions whose probabilities are smooth, tied in few values, or hold exact zeros and ones."""
    random = np.random.default_rng(seed)
    target = random.integers(0, classes, count)
    logits = random.normal(size=(count, classes)) + 1.5 * np.eye(classes)[target]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if kind == "tied":
        whole = np.round(probabilities * 4)
        whole[np.arange(count), whole.argmax(axis=1)] += 1
        probabilities = whole / whole.sum(axis=1, keepdims=True)
    if kind == "extreme":
        certain = random.random(count) < 0.5
        probabilities[certain] = np.eye(classes)[probabilities[certain].argmax(axis=1)]
    return Predictions(
        row=np.arange(count),
        target=target,
        prediction=probabilities.argmax(axis=1),
        probabilities=probabilities,
        classes=tuple(f"class {code}" for code in range(classes)),
    )


def regressed(count=301, seed=0):
    random = np.random.default_rng(seed)
    target = random.normal(3.0, 2.0, count)
    # rounded, so that absolute errors tie
    prediction = target + np.round(random.normal(size=count), 1)
    return Predictions(row=np.arange(count), target=target, prediction=prediction, probabilities=None, classes=None)


def weights_for(count, draws=8):
    random = np.random.default_rng(99)
    counts = random.multinomial(count, np.full(count, 1 / count), size=draws).astype(np.float64)
    return np.concatenate([np.ones((1, count)), counts, random.exponential(size=(draws, count))])


def calibration_error_slowly(target, probabilities, weight):
    error = 0.0
    for low in range(15):
        confidence = probabilities.max(axis=1)
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if weight[inside].sum() > 0:
            hit = np.average((probabilities.argmax(axis=1) == target)[inside], weights=weight[inside])
            error += weight[inside].sum() * abs(hit - np.average(confidence[inside], weights=weight[inside]))
    return error / weight.sum()


def sklearn_values(predictions, weight):
    target, prediction, chance = predictions.target, predictions.prediction, predictions.probabilities
    plain = {"sample_weight": weight}
    if predictions.classes is None:
        return {
            "rmse": reference.root_mean_squared_error(target, prediction, **plain),
            "mae": reference.mean_absolute_error(target, prediction, **plain),
            "median_error": reference.median_absolute_error(target, prediction, **plain),
            "r2": reference.r2_score(target, prediction, **plain),
        }
    classes = len(predictions.classes)
    codes = np.arange(classes)
    present = np.unique(target)
    values = {
        "accuracy": reference.accuracy_score(target, prediction, **plain),
        "balanced_accuracy": reference.recall_score(target, prediction, labels=present, average="macro", **plain),
        "log_loss": reference.log_loss(target, chance, labels=codes, **plain),
        "calibration_error": calibration_error_slowly(target, chance, weight),
    }
    functions = {"precision": reference.precision_score, "recall": reference.recall_score, "f1": reference.f1_score}
    for name, function in functions.items():
        for average in ("macro", "weighted"):
            of_average = {"labels": present, "average": average, "zero_division": 0.0}
            values[f"{name}_{average}"] = function(target, prediction, **of_average, **plain)
        if classes == 2:
            values[name] = function(target, prediction, zero_division=0.0, **plain)
    if classes == 2:
        values["roc_auc"] = reference.roc_auc_score(target, chance[:, 1], **plain)
        values["average_precision"] = reference.average_precision_score(target, chance[:, 1], **plain)
        values["brier"] = reference.brier_score_loss(target, chance[:, 1], **plain)
        return values
    each = [(target == code, chance[:, code]) for code in present]
    values["roc_auc"] = np.mean([reference.roc_auc_score(*one, **plain) for one in each])
    values["average_precision"] = np.mean([reference.average_precision_score(*one, **plain) for one in each])
    values["brier"] = reference.brier_score_loss(target, chance, labels=codes, **plain)
    return values


def assert_equals_sklearn(predictions):
    weights = weights_for(len(predictions))
    ours = {metric.name: metric(predictions, weights) for metric in metrics_for(predictions)}
    for draw, weight in enumerate(weights):
        theirs = sklearn_values(predictions, weight)
        assert set(ours) == set(theirs)
        for name, value in theirs.items():
            assert ours[name][draw] == pytest.approx(value, rel=1e-12, abs=1e-12), (name, draw)


@pytest.mark.parametrize("kind", ["smooth", "tied", "extreme"])
@pytest.mark.parametrize("classes", [2, 4])
def test_every_classification_metric_equals_scikit_learn(kind, classes):
    assert_equals_sklearn(classified(kind, classes))


@pytest.mark.parametrize("count", [300, 301])
def test_every_regression_metric_equals_scikit_learn(count):
    assert_equals_sklearn(regressed(count))


def test_multi_class_area_equals_scikit_learn_one_against_rest():
    predictions = classified("tied", 4)
    area = next(metric for metric in metrics_for(predictions) if metric.name == "roc_auc")
    expected = reference.roc_auc_score(predictions.target, predictions.probabilities, multi_class="ovr")
    assert area(predictions, np.ones((1, len(predictions))))[0] == pytest.approx(expected, rel=1e-12)


def test_a_class_absent_from_the_test_part_is_left_out_of_macro_averages():
    predictions = classified("smooth", 5)
    assert_equals_sklearn(predictions.take(predictions.target != 2))


def test_a_decision_that_is_not_the_most_probable_class_counts_in_accuracy_but_not_in_calibration():
    predictions = classified("smooth", 2)
    cautious = Predictions(
        row=predictions.row,
        target=predictions.target,
        prediction=(predictions.probabilities[:, 1] > 0.9).astype(np.int64),
        probabilities=predictions.probabilities,
        classes=predictions.classes,
    )
    assert_equals_sklearn(cautious)


def test_many_draws_in_chunks_equal_draws_one_by_one():
    predictions = classified("tied", 3, count=2000)
    draws = CHUNK_NUMBERS // 2000 + 20
    weights = np.random.default_rng(1).integers(0, 4, (draws, 2000)).astype(np.float64)
    for metric in metrics_for(predictions):
        alone = np.concatenate([metric(predictions, weight[None]) for weight in weights])
        np.testing.assert_allclose(metric(predictions, weights), alone, rtol=1e-13, atol=1e-13)


def values(predictions, weights):
    return {
        metric.name: metric(predictions, np.asarray(weights, dtype=np.float64)) for metric in metrics_for(predictions)
    }


def test_a_class_that_a_draw_lacks_makes_what_depends_on_it_nan_in_that_draw_only():
    predictions = classified("smooth", 2, count=40)
    weights = np.stack([np.ones(40), predictions.target == 0, predictions.target == 1])
    found = values(predictions, weights)
    assert all(np.isfinite(value[0]) for value in found.values())
    undefined = {name: np.isnan(value[1:]).tolist() for name, value in found.items()}
    needs_both = ["roc_auc", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro"]
    needs_positive = ["average_precision", "precision", "recall", "f1"]
    assert {name for name, which in undefined.items() if which == [True, True]} == set(needs_both)
    assert {name for name, which in undefined.items() if which == [True, False]} == set(needs_positive)
    assert all(which == [False, False] for name, which in undefined.items() if name not in needs_both + needs_positive)


def test_a_constant_target_has_no_explained_variance():
    for constant in (0.0, 0.1, -1e9):
        predictions = regressed(50)
        same = Predictions(
            row=predictions.row,
            target=np.append(np.full(48, constant), [1.7, 2.9]),
            prediction=predictions.prediction,
            probabilities=None,
            classes=None,
        )
        found = values(same, [np.ones(50), np.append(np.ones(48), [0, 0]), np.append(np.zeros(48), [0, 3])])
        assert np.isnan(found["r2"]).tolist() == [False, True, True]
        assert np.isfinite(found["rmse"]).all()


def test_a_target_far_from_zero_keeps_its_digits():
    predictions = regressed()
    far = Predictions(
        row=predictions.row,
        target=predictions.target + 1e9,
        prediction=predictions.prediction + 1e9,
        probabilities=None,
        classes=None,
    )
    assert_equals_sklearn(far)


def test_a_draw_without_any_weight_is_nan():
    for predictions in (classified("tied", 2, count=20), classified("tied", 3, count=20), regressed(20)):
        found = values(predictions, np.zeros((1, 20)))
        assert all(np.isnan(value).all() for value in found.values())


def test_one_example_is_measured_without_complaint():
    found = values(classified("smooth", 2, count=1), np.ones((1, 1)))
    assert np.isnan(found["roc_auc"]).all()
    assert np.isfinite(found["log_loss"]).all()
    assert np.isnan(values(regressed(1), np.ones((1, 1)))["r2"]).all()


def test_predictions_without_probabilities_have_metrics_of_decisions_only():
    predictions = classified("smooth", 3)
    decided = Predictions(
        row=predictions.row,
        target=predictions.target,
        prediction=predictions.prediction,
        probabilities=None,
        classes=predictions.classes,
    )
    names = {metric.name for metric in metrics_for(decided)}
    assert "accuracy" in names
    assert not names & {"roc_auc", "log_loss", "brier", "calibration_error", "average_precision"}


def test_every_metric_has_its_own_name_and_one_sentence():
    for predictions in (classified("smooth", 2), classified("smooth", 3), regressed()):
        metrics = metrics_for(predictions)
        assert len({metric.name for metric in metrics}) == len(metrics)
        assert all(
            metric.explanation.endswith(".") and ". " not in metric.explanation.replace("al. ", "")
            for metric in metrics
        )
