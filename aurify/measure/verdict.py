"""One plain sentence on whether the network was worth it."""

from __future__ import annotations

from aurify.measure.intervals import Difference, Table

NAMES = {
    "majority": "the majority class",
    "mean": "the mean",
    "linear": "a linear model",
    "boosting": "gradient boosting",
}
LABELS = {"roc_auc": "ROC AUC", "rmse": "RMSE", "log_loss": "log loss"}


def main_metric(table: Table) -> str:
    """The metric a table is judged by: ROC AUC for classes, RMSE for numbers."""
    return "rmse" if "rmse" in table.scores[table.reference] else "roc_auc"


def sentence(table: Table) -> str:
    """Say which baselines the network beats in the main metric, by paired intervals, and which it does not."""
    metric = main_metric(table)
    label = LABELS.get(metric, metric)
    by_verdict: dict[str, list[str]] = {"better": [], "worse": [], "no measurable difference": []}
    for name, rows in table.differences.items():
        if metric in rows:
            by_verdict[rows[metric].verdict].append(f"{NAMES.get(name, name)} ({_signed(rows[metric])})")
    said = []
    if by_verdict["worse"]:
        said.append(f"The network is worse than {_joined(by_verdict['worse'])} in {label}: prefer that model here.")
    if by_verdict["no measurable difference"]:
        said.append(
            f"The network does not measurably beat {_joined(by_verdict['no measurable difference'])} in {label}."
        )
    if by_verdict["better"]:
        said.append(f"The network beats {_joined(by_verdict['better'])} in {label}.")
    return " ".join(said)


def _signed(difference: Difference) -> str:
    return f"{difference.value:+.4g}, 95% {difference.low:+.4g} to {difference.high:+.4g}"


def _joined(words: list[str], link: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {link} {words[-1]}"
