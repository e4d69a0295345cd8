"""Columns that are distributed otherwise in the test rows than in training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from aurify.core.errors import listing
from aurify.core.parts import Trait
from aurify.core.words import Said, said
from aurify.data.columns import CATEGORY
from aurify.data.dates import written
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.shifted import SURE, Shift, factor, is_constant, is_emptied, shifts
from aurify.measure.bands import plain
from aurify.measure.two_samples import missing_chance

SHOWN = 20
"""Columns in a picture."""

NEW = 0.02
"""Share of test rows with new categories, beyond those to be expected, from which on it is told."""


class Shifted(Check):
    """Compare each column of the training rows with the test rows; a random split has nothing to compare."""

    needs = frozenset({Trait.COLUMNS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not len(seen.test) or (seen.by == "random" and not seen.store.test.any()):
            return
        severity = WARNING if seen.store.test.any() else NOTE
        left = seen.once(shifts)
        for look in (self._emptied, self._constant, self._new, self._later, self._rescaled, self._others):
            for finding in look(seen, left, severity):
                yield finding
                left = [shift for shift in left if shift.name not in finding.columns]

    def _emptied(self, seen: Inspected, left: Sequence[Shift], severity: str) -> Iterator[Finding]:
        found = [shift.name for shift in left if is_emptied(shift, len(left))]
        if found:
            text = said(
                "{columns}: no value at all in {rows:,} test rows, where training rows have values",
                columns=listing(found, 3),
                rows=len(seen.test),
            )
            yield self.found(severity, text, fix=_fix(found), columns=found, weight=0.9, evidence={"columns": found})

    def _constant(self, seen: Inspected, left: Sequence[Shift], severity: str) -> Iterator[Finding]:
        found = [shift.name for shift in left if is_constant(shift, len(left))]
        if found:
            text = said(
                "{columns}: the same value in all {rows:,} test rows, where training rows have several",
                columns=listing(found, 3),
                rows=len(seen.test),
            )
            yield self.found(severity, text, fix=_fix(found), columns=found, weight=0.8, evidence={"columns": found})

    def _new(self, seen: Inspected, left: Sequence[Shift], severity: str) -> Iterator[Finding]:
        names = [shift.name for shift in left if shift.kind == CATEGORY]
        told = [(name, *_unseen(seen, name)) for name in names]
        found = [(name, new, expected) for name, new, expected, chance in told if chance * len(names) < SURE]
        found = sorted((each for each in found if each[1] - each[2] >= NEW), key=lambda each: each[2] - each[1])
        if not found:
            return
        name, new, expected = found[0]
        columns = [each[0] for each in found]
        text = said(
            "{columns}: categories that training never saw, in {share:.1%} of the test rows for {column!r}"
            " ({expected:.1%} are to be expected of new rows)",
            columns=listing(columns, 3),
            column=name,
            share=new,
            expected=expected,
        )
        shares = {each: {"share": plain(share), "expected": plain(usual)} for each, share, usual in found}
        fix = said("get training rows with them, or see whether they are only spelt otherwise")
        yield self.found(severity, text, fix=fix, columns=columns, weight=0.7, evidence={"new categories": shares})

    def _later(self, seen: Inspected, left: Sequence[Shift], severity: str) -> Iterator[Finding]:
        for shift in left:
            if shift.later:
                known, other = (each[np.isfinite(each)] for each in (shift.known, shift.other))
                spans = [written(float(end)) for each in (known, other) for end in (each.min(), each.max())]
                text = said(
                    "column {column!r}: training rows are from {first} to {last}, test rows from {start} to {end}",
                    column=shift.name,
                    first=spans[0],
                    last=spans[1],
                    start=spans[2],
                    end=spans[3],
                )
                yield self.found(NOTE, text, columns=[shift.name], evidence={"from and to": spans})

    def _rescaled(self, seen: Inspected, left: Sequence[Shift], severity: str) -> Iterator[Finding]:
        factors = {shift.name: ratio for shift in left if (ratio := factor(shift, len(left))) is not None}
        if factors:
            name, ratio = max(factors.items(), key=lambda item: abs(np.log(item[1])))
            text = said(
                "{columns}: numbers of another unit in the test rows, {factor:.4g} times as large for {column!r}",
                columns=listing(factors, 3),
                column=name,
                factor=ratio,
            )
            fix = said("bring both files to one unit, for a model takes the numbers as they are")
            evidence = {"factor": {column: plain(value) for column, value in factors.items()}}
            yield self.found(severity, text, fix=fix, columns=factors, weight=0.95, evidence=evidence)

    def _others(self, seen: Inspected, left: Sequence[Shift], severity: str) -> Iterator[Finding]:
        found = sorted((shift for shift in left if shift.matters), key=lambda shift: -shift.apart.area.value)
        if not found:
            return
        worst, names = found[0], [shift.name for shift in found]
        area = worst.apart.area
        text = said(
            "{columns}: distributed otherwise in the test rows than in training; {column!r} alone tells them apart with"
            " ROC AUC {area:.3f} (95% interval {low:.3f} to {high:.3f}, 0.5 by chance)",
            columns=listing(names, 3),
            column=worst.name,
            area=area.value,
            low=area.low,
            high=area.high,
        )
        yield self.found(
            severity,
            text,
            fix=_fix(names),
            columns=names,
            weight=2 * area.value - 1,
            evidence={
                "rows compared": [len(worst.known), len(worst.other)],
                "columns": {shift.name: _told(shift) for shift in found[:SHOWN]},
            },
            exhibits=[_bars(found[:SHOWN])],
        )


def _fix(columns: Sequence[str]) -> Said:
    return said(
        "find out what changed between training and test rows; what will not be the same later is left out with --drop"
        " {column!r}",
        column=columns[0],
    )


def _unseen(seen: Inspected, name: str) -> tuple[float, float, float]:
    """The share of test rows whose category no training row has, the share to be expected, and the chance of it.

    Each training row tells what is to be expected: whether its category is in no other one (Good 1953).
    """
    codes = seen.typed(name)
    assert codes is not None, "a category is typed"
    known, other = (np.asarray(codes[rows]) for rows in (seen.rows, seen.test))
    known, other = known[known >= 0], other[other != -1]
    if not len(known) or not len(other):
        return 0.0, 0.0, 1.0
    distinct, counts = np.unique(known, return_counts=True)
    new, alone = int((~np.isin(other, distinct)).sum()), int((counts == 1).sum())
    chance = missing_chance(alone, len(known), new, len(other))
    return new / len(other), alone / len(known), chance


def _told(shift: Shift) -> dict[str, Any]:
    """One column in plain numbers."""
    told: dict[str, Any] = {"area": shift.apart.area.plain(), "chance": plain(shift.chance)}
    told["missing"] = plain(shift.missing)
    if shift.kind != CATEGORY:
        told["median"] = [plain(np.median(each)) if len(each) else None for each in shift.present]
    return told


def _bars(found: Sequence[Shift]) -> Exhibit:
    areas = [shift.apart.area.plain() for shift in found]
    data = {
        "names": [shift.name for shift in found],
        "values": [area["value"] for area in areas],
        "low": [area["low"] for area in areas],
        "high": [area["high"] for area in areas],
        "axis": said("how well the column alone tells test rows from training rows (ROC AUC)"),
        "reference": 0.5,
    }
    return Exhibit(kind="bars", caption=said("Columns that differ between training and test rows"), data=data)
