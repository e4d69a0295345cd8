"""How methods of search compare: the best so far with bands over repeats, and the table with intervals."""

# R repeats of one method, S places along the axis

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import Said, listed, said
from aurify.measure.names import metric_name
from aurify.measure.paired import LEVEL
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report import tuning_agents as agents
from aurify.report.section import Figure, Inspection, Rows
from aurify.report.tuning import DASH, LONGEST_REASON, Tuning, cut, method_name, seconds_text
from aurify.report.tuning_figures import score_axis
from aurify.report.values import shown
from aurify.report.words import interval

PLACES = 60
"""Along an axis of seconds."""

Line = list[dict[str, float | None]]


def reference(compare: Mapping[str, Any]) -> str:
    """The method that the others are compared with."""
    known = [row for row in compare["table"] if not row.get("reason")]
    named = next((row["method"] for row in known if row["difference"] is None), None)
    return named or compare["methods"][0]


def explained(tuning: Tuning) -> Said:
    """How methods were compared and what intervals are of."""
    compare = tuning["compare"]
    return said(
        "Each method searched {repeats} times, with {trials} trials and another seed each time. Intervals, and bands"
        " in charts, are 95 % intervals of the mean over these repeats (Student's t); differences are of repeats with"
        " the same seed, after re-measuring, to {reference}.",
        repeats=compare["repeats"],
        trials=compare["trials"],
        reference=method_name(reference(compare)),
    )


def took(tuning: Tuning) -> Said:
    """What all of the searches took."""
    if agents.in_world(tuning):
        return agents.compared(tuning, seconds_text(tuning["wall"]))
    return said(
        "Each trial was scored on {folds} folds of {rows:,} rows; all searches together took {wall} s with {workers}"
        " trainings at a time.",
        folds=tuning["folds"],
        rows=tuning["rows"],
        wall=seconds_text(tuning["wall"]),
        workers=tuning["workers"],
    )


def lost(tuning: Tuning) -> list[str]:
    """Which methods failed, and why."""
    return [
        said("{method} failed and is not compared: {reason}", method=method_name(row["method"]), reason=_why(row))
        for row in tuning["compare"]["table"]
        if row.get("reason")
    ]


def _why(row: Mapping[str, Any]) -> str:
    return cut(shown(str(row["reason"])), LONGEST_REASON)


def table(tuning: Tuning) -> Rows:
    """A line a method: what it picked, re-measured, how that differs, and what it took; or why it failed."""
    return Rows(
        header=[
            said("method"),
            said("picked [95 %]"),
            said("re-measured [95 %]"),
            said("difference [95 %]"),
            said("core seconds of a search"),
        ],
        rows=[_row(row) for row in tuning["compare"]["table"]],
        caption=said("What each method found, in {metric}", metric=metric_name(tuning["metric"])),
    )


def _row(row: Mapping[str, Any]) -> list[str]:
    if row.get("reason"):
        return [method_name(row["method"]), said("failed: {reason}", reason=_why(row)), DASH, DASH, DASH]
    difference = {"value": row["difference"], "low": row["difference_low"], "high": row["difference_high"]}
    again = {"value": row["remeasured"], "low": row["remeasured_low"], "high": row["remeasured_high"]}
    return [
        method_name(row["method"]),
        interval({"value": row["picked"], "low": row["low"], "high": row["high"]}),
        interval(again),
        DASH if row["difference"] is None else interval(difference, signed=True),
        seconds_text(row["seconds"]),
    ]


def figures(record: Inspection, tuning: Tuning) -> list[Figure]:
    """The best so far of each method against trials and against core seconds."""
    compare = tuning["compare"]
    # of one that failed some repeats are missing: a mean over the others would be of other folds
    known = [row["method"] for row in compare["table"] if not row.get("reason")]
    by_trials = {m: against_trials(_runs(compare, m)) for m in known}
    by_seconds = {m: against_seconds(_runs(compare, m)) for m in known}
    ways = (
        ("tuning_compare_trials", said("trials"), by_trials, said("The best score so far after so many trials.")),
        (
            "tuning_compare_seconds",
            said("core seconds of training so far"),
            by_seconds,
            said("The best score so far after so many seconds; a line ends where the first of its repeats did."),
        ),
    )
    drawn = [(*way[:2], {m: line for m, line in way[2].items() if line}, way[3]) for way in ways]
    return [
        _figure(record, tuning, name, record.say(title), lines, caption)
        for name, title, lines, caption in drawn
        if lines
    ]


def _runs(compare: Mapping[str, Any], method: str) -> list[Mapping[str, Any]]:
    return [run for run in compare["runs"] if run["method"] == method]


def against_trials(runs: Sequence[Mapping[str, Any]]) -> Line:
    """Mean and interval over repeats after each trial, from where all have a score to where the first ends."""
    if not runs:
        return []
    places = min(len(run["best"]) for run in runs)
    best_RS = np.array([run["best"][:places] for run in runs], dtype=np.float64)
    return mean_line(np.arange(1, places + 1), best_RS)


def against_seconds(runs: Sequence[Mapping[str, Any]]) -> Line:
    """The same at even steps of core seconds; each repeat keeps its best until a trial is done that is better."""
    runs = [run for run in runs if run["seconds"]]
    if not runs:
        return []
    begin, end = max(run["seconds"][0] for run in runs), min(run["seconds"][-1] for run in runs)
    if end <= begin:
        return []
    grid_S = np.linspace(begin, end, PLACES)
    best_RS = np.array([_held(run, grid_S) for run in runs])
    return mean_line(grid_S, best_RS)


def _held(run: Mapping[str, Any], grid_S: np.ndarray) -> np.ndarray:
    best = np.array(run["best"], dtype=np.float64)
    return best[np.searchsorted(run["seconds"], grid_S, side="right") - 1]


def mean_line(grid_S: np.ndarray, best_RS: np.ndarray) -> Line:
    """Mean and t-interval over repeats where all of them have a score; of one repeat there is no interval."""
    from scipy import stats

    known_S = ~np.isnan(best_RS).any(axis=0)
    grid_S, best_RS = grid_S[known_S], best_RS[:, known_S]
    repeats = len(best_RS)
    mean_S = best_RS.mean(axis=0)
    if repeats < 2:
        return [
            {"x": float(x), "value": float(y), "low": None, "high": None} for x, y in zip(grid_S, mean_S, strict=True)
        ]
    reach = float(stats.t.ppf(1 - LEVEL / 2, repeats - 1)) / np.sqrt(repeats)
    spread_S = reach * best_RS.std(axis=0, ddof=1)
    columns = (grid_S, mean_S, mean_S - spread_S, mean_S + spread_S)
    return [
        {name: float(f"{value:.6g}") for name, value in zip(("x", "value", "low", "high"), values, strict=True)}
        for values in zip(*columns, strict=True)
    ]


def _figure(
    record: Inspection, tuning: Tuning, name: str, title: str, lines: Mapping[str, Line], caption: Said
) -> Figure:
    order = [record.say(method_name(method)) for method in lines]
    rows = [{**point, "series": word} for word, line in zip(order, lines.values(), strict=True) for point in line]
    x, y = charts.number("x", title, zero=True), score_axis(record, tuning, "value")
    ends = [
        said(
            "{name} ends at {score}",
            name=method_name(method),
            score=interval({k: line[-1][k] for k in ("value", "low", "high")}),
        )
        for method, line in lines.items()
    ]
    return Figure(
        name=name,
        chart=charts.lines(rows, x, y, order, band=True, interpolate="step-after"),
        caption=said("{caption} Lines are means over repeats, bands their 95 % intervals.", caption=caption),
        described=said("{title}: {ends}.", title=title, ends=listed(ends, ",")),
        table=_numbers(title, lines),
    )


def _numbers(title: str, lines: Mapping[str, Line]) -> Rows:
    return Rows(
        header=[said("method"), title, said("mean"), said("low"), said("high")],
        rows=[
            [
                method_name(method),
                seconds_text(point["x"] or 0.0),
                *(DASH if point[k] is None else number(point[k]) for k in ("value", "low", "high")),
            ]
            for method, line in lines.items()
            for point in line
        ],
    )
