"""Whether all columns together tell test rows from training rows, though none of them may alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from aurify.core.errors import listing
from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.columns import NUMBER
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.apart import MOST, Told, tell_apart
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.shifted import SURE, Shift, is_emptied, shifts
from aurify.measure.bands import plain
from aurify.measure.together import loosened

LEAST = 0.55
"""The lower end of the area's interval from which on rows differ by more than is worth nothing: two normal
distributions 0.18 standard deviations apart, a little under Cohen's (1988) small effect."""

SHOWN = 3


class JointShift(Check):
    """Boosted trees that are to tell test rows from training rows, out of fold; chance is 0.5.

    A warning where a test file differs though no column does by itself, else a note: how much it is all in all.
    """

    needs = frozenset({Trait.COLUMNS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not len(seen.test) or (seen.by == "random" and not seen.store.test.any()):
            return
        each = seen.once(shifts)
        told = tell_apart(seen, seen.rows, seen.test, "joint shift", {shift.name for shift in each if shift.later})
        alone = [s.name for s in each if not s.later and (s.matters or is_emptied(s, len(each)))]
        if told is None or told.area.low < LEAST:
            if not alone:
                yield from self._loosened(seen, each)
            return
        most_lost = max(told.columns.values(), default=0.0)
        columns = [name for name, lost in told.columns.items() if lost > most_lost / 10][:SHOWN]
        area = told.area
        most = listing(columns, SHOWN)
        if alone:
            text = said(
                "trees tell test rows from training rows with ROC AUC {area:.3f} (95% interval {low:.3f} to {high:.3f},"
                " 0.5 by chance), most of all by {columns}",
                area=area.value,
                low=area.low,
                high=area.high,
                columns=most,
            )
        else:
            text = said(
                "no column differs much by itself, yet trees tell test rows from training rows with ROC AUC {area:.3f}"
                " (95% interval {low:.3f} to {high:.3f}, 0.5 by chance), most of all by {columns}: how columns go"
                " together has changed",
                area=area.value,
                low=area.low,
                high=area.high,
                columns=most,
            )
        fix = said("find out how the test rows were taken; take training rows from where the model will be used")
        yield self.found(
            NOTE if alone or not seen.store.test.any() else WARNING,
            text,
            fix=fix,
            columns=columns,
            weight=2 * told.area.value - 1,
            evidence={"area": told.area.plain(), "rows compared": list(told.rows), "lost by shuffling": _lost(told)},
            exhibits=[_bars(told)] if columns else [],
        )

    def _loosened(self, seen: Inspected, each: list[Shift]) -> Iterator[Finding]:
        """Two columns that go together otherwise: of few rows trees do not learn that."""
        numbers = [shift for shift in each if shift.kind == NUMBER and _varies(shift.known) and _varies(shift.other)]
        if len(numbers) < 2:
            return
        known, other = (np.stack([_filled(getattr(s, side)) for s in numbers], 1) for side in ("known", "other"))
        found = loosened(known, other)
        if found is None or found.chance >= SURE:
            return
        first, second = (numbers[at].name for at in found.columns)
        text = said(
            "columns {first!r} and {second!r} go together otherwise in the test rows: rank correlation {known:.2f} in"
            " training rows, {other:.2f} in test rows",
            first=first,
            second=second,
            known=found.known,
            other=found.other,
        )
        yield self.found(
            WARNING if seen.store.test.any() else NOTE,
            text,
            fix=said("find out how the test rows were taken; take training rows from where the model will be used"),
            columns=[first, second],
            weight=abs(found.known - found.other) / 2,
            evidence={"rank correlations": [found.known, found.other], "chance": found.chance},
        )


def _varies(values: np.ndarray) -> bool:
    """Whether at least four fifths of the values (k,) are there, and none holds half of them."""
    present = values[~np.isnan(values)][:MOST]
    return len(present) >= 0.8 * len(values[:MOST]) > 0 and int(np.unique(present, return_counts=True)[1].max()) <= (
        len(present) / 2
    )


def _filled(values: np.ndarray) -> np.ndarray:
    """The first values (k,), the median where one is missing."""
    some = values[:MOST]
    return np.where(np.isnan(some), np.nanmedian(some), some)


def _lost(told: Told) -> dict[str, float]:
    return {name: plain(lost) for name, lost in list(told.columns.items())[:10]}


def _bars(told: Told) -> Exhibit:
    lost = _lost(told)
    data = {
        "names": list(lost),
        "values": list(lost.values()),
        "low": None,
        "high": None,
        "axis": said("ROC AUC lost where the column is shuffled"),
        "reference": 0.0,
    }
    return Exhibit(kind="bars", caption=said("What tells test rows from training rows"), data=data)
