"""The data as it was read: its columns, what is missing, and what is predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import Said, listed, said
from aurify.data.columns import CATEGORY, DATE, IMAGE, LEFT_OUT, NUMBER, TEXT
from aurify.data.dates import written
from aurify.data.image_form import Form
from aurify.data.schema import MISSING
from aurify.data.store import Store
from aurify.report import charts
from aurify.report.section import Block, DataSection, Figure, Folded, Inspection, Paragraph, Rows, Tested
from aurify.report.target import figure_of_target, measure_target
from aurify.report.values import amount, share, shown

MOST_COLUMNS = 30
"""Columns that are listed; the rest are counted."""

MOST_GAPS = 10
"""Columns with missing cells that are drawn, the worst first."""

KINDS = {
    NUMBER: said("numbers"),
    CATEGORY: said("categories"),
    DATE: said("dates"),
    TEXT: said("texts"),
    IMAGE: said("images"),
    LEFT_OUT: said("left out"),
}


class Data(DataSection):
    """Rows, columns, gaps and target."""

    order = 200

    @property
    def title(self) -> Said:
        return said("The data")

    def measure(self, tested: Tested) -> dict[str, Any]:
        learnt = np.sort(np.concatenate([tested.parts.fit, tested.parts.held]))
        target = measure_target(tested.store, learnt, tested.asked.rows)
        return {**measure_columns(tested.store, np.union1d(learnt, tested.asked.rows)), "target": target}

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        blocks: list[Block] = []
        if measured is not None:
            blocks += [Paragraph(text) for text in _overview(measured)]
            if measured["target"] is not None:
                blocks.append(figure_of_target(record, measured["target"], record.source.target or ""))
            blocks += _gaps(record, measured)
            blocks += [Folded(said("Every column"), _table(measured))]
        return blocks


def measure_columns(store: Store, rows: np.ndarray) -> dict[str, Any]:
    """Of rows by id (N,): the kinds of their columns, what is missing and how values are spread."""
    schema = store.schema
    place = {name: at for at, name in enumerate(schema.names)}
    columns = sorted(_columns(store, rows), key=lambda column: place[column["name"]])
    gaps = sorted((c for c in columns if c["missing"]), key=lambda c: -c["missing"])
    left_out = sum(c.kind == LEFT_OUT for c in schema.columns)
    kinds = {kind: sum(c["kind"] == kind for c in columns) for kind in (NUMBER, CATEGORY, DATE, TEXT, IMAGE)}
    return {
        "rows": len(store),
        "used": len(rows),
        "kinds": {**kinds, LEFT_OUT: left_out},
        "columns": columns[:MOST_COLUMNS],
        "gaps": [{"name": c["name"], "missing": c["missing"]} for c in gaps[:MOST_GAPS]],
        "gap_columns": len(gaps),
        "weight": _weight(store, rows),
    }


def _columns(store: Store, rows: np.ndarray) -> Iterator[dict[str, Any]]:
    """Each column that is learnt from: its kind, its missing cells and its range or number of values."""
    schema = store.schema
    for input_name, known in (("numbers", schema.numbers), ("dates", schema.dates), ("codes", schema.categories)):
        cells = store.inputs[input_name][rows] if known else np.empty((0, 0))
        for column, values in zip(known, cells.T, strict=True):
            missing = values == MISSING if input_name == "codes" else np.isnan(values)
            told = {"values": len(column.values)} if input_name == "codes" else {"range": _ends(values[~missing])}
            yield {"name": column.name, "kind": column.kind, "missing": int(missing.sum()), **told}
    for at, column in enumerate(schema.texts):
        lengths = store.inputs["texts"].lengths[rows, at]
        told = {"missing": int((lengths == 0).sum()), "range": _ends(lengths[lengths > 0])}
        yield {"name": column.name, "kind": column.kind, **told}
    if schema.image is not None:  # a row without an image is not used
        form = Form.of(schema.image.format)
        yield {"name": schema.image.name, "kind": IMAGE, "missing": 0, "size": [form.width, form.height]}


def _ends(values: np.ndarray) -> list[float] | None:
    return [float(values.min()), float(np.median(values)), float(values.max())] if len(values) else None


def _weight(store: Store, rows: np.ndarray) -> dict[str, Any] | None:
    if "weight" not in store.roles:
        return None
    weights = np.asarray(store.roles["weight"][rows])
    ends = {"low": float(weights.min()), "high": float(weights.max()), "sum": float(weights.sum())}
    return {"name": store.schema.weight, **ends}


def _overview(measured: Mapping[str, Any]) -> list[Said]:
    counts = [said("{kind} {count:,}", count=n, kind=KINDS[kind]) for kind, n in measured["kinds"].items() if n]
    texts = [
        said(
            "{rows:,} rows were read and {used:,} are used. Columns beside the target: {counts}.",
            rows=measured["rows"],
            used=measured["used"],
            counts=listed(counts),
        )
    ]
    weight = measured["weight"]
    if weight is not None:
        texts.append(
            said(
                "Each row counts as often as its {name!r} says, from {low} to {high} times: together as {total} rows."
                " Shares on this page count rows; scores count weights.",
                name=weight["name"],
                low=amount(weight["low"]),
                high=amount(weight["high"]),
                total=amount(weight["sum"]),
            )
        )
    return texts


def _gaps(record: Inspection, measured: Mapping[str, Any]) -> list[Block]:
    gaps, used = measured["gaps"], measured["used"]
    if not gaps:
        return [Paragraph(said("No cell of these columns is missing."))]
    names = [shown(gap["name"]) for gap in gaps]
    axis = charts.number("value", record.say(said("share of cells that are missing")), zero=True, format=".3~%")
    shares = [{"name": name, "value": gap["missing"] / used} for name, gap in zip(names, gaps, strict=True)]
    series = record.say(said("missing"))
    rows = [{**row, "series": series} for row in shares]
    listing = [said("{name} {share}", name=row["name"], share=share(row["value"])) for row in shares]
    return [
        Figure(
            name="missing",
            chart=charts.side_by_side(rows, axis, names, [series]),
            caption=said(
                "Missing cells by column. Columns with any: {count:,}; the most are in {worst!r}, {share}.",
                count=measured["gap_columns"],
                worst=gaps[0]["name"],
                share=share(shares[0]["value"]),
            ),
            described=said("Share of cells that are missing: {shares}.", shares=listed(listing)),
        )
    ]


def _table(measured: Mapping[str, Any]) -> list[Block]:
    columns, count = measured["columns"], sum(n for kind, n in measured["kinds"].items() if kind != LEFT_OUT)
    table = Rows(
        header=[said("column"), said("kind"), said("missing"), said("lowest"), said("median"), said("highest")],
        rows=[[shown(c["name"]), KINDS[c["kind"]], f"{c['missing']:,}", *_range(c)] for c in columns],
    )
    more = count - len(columns)
    return [table, *([Paragraph(said("Columns that are not listed: {count:,}.", count=more))] if more else [])]


def _range(column: Mapping[str, Any]) -> list[str]:
    if column["kind"] == CATEGORY:
        return [said("{count:,} values", count=column["values"]), "", ""]
    if column["kind"] == IMAGE:
        width, height = column["size"]
        return [said("{width:,} × {height:,} pixels", width=width, height=height), "", ""]
    say = written if column["kind"] == DATE else _characters if column["kind"] == TEXT else amount
    return ["–"] * 3 if column["range"] is None else [say(value) for value in column["range"]]


def _characters(count: float) -> str:
    return said("{count} characters", count=amount(count))
