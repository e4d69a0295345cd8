"""What metrics are called in running text; files call them by their keys."""

from __future__ import annotations

from aurify.core.words import said

METRICS = {
    "accuracy": said("accuracy"),
    "balanced_accuracy": said("balanced accuracy"),
    "precision": said("precision"),
    "recall": said("recall"),
    "f1": said("F1"),
    "precision_macro": said("macro precision"),
    "recall_macro": said("macro recall"),
    "f1_macro": said("macro F1"),
    "precision_weighted": said("weighted precision"),
    "recall_weighted": said("weighted recall"),
    "f1_weighted": said("weighted F1"),
    "subset_accuracy": said("subset accuracy"),
    "hamming_loss": said("Hamming loss"),
    "f1_micro": said("micro F1"),
    "roc_auc": said("ROC AUC"),
    "roc_auc_macro": said("macro ROC AUC"),
    "average_precision": said("average precision"),
    "log_loss": said("log loss"),
    "brier": said("Brier score"),
    "calibration_error": said("calibration error"),
    "rmse": said("RMSE"),
    "mae": said("mean absolute error"),
    "median_absolute_error": said("median absolute error"),
    "r2": said("R²"),
    "return": said("mean return"),
    "return_iqm": said("interquartile mean"),
    "return_median": said("median over agents"),
    "return_best": said("the agent that is shipped"),
    "return_sampled": said("return, actions sampled"),
    "return_learning": said("mean return while learning"),
    "return_exact": said("mean return by the model of the world"),
    "share_of_optimal": said("share of the optimum"),
    "length": said("steps of an episode"),
}


def metric_name(name: str) -> str:
    """A metric as readers call it."""
    return METRICS.get(name, name.replace("_", " "))
