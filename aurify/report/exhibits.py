"""Pictures of evidence as blocks of the page: each kind of exhibit as a chart or a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.data.exhibits import Exhibit, ends_of
from aurify.report import charts
from aurify.report.section import Block, Figure, Gallery, Inspection, Paragraph, Picture, Rows, Strip
from aurify.report.values import amount, share, shown

MOST_ROWS = 24
"""Rows of a table, or bars, that are shown; the others are counted."""

MOST_COLUMNS = 30
"""Columns of a table or of a map that are shown; those with a cell to look at are always there."""

LONGEST = 160
"""Letters of a cell that are shown."""

STRIP = 18
"""Of one column in a map, in pixels."""

FAINT, DEEP = 0.04, 0.95
"""How much of its colour a cell of a map has where nothing of it is missing, and where all is."""


def blocks_of(record: Inspection, exhibit: Exhibit, name: str) -> list[Block]:
    """What shows an exhibit; ``name`` is that of its chart, if it has one."""
    data = exhibit.data
    if exhibit.kind == "rows":
        return _table(exhibit, data)
    if exhibit.kind == "images":
        return _images(record, exhibit)
    draw: Callable[..., Drawn] = {"map": _map, "bars": _bars, "line": _line}[exhibit.kind]
    chart, told, table, left = draw(record, data)
    described = said("{caption} {told}", caption=exhibit.caption, told=told)
    figure = Figure(name=name, chart=chart, caption=exhibit.caption, described=described, table=table)
    return [figure, *_left_out(left)]


Drawn = tuple[charts.Chart, Said, Rows, int]
"""A chart, what it shows in a sentence, its numbers, and how many things found no place in it."""


def _left_out(count: int) -> list[Block]:
    return [Paragraph(said("Not shown here: {count:,} more.", count=count))] if count else []


def _table(exhibit: Exhibit, data: Mapping[str, Any]) -> list[Block]:
    """Cells side by side; of many columns the first ones and those to look at."""
    marks = {(row, column) for row, column in data["marks"] if row < MOST_ROWS}
    looked = {column for _, column in marks}
    columns = [at for at in range(len(data["header"])) if at < MOST_COLUMNS or at in looked]
    place = {column: at for at, column in enumerate(columns)}
    table = Rows(
        header=[_cell(data["header"][at]) for at in columns],
        rows=[[_cell(row[at]) for at in columns] for row in data["rows"][:MOST_ROWS]],
        caption=exhibit.caption,
        numbers=False,
        marks={(row, place[column]) for row, column in marks},
    )
    return [table, *_left_out(len(data["rows"]) - len(table.rows))]


def _images(record: Inspection, exhibit: Exhibit) -> list[Block]:
    """Pictures side by side, a line for each group of them."""
    strips = [
        Strip("", [_picture(_name(record, each["text"]), each) for each in strip]) for strip in exhibit.data["strips"]
    ]
    return [Paragraph(said("{caption}:", caption=exhibit.caption)), Gallery(strips)]


def _picture(text: str, plain: Mapping[str, Any]) -> Picture:
    return Picture(plain["source"], plain["width"], plain["height"], text, text)


def _cell(text: str) -> str:
    """A text of ours as it is, to be said; a user's visible, and not longer than can be read beside others."""
    if isinstance(text, Said) or not text:
        return text
    seen = shown(text)
    return seen if len(seen) <= LONGEST else f"{seen[:LONGEST]}…"


def _map(record: Inspection, data: Mapping[str, Any]) -> Drawn:
    """Columns under one another, stretches of rows from left to right."""
    shares = list(zip(*data["shares"], strict=True))
    worst = sorted(range(len(shares)), key=lambda at: -sum(shares[at]))[:MOST_COLUMNS]
    chosen = sorted(worst)
    columns = [_name(record, data["columns"][at]) for at in chosen]
    bins = [_name(record, label) for label in data["bins"]]
    cells = [
        {"column": column, "stretch": stretch, "value": shares[at][number]}
        for at, column in zip(chosen, columns, strict=True)
        for number, stretch in enumerate(bins)
    ]
    across = charts.name("stretch", bins, record.say(said("rows")), labelAngle=-45, labelOverlap=True, labelLimit=90)
    place = {"x": across, "y": charts.name("column", columns)}
    value = charts.number("value", record.say(said("share of cells that are missing")))
    depth = {"field": "value", "type": "quantitative", "scale": {"domain": [0, 1], "range": [FAINT, DEEP]}}
    looks = {**place, "opacity": {**depth, "legend": None}, "tooltip": charts.tooltip(*place.values(), value)}
    most = worst[0]
    told = said(
        "The most is missing in {column}, {share} of its cells in {stretch}.",
        column=columns[chosen.index(most)],
        share=share(max(shares[most])),
        stretch=bins[shares[most].index(max(shares[most]))],
    )
    rows = [[name, *(share(each) for each in shares[at])] for at, name in zip(chosen, columns, strict=True)]
    chart = charts.layers(cells, charts.mark("rect", looks, style="model"), height=STRIP * len(columns))
    return chart, told, Rows(header=[said("column"), *bins], rows=rows), len(shares) - len(chosen)


def _bars(record: Inspection, data: Mapping[str, Any]) -> Drawn:
    names = [_name(record, name) for name in data["names"][:MOST_ROWS]]
    low, high = (ends_of(data, side, len(data["values"])) for side in ("low", "high"))
    every = list(zip(names, data["values"], low, high, strict=False))
    rows = [
        {"name": name, "strong": True, "value": value, **({} if a is None else {"low": a, "high": b})}
        for name, value, a, b in every
    ]
    chart = charts.bars(rows, charts.number("value", record.say(data["axis"]), zero=True), beside=data["reference"])
    first = max(every, key=lambda each: each[1])
    told = said("The highest is {name}: {value}.", name=first[0], value=amount(first[1]))
    table = Rows(
        header=[said("what"), data["axis"], *_interval_header(low)],
        rows=[[name, amount(value), *_interval(a, b, low)] for name, value, a, b in every],
    )
    return chart, told, table, len(data["names"]) - len(names)


def _line(record: Inspection, data: Mapping[str, Any]) -> Drawn:
    low, high = (ends_of(data, side, len(data["x"])) for side in ("low", "high"))
    every = sorted(zip(data["x"], data["y"], low, high, strict=True), key=lambda each: each[0])
    up, across = record.say(data["up"]), record.say(data["across"])
    drawn = [{"x": x, "value": y, "low": a, "high": b, "series": up} for x, y, a, b in every]
    along = charts.number("x", across, format=".10~g")  # no commas: it may be a year
    chart = charts.lines(drawn, along, charts.number("value", up), [up], band=True)
    told = said(
        "It goes from {first} at {start} to {last} at {end}.",
        first=amount(every[0][1]),
        start=f"{every[0][0]:.10g}",
        last=amount(every[-1][1]),
        end=f"{every[-1][0]:.10g}",
    )
    table = Rows(
        header=[data["across"], data["up"], *_interval_header(low)],
        rows=[[f"{x:.10g}", amount(y), *_interval(a, b, low)] for x, y, a, b in every],
    )
    return chart, told, table, 0


def _interval_header(ends: Sequence[float | None]) -> list[str]:
    return [] if all(end is None for end in ends) else [said("low"), said("high")]


def _interval(low: float | None, high: float | None, ends: Sequence[float | None]) -> list[str]:
    """Both ends as cells, where any of the rows has an interval."""
    if all(end is None for end in ends):
        return []
    return ["–" if end is None else amount(end) for end in (low, high)]


def _name(record: Inspection, name: str) -> str:
    """The name of a place in a chart, on one line."""
    return record.say(name) if isinstance(name, Said) else _cell(name) or "''"
