"""Whether what is given a probability comes true that often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.measure.curves import calibration
from aurify.measure.labels import all_labels
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.section import Block, Figure, Paragraph, Record, Rows, Section, Tested
from aurify.report.words import interval


class Calibration(Section):
    """The reliability diagram, with how many rows each of its points rests on."""

    order = 540

    @property
    def title(self) -> Said:
        return said("Can its probabilities be believed?")

    def measure(self, tested: Tested) -> Any:
        if tested.model.probabilities is None:
            return None
        if tested.model.several:
            pairs, together = all_labels(tested.model, tested.clusters)
            return {**calibration(pairs, seed=tested.recipe.seed, clusters=together), "of": None, "several": True}
        return calibration(tested.model, seed=tested.recipe.seed, clusters=tested.clusters)

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        bins = [b for b in measured["bins"] if b["observed"]["value"] is not None]
        several = measured.get("several", False)
        error = _error(record.summary["scores"]["calibration_error"], several)
        return [Paragraph(error), _figure(record, _caption(measured["of"], several), bins)]


def _error(score: Mapping[str, Any], several: bool) -> Said:
    if several:
        return said(
            "The probability given to a label is off from how often rows held it by {error} on average (calibration"
            " error over 15 bins, all labels together). Even a perfect model has an error above 0 on few rows.",
            error=interval(score),
        )
    return said(
        "The probability given to the predicted class is off from how often it came true by {error} on average"
        " (calibration error over 15 bins). Even a perfect model has an error above 0 on few rows.",
        error=interval(score),
    )


def _figure(record: Record, caption: Said, bins: Sequence[Mapping[str, Any]]) -> Figure:
    predicted, observed = said("predicted probability"), said("came true")
    most = max(bins, key=_gap)
    return Figure(
        name="calibration",
        chart=_chart(record, predicted, observed, bins),
        caption=caption,
        described=said(
            "Calibration in {count} bins. The largest gap: where {predicted} was predicted, {observed} came true"
            " ({rows} rows).",
            count=len(bins),
            predicted=number(most["predicted"]),
            observed=interval(most["observed"]),
            rows=f"{most['rows']:,}",
        ),
        table=Rows(
            header=[predicted, observed, said("rows")],
            rows=[[number(b["predicted"]), interval(b["observed"]), f"{b['rows']:,}"] for b in bins],
        ),
    )


def _chart(record: Record, predicted: Said, observed: Said, bins: Sequence[Mapping[str, Any]]) -> charts.Chart:
    x = charts.number("x", record.say(predicted), domain=(0, 1))
    y = charts.number("y", record.say(observed), domain=(0, 1))
    rows = charts.size("rows", record.say(said("rows")))
    span = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    shown = [
        {
            "x": b["predicted"],
            "y": b["observed"]["value"],
            "low": b["observed"]["low"],
            "high": b["observed"]["high"],
            "rows": b["rows"],
        }
        for b in bins
    ]
    return charts.layers(
        shown,
        charts.guide([(0, 0), (1, 1)], x, y),
        charts.mark("rule", span, style="model", strokeWidth=2),
        charts.mark(
            "point",
            {"x": x, "y": y, "size": rows, "tooltip": charts.tooltip(x, y, *charts.ends(y), rows)},
            style="model",
            filled=True,
            opacity=1,
        ),
        height=charts.TALL,
    )


def _gap(found: Mapping[str, Any]) -> float:
    return abs(found["predicted"] - found["observed"]["value"])


def _caption(of: str | None, several: bool) -> Said:
    if several:
        return said(
            "The predicted probability of a label against how often rows held it, all labels together, in bins of about"
            " equally many answers, with 95 % intervals over rows. On the dashed line, probabilities come true as often"
            " as they say; below it they are too high. The larger a point, the more answers."
        )
    if of is None:
        return said(
            "The probability of the predicted class against how often that prediction was right, in bins of about"
            " equally many test rows, with 95 % intervals. On the dashed line, probabilities come true as often as they"
            " say; below it the model is too sure of itself. The larger a point, the more rows."
        )
    return said(
        "The predicted probability of {name} against how often it came true, in bins of about equally many test rows,"
        " with 95 % intervals. On the dashed line, probabilities come true as often as they say; below it they are too"
        " high. The larger a point, the more rows.",
        name=of,
    )
