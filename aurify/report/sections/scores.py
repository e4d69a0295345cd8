"""What the model scores, and whether it beats the plain models beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, listed, said
from aurify.report import charts
from aurify.report.section import Block, Figure, Paragraph, Record, Rows, Section
from aurify.report.words import interval, metric_name, model_name

RESULTS = ("better", "no measurable difference", "worse")


class Scores(Section):
    """Dot and interval of each model, paired differences, and every metric."""

    order = 300

    @property
    def title(self) -> Said:
        return said("Scores beside plain models")

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        summary = record.summary
        blocks: list[Block] = [Paragraph(_covers(summary)), _beside(record)]
        if any(_main(rows, summary) for rows in summary["differences"].values()):
            blocks.append(_differences(record))
        return [*blocks, _every_metric(record)]


def _covers(summary: Mapping[str, Any]) -> Said:
    return said(
        "{rows:,} test rows, {draws:,} bootstrap draws. The intervals cover the sampling of these rows, not the"
        " training of another network.",
        rows=summary["rows"],
        draws=summary["draws"],
    )


def _models(summary: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {summary["model"]: summary["scores"], **summary["members"], **summary["baseline_scores"]}


def _main(scores: Mapping[str, Any], summary: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The score in the metric that the model is judged by, where it has one with an interval."""
    score = scores.get(summary["main_metric"])
    return None if score is None or score["value"] is None or score["low"] is None else score


def _rows(record: Record, found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": record.say(model_name(name)), "strong": name == record.summary["model"], **score}
        for name, scores in found.items()
        if (score := _main(scores, record.summary)) is not None
    ]


def _better(summary: Mapping[str, Any]) -> Said:
    higher = summary["greater_is_better"][summary["main_metric"]]
    return said("higher is better") if higher else said("lower is better")


def _beside(record: Record) -> Figure:
    summary = record.summary
    metric, models = metric_name(summary["main_metric"]), _models(summary)
    axis = record.say(said("{metric} ({better})", metric=metric, better=_better(summary)))
    return Figure(
        name="scores",
        chart=charts.dots(_rows(record, models), charts.number("value", axis)),
        caption=said("{metric} of each model with its 95 % interval.", metric=metric),
        described=said(
            "{metric} of each model: {scores}.",
            metric=metric,
            scores=listed(
                [
                    said("{model} {score}", model=model_name(name), score=interval(scores.get(summary["main_metric"])))
                    for name, scores in models.items()
                ]
            ),
        ),
    )


def _differences(record: Record) -> Figure:
    summary = record.summary
    model, metric = model_name(summary["model"]), metric_name(summary["main_metric"])
    axis = said("difference in {metric}", metric=metric)
    found = {name: rows for name, rows in summary["differences"].items() if _main(rows, summary)}
    return Figure(
        name="differences",
        chart=charts.dots(
            [{**row, "strong": True} for row in _rows(record, found)],
            charts.number("value", record.say(axis)),
            rule=0,
        ),
        caption=said(
            "The {model} minus each other model, both on the same rows and the same resamples ({better}). An interval"
            " that holds 0 shows no measurable difference.",
            model=model,
            better=_better(summary),
        ),
        described=said(
            "Differences in {metric}: {differences}.",
            metric=metric,
            differences=listed(
                [
                    said("{model} {score}", model=model_name(name), score=interval(_main(rows, summary), signed=True))
                    for name, rows in found.items()
                ]
            ),
        ),
    )


def _every_metric(record: Record) -> Rows:
    summary = record.summary
    models = _models(summary)
    return Rows(
        header=[said("metric"), *map(model_name, models)],
        rows=[
            [metric_name(metric), *(interval(scores.get(metric)) for scores in models.values())]
            for metric in summary["scores"]
        ],
        caption=said("Every metric, with its 95 % interval"),
    )
