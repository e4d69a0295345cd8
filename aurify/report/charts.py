"""The charts of the report, as Vega-Lite knows them: plain data, as wide as their place, in the colours of a theme.

Field names are always ours and a user's words always values or titles: Vega takes dots and brackets in a field's name
for paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import said

Chart = dict[str, Any]
Row = Mapping[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

ROLES = {
    "paper": "#ffffff",
    "ink": "#1c2430",
    "muted": "#5c6675",
    "grid": "#e3e7ec",
    "model": "#0b62c4",
    "second": "#c2570c",
    "third": "#24785a",
    "fourth": "#8a3ea8",
    "fifth": "#a3174f",
    "sixth": "#6b6116",
}
"""What colours are for, and what they are on white paper; the page has others for the dark."""

SERIES = ("model", "second", "third", "fourth", "fifth", "sixth")

VERDICT_ROLES = ("model", "second", "muted", "muted")
"""Colours of what helps, hurts, makes no measurable difference, and none at all."""

HEIGHT = 260
"""Of a chart whose rows do not decide it, in pixels."""

TALL = 340
"""Of a chart that should be square: two axes of one kind."""

LINE = 26
"""Of one row where each has a line of its own, in pixels."""

ABOVE = 44
"""Of one row whose name stands above it, in pixels."""

FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei'"


def theme(colours: Mapping[str, str] = ROLES) -> dict[str, Any]:
    """A Vega-Lite config in colours by role; the page gives CSS variables, which follow light and dark."""
    ink, muted, grid, model = (colours[role] for role in ("ink", "muted", "grid", "model"))
    return {
        # each chart has a label of its own; what Vega says of its parts is English, and made of titles unescaped
        "aria": False,
        "background": colours["paper"],
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": muted,
            "titleColor": muted,
            "titleFontWeight": "normal",
            "labelFontSize": 12,
            "titleFontSize": 12,
            "gridColor": grid,
            "domainColor": grid,
            "tickColor": grid,
            "labelLimit": 160,
            "titleLimit": 240,
            "tickCount": 5,
        },
        # as many numbers as there is room for; a title may reach to the left, under the names of rows
        "axisX": {"tickCount": {"expr": "clamp(floor(width / 60), 3, 8)"}, "titleAnchor": "end"},
        "legend": {
            "orient": "top",
            "direction": "vertical",
            "title": None,
            "labelColor": ink,
            "labelFontSize": 12,
            "labelLimit": 260,
            "symbolStrokeWidth": 3,
        },
        "mark": {"color": model},
        "range": {
            "category": [colours[role] for role in SERIES],
            "ordinal": [colours[role] for role in VERDICT_ROLES],  # the one other list that Vega-Lite lets a chart name
        },
        "style": {role: {"color": colour} for role, colour in colours.items()},
    }


def number(field: str, title: str, *, domain: Sequence[float] | None = None, zero: bool = False, **axis: Any) -> Chart:
    """A position along a scale of numbers; further words go to the axis, such as ``format``."""
    scale = {"zero": zero, "nice": True} if domain is None else {"domain": list(domain), "nice": False}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def moment(field: str, title: str) -> Chart:
    """A position along time, in milliseconds since 1970 in UTC."""
    return {"field": field, "type": "temporal", "title": title, "scale": {"type": "utc"}, "axis": {"grid": True}}


def name(field: str, order: Sequence[str], title: str | None = None, **axis: Any) -> Chart:
    """A position by name, in an order."""
    axis = {"grid": False, **axis}
    return {"field": field, "type": "nominal", "title": title, "sort": list(order), "axis": axis}


def series(order: Sequence[str]) -> Chart:
    """Colours by the field ``series``, always the same ones for the same order; no legend for one alone."""
    legend = {"symbolOpacity": 1} if len(order) > 1 else None
    return {"field": "series", "type": "nominal", "scale": {"domain": list(order)}, "title": None, "legend": legend}


def size(field: str, title: str) -> Chart:
    """How large a point is, by a number from 0 that it stands for."""
    return {"field": field, "type": "quantitative", "title": title, "scale": {"range": [12, 90]}, "legend": None}


def tooltip(*axes: Mapping[str, Any]) -> list[Chart]:
    """What is shown beside the pointer: the value on each axis; of an axis without a title only the value."""
    shown = [{"field": a["field"], "type": a["type"], "title": _in_quotes(a["title"] or " ")} for a in axes]
    return [{**a, "format": ".4~f"} if a["type"] == "quantitative" else a for a in shown]


def _in_quotes(title: str) -> str:
    """A title as Vega-Lite may put it into an expression: it escapes quotes, and forgets what could undo that."""
    return title.replace("\\", "\\\\") if "\\" in title else title  # a text of ours stays one, to be said


def side_by_side(rows: Sequence[Row], x: Chart, names: Sequence[str], order: Sequence[str]) -> Chart:
    """A bar from 0 to ``value`` for each ``name`` of the rows, those of several ``series`` under one another."""
    y, colour = name("name", names), series(order)
    offset = {"yOffset": {"field": "series", "type": "nominal", "sort": list(order)}} if len(order) > 1 else {}
    place = {"y": y, "x": x, "color": colour, **offset, "tooltip": tooltip(y, name("series", order), x)}
    return layers(rows, mark("bar", place), height=LINE * len(names))


def ends(axis: Chart) -> list[Chart]:
    """Where the interval of what is on an axis begins and ends."""
    return [{**axis, "field": "low", "title": said("low")}, {**axis, "field": "high", "title": said("high")}]


def layers(rows: Sequence[Row], *marks: Chart, height: int = HEIGHT) -> Chart:
    """Marks over one another, of the same rows unless a mark has ``data`` of its own."""
    data = {"values": [dict(row) for row in rows]}
    return {"$schema": SCHEMA, "data": data, "width": "container", "height": height, "layer": list(marks)}


def mark(kind: str, encoding: Mapping[str, Any], **looks: Any) -> Chart:
    """One mark: ``line``, ``point``, ``rule``, ``bar``, ``area``, ``rect`` or ``text``, and how it looks."""
    return {"mark": {"type": kind, **looks}, "encoding": dict(encoding)}


def lines(
    rows: Sequence[Row],
    x: Chart,
    y: Chart,
    order: Sequence[str],
    *,
    band: bool = False,
    split: str | None = None,
    interpolate: str = "linear",
    under: Sequence[Chart] = (),
    height: int = HEIGHT,
) -> Chart:
    """A line through ``x``, ``y`` for each ``series`` of the rows, with a band from ``low`` to ``high`` where asked.

    A series is several lines of one colour where its rows differ in the field ``split``. A row without ``low`` has no
    band. ``interpolate`` is how Vega-Lite joins points, such as ``step-before``; ``under`` are marks to lie below.
    """
    shared = {"x": x, "color": series(order)}
    shared |= {} if split is None else {"detail": {"field": split, "type": "nominal"}}
    tip = tooltip(name("series", order), x, y)
    drawn = [*under, mark("line", {**shared, "y": y, "tooltip": tip}, strokeWidth=2, interpolate=interpolate)]
    banded = {row["series"] for row in rows if row.get("low") is not None}
    if band and banded:
        shade = {**shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        known = {"transform": [{"filter": "isValid(datum.low)"}]}
        # several bands lie over one another
        opacity = 0.18 if len(banded) == 1 else 0.08
        drawn.insert(0, mark("area", shade, opacity=opacity, interpolate=interpolate) | known)
    return layers(rows, *drawn, height=height)


def guide(points: Sequence[tuple[float, float]], x: Chart, y: Chart) -> Chart:
    """A dashed line through points, to compare with."""
    at = {"x": {**x, "field": "x"}, "y": {**y, "field": "y"}}
    dashed = mark("line", at, style="muted", strokeDash=[3, 3], strokeWidth=1)
    return dashed | {"data": {"values": [{"x": a, "y": b} for a, b in points]}}


def dots(rows: Sequence[Row], x: Chart, *, rule: float | None = None, above: bool = False) -> Chart:
    """One line a row, of its ``name``, with a dot at ``value`` and its interval from ``low`` to ``high``.

    ``rule`` is where nothing happens, such as 0 for differences. Rows that are ``strong`` are in the model's colour.
    Names that are long stand ``above`` their rows.
    """
    y = name("name", [row["name"] for row in rows])
    place = {"y": {**y, "axis": None} if above else y, "tooltip": tooltip(y, x, *ends(x))}
    drawn = [names_above(y)] if above else []
    if rule is not None:
        drawn.append(upright(rule))
    for strong, style in ((False, "muted"), (True, "model")):
        some = {"data": {"values": [dict(row) for row in rows if row["strong"] is strong]}}
        if some["data"]["values"]:
            drawn += [each | some for each in _spans(some["data"]["values"], place, x, style=style)]
            drawn.append(mark("point", {**place, "x": x}, style=style, filled=True, size=70, opacity=1) | some)
    return layers(rows, *drawn, height=(ABOVE if above else LINE) * len(rows))


def grouped(rows: Sequence[Row], x: Chart, order: Sequence[str], size: Chart) -> Chart:
    """For each ``name`` a dot at ``value`` with its interval for each ``series``, one under another."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    y = name("name", names)
    place = {
        "y": y,
        "yOffset": {"field": "series", "type": "nominal", "sort": list(order)},
        "color": series(order),
        "tooltip": tooltip(y, name("series", order), x, *ends(x), size),
    }
    return layers(
        rows,
        *_spans(rows, place, x),
        mark("point", {**place, "x": x, "size": size}, filled=True, opacity=1),
        height=max(LINE, 8 + 12 * len(order)) * len(names),
    )


def _spans(rows: Sequence[Row], place: Mapping[str, Any], x: Chart, **looks: Any) -> list[Chart]:
    """The intervals of rows; none at all where no row has one, since then their scale would have no ends."""
    if all(row["low"] is None for row in rows):
        return []
    span = {**place, "x": {**x, "field": "low"}, "x2": {"field": "high"}}
    return [mark("rule", span, strokeWidth=2, **looks)]


def bars(rows: Sequence[Row], x: Chart, *, beside: float | None = None) -> Chart:
    """Under each ``name`` a bar from 0 to ``value``; rows that are ``strong`` are in the model's colour.

    A row that has ``low`` and ``high`` has its interval on the bar; ``beside`` is a value to compare with.
    """
    y = name("name", [row["name"] for row in rows])
    place = {"y": {**y, "axis": None}, "x": {**x, "stack": None}, "tooltip": tooltip(y, x)}
    drawn = [names_above(y), upright(0)]
    for strong, style in ((False, "second"), (True, "model")):
        some = {"data": {"values": [dict(row) for row in rows if row["strong"] is strong]}}
        if some["data"]["values"]:
            drawn.append(mark("bar", place, style=style, height=10, opacity=0.75) | some)
    if any("low" in row for row in rows):
        span = {**place, "x": {**x, "field": "low"}, "x2": {"field": "high"}}
        drawn.append(mark("rule", span, style="ink"))
    drawn += [] if beside is None else [upright(beside)]
    return layers(rows, *drawn, height=ABOVE * len(rows))


def names_above(y: Chart) -> Chart:
    """The names themselves, each above its place along ``y``, which then needs no axis."""
    label = {"y": {**y, "axis": None}, "x": {"value": 3}, "text": {"field": "name", "type": "nominal"}}
    return mark("text", label, style="ink", align="left", dy=-15, limit={"expr": "width - 3"}, fontSize=12)


def upright(at: float) -> Chart:
    """A dashed line at a place on the axis of numbers."""
    where = mark("rule", {"x": {"field": "at", "type": "quantitative"}}, style="muted", strokeDash=[3, 3])
    return where | {"data": {"values": [{"at": at}]}}
