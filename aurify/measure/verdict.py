"""One plain sentence on whether the network was worth it."""

from __future__ import annotations

from math import isnan

from aurify.measure.intervals import Difference, Table

NAMES = {
    "majority": "the majority class",
    "mean": "the mean",
    "linear": "a linear model",
    "boosting": "gradient boosting",
    "network": "its network alone",
    "trees": "its trees alone",
}
SAME_AS_ANOTHER = {"recall_weighted", "recall_macro"}
"""Equal to accuracy and to balanced accuracy: in the files, not in words and on the screen."""

LABELS = {"roc_auc": "ROC AUC", "rmse": "RMSE", "log_loss": "log loss"}


def main_metric(table: Table) -> str:
    """The metric a table is judged by: RMSE for numbers, ROC AUC for two classes, log loss for more.

    An average of ROC AUC over many classes is ruled by the rarest ones.
    """
    scores = table.scores[table.reference]
    return next(name for name in ("rmse", "precision", "log_loss") if name in scores).replace("precision", "roc_auc")


def sentence(table: Table) -> str:
    """Say which others the model beats in the main metric, by paired intervals, and which it does not."""
    model = f"The {table.reference}"
    metric = main_metric(table)
    label = LABELS.get(metric, metric)
    by_verdict: dict[str, list[str]] = {"better": [], "worse": [], "no measurable difference": []}
    for name, rows in table.differences.items():
        if metric in rows and not isnan(rows[metric].low):
            by_verdict[rows[metric].verdict].append(f"{NAMES.get(name, name)} ({_signed(rows[metric])})")
    said = []
    if by_verdict["worse"]:
        said.append(f"{model} is worse than {_joined(by_verdict['worse'])} in {label}: prefer that model here.")
    if by_verdict["no measurable difference"]:
        rivals = _joined(by_verdict["no measurable difference"], "or")
        said.append(f"{model} does not measurably beat {rivals} in {label}.")
    if by_verdict["better"]:
        said.append(f"{model} beats {_joined(by_verdict['better'])} in {label}.")
    for name, rows in table.differences.items():
        worse = [k for k, d in rows.items() if d.verdict == "worse" and k != metric and k not in SAME_AS_ANOTHER]
        lost = [LABELS.get(k, k.replace("_", " ")) for k in worse]
        if lost and (metric not in rows or rows[metric].verdict != "worse") and name not in ("majority", "mean"):
            said.append(
                f"{NAMES.get(name, name).capitalize()} {'are' if name == 'trees' else 'is'} better in {_joined(lost)}."
            )
    if not any(by_verdict.values()) and table.differences:
        return f"{table.rows:,} rows are too few to compare the models by."
    return " ".join(said)


def number(value: float | None, *, signed: bool = False) -> str:
    """Digits that tell something: 0.847 and 45,120 for scores, +0.0032 for differences of scores below 1."""
    if value is None:
        return "-"
    if signed:
        return f"{value:+.4f}" if abs(value) < 1 else f"{value:+,.3f}" if abs(value) < 100 else f"{value:+,.0f}"
    return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"


def _signed(difference: Difference) -> str:
    value, low, high = (number(v, signed=True) for v in (difference.value, difference.low, difference.high))
    return f"{value}, 95% {low} to {high}"


def _joined(words: list[str], link: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {link} {words[-1]}"
