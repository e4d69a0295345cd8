"""Which classes are taken for which, and how well each class does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.measure.curves import confusion
from aurify.report import charts
from aurify.report.confused_images import confused_images, confused_told
from aurify.report.section import Block, Figure, Record, Rows, Section, Tested
from aurify.report.values import share
from aurify.report.words import interval

MOST_WRITTEN = 12
"""Classes whose cells have room for their numbers."""

CELL = 34
"""The height of a row of the matrix, in pixels."""

FAINT, DEEP = 0.03, 0.55
"""How opaque a cell is at least and at most: a number on it stays readable on light and on dark paper."""


class Confusion(Section):
    """The confusion matrix, and each class's precision, recall and F1 with intervals."""

    order = 500

    @property
    def title(self) -> Said:
        return said("Which classes it confuses")

    def measure(self, tested: Tested) -> Any:
        if tested.model.classes is None or tested.model.several:
            return None
        found = confusion(tested.model, seed=tested.recipe.seed, clusters=tested.clusters)
        return {**found, "images": confused_images(tested)}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        cells = _pairs(record, measured["pairs"]) if measured["counts"] is None else [_matrix(record, measured)]
        return [*cells, *confused_told(measured.get("images", ())), _classes(record, measured)]


def _count(rows: float) -> str:
    """Rows, or their weight."""
    return f"{rows:,.0f}" if rows == round(rows) else f"{rows:,.1f}"


def _matrix(record: Record, measured: Mapping[str, Any]) -> Figure:
    names, counts = measured["names"], measured["counts"]
    cells = [
        {
            "true": true,
            "predicted": predicted,
            "rows": counts[i][j],
            "text": _count(counts[i][j]),
            "share": counts[i][j] / (sum(counts[i]) or 1),
        }
        for i, true in enumerate(names)
        for j, predicted in enumerate(names)
    ]
    total, right = sum(map(sum, counts)), sum(counts[i][i] for i in range(len(names)))
    return Figure(
        name="confusion",
        chart=_heat(record, cells, names),
        caption=said(
            "Rows are true classes and columns predicted ones, with the number of test rows; the deeper a cell, the"
            " larger its share of the true class. On the diagonal, prediction and truth agree."
        ),
        described=said(
            "Confusion matrix: {right} of {total} test rows lie on the diagonal. {worst}",
            right=_count(right),
            total=_count(total),
            worst=_worst(cells),
        ),
        table=Rows(
            header=[said("true class"), *(said("predicted {name}", name=name) for name in names)],
            rows=[
                [true, *(f"{_count(n)} ({share(n / (sum(row) or 1))})" for n in row)]
                for true, row in zip(names, counts, strict=True)
            ],
        ),
    )


def _worst(cells: Sequence[Mapping[str, Any]]) -> Said:
    wrong = max((cell for cell in cells if cell["true"] != cell["predicted"]), key=lambda c: c["rows"], default=None)
    if wrong is None or not wrong["rows"]:
        return said("No row was taken for another class.")
    return said(
        "Most often, {true} was taken for {predicted}: {rows} rows, {share} of the class.",
        true=wrong["true"],
        predicted=wrong["predicted"],
        rows=wrong["text"],
        share=share(wrong["share"]),
    )


def _heat(record: Record, cells: Sequence[Mapping[str, Any]], names: Sequence[str]) -> charts.Chart:
    level = sum(len(name) for name in names) * 7 < 160
    along = {"labelAngle": 0 if level else -90, "labelLimit": 90, "orient": "top", "titleAnchor": "middle"}
    place = {
        "x": charts.name("predicted", names, record.say(said("predicted")), **along),
        "y": charts.name("true", names, record.say(said("true"))),
    }
    rows = {"field": "rows", "type": "quantitative", "title": record.say(said("rows"))}
    share = {"field": "share", "type": "quantitative", "title": record.say(said("share of the true class"))}
    scale = {"domain": [0, 1], "range": [FAINT, DEEP]}
    tip = charts.tooltip(place["y"], place["x"], rows, share)
    drawn = [
        charts.mark(
            "rect", {**place, "opacity": {**share, "scale": scale, "legend": None}, "tooltip": tip}, style="model"
        )
    ]
    if len(names) <= MOST_WRITTEN:
        longest = max(len(cell["text"]) for cell in cells)
        # a number that does not fit its cell is not written
        fits = f"floor(width / {len(names)} / {0.62 * longest + 0.5:.2f})"
        size = {"expr": f"{fits} < 8 ? 0 : min(13, {fits})"}
        drawn.append(
            charts.mark("text", {**place, "text": {"field": "text"}, "tooltip": tip}, style="ink", fontSize=size)
        )
    height = max(CELL, 120 // len(names)) if len(names) <= MOST_WRITTEN else charts.LINE
    return charts.layers(cells, *drawn, height=height * len(names))


def _pairs(record: Record, pairs: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not pairs:
        return []
    axis = record.say(said("test rows"))
    shown = [
        {"name": f"{pair['target']} → {pair['prediction']}", "value": pair["rows"], "strong": False} for pair in pairs
    ]
    figure = Figure(
        name="confusion",
        chart=charts.bars(shown, charts.number("value", axis, zero=True)),
        caption=said(
            "The pairs of classes that are confused most, true class → predicted class; of so many classes the whole"
            " matrix would not be readable."
        ),
        described=said(
            "The most confused pair: {rows} rows of {true} were taken for {predicted}.",
            rows=_count(pairs[0]["rows"]),
            true=pairs[0]["target"],
            predicted=pairs[0]["prediction"],
        ),
        table=Rows(
            header=[said("true class"), said("predicted"), said("rows"), said("share of the true class")],
            rows=[[p["target"], p["prediction"], _count(p["rows"]), share(p["share"])] for p in pairs],
        ),
    )
    return [figure]


def _classes(record: Record, measured: Mapping[str, Any]) -> Figure:
    found = measured["classes"]
    caption = (
        said(
            "Precision and recall of each class with 95 % intervals. Precision: of the rows called so, the share that"
            " are. Recall: of the rows that are, the share called so. The larger a point, the more rows it rests on."
        )
        if measured["counts"] is not None
        else said(
            "Precision and recall with 95 % intervals of the {count} classes that are worst in F1. Precision: of the"
            " rows called so, the share that are. Recall: of the rows that are, the share called so.",
            count=len(found),
        )
    )
    known = [c for c in found if c["f1"]["value"] is not None]
    worst = min(known, key=lambda c: c["f1"]["value"], default=found[0])
    return Figure(
        name="classes",
        chart=_two_dots(record, found),
        caption=caption,
        described=said(
            "Precision and recall of {count} classes; the lowest F1 is that of {name}, {f1}.",
            count=len(found),
            name=worst["class"],
            f1=interval(worst["f1"]),
        ),
        table=Rows(
            header=[said("class"), said("precision"), said("recall"), said("F1"), said("rows"), said("called so")],
            rows=[
                [
                    c["class"],
                    *(interval(c[metric]) for metric in ("precision", "recall", "f1")),
                    _count(c["support"]),
                    _count(c["predicted"]),
                ]
                for c in found
            ],
        ),
    )


def _two_dots(record: Record, found: Sequence[Mapping[str, Any]]) -> charts.Chart:
    order = [record.say(said("precision")), record.say(said("recall"))]
    shown = [
        {"name": c["class"], "series": word, "rows": c[of], **c[metric]}
        for c in found
        for metric, of, word in zip(("precision", "recall"), ("predicted", "support"), order, strict=True)
    ]
    rows = charts.size("rows", record.say(said("rows")))
    return charts.grouped(shown, charts.number("value", " ", domain=(0, 1)), order, rows)
