"""Words that sections share: names of models and metrics, numbers with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurify.core.words import said
from aurify.measure.verdict import number

MODELS = {
    "network": said("network"),
    "blend": said("blend of network and trees"),
    "trees": said("its trees alone"),
    "majority": said("majority class"),
    "mean": said("mean"),
    "linear": said("linear model"),
    "boosting": said("gradient boosting"),
}

METRICS = {
    "accuracy": said("accuracy"),
    "balanced_accuracy": said("balanced accuracy"),
    "precision": said("precision"),
    "recall": said("recall"),
    "f1": said("F1"),
    "precision_macro": said("precision, macro"),
    "recall_macro": said("recall, macro"),
    "f1_macro": said("F1, macro"),
    "precision_weighted": said("precision, weighted"),
    "recall_weighted": said("recall, weighted"),
    "f1_weighted": said("F1, weighted"),
    "roc_auc": said("ROC AUC"),
    "roc_auc_macro": said("ROC AUC, macro"),
    "average_precision": said("average precision"),
    "log_loss": said("log loss"),
    "brier": said("Brier score"),
    "calibration_error": said("calibration error"),
    "rmse": said("RMSE"),
    "mae": said("mean absolute error"),
    "median_absolute_error": said("median absolute error"),
    "r2": said("R²"),
}


def model_name(name: str) -> str:
    """A model as readers call it; one that is not known here keeps its own name."""
    return MODELS.get(name, name)


def metric_name(name: str) -> str:
    """A metric as readers call it."""
    return METRICS.get(name, name.replace("_", " "))


def interval(score: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    """``0.862 [0.839, 0.883]``; a dash where there is no value."""
    if score is None or score["value"] is None:
        return "–"
    value = number(score["value"], signed=signed)
    if score["low"] is None:
        return value
    return f"{value} [{number(score['low'], signed=signed)}, {number(score['high'], signed=signed)}]"
