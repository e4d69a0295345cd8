"""How what is predicted is spread, over the rows that were learnt from and over those that were tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import listed, said
from aurify.data.store import Store
from aurify.report import charts
from aurify.report.section import Figure, Inspection, Rows
from aurify.report.values import amount, share, shown

MOST_CLASSES = 20
"""Classes that are drawn; the rest are counted."""

BINS = 24

FAR = 2.0
"""How many times as wide as the middle 99 % all values may lie before those outside are only counted."""


def measure_target(store: Store, learnt: np.ndarray, tested: np.ndarray) -> dict[str, Any]:
    """Counts by class or by bin, of the rows ``learnt`` from (N,) and of the ``tested`` ones (M,).

    Where each row is both in turn, as folds have it, there is one count.
    """
    return measure_parts(
        store, {"all": learnt} if np.isin(tested, learnt).all() else {"learnt": learnt, "tested": tested}
    )


def measure_parts(store: Store, parts: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Counts by class or by bin of the rows of each part, named as in ``SERIES``."""
    targets = {name: np.asarray(store.target[rows]) for name, rows in parts.items()}
    if store.schema.labels is not None:
        return _by_label(store.schema.classes or (), targets)
    if store.schema.classes is not None:
        return _by_class(store.schema.classes, targets)
    return _by_bin(targets)


def _by_class(classes: Sequence[str], targets: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return _drawn(classes, {name: np.bincount(codes, minlength=len(classes)) for name, codes in targets.items()})


def _by_label(labels: Sequence[str], targets: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The same of labels that rows may hold several of: ``rows`` are then what their counts are shares of."""
    counts = {name: held.sum(0, dtype=np.int64) for name, held in targets.items()}
    return {**_drawn(labels, counts), "rows": {name: len(held) for name, held in targets.items()}}


def _drawn(classes: Sequence[str], counts: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Counts (K,) of the most common classes, and of all others together."""
    largest = np.argsort(-sum(counts.values()), kind="stable")[:MOST_CLASSES]
    drawn = np.sort(largest)
    plain = {name: [int(n) for n in each[drawn]] for name, each in counts.items()}
    others = {name: int(each.sum()) - sum(plain[name]) for name, each in counts.items()}
    return {
        "classes": [classes[at] for at in drawn],
        "counts": plain,
        "others": others,
        "other_classes": len(classes) - len(drawn),
    }


def _by_bin(targets: Mapping[str, np.ndarray]) -> dict[str, Any]:
    values = np.concatenate(list(targets.values()))
    low, high = values.min(), values.max()
    inner = np.quantile(values, [0.005, 0.995])
    if inner[0] < inner[1] and high - low > FAR * (inner[1] - inner[0]):
        low, high = inner
    edges = np.linspace(low, high, BINS + 1)
    counts = {name: [int(n) for n in np.histogram(each, edges)[0]] for name, each in targets.items()}
    ends = {
        name: [float(end) for end in (each.min(), np.median(each), each.mean(), each.max())]
        for name, each in targets.items()
    }
    outside = int(((values < low) | (values > high)).sum())
    return {"edges": [float(edge) for edge in edges], "counts": counts, "outside": outside, "ranges": ends}


SERIES = {
    "all": said("all rows"),
    "learnt": said("rows learnt from"),
    "tested": said("rows tested"),
    "seen": said("rows looked at"),
}


def figure_of_target(record: Inspection, measured: Mapping[str, Any], target: str) -> Figure:
    """Bars of classes or labels, or a histogram of numbers."""
    if "classes" in measured:
        return _classes(record, measured, target)
    return _numbers(record, measured, target)


def _classes(record: Inspection, measured: Mapping[str, Any], target: str) -> Figure:
    names = [shown(name) for name in measured["classes"]]
    counts = {SERIES[part]: each for part, each in measured["counts"].items()}
    labels = "rows" in measured
    totals = {
        SERIES[part]: measured["rows"][part] if labels else sum(each) + measured["others"][part]
        for part, each in measured["counts"].items()
    }
    drawn = [
        {"name": name, "value": each[at] / totals[series], "series": record.say(series)}
        for series, each in counts.items()
        for at, name in enumerate(names)
    ]
    axis = charts.number("value", record.say(said("share of rows")), zero=True, format=".3~%")
    caption = said("How often each class of {target!r} comes.", target=target)
    if labels:
        caption = said("How many rows hold each label of {target!r}; a row may hold several.", target=target)
    if measured["other_classes"] and labels:
        caption = said(
            "{caption} {labels:,} rarer labels are not drawn.", caption=caption, labels=measured["other_classes"]
        )
    elif measured["other_classes"]:
        caption = said(
            "{caption} {classes:,} rarer classes are not drawn: {share} of these rows.",
            caption=caption,
            classes=measured["other_classes"],
            share=share(sum(measured["others"].values()) / sum(totals.values())),
        )
    first = next(iter(counts))
    shares = [said("{name} {share}", name=row["name"], share=share(row["value"])) for row in drawn[: len(names)]]
    return Figure(
        name="target",
        chart=charts.side_by_side(drawn, axis, names, [record.say(series) for series in counts]),
        caption=caption,
        described=said("Classes of {target!r} in {rows}: {shares}.", target=target, rows=first, shares=listed(shares)),
        table=Rows(
            header=[said("label") if labels else said("class"), *counts],
            rows=[[name, *(f"{each[at]:,}" for each in counts.values())] for at, name in enumerate(names)],
        ),
    )


def _numbers(record: Inspection, measured: Mapping[str, Any], target: str) -> Figure:
    edges, parts = measured["edges"], measured["counts"]
    order = [record.say(SERIES[part]) for part in parts]
    drawn = [
        {"from": low, "to": high, "x": (low + high) / 2, "value": count / max(sum(each), 1), "series": series}
        for series, each in zip(order, parts.values(), strict=True)
        for low, high, count in zip(edges[:-1], edges[1:], each, strict=True)
    ]
    ranges = measured["ranges"]
    caption = said("How {target!r} is spread.", target=target)
    if measured["outside"]:
        caption = said(
            "{caption} {count:,} rows lie outside what is drawn.", caption=caption, count=measured["outside"]
        )
    first, (low, median, mean, high) = next(iter(ranges.items()))
    return Figure(
        name="target",
        chart=histogram(record, drawn, order, shown(target)),
        caption=caption,
        described=said(
            "{target!r} in {rows}: from {low} to {high}, median {median}, mean {mean}.",
            target=target,
            rows=SERIES[first],
            low=amount(low),
            high=amount(high),
            median=amount(median),
            mean=amount(mean),
        ),
        table=Rows(
            header=["", said("lowest"), said("median"), said("mean"), said("highest")],
            rows=[[SERIES[part], *(amount(value) for value in ends)] for part, ends in ranges.items()],
        ),
    )


def histogram(record: Inspection, drawn: Sequence[charts.Row], order: Sequence[str], target: str) -> charts.Chart:
    """Bars for the first series, and a stepped line over them for the second."""
    start, x = charts.number("from", target), charts.number("x", target)
    y = charts.number("value", record.say(said("share of rows")), zero=True, format=".3~%")
    colour = {"color": charts.series(order)}
    tip = {"tooltip": charts.tooltip(charts.name("series", order), x, y)}
    first = {"data": {"values": [row for row in drawn if row["series"] == order[0]]}}
    place = {"x": start, "x2": {"field": "to"}, "y": y, "y2": {"datum": 0}}
    marks = [charts.mark("bar", {**place, **colour, **tip}, opacity=0.45) | first]
    if len(order) > 1:
        second = {"data": {"values": [row for row in drawn if row["series"] == order[1]]}}
        marks.append(charts.mark("line", {"x": x, "y": y, **colour, **tip}, interpolate="step", strokeWidth=2) | second)
    return charts.layers(drawn, *marks)
