"""Values and actions of states drawn where they lie: a grid of cells with numbers and arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.report import charts
from aurify.report.section import Figure, Record, Rows
from aurify.report.values import amount
from aurify.worlds.grid import GOAL, START, TRAP, WALL

ARROWS = {(0, -1): "←", (1, 0): "↓", (0, 1): "→", (-1, 0): "↑", (0, 0): "•"}
"""Rows and columns that an action leads on, as an arrow; a dot stays."""

MARKS = {GOAL: "◆", TRAP: "×"}
STYLES = {GOAL: "third", TRAP: "second", WALL: "muted"}

CELL = 44
"""The height of a row, in pixels."""

MOST_SMALL = 10
"""Rows from which on they are lower."""

FAINT, DEEP = 0.04, 0.55
"""How opaque a cell is of the lowest value and of the highest."""


def figure_of(
    record: Record, name: str, grid: Mapping[str, Any], which: str, ends: tuple[float, float], caption: Said
) -> Figure:
    """The map of what ``grid`` has under ``which``, its colours from the lowest to the highest of the ``ends``."""
    cells, found = _cells(grid, which), grid[which]
    known = [(value, at) for at, value in enumerate(found["values"]) if value is not None]
    width = len(grid["kinds"][0])
    (low, lowest), (high, highest) = min(known), max(known)
    return Figure(
        name=name,
        chart=_chart(record, cells, grid["kinds"], ends),
        caption=caption,
        described=said(
            "Values from {low} in cell {lowest} to {high} in cell {highest}, rows and columns counted from 0.",
            low=amount(low),
            lowest=place(lowest, width),
            high=amount(high),
            highest=place(highest, width),
        ),
        table=Rows(
            header=[said("row, column"), said("value"), said("action")],
            rows=[
                [place(at, width), amount(value), _arrow(grid, found["actions"][at])]
                for at, value in enumerate(found["values"])
                if value is not None
            ],
        ),
    )


def place(state: int, width: int) -> str:
    """Row and column of a state, counted from 0."""
    row, column = divmod(state, width)
    return f"{row}, {column}"


def _arrow(grid: Mapping[str, Any], action: int) -> str:
    return ARROWS[tuple(grid["ways"][action])]


def _cells(grid: Mapping[str, Any], which: str) -> list[dict[str, Any]]:
    found, width = grid[which], len(grid["kinds"][0])
    cells = list[dict[str, Any]]()
    for at, kind in enumerate("".join(grid["kinds"])):
        row, column = divmod(at, width)
        cell: dict[str, Any] = {"row": str(row), "column": str(column), "kind": kind}
        value, action = found["values"][at], found["actions"][at]
        if value is None:
            cells.append({**cell, "mark": MARKS.get(kind, "")})
        else:
            cells.append({**cell, "value": value, "text": _short(value), "mark": _arrow(grid, action)})
    return cells


def _short(value: float) -> str:
    """To two digits after the point, or none of large ones."""
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def _chart(
    record: Record, cells: Sequence[Mapping[str, Any]], kinds: Sequence[str], ends: tuple[float, float]
) -> charts.Chart:
    height, width = len(kinds), len(kinds[0])
    names = [str(at) for at in range(max(height, width))]
    spot = {
        "x": {**charts.name("column", names[:width], record.say(said("column"))), "axis": None},
        "y": {**charts.name("row", names[:height], record.say(said("row"))), "axis": None},
    }
    tall = CELL if height <= MOST_SMALL else charts.LINE
    drawn = [
        charts.mark("rect", spot, style=style, opacity=0.75 if kind == WALL else 0.3)
        | {"transform": [{"filter": f"datum.kind === '{kind}'"}]}
        for kind, style in STYLES.items()
    ]
    value = charts.number("value", record.say(said("value")))
    scale = {"domain": list(ends) if ends[0] < ends[1] else [ends[0] - 1, ends[1]], "range": [FAINT, DEEP]}
    looks = {**spot, "opacity": {**value, "scale": scale, "legend": None}}
    tip = {"tooltip": charts.tooltip(spot["y"], spot["x"], value)}
    known = {"transform": [{"filter": "isValid(datum.value)"}]}
    drawn.append(charts.mark("rect", looks | tip, style="model") | known)
    start = {"transform": [{"filter": f"datum.kind === '{START}'"}]}
    drawn.append(charts.mark("rect", spot, style="ink", fillOpacity=0, strokeWidth=2, filled=False) | start)
    longest = max((len(cell["text"]) for cell in cells if "text" in cell), default=1)
    fits = f"floor(width / {width} / {0.62 * longest + 0.3:.2f})"  # a number that does not fit its cell is not written
    size = {"expr": f"{fits} < 7 ? 0 : min(12, {fits})"}
    arrow = {"expr": f"min({tall * 0.42:.0f}, floor(width / {width} * 0.6))"}
    beside = {"text": {"field": "mark"}}
    low = tall * 0.26
    drawn += [
        charts.mark("text", {**spot, **beside, **tip}, style="ink", fontSize=arrow, dy=-low / 2) | known,
        charts.mark("text", {**spot, **beside}, style="ink", fontSize=arrow)
        | {"transform": [{"filter": "!isValid(datum.value)"}]},
        charts.mark("text", {**spot, "text": {"field": "text"}, **tip}, style="ink", fontSize=size, dy=low) | known,
    ]
    return charts.layers(cells, *drawn, height=tall * height)
