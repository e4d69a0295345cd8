"""How training goes with and without each regulariser: the mean over trainings, and how much they differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from aurify.core.words import Said, said
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.ledger import Effect, Ledger, gain, ingredient, measured, of_agents, rows_of
from aurify.report.section import Block, DataSection, Figure, Inspection, Paragraph, Rows
from aurify.report.values import amount
from aurify.report.words import metric_name

FAMILY = "regularisation"

MOST = 6
"""Regularisers that are shown, those with the largest gains or losses."""

MOST_POINTS = 40
"""Of one line."""

BAND = (10, 90)
"""Percentiles of trainings at each epoch."""

WITH, WITHOUT = said("with it"), said("without it")
HELD, LEARNT = said("held-out rows"), said("rows learnt from")

# T trainings, E epochs of the grid


class Curves(DataSection):
    """Learning curves of the recipe beside those of the recipe without one regulariser."""

    order = 355
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("Learning with and without an ingredient")

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        ledger = record.ledger
        if ledger is None:
            return []
        figures = [f for at, effect in enumerate(_chosen(ledger), 1) for f in _figure(record, ledger, at, effect)]
        if not figures:
            return []
        if of_agents(ledger):
            return [Paragraph(_told_of_agents()), *figures]
        told = said(
            "Lines are means over pairs of trainings that did not diverge; bands hold 8 of 10 of them at each"
            " epoch. A line ends where fewer than half of the trainings go on, and its last stretch is of those that"
            " do. A regulariser that works keeps the two lines of one colour closer together."
        )
        return [Paragraph(told), *figures]


def _told_of_agents() -> Said:
    return said(
        "Lines are means over pairs of agents that did not diverge; bands hold 8 of 10 of them at each place. Solid is"
        " what they return in episodes that validate, dashed in the last ones of training, where other actions are"
        " tried too. A line ends where fewer than half of the agents go on."
    )


def _chosen(ledger: Ledger) -> list[Effect]:
    """Rows with the largest gains or losses: of regularisers, and of agents of anything."""
    every = measured(rows_of(ledger, "leave_one_out"))
    found = [effect for effect in every if of_agents(ledger) or effect["family"] == FAMILY]
    return sorted(found, key=lambda effect: -abs(effect["gain"]))[:MOST]


def _figure(record: Inspection, ledger: Ledger, at: int, effect: Effect) -> list[Figure]:
    """The figure of one regulariser; none where either side has no curves."""
    signs = effect["terms"].items()
    sides = {WITH: [v for v, sign in signs if sign > 0], WITHOUT: [v for v, sign in signs if sign < 0]}
    paired = _places(ledger, effect["terms"])
    found = {
        (side, part): line
        for side, variants in sides.items()
        for column, part in ((1, HELD), (2, LEARNT))
        if (line := mean_curve(_curves(ledger, variants, column, paired)))
    }
    if {side for side, _ in found} != {WITH, WITHOUT}:
        return []
    metric, name = metric_name(ledger["curve_metric"]), ingredient(effect)
    last = {side: found[side, HELD][-1]["y"] for side in (WITH, WITHOUT) if (side, HELD) in found}
    return [
        Figure(
            name=f"ledger_curves_{at}",
            chart=_chart(record, ledger, found, metric),
            caption=said("{name}: {metric} while learning; gain {gain}.", name=name, metric=metric, gain=gain(effect)),
            described=said(
                "{name}: {metric} in episodes that validate ends at {with_it} with it and at {without_it} without it.",
                name=name,
                metric=metric,
                with_it=number(last.get(WITH)),
                without_it=number(last.get(WITHOUT)),
            )
            if of_agents(ledger)
            else said(
                "{name}: {metric} on held-out rows ends at {with_it} with it and at {without_it} without it.",
                name=name,
                metric=metric,
                with_it=number(last.get(WITH)),
                without_it=number(last.get(WITHOUT)),
            ),
            table=_table(ledger, found),
        )
    ]


def _places(ledger: Ledger, variants: Collection[str]) -> set[tuple[int, int]]:
    """Repeat and fold where every variant was trained: the lines of two sides are of the same rows."""
    found: dict[str, set[tuple[int, int]]] = {variant: set() for variant in variants}
    for training in ledger["trainings"]:
        if training["variant"] in found and not training["diverged"]:
            found[training["variant"]].add((training["repeat"], training["fold"]))
    return set.intersection(*found.values()) if found else set()


def _curves(
    ledger: Ledger, variants: Sequence[str], column: int, places: set[tuple[int, int]]
) -> list[list[tuple[float, float]]]:
    """Each training's epochs and scores, held out (1) or learnt from (2); those that have none are left out."""
    every = [
        sorted((point[0], point[column]) for point in training["curve"] if point[column] is not None)
        for training in ledger["trainings"]
        if training["variant"] in variants and (training["repeat"], training["fold"]) in places
    ]
    return [curve for curve in every if curve]


def mean_curve(curves: Sequence[Sequence[tuple[float, float]]]) -> list[dict[str, float]]:
    """The mean and band of curves at shared epochs, as far as half of them reach."""
    if not curves:
        return []
    begin, end = min(curve[0][0] for curve in curves), max(curve[-1][0] for curve in curves)
    grid_E = np.unique(np.linspace(begin, end, min(MOST_POINTS, max(map(len, curves)))))
    every_TE = np.stack([_along(grid_E, curve) for curve in curves])
    reached_E = (~np.isnan(every_TE)).sum(axis=0) * 2 >= len(curves)
    grid_E, every_TE = grid_E[reached_E], every_TE[:, reached_E]
    if not len(grid_E):  # none goes on where another does
        return []
    low_E, high_E = np.nanpercentile(every_TE, BAND, axis=0)
    columns = (grid_E, np.nanmean(every_TE, axis=0), low_E, high_E)
    return [
        dict(zip(("x", "y", "low", "high"), (float(f"{value:.5g}") for value in values), strict=True))
        for values in zip(*columns, strict=True)
    ]


def _along(grid_E: np.ndarray, curve: Sequence[tuple[float, float]]) -> np.ndarray:
    """A curve at the epochs of the grid, NaN before it begins and after it ends."""
    epochs, scores = np.array(curve, dtype=np.float64).T
    inside = np.interp(grid_E, epochs, scores)
    # half a step of the grid: folds differ by a row, and so their epochs by a little
    slack = (grid_E[1] - grid_E[0]) / 2 if len(grid_E) > 1 else 0.0
    inside[(grid_E < epochs[0] - slack) | (grid_E > epochs[-1] + slack)] = np.nan
    return inside


def _across(ledger: Ledger) -> Said:
    """What lines go along."""
    return said("steps of each agent in its world") if of_agents(ledger) else said("epoch")


def _part(ledger: Ledger, part: Said) -> Said:
    """What a line is of, as it is called there."""
    return {HELD: said("validating"), LEARNT: said("while learning")}[part] if of_agents(ledger) else part


def _chart(
    record: Inspection, ledger: Ledger, found: Mapping[tuple[Said, Said], list[dict[str, float]]], metric: str
) -> charts.Chart:
    sides = [record.say(word) for word in (WITH, WITHOUT)]
    parts = [record.say(_part(ledger, word)) for word in (HELD, LEARNT)]
    rows = [
        {**point, "series": record.say(side), "part": record.say(_part(ledger, part))}
        for (side, part), line in found.items()
        for point in line
    ]
    x, y = charts.number("x", record.say(_across(ledger))), charts.number("y", record.say(metric))
    chart = charts.lines(rows, x, y, sides, band=True, split="part")
    dashes: dict[str, Any] = {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": parts, "range": [[1, 0], [4, 4]]},
        "title": None,
    }
    for layer in chart["layer"]:
        if layer["mark"]["type"] == "line":
            layer["encoding"] |= {"strokeDash": dashes, "tooltip": charts.tooltip(charts.series(sides), dashes, x, y)}
    return chart


def _table(ledger: Ledger, found: Mapping[tuple[Said, Said], list[dict[str, float]]]) -> Rows:
    by_epoch = {key: {point["x"]: point["y"] for point in line} for key, line in found.items()}
    epochs = sorted({epoch for line in by_epoch.values() for epoch in line})
    return Rows(
        header=[_across(ledger), *(said("{part}, {side}", part=_part(ledger, p), side=side) for side, p in by_epoch)],
        rows=[
            [
                amount(epoch) if of_agents(ledger) else f"{epoch:.4g}",
                *(number(line[epoch]) if epoch in line else "–" for line in by_epoch.values()),
            ]
            for epoch in epochs
        ],
    )
