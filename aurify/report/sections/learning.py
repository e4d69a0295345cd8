"""How training went: the score on held-out and on learnt rows, validation by validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.section import Block, Figure, Paragraph, Record, Rows, Section
from aurify.report.words import metric_name

FEW = 80


class Learning(Section):
    """The learning curves, and why training ended."""

    order = 400

    @property
    def title(self) -> Said:
        return said("How it learnt")

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if not record.log:
            return []
        stopped = record.summary["training"]["stopped"]
        blocks: list[Block] = [_figure(record)]
        if stopped is not None:
            blocks.insert(0, Paragraph(said("Training stopped early: {reason}.", reason=stopped)))
        return blocks


def _score(entry: Mapping[str, Any]) -> str:
    """Which metric a validation was scored by."""
    return next(key.removeprefix("train_") for key in entry if key.startswith("train_"))


def _figure(record: Record) -> Figure:
    metric = _score(record.log[0])
    held, seen = record.say(said("held-out rows")), record.say(said("rows learnt from"))
    shown = [
        {"x": e["epoch"], "y": e[key], "series": what, "fold": e.get("fold", 0)}
        for e in record.log
        for key, what in ((metric, held), (f"train_{metric}", seen))
        if e[key] is not None
    ]
    axes = (
        charts.number("x", record.say(said("epoch")), zero=True),
        charts.number("y", record.say(metric_name(metric))),
    )
    last, folds = record.log[-1], record.recipe.split.folds
    caption = said(
        "The {metric} after each validation. A growing gap between the two is learning by heart. Held-out rows are"
        " training rows kept for stopping and calibration; the test rows are not among them.",
        metric=metric_name(metric),
    )
    return Figure(
        name="learning",
        chart=_chart(shown, *axes, [held, seen]),
        caption=caption if folds is None else said("{caption} Each fold has lines of its own.", caption=caption),
        described=said(
            "The {metric} over {epochs:.0f} epochs, ending at {held} on held-out rows and {seen} on rows learnt from.",
            metric=metric_name(metric),
            epochs=last["epoch"],
            held=number(last[metric]),
            seen=number(last[f"train_{metric}"]),
        ),
        table=_table(record, metric, held, seen),
    )


def _chart(shown: Sequence[charts.Row], x: charts.Chart, y: charts.Chart, order: Sequence[str]) -> charts.Chart:
    """Lines, and points where they are few: a line through one validation would not be seen."""
    chart = charts.lines(shown, x, y, order, split="fold")
    if len(shown) > FEW:
        return chart
    points = charts.mark("point", {"x": x, "y": y, "color": charts.series(order)}, filled=True, size=24, opacity=1)
    return {**chart, "layer": [*chart["layer"], points]}


def _table(record: Record, metric: str, held: str, seen: str) -> Rows:
    folds = record.recipe.split.folds is not None
    return Rows(
        header=[*([said("fold")] if folds else []), said("epoch"), said("step"), held, seen, said("learning rate")],
        rows=[
            [
                *([str(e["fold"])] if folds else []),
                f"{e['epoch']:.4g}",
                f"{e['step']:,}",
                number(e[metric]),
                number(e[f"train_{metric}"]),
                f"{e['rate']:.2e}",
            ]
            for e in record.log
        ],
    )
