"""How far off a predicted number is, and whether it is off in one direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.measure.residuals import residuals
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.section import Block, Figure, Record, Rows, Section, Tested
from aurify.report.words import interval, metric_name


class Residuals(Section):
    """Predicted against true, residuals along the prediction, and their histogram, in the target's own unit."""

    order = 560

    @property
    def title(self) -> Said:
        return said("How far off it is")

    def measure(self, tested: Tested) -> Any:
        if tested.model.classes is not None:
            return None
        return residuals(tested.model, seed=tested.recipe.seed, clusters=tested.clusters)

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        return [
            _beside(record, measured["points"]),
            _along(record, measured["bins"]),
            _histogram(record, measured["histogram"]),
        ]


def _beside(record: Record, points: Mapping[str, Any]) -> Figure:
    pairs = list(zip(points["prediction"], points["target"], strict=True))
    x = charts.number("x", record.say(said("predicted")))
    y = charts.number("y", record.say(said("true")))
    ends = min(map(min, pairs)), max(map(max, pairs))
    scores = record.summary["scores"]
    return Figure(
        name="predicted",
        chart=charts.layers(
            [{"x": a, "y": b} for a, b in pairs],
            charts.mark(
                "point",
                {"x": x, "y": y, "tooltip": charts.tooltip(x, y)},
                style="model",
                filled=True,
                size=18,
                opacity=0.45,
            ),
            charts.guide([(ends[0], ends[0]), (ends[1], ends[1])], x, y),
            height=charts.TALL,
        ),
        caption=said(
            "True {target} against the prediction, for {count} test rows drawn at random. On the dashed line, the"
            " prediction is right.",
            target=record.recipe.source.target,
            count=f"{len(pairs):,}",
        ),
        described=said(
            "Predictions against true values of {target}: RMSE {rmse}, R² {r2}.",
            target=record.recipe.source.target,
            rmse=interval(scores["rmse"]),
            r2=interval(scores.get("r2")),
        ),
        table=Rows(
            header=[said("metric"), said("value")],
            rows=[[metric_name(name), interval(score)] for name, score in scores.items()],
        ),
    )


def _along(record: Record, bins: Sequence[Mapping[str, Any]]) -> Figure:
    inside, middle = record.say(said("true minus predicted: median, and 10 % to 90 % of rows")), said("predicted")
    axes = (
        charts.number("x", record.say(middle)),
        charts.number("y", record.say(said("true minus predicted"))),
    )
    shown = [
        {
            "series": inside,
            "x": b["prediction"],
            **dict(zip(("low", "y", "high"), b["quantiles"], strict=True)),
        }
        for b in bins
    ]
    level = [(shown[0]["x"], 0), (shown[-1]["x"], 0)]
    worst = max(bins, key=lambda b: abs(b["mean"]["value"]))
    return Figure(
        name="residuals",
        chart=charts.lines(shown, *axes, [inside], band=True, under=[charts.guide(level, *axes)]),
        caption=said(
            "How residuals (true minus predicted) lie along the prediction: their median and, shaded, from 10 % to 90 %"
            " of the rows. Above the dashed line the model predicts too little, below it too much."
        ),
        described=said(
            "Residuals along the prediction, in {count} bins. The mean residual farthest from 0 is {mean}, where about"
            " {prediction} is predicted.",
            count=len(bins),
            mean=interval(worst["mean"], signed=True),
            prediction=number(worst["prediction"]),
        ),
        table=Rows(
            header=[middle, said("mean residual"), "10 %", said("median"), "90 %", said("rows")],
            rows=[_numbers(found) for found in bins],
        ),
    )


def _numbers(found: Mapping[str, Any]) -> list[str]:
    quantiles = (number(quantile, signed=True) for quantile in found["quantiles"])
    return [number(found["prediction"]), interval(found["mean"], signed=True), *quantiles, f"{found['rows']:,}"]


def _histogram(record: Record, found: Mapping[str, Any]) -> Figure:
    edges, counts = found["edges"], found["counts"]
    x = charts.number("low", record.say(said("true minus predicted")))
    y = charts.number("rows", record.say(said("test rows")), zero=True)
    shown = [{"low": a, "high": b, "rows": n} for a, b, n in zip(edges, edges[1:], counts, strict=False)]
    bar = {
        "x": x,
        "x2": {"field": "high"},
        "y": y,
        "y2": {"datum": 0},
        "tooltip": charts.tooltip(x, {**x, "field": "high"}, y),
    }
    most = max(shown, key=lambda row: row["rows"])
    return Figure(
        name="errors",
        chart=charts.layers(shown, charts.mark("rect", bar, style="model", opacity=0.75)),
        caption=said(
            "How often residuals of each size occur. Not drawn, because they are the most extreme: {below} rows below"
            " and {above} above.",
            below=f"{found['below']:,.0f}",
            above=f"{found['above']:,.0f}",
        ),
        described=said(
            "Histogram of residuals from {low} to {high}; most lie between {start} and {stop} ({rows} rows).",
            low=number(edges[0], signed=True),
            high=number(edges[-1], signed=True),
            start=number(most["low"], signed=True),
            stop=number(most["high"], signed=True),
            rows=f"{most['rows']:,.0f}",
        ),
        table=Rows(
            header=[said("from"), said("to"), said("test rows")],
            rows=[[number(r["low"], signed=True), number(r["high"], signed=True), f"{r['rows']:,.0f}"] for r in shown],
        ),
    )
