"""Metrics of several labels a row, against scikit-learn's."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from aurify.measure.intervals import row_weights, score_table
from aurify.measure.labels import all_labels, label_rows, most_wrong, one_label
from aurify.measure.metrics import metrics_for
from aurify.measure.predictions import Predictions

LABELS = ("a", "b", "never", "always", "rare")


def _predictions(rows: int = 300, seed: int = 0, weighted: bool = False) -> Predictions:
    random = np.random.default_rng(seed)
    held = (random.random((rows, 5)) < [0.5, 0.3, 0.0, 1.0, 0.02]).astype(np.int8)
    likely = np.clip(0.35 * held + 0.65 * random.random((rows, 5)), 0.01, 0.99).round(2)  # with ties
    return Predictions.of_answer(
        likely,
        row=np.arange(rows),
        target=held,
        classes=LABELS,
        several=True,
        weight=random.integers(1, 4, rows).astype(np.float64) if weighted else None,
    )


def _values(predictions: Predictions) -> dict[str, float]:
    weight = row_weights(predictions)[None]
    return {metric.name: float(metric(predictions, weight)[0]) for metric in metrics_for(predictions)}


@pytest.mark.parametrize("weighted", [False, True])
def test_metrics_equal_those_of_scikit_learn(weighted):
    p = _predictions(weighted=weighted)
    assert p.target is not None
    assert p.probabilities is not None
    w, there, both = row_weights(p), [0, 1, 3, 4], [0, 1, 4]
    t, said, likely = p.target, p.prediction, p.probabilities
    unpredicted: Any = 0
    one_by_one = [sk.log_loss(t[:, k], likely[:, k], sample_weight=w, labels=[0, 1]) for k in range(5)]
    expected = {
        "subset_accuracy": sk.accuracy_score(t, said, sample_weight=w),
        "hamming_loss": sk.hamming_loss(t, said, sample_weight=w),
        "f1_micro": sk.f1_score(t, said, average="micro", sample_weight=w),
        # as of classes, labels that no row holds are no part of a mean
        "f1_macro": sk.f1_score(t[:, there], said[:, there], average="macro", sample_weight=w),
        "precision_macro": sk.precision_score(
            t[:, there], said[:, there], average="macro", sample_weight=w, zero_division=unpredicted
        ),
        "recall_macro": sk.recall_score(t[:, there], said[:, there], average="macro", sample_weight=w),
        "roc_auc": sk.roc_auc_score(t[:, both], likely[:, both], average="macro", sample_weight=w),
        "average_precision": np.mean(
            [sk.average_precision_score(t[:, k], likely[:, k], sample_weight=w) for k in there]
        ),
        "log_loss": np.mean(one_by_one),
        "brier": np.mean([np.average((likely[:, k] - t[:, k]) ** 2, weights=w) for k in range(5)]),
    }
    found = _values(p)
    assert found.keys() == {*expected, "calibration_error"}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


def test_whole_weights_count_as_copies_of_rows():
    p = _predictions(weighted=True)
    copies = p.take(np.repeat(np.arange(len(p)), row_weights(p).astype(int)))
    alone = Predictions(**{**vars(copies), "weight": None})
    assert _values(p) == pytest.approx(_values(alone), abs=1e-9)


def test_calibration_error_is_that_of_all_answers_together():
    p = _predictions()
    assert p.target is not None
    assert p.probabilities is not None
    likely, true = p.probabilities.ravel(), p.target.ravel()
    bins = np.clip(np.ceil(likely * 15).astype(int) - 1, 0, 14)
    expected = sum(abs((true - likely)[bins == b].sum()) for b in range(15)) / true.size
    assert _values(p)["calibration_error"] == pytest.approx(expected, abs=1e-12)


def test_labels_that_no_row_holds_leave_nothing_to_rank():
    p = _predictions()
    assert p.target is not None
    empty = Predictions(**{**vars(p), "target": np.zeros_like(p.target)})
    values = _values(empty)
    assert np.isnan(values["roc_auc"])
    assert np.isnan(values["average_precision"])
    assert values["hamming_loss"] == pytest.approx(p.prediction.mean(), abs=1e-12)


def test_paired_intervals_hold_the_difference():
    good, bad = _predictions(), _predictions(seed=1)
    assert good.probabilities is not None
    bad = Predictions(**{**vars(good), "probabilities": 1 - good.probabilities, "prediction": 1 - good.prediction})
    table = score_table({"network": good, "other": bad}, reference="network", draws=200)
    assert table.differences["other"]["log_loss"].verdict == "better"
    assert table.differences["other"]["f1_micro"].verdict == "better"
    score = table.scores["network"]["hamming_loss"]
    assert score.low < score.value < score.high


def test_predictions_survive_parquet(tmp_path):
    for p in (_predictions(), Predictions(**{**vars(_predictions()), "target": None})):
        p.write(tmp_path / "p.parquet")
        again = Predictions.read(tmp_path / "p.parquet")
        for name, value in vars(p).items():
            other = getattr(again, name)
            assert np.array_equal(value, other) if isinstance(value, np.ndarray) else value == other, name


def test_label_alone_scores_as_two_classes():
    p = _predictions()
    rows = {each["class"]: each for each in label_rows(p, draws=200)}
    alone = _values(one_label(p, 0))
    assert rows["a"]["f1"]["value"] == pytest.approx(alone["f1"], abs=1e-5)
    assert rows["a"]["area"]["value"] == pytest.approx(alone["roc_auc"], abs=1e-5)
    assert rows["never"]["recall"]["value"] is None
    assert rows["always"]["area"]["value"] is None
    assert rows["a"]["f1"]["low"] < rows["a"]["f1"]["value"] < rows["a"]["f1"]["high"]


def test_all_labels_keep_rows_together():
    p = _predictions()
    flat, together = all_labels(p, None)
    assert len(flat) == 5 * len(p)
    assert np.array_equal(np.unique(together), np.arange(len(p)))
    assert p.target is not None
    assert flat.target is not None
    assert flat.target.reshape(-1, 5).tolist() == p.target.tolist()


def test_most_wrong_rows_come_first():
    p = _predictions()
    found = most_wrong(p)
    assert p.target is not None
    assert p.probabilities is not None
    loss = -np.log(1 - np.abs(p.target - p.probabilities)).mean(1)
    assert found[0]["row"] == int(loss.argmax())
