"""One plain sentence on whether the network was worth it."""

from __future__ import annotations

from collections.abc import Collection
from math import isnan

from aurify.core.words import Said, in_a_row, listed, said
from aurify.measure.intervals import Difference, Table
from aurify.measure.names import metric_name

MODELS = {"network": said("The network"), "blend": said("The blend")}
NAMES = {
    "majority": said("the majority class"),
    "mean": said("the mean"),
    "linear": said("a linear model"),
    "boosting": said("gradient boosting"),
    "network": said("its network alone"),
    "trees": said("its trees alone"),
    "ngrams": said("its n-grams alone"),
    "tfidf": said("a linear model of n-grams (TF-IDF)"),
}
BETTER = {
    "linear": said("A linear model is"),
    "boosting": said("Gradient boosting is"),
    "network": said("Its network alone is"),
    "trees": said("Its trees alone are"),
    "ngrams": said("Its n-grams alone are"),
    "tfidf": said("A linear model of n-grams (TF-IDF) is"),
}
TRIVIAL = ("majority", "mean")
"""Models that any other should beat."""

SAME_AS_ANOTHER = {"recall_weighted", "recall_macro"}
"""Equal to accuracy and to balanced accuracy: in the files, not in words and on the screen."""

FEW_ROWS = 30
"""Below this a percentile interval is too narrow, and one of no width where every answer was right."""


def main_metric(table: Table) -> str:
    """The metric a table is judged by: RMSE for numbers, ROC AUC for two classes, log loss for more.

    An average of ROC AUC over many classes is ruled by the rarest ones.
    """
    return telling(table.scores[table.reference])


def telling(metrics: Collection[str]) -> str:
    """Which of the metrics that predictions have they are judged by."""
    first = next(name for name in ("return", "rmse", "precision", "log_loss") if name in metrics)
    return first.replace("precision", "roc_auc")


def sentence(table: Table) -> str:
    """Say which others the model beats in the main metric, by paired intervals, and which it does not."""
    model, metric = MODELS[table.reference], main_metric(table)
    label = metric_name(metric)
    by_verdict: dict[str, list[str]] = {"better": [], "worse": [], "no measurable difference": []}
    for name, rows in table.differences.items():
        if metric in rows and not isnan(rows[metric].low):
            by_verdict[rows[metric].verdict].append(_rival(name, rows[metric]))
    if not any(by_verdict.values()) and table.differences:
        return said("{rows:,} rows are too few to compare the models by.", rows=table.rows)
    found: list[str] = []
    if by_verdict["worse"]:
        rivals = listed(by_verdict["worse"])
        found.append(
            said(
                "{model} is worse than {rivals} in {metric}: prefer that model here.",
                model=model,
                rivals=rivals,
                metric=label,
            )
        )
    if by_verdict["no measurable difference"]:
        rivals = listed(by_verdict["no measurable difference"], "or")
        found.append(
            said("{model} does not measurably beat {rivals} in {metric}.", model=model, rivals=rivals, metric=label)
        )
    if by_verdict["better"]:
        rivals = listed(by_verdict["better"])
        found.append(said("{model} beats {rivals} in {metric}.", model=model, rivals=rivals, metric=label))
    found += _better_elsewhere(table, metric)
    if table.rows < FEW_ROWS:
        found.append(said("On {rows} test rows this is a hint at most.", rows=table.rows))
    return in_a_row(found)


def number(value: float | None, *, signed: bool = False) -> str:
    """Digits that tell something: 0.847 and 45,120 for scores, +0.0032 for differences of scores below 1."""
    if value is None:
        return "-"
    if abs(value) >= 1e12:
        return f"{value:+.4g}" if signed else f"{value:.4g}"
    if abs(value) <= 1e-12:
        value = 0.0  # neither -0.0000 nor the last bit of a sum
    elif abs(value) < (5e-5 if signed else 5e-4):
        return f"{value:+.2g}" if signed else f"{value:.2g}"
    if signed:
        return f"{value:+.4f}" if abs(value) < 1 else f"{value:+,.3f}" if abs(value) < 100 else f"{value:+,.0f}"
    return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"


def _better_elsewhere(table: Table, main: str) -> list[str]:
    """In what the others beat the model that does not lose to them in the main metric."""
    found = []
    for name, rows in table.differences.items():
        if name in TRIVIAL or (main in rows and rows[main].verdict == "worse"):
            continue
        worse = [k for k, d in rows.items() if d.verdict == "worse" and k != main and k not in SAME_AS_ANOTHER]
        if worse:
            model_is = BETTER.get(name) or said("{model} is", model=name.capitalize())
            metrics = listed([metric_name(k) for k in worse])
            found.append(said("{model_is} better in {metrics}.", model_is=model_is, metrics=metrics))
    return found


def _rival(name: str, difference: Difference) -> Said:
    value, low, high = (number(v, signed=True) for v in (difference.value, difference.low, difference.high))
    return said("{model} ({value}, 95% {low} to {high})", model=NAMES.get(name, name), value=value, low=low, high=high)
