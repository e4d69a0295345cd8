"""What the model scores, and whether it beats the plain models beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, listed, said
from aurify.measure.verdict import TRIVIAL
from aurify.report import charts
from aurify.report.section import Block, Figure, Paragraph, Record, Rows, Section
from aurify.report.words import better, interval, main_score, metric_name, model_name


class Scores(Section):
    """Dot and interval of each model, paired differences, and every metric."""

    order = 300

    @property
    def title(self) -> Said:
        return said("Scores beside plain models")

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        summary = record.summary
        blocks: list[Block] = [Paragraph(_covers(summary)), _beside(record)]
        if any(main_score(rows, summary) for rows in summary["differences"].values()):
            blocks.append(_differences(record))
        return [*blocks, _every_metric(record)]


def _covers(summary: Mapping[str, Any]) -> Said:
    return said(
        "{rows:,} test rows, {draws:,} bootstrap draws. The intervals {cover}; how another training of the network"
        " would differ is not in them.",
        rows=summary["rows"],
        draws=summary["draws"],
        cover=summary["intervals"],
    )


def _models(summary: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {summary["model"]: summary["scores"], **summary["members"], **summary["baseline_scores"]}


def _rows(record: Record, found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": record.say(model_name(name)), "strong": name == record.summary["model"], **score}
        for name, scores in found.items()
        if (score := main_score(scores, record.summary)) is not None
    ]


def _beside(record: Record) -> Figure:
    summary = record.summary
    metric, models = metric_name(summary["main_metric"]), _models(summary)
    axis = record.say(said("{metric} ({better})", metric=metric, better=better(summary)))
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
    found = {name: rows for name, rows in summary["differences"].items() if main_score(rows, summary)}
    # what hardly anyone loses to would be so far away that the others could not be told apart
    rivals = {name: rows for name, rows in found.items() if name not in TRIVIAL} or found
    return Figure(
        name="differences",
        chart=charts.dots(
            [{**row, "strong": True} for row in _rows(record, rivals)],
            charts.number("value", record.say(axis)),
            rule=0,
        ),
        caption=said(
            "The {model} minus each other model, both on the same rows and the same resamples ({better}). An interval"
            " that holds 0 shows no measurable difference.",
            model=model,
            better=better(summary),
        ),
        described=said(
            "Differences in {metric}: {differences}.",
            metric=metric,
            differences=listed(
                [
                    said(
                        "{model} {score}",
                        model=model_name(name),
                        score=interval(main_score(rows, summary), signed=True),
                    )
                    for name, rows in found.items()
                ]
            ),
        ),
        table=Rows(
            header=[said("other model"), metric],
            rows=[[model_name(name), interval(main_score(rows, summary), signed=True)] for name, rows in found.items()],
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
