"""Charts of a search: how it got better, how trials went up the rungs, what knobs go with good scores, two goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.report.charts import (
    HEIGHT,
    LINE,
    TALL,
    Chart,
    Row,
    layers,
    mark,
    name,
    names_above,
    series,
    tooltip,
)
from aurify.report.verdict_charts import LABELS, LONG, labelled, letters

SHAPES = ("circle", "triangle-down", "cross")
"""Of trials that were finished, stopped early, and failed."""

AXIS = 64
"""Between two axes of parallel coordinates, in pixels."""

BELOW = 18
"""From an axis to the values written under it, in pixels."""

STRENGTHS = (0.9, 0.5, 0.32, 0.2)
"""How strong lines are, from the best quarter of the trials to the worst."""

HALO: Mapping[str, Any] = {"style": "paper", "filled": False, "strokeWidth": 4, "strokeOpacity": 0.9, "opacity": 1}
"""Of a text that lines go through: the paper around its letters."""

ABSENT = -0.09
"""Where along an axis trials are that have no such setting."""


def climb(rows: Sequence[Row], best: Sequence[Row], x: Chart, y: Chart, states: Sequence[str]) -> Chart:
    """A point a trial at ``x`` and ``value`` by its ``series``, and a stepped line for the best so far."""
    legend = {"symbolOpacity": 1, "symbolSize": 60, "symbolStrokeWidth": 2}
    scale = {"domain": list(states)}
    field = {"field": "series", "type": "nominal", "title": None, "legend": legend}
    colour = {**field, "scale": {**scale, "range": "ordinal"}}
    shape = {**field, "scale": {**scale, "range": list(SHAPES)}}
    trial = {"field": "name", "type": "nominal", "title": None}
    place = {"x": x, "y": y, "color": colour, "shape": shape, "tooltip": tooltip(trial, name("series", states), x, y)}
    line = mark("line", {"x": x, "y": y}, style="ink", strokeWidth=2, interpolate="step-after", clip=True)
    points = mark("point", place, filled=True, size=44, opacity=0.75, clip=True)
    return layers(rows, line | {"data": {"values": [dict(row) for row in best]}}, points)


def ladders(rows: Sequence[Row], x: Chart, y: Chart, order: Sequence[str]) -> Chart:
    """A line a trial through its rungs, with a point at each; ``order`` are the ``series`` of trials that reached the
    last rung, of the one that was picked, and of those that were stopped before.
    """
    legend = {"symbolOpacity": 1}
    colour = {**series(order), "legend": legend, "scale": {"domain": list(order), "range": "ordinal"}}
    many = max(0.15, min(0.6, 30 / len({row["trial"] for row in rows})))
    drawn = []
    for at, wide, faint in ((2, 1.3, many), (0, 1.3, many), (1, 3, 1.0)):
        some = {"data": {"values": [dict(row) for row in rows if row["series"] == order[at]]}}
        if some["data"]["values"]:
            place = {"x": x, "y": y, "color": colour, "detail": {"field": "trial", "type": "nominal"}}
            tip = tooltip({"field": "name", "type": "nominal", "title": None}, x, y)
            drawn += [
                mark("line", place, strokeWidth=wide, opacity=faint, clip=True) | some,
                mark("point", {**place, "tooltip": tip}, filled=True, size=26, opacity=faint, clip=True) | some,
            ]
    return layers(rows, *drawn)


def parallel(lines: Sequence[Row], axes: Sequence[Row], ticks: Sequence[Row], classes: Sequence[str]) -> Chart:
    """Axes under one another, and through each a line a trial: upright, so that their names fit on narrow screens.

    ``lines`` have a row a trial and axis: ``trial``, its ``name``, the number ``at`` of the axis, the place ``x`` along
    it from 0 to 1, how good the trial is as one of ``classes`` and whether it was ``picked``. ``axes`` have ``at``
    and ``name``, ``ticks`` have ``at``, ``x``, ``label`` and on which ``side`` of its place it is written.
    """
    left = ABSENT - 0.03 if any(row["x"] < 0 for row in lines) else -0.02
    x = _along("x", {"domain": [left, 1.02], "nice": False})
    y = _along("at", {"domain": [-0.6, len(axes) - 0.4], "nice": False, "reverse": True})
    ground = mark("rule", {"y": y, "x": {**x, "field": "begin"}, "x2": {"field": "end"}}, style="muted", strokeWidth=1)
    drawn = [ground | _data([{**axis, "begin": 0, "end": 1} for axis in axes])]
    place = {"x": x, "y": y, "detail": {"field": "trial", "type": "nominal"}, "order": {"field": "at"}}
    field = {"field": "class", "type": "ordinal", "title": None}
    # else Vega-Lite spreads them evenly from the first to the last
    scale = {"type": "ordinal", "domain": list(classes), "range": list(STRENGTHS[: len(classes)])}
    legend = {"symbolStrokeWidth": 3, "symbolType": "stroke"} if len(classes) > 1 else None
    strong = {"opacity": {**field, "scale": scale, "legend": legend}}
    told = {"tooltip": tooltip({"field": "name", "type": "nominal", "title": None}, field)}
    drawn.append(mark("line", {**place, **strong, **told}, style="model", strokeWidth=1.5) | _data(lines))
    chosen = [row for row in lines if row["picked"]]
    if chosen:
        drawn.append(mark("line", {**place, **told}, style="second", strokeWidth=3) | _data(chosen))
    for text in (HALO, {"style": "ink"}):
        label = {"x": {"value": 0}, "y": y, "text": {"field": "name", "type": "nominal"}}
        looks = {"align": "left", "dy": -13, "fontSize": 12, "limit": {"expr": "width"}, **text}
        drawn.append(mark("text", label, **looks) | _data(axes))
    for side in ("left", "center", "right"):
        some = [row for row in ticks if row["side"] == side]
        for text in (HALO, {"style": "muted"}) if some else ():
            label = {"x": x, "y": y, "text": {"field": "label", "type": "nominal"}}
            room = {"expr": f"width / {max(2, max(row['of'] for row in some))} - 2"}
            looks = {"align": side, "dy": BELOW, "fontSize": 11, "limit": room, **text}
            drawn.append(mark("text", label, **looks) | _data(some))
    return layers([], *drawn, height=AXIS * len(axes))


def _along(field: str, scale: Mapping[str, Any]) -> Chart:
    return {"field": field, "type": "quantitative", "axis": None, "scale": dict(scale)}


def _data(rows: Sequence[Row]) -> Chart:
    return {"data": {"values": [dict(row) for row in rows]}}


def along_numbers(rows: Sequence[Row], x: Chart, y: Chart, default: float | None) -> Chart:
    """The score ``value`` of each trial against its number ``x``; the picked one stands out, a line at the default."""
    rule = mark("rule", {"x": {**x, "field": "at"}}, style="muted", strokeDash=[3, 3])
    drawn = [] if default is None else [rule | _data([{"at": default}])]
    return layers(rows, *drawn, *_trials(rows, {"x": x, "y": y}, x, y), height=HEIGHT - 40)


def along_names(rows: Sequence[Row], x: Chart, names: Sequence[str]) -> Chart:
    """The scores ``value`` of trials, along ``x``, each in the line of its ``name``."""
    y = name("name", names)
    above = any(letters(each) > LONG for each in names)
    known = _data([{"name": each} for each in names])
    drawn = [names_above(y) | known] if above else []
    place = {"x": x, "y": {**y, "axis": None} if above else y}
    return layers(rows, *drawn, *_trials(rows, place, y, x), height=(LINE + 16 if above else LINE) * max(2, len(names)))


def _trials(rows: Sequence[Row], place: Mapping[str, Any], *axes: Chart) -> list[Chart]:
    tip = tooltip({"field": "trial", "type": "nominal", "title": None}, *axes)
    points = mark("point", {**place, "tooltip": tip}, filled=True, size=40, opacity=0.55, clip=True)
    chosen = [row for row in rows if row["picked"]]
    best = mark("point", {**place, "tooltip": tip}, style="second", shape="diamond", filled=True, size=150, opacity=1)
    return [points, *([best | _data(chosen)] if chosen else [])]


def front(rows: Sequence[Row], x: Chart, y: Chart) -> Chart:
    """Trials at ``cost`` and ``value``: pale where another is as good in both, joined and named where none is."""
    across, up = (_span([row[axis["field"]] for row in rows]) for axis in (x, y))
    x, y = ({**axis, "scale": {"domain": list(span), "nice": False}} for axis, span in ((x, across), (y, up)))
    tip = tooltip({"field": "name", "type": "nominal", "title": None}, x, y)
    place = {"x": x, "y": y, "tooltip": tip}
    pale = _data([row for row in rows if not row["front"]])
    best = sorted((row for row in rows if row["front"]), key=lambda row: row["cost"])
    drawn = [mark("point", place, style="muted", filled=True, size=40, opacity=0.4) | pale]
    drawn.append(mark("line", {"x": x, "y": y}, style="model", strokeWidth=1.5, strokeDash=[4, 3]) | _data(best))
    drawn.append(mark("point", place, style="model", filled=True, size=80, opacity=1) | _data(best))
    named = labelled(best, across, up)
    for side, looks in LABELS.items():
        some = [row for row in named if row["side"] == side]
        for text in (HALO, {"style": "ink"}) if some else ():
            label = {"x": x, "y": y, "text": {"field": "short", "type": "nominal"}}
            drawn.append(mark("text", label, fontSize=12, **looks, **text) | _data(some))
    return layers(rows, *drawn, height=TALL)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """From the smallest to the largest, with a margin for the points."""
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin
