"""How training went: the score on held-out and on learnt rows, validation by validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.section import Block, Figure, Paragraph, Record, Rows, Section
from aurify.report.words import metric_name


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
    last = record.log[-1]
    return Figure(
        name="learning",
        chart=charts.lines(shown, *axes, [held, seen], split="fold"),
        caption=said(
            "The {metric} after each validation. A growing gap between the two is learning by heart. Held-out rows are"
            " training rows kept for stopping and calibration; the test rows are not among them.",
            metric=metric_name(metric),
        ),
        described=said(
            "The {metric} over {epochs:.0f} epochs, ending at {held} on held-out rows and {seen} on rows learnt from.",
            metric=metric_name(metric),
            epochs=last["epoch"],
            held=number(last[metric]),
            seen=number(last[f"train_{metric}"]),
        ),
        table=Rows(
            header=[said("epoch"), said("step"), held, seen, said("learning rate")],
            rows=[
                [
                    f"{e['epoch']:.4g}",
                    f"{e['step']:,}",
                    number(e[metric]),
                    number(e[f"train_{metric}"]),
                    f"{e['rate']:.2e}",
                ]
                for e in record.log
            ],
        ),
    )
