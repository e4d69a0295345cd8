"""The charts of the report, as Vega-Lite knows them: plain data, as wide as their place, in the colours of a theme.

Field names are always ours and a user's words always values: Vega takes dots and brackets in a field's name for paths.
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

HEIGHT = 260
"""Of a chart whose rows do not decide it, in pixels."""

LINE = 26
"""Of one row where each has a line of its own, in pixels."""

FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei'"


def theme(colours: Mapping[str, str] = ROLES) -> dict[str, Any]:
    """A Vega-Lite config in colours by role; the page gives CSS variables, which follow light and dark."""
    ink, muted, grid, model = (colours[role] for role in ("ink", "muted", "grid", "model"))
    return {
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
            "labelLimit": 130,
            "tickCount": 5,
        },
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
        "range": {"category": [colours[role] for role in SERIES]},
        "style": {role: {"color": colour} for role, colour in colours.items()},
    }


def number(field: str, title: str, *, domain: Sequence[float] | None = None, zero: bool = False, **axis: Any) -> Chart:
    """A position along a scale of numbers; further words go to the axis, such as ``format``."""
    scale = {"zero": zero, "nice": True} if domain is None else {"domain": list(domain), "nice": False}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def name(field: str, order: Sequence[str], title: str | None = None, **axis: Any) -> Chart:
    """A position by name, in an order."""
    axis = {"grid": False, **axis}
    return {"field": field, "type": "nominal", "title": title, "sort": list(order), "axis": axis}


def series(order: Sequence[str]) -> Chart:
    """Colours by the field ``series``, always the same ones for the same order; no legend for one alone."""
    legend = {} if len(order) > 1 else {"legend": None}
    return {"field": "series", "type": "nominal", "scale": {"domain": list(order)}, "title": None, **legend}


def tooltip(*axes: Mapping[str, Any]) -> list[Chart]:
    """What is shown beside the pointer: the value on each axis; of an axis without a title only the value."""
    shown = [{"field": a["field"], "type": a["type"], "title": a["title"] or " "} for a in axes]
    return [{**a, "format": ".4~f"} if a["type"] == "quantitative" else a for a in shown]


def side_by_side(rows: Sequence[Row], x: Chart, names: Sequence[str], order: Sequence[str]) -> Chart:
    """A bar from 0 to ``value`` for each ``name`` of the rows, those of several ``series`` under one another."""
    y, colour = name("name", names), series(order)
    offset = {"yOffset": {"field": "series", "type": "nominal", "sort": list(order)}} if len(order) > 1 else {}
    place = {"y": y, "x": x, "color": colour, **offset, "tooltip": tooltip(y, name("series", order), x)}
    return layers(rows, mark("bar", place), height=LINE * len(names))


def layers(rows: Sequence[Row], *marks: Chart, height: int = HEIGHT) -> Chart:
    """Marks over one another, of the same rows unless a mark has ``data`` of its own."""
    data = {"values": [dict(row) for row in rows]}
    return {"$schema": SCHEMA, "data": data, "width": "container", "height": height, "layer": list(marks)}


def mark(kind: str, encoding: Mapping[str, Any], **looks: Any) -> Chart:
    """One mark: ``line``, ``point``, ``rule``, ``bar``, ``area``, ``rect`` or ``text``, and how it looks."""
    return {"mark": {"type": kind, **looks}, "encoding": dict(encoding)}


def lines(
    rows: Sequence[Row], x: Chart, y: Chart, order: Sequence[str], *, band: bool = False, split: str | None = None
) -> Chart:
    """A line through ``x``, ``y`` for each ``series`` of the rows, with a band from ``low`` to ``high`` where asked.

    A series is several lines of one colour where its rows differ in the field ``split``.
    """
    shared = {"x": x, "color": series(order)}
    shared |= {} if split is None else {"detail": {"field": split, "type": "nominal"}}
    tip = tooltip(name("series", order), x, y)
    drawn = [mark("line", {**shared, "y": y, "tooltip": tip}, strokeWidth=2)]
    if band:
        shade = {**shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        drawn.insert(0, mark("area", shade, opacity=0.18))
    return layers(rows, *drawn)


def dots(rows: Sequence[Row], x: Chart, *, rule: float | None = None) -> Chart:
    """One line a row, of its ``name``, with a dot at ``value`` and its interval from ``low`` to ``high``.

    ``rule`` is where nothing happens, such as 0 for differences. Rows that are ``strong`` are in the model's colour.
    """
    y = name("name", [row["name"] for row in rows])
    ends = [{**x, "field": "low", "title": said("low")}, {**x, "field": "high", "title": said("high")}]
    place = {"y": y, "tooltip": tooltip(y, x, *ends)}
    drawn = []
    if rule is not None:
        zero = mark("rule", {"x": {"field": "at", "type": "quantitative"}}, style="muted", strokeDash=[3, 3])
        drawn.append({**zero, "data": {"values": [{"at": rule}]}})
    for strong, style in ((False, "muted"), (True, "model")):
        some = {"data": {"values": [dict(row) for row in rows if row["strong"] is strong]}}
        if some["data"]["values"]:
            span = {**place, "x": {**x, "field": "low"}, "x2": {"field": "high"}}
            drawn.append(mark("rule", span, style=style, strokeWidth=2) | some)
            drawn.append(mark("point", {**place, "x": x}, style=style, filled=True, size=70, opacity=1) | some)
    return layers(rows, *drawn, height=LINE * len(rows))
