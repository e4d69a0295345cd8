"""A random split of rows that were written one after another in time."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import Said, listed, said
from aurify.data.findings import WARNING, Exhibit, Finding
from aurify.inspection.apart import tell_apart
from aurify.inspection.check import Check
from aurify.inspection.clock import YEAR_DAYS, clocks
from aurify.inspection.inspected import Inspected
from aurify.inspection.ordered import Ordered
from aurify.measure.bands import plain
from aurify.measure.two_samples import chance_of

SURE = 0.00125
"""Chance of each of four signs, so that together they have the chance 0.005."""

DRIFT, TREND, ALIKE, INPUTS, HARM = 0.55, 0.01, 0.05, 0.2, 0.02
"""Least that matters: lower end of the area of first against last rows, share of the target's variance between
stretches (Cohen's small effect), correlation of neighbours' errors and of neighbours' inputs, share of loss hidden."""

FEWEST = 100
MOST_CLOCKS = 2


class TimeOrder(Check):
    """Where inputs or target drift along a column of dates, or neighbours in time resemble one another, a random split
    tests on rows whose neighbours were learnt from: its scores say little of later rows.

    Dates of birth, hire and the like are by their names taken for facts like any other.
    """

    needs = frozenset({Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.by != "random" or seen.store.test.any() or len(seen.rows) < FEWEST:
            return
        for clock in seen.once(clocks)[:MOST_CLOCKS]:
            ordered = Ordered(seen, clock)
            signs = list(_signs(ordered)) if len(ordered.rows) >= FEWEST else []
            if signs:
                yield self._told(ordered, [*_hidden(ordered), *signs])
                return

    def _told(self, ordered: Ordered, signs: list[tuple[Said, dict[str, Any]]]) -> Finding:
        name, every = ordered.clock.name, {}
        for _, evidence in signs:
            every |= evidence
        text = said(
            "rows are ordered in time by {column!r}, which a random split ignores: {signs}",
            column=name,
            signs=listed([sign for sign, _ in signs[:2]]),
        )
        evidence = {**every, "rows fitted": len(ordered.rows), "years": plain(ordered.clock.years)}
        by = f"time:{name}"
        return self.found(
            WARNING,
            text,
            fix=said("split by time with --split {by}", by=shlex.quote(by)),
            columns=[name],
            weight=0.5 + len(signs) / 10,
            evidence=evidence,
            mend={"split": {"by": by}},
            exhibits=[_line(ordered)],
        )


def _hidden(ordered: Ordered) -> Iterator[tuple[Said, dict[str, Any]]]:
    """What a random split hides. No sign by itself: its interval covers the drawing of rows, not of models."""
    harm = ordered.harm
    if harm is not None and harm.surely > 0 and harm.value >= HARM:
        ends = {"share": harm.value, "low": harm.low, "high": harm.high}
        text = said(
            "learnt from earlier rows alone, the loss on the latest fifth is {share:.1%} higher"
            " (95% interval {low:.1%} to {high:.1%})",
            share=harm.value,
            low=harm.low,
            high=harm.high,
        )
        yield text, {"loss hidden": {key: plain(value) for key, value in ends.items()}}


def _signs(ordered: Ordered) -> Iterator[tuple[Said, dict[str, Any]]]:
    """What tells that the order matters, the plainest first; each in words and in numbers."""
    alike, column = ordered.neighbours
    if alike.chance < SURE and alike.value >= ALIKE:
        ends = {"value": alike.value, "low": alike.low, "high": alike.high}
        text = said(
            "errors of neighbours in time resemble one another (correlation {value:.2f}, 95% interval {low:.2f} to"
            " {high:.2f})",
            value=alike.value,
            low=alike.low,
            high=alike.high,
        )
        yield text, {"alike errors": {**{key: plain(value) for key, value in ends.items()}, "within": column}}
    told = tell_apart(ordered.seen, *ordered.ends, "time order", ordered.clock.parts)
    if told is not None and told.area.low >= DRIFT and chance_of(told.area.value, *told.rows) < SURE:
        text = said(
            "trees tell the first from the last rows with ROC AUC {area:.2f} (95% interval {low:.2f} to {high:.2f}, 0.5"
            " by chance)",
            area=told.area.value,
            low=told.area.low,
            high=told.area.high,
        )
        yield text, {"first from last": {**told.area.plain(), "by": list(told.columns)[:3]}}
    share, chance = ordered.trend
    if chance < SURE and share >= TREND:
        yield (
            said("the target changes along it ({share:.1%} of its variance)", share=share),
            {"share of variance": plain(share)},
        )
    inputs = ordered.inputs
    if inputs is not None and inputs[1].chance < SURE and inputs[1].value >= INPUTS:
        name, alike = inputs
        text = said(
            "neighbours in time resemble one another in {column!r} (correlation {value:.2f}, 95% interval {low:.2f} to"
            " {high:.2f})",
            column=name,
            value=alike.value,
            low=alike.low,
            high=alike.high,
        )
        yield text, {"alike inputs": {"column": name, "value": plain(alike.value)}}


def _line(ordered: Ordered) -> Exhibit:
    """The target's mean, or the share of its most changing class, in successive stretches."""
    seen, stretch = ordered.seen, np.unique(ordered.stretch, return_inverse=True)[1]
    values = np.asarray(seen.store.target[ordered.rows])
    count = np.bincount(stretch)
    if seen.classes is not None:
        shares = np.stack([np.bincount(stretch, weights=values == each) / count for each in np.unique(values)])
        code = int(np.unique(values)[shares.var(1).argmax()])
        values = (values == code).astype(np.float64)
        up = said("share of {label!r} in {target!r}", label=seen.classes[code], target=seen.schema.target)
    else:
        up = said("mean of {target!r}", target=seen.schema.target)
    with np.errstate(all="ignore"):
        mean = np.bincount(stretch, weights=values) / count
        error = 1.96 * np.sqrt(np.bincount(stretch, weights=(values - mean[stretch]) ** 2) / count / count)
    middle = np.bincount(stretch, weights=ordered.times) / count
    data = {
        "x": plain(1970 + middle / YEAR_DAYS if ordered.clock.dated else middle),
        "y": plain(mean),
        "low": plain(mean - error),
        "high": plain(mean + error),
        "across": said("year, by {column!r}", column=ordered.clock.name),
        "up": up,
    }
    return Exhibit(kind="line", caption=said("The target in successive stretches of time"), data=data)
