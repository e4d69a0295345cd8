"""Charts of what ingredients are worth: verdicts are told by colour and by shape, and an interval by its thickness.

Rows have the fields ``name``, ``value``, ``verdict`` and ``sure``; ``low`` and ``high`` end the plain interval,
``wide_low`` and ``wide_high`` the one that holds for all rows together; all four are None where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.report.charts import (
    ABOVE,
    LINE,
    TALL,
    Chart,
    Row,
    ends,
    layers,
    mark,
    name,
    names_above,
    tooltip,
    upright,
)

SHAPES = ("triangle-up", "triangle-down", "circle", "square")
"""Of what helps, hurts, makes no measurable difference, and none at all."""

ENDS = ("value", "wide_low", "wide_high")

FARTHER = 8
"""How much farther the farthest gain reaches than most before the scale is bent for it."""

LONG = 16
"""Letters of a name above which all names stand above their rows."""

NARROW = 250
"""Width in pixels of what is drawn on the narrowest screen: names that do not overlap there do so nowhere."""

LETTER = 7.0
"""Width of a letter in pixels, about; one of a wide script takes two."""

LONGEST = 22
"""Letters of a name beside its point."""


def forest(rows: Sequence[Row], x: Chart, verdicts: Sequence[str]) -> Chart:
    """One line a row: its gain, the plain interval thick and the simultaneous one thin, and a line at 0."""
    y = name("name", [row["name"] for row in rows])
    above = any(letters(row["name"]) > LONG for row in rows)
    place = {"y": {**y, "axis": None} if above else y, "tooltip": _told(y, x)}
    drawn = [names_above(y)] if above else []
    drawn += [upright(0), *_spans(rows, place, x, verdicts), *_points(place | {"x": x}, verdicts)]
    return layers(rows, *drawn, height=(ABOVE if above else LINE) * len(rows))


def even_up_to(rows: Sequence[Row]) -> float | None:
    """Where an even scale of gains must end, for one that is far larger than most; None where they fit on one."""
    reach = sorted(max(abs(row[end]) for end in ENDS if row[end] is not None) for row in rows)
    typical = reach[len(reach) // 2] if reach else 0.0
    return _one_digit(typical) if typical > 0 and reach[-1] > FARTHER * typical else None


def stretched(x: Chart, rows: Sequence[Row], end: float) -> Chart:
    """An axis of gains that is even up to ``end`` and logarithmic beyond (a symmetric logarithm)."""
    furthest = max(abs(row[side]) for row in rows for side in ENDS if row[side] is not None)
    steps = [0.0, end]
    while steps[-1] < furthest:
        steps.append(steps[-1] * 4)
    low = min(0.0, *(row[side] for row in rows for side in ENDS if row[side] is not None))
    ticks = [-step for step in steps[:0:-1] if -step >= 1.5 * low] + steps
    axis = {**x["axis"], "format": ",.0f" if end >= 1 else ".2~g", "values": [float(f"{tick:.3g}") for tick in ticks]}
    return {**x, "scale": {"type": "symlog", "constant": end, "zero": True, "nice": False}, "axis": axis}


def _one_digit(value: float) -> float:
    return float(f"{value:.0e}")


def waterfall(rows: Sequence[Row], x: Chart, verdicts: Sequence[str], begin: Row) -> Chart:
    """Bars from the score ``before`` a step to the one after it, ``value``, and above them where they ``begin``."""
    y = name("name", [begin["name"], *(row["name"] for row in rows)])
    place = {"y": {**y, "axis": None}, "tooltip": _told(y, x)}
    bar = {**place, "x": {**x, "field": "before"}, "x2": {"field": "value"}, "color": _colour(verdicts)}
    start = mark("point", {"y": place["y"], "x": x}, style="ink", shape="diamond", filled=True, size=90, opacity=1)
    drawn = [
        names_above(y) | {"data": {"values": [{"name": each["name"]} for each in (begin, *rows)]}},
        mark("bar", bar, height=10, opacity=0.35),
        *_spans(rows, place, x, verdicts),
        *_points(place | {"x": x}, verdicts),
        start | {"data": {"values": [dict(begin)]}},
    ]
    return layers(rows, *drawn, height=ABOVE * (1 + len(rows)))


def scatter(rows: Sequence[Row], x: Chart, y: Chart, verdicts: Sequence[str]) -> Chart:
    """A point a row at its ``cost`` and its gain, with its name beside it where there is room."""
    across, up = (_domain([row[axis["field"]] for row in rows]) for axis in (x, y))
    x, y = ({**axis, "scale": {"domain": list(span), "nice": False}} for axis, span in ((x, across), (y, up)))
    known = name("name", [])
    place = {"x": x, "y": y, "tooltip": tooltip(known, _verdict(), x, y)}
    named = labelled(rows, across, up)
    zero = mark("rule", {"y": {**y, "field": "at"}}, style="muted", strokeDash=[3, 3])
    drawn = [zero | {"data": {"values": [{"at": 0}]}}, upright(0), *_points(place, verdicts)]
    for side, looks in LABELS.items():
        some = [row for row in named if row["side"] == side]
        if some:
            label = {"x": x, "y": y, "text": {"field": "short", "type": "nominal"}}
            drawn.append(mark("text", label, style="ink", fontSize=12, **looks) | {"data": {"values": some}})
    return layers(rows, *drawn, height=TALL)


def sweep(rows: Sequence[Row], x: Chart, y: Chart, verdicts: Sequence[str], own: Row | None) -> Chart:
    """Gains along the values of a setting with a band, ``own`` being the value that they are compared with."""
    zero = mark("rule", {"y": {**y, "field": "at"}}, style="muted", strokeDash=[3, 3])
    drawn = [zero | {"data": {"values": [{"at": 0}]}}]
    if any(row["low"] is not None for row in rows):
        banded = [row for row in rows if row["low"] is not None]
        band = [*banded, *([] if own is None else [{**own, "low": own["value"], "high": own["value"]}])]
        shade = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        drawn.append(mark("area", shade, opacity=0.15) | {"data": {"values": [dict(row) for row in band]}})
    through = [*rows, *([] if own is None else [own])]
    drawn.append(mark("line", {"x": x, "y": y}, strokeWidth=1.5) | {"data": {"values": [dict(row) for row in through]}})
    place = {"x": x, "y": y, "tooltip": tooltip(_verdict(), x, y, *ends(y))}
    drawn += _points(place, verdicts)
    if own is not None:
        told = {"x": x, "y": y, "tooltip": tooltip(name("name", []), x)}
        here = mark("point", told, style="ink", shape="diamond", filled=True, size=110, opacity=1)
        drawn.append(here | {"data": {"values": [dict(own)]}})
    return layers(rows, *drawn)


def _verdict() -> Chart:
    return {"field": "verdict", "type": "nominal", "title": None}


def _told(y: Chart, x: Chart) -> list[Chart]:
    return tooltip(y, _verdict(), x, *ends(x))


LEGEND = {"symbolSize": 90, "symbolStrokeWidth": 2, "symbolOpacity": 1}


def _colour(verdicts: Sequence[str]) -> Chart:
    return {**_verdict(), "scale": {"domain": list(verdicts), "range": "ordinal"}, "legend": LEGEND}


def _points(place: Mapping[str, Any], verdicts: Sequence[str]) -> list[Chart]:
    """Shapes in the colours of verdicts, full where the verdict is sure, and hollow, upon nothing, where it is not."""
    shape = {**_verdict(), "scale": {"domain": list(verdicts), "range": list(SHAPES)}, "legend": LEGEND}
    looks = {**place, "shape": shape, "color": _colour(verdicts)}
    full = {"condition": {"test": "datum.sure", "value": 1}, "value": 0}
    return [
        mark("point", place, style="paper", filled=True, size=90, opacity=1),
        mark("point", looks, filled=False, strokeWidth=2, size=90, opacity=1),
        mark("point", {**looks, "fillOpacity": full}, filled=True, size=90, opacity=1),
    ]


def _spans(rows: Sequence[Row], place: Mapping[str, Any], x: Chart, verdicts: Sequence[str]) -> list[Chart]:
    """Both intervals of each row; none at all where no row has one, since then their scale would have no ends."""
    drawn = []
    for low, high, width in (("wide_low", "wide_high", 1.3), ("low", "high", 4)):
        if any(row[low] is not None for row in rows):
            span = {**place, "x": {**x, "field": low}, "x2": {"field": high}, "color": _colour(verdicts)}
            known = {"transform": [{"filter": f"isValid(datum.{low})"}]}
            drawn.append(mark("rule", span, strokeWidth=width) | known)
    return drawn


def _domain(values: Sequence[float]) -> tuple[float, float]:
    """From the smallest to the largest, 0 among them, with a margin for the points."""
    low, high = min(0.0, *values), max(0.0, *values)
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


LABELS: Mapping[str, Mapping[str, Any]] = {
    "right": {"align": "left", "dx": 9},
    "left": {"align": "right", "dx": -9},
    "above": {"align": "center", "dy": -14},
    "below": {"align": "center", "dy": 15},
}
"""Where a name may stand beside its point."""


Box = tuple[float, float, float, float]


def labelled(rows: Sequence[Row], across: tuple[float, float], up: tuple[float, float]) -> list[dict[str, Any]]:
    """The rows whose name finds room beside its point on a narrow screen, on which side; the farthest from 0 first."""

    def at(row: Row) -> tuple[float, float]:
        x = NARROW * (row["cost"] - across[0]) / (across[1] - across[0])
        return x, TALL * (up[1] - row["value"]) / (up[1] - up[0])

    taken: list[Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in map(at, rows)]
    named: list[dict[str, Any]] = []
    ground = at({"cost": 0, "value": 0})[1]  # a name upon the line at 0 is hard to read
    reach = max(abs(row["value"]) for row in rows) or 1.0
    for row in sorted(rows, key=lambda row: -abs(row["value"]) / reach):
        text = row["name"] if letters(row["name"]) <= LONGEST else f"{row['name'][: LONGEST // 2]}…"
        for side in sorted(LABELS, key=lambda side: _box(side, *at(row), 0)[1] < ground < _box(side, *at(row), 0)[3]):
            box = _box(side, *at(row), LETTER * letters(text))
            if box[0] >= 0 and box[2] <= NARROW and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                named.append({**row, "side": side, "short": text})
                break
    return named


def _box(side: str, x: float, y: float, width: float) -> Box:
    if side in ("right", "left"):
        begin = x + 8 if side == "right" else x - 8 - width
        return begin, y - 7, begin + width, y + 7
    middle = y - 14 if side == "above" else y + 15
    return x - width / 2, middle - 7, x + width / 2, middle + 7


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def letters(text: str) -> int:
    """How wide a text is, in letters of ours."""
    return sum(1 if ord(letter) < 0x1100 else 2 for letter in text)
