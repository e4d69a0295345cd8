"""Dates that cannot be: 30 February, 1900-01-01 among dates of this year, ends before their starts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import ClassVar

import numpy as np

from aurify.core.words import said
from aurify.data import dates
from aurify.data.columns import DATE
from aurify.data.findings import WARNING, Finding
from aurify.inspection.cells import holds_texts, own_values, rows_with, texts_of, told, watched, without_missing
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.tails import FEWEST, apart_above

DEFAULTS = tuple(
    float(np.datetime64(day, "s").astype(np.int64))
    for day in (
        *("0001-01-01", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01"),
        *("1904-01-01", "1970-01-01", "1980-01-01", "2079-06-06", "2099-12-31", "2199-12-31", "2999-12-31"),
        *("9999-12-31", "9999-01-01", "2099-01-01", "9999-09-09"),
    )
)
"""Days that programs write where there is none: the first or the last that they know."""

WIDE = 0.5
"""How many times the range of the other dates lies between them and a day that programs write."""

LEVEL = 0.02
MOST_BEFORE = 0.02
"""Share of rows up to which an end before its start is the exception."""

MOST_PAIRED = 10


class ImpossibleDates(Check):
    """Dates that cannot be read, that stand apart from all others, or that end before they start."""

    instead: ClassVar[tuple[str, ...]] = ("no date written as {format} in {texts}; taken as missing",)

    def look(self, seen: Inspected) -> Iterable[Finding]:
        columns = [c for c in watched(seen) if c.kind == DATE]
        for column in columns:
            seen.check()
            yield from self._unread(seen, column.name, column.format)
            yield from self._apart(seen, column.name, LEVEL / len(columns))
        yield from self._reversed(seen, [column.name for column in columns[:MOST_PAIRED]])

    def _unread(self, seen: Inspected, name: str, format: str) -> Iterable[Finding]:
        """Texts that no date was read from; other orders of dates and numbers are another check's."""
        import polars as pl

        if not holds_texts(seen, name):
            return
        held = without_missing(seen, texts_of(seen, name), numbers=True)
        lost = held.filter(dates.read_dates(held["text"], format).is_null())
        lost = lost.filter(lost["text"].cast(pl.Float64, strict=False).is_null())
        if lost.height:
            order, _, _ = dates.find_format(lost)
            lost = lost.filter(dates.read_dates(lost["text"], order).is_null())
        if not lost.height:
            return
        rows = rows_with(seen, name, lost["text"].to_list())
        what = said(
            "column {column!r}: no date can be read from {texts}; {cells:,} cell(s) are taken as missing",
            column=name,
            texts=told(lost),
            cells=len(rows),
        )
        yield self.found(WARNING, what, fix=said("mend them in the file"), columns=[name], rows=rows, weight=len(rows))

    def _apart(self, seen: Inspected, name: str, level: float) -> Iterable[Finding]:
        values = own_values(seen, name)
        assert values is not None
        present = values[~np.isnan(values)]
        far = np.isin(values, [day for day in DEFAULTS if _is_default(day, present)])
        if len(present) >= FEWEST:
            others = present[~np.isin(present, values[far])]
            above, below = apart_above(others, level), apart_above(-others, level)
            far |= (values >= above.nearest) if above else False
            far |= (values <= -below.nearest) if below else False
        if not far.any() or far[~np.isnan(values)].all():
            return
        others = values[~far & ~np.isnan(values)]
        rows = np.flatnonzero(far)
        days = [dates.written(day) for day in np.unique(values[far])]
        what = said(
            "column {column!r}: {dates} in {rows:,} row(s), far from all others ({first} to {last})",
            column=name,
            dates=", ".join(days[:3]) + (", ..." if len(days) > 3 else ""),
            rows=len(rows),
            first=dates.written(float(others.min())),
            last=dates.written(float(others.max())),
        )
        fix = said("mend them in the file, or leave the cells empty where there is no date")
        yield self.found(WARNING, what, fix=fix, columns=[name], rows=rows, weight=len(rows))

    def _reversed(self, seen: Inspected, names: list[str]) -> Iterable[Finding]:
        """Pairs of columns of which one is later in nearly all rows, and earlier in some."""
        found: dict[str, tuple[int, str, np.ndarray, int]] = {}
        for start, end in permutations(names, 2):
            first, last = own_values(seen, start), own_values(seen, end)
            assert first is not None and last is not None
            both = ~np.isnan(first) & ~np.isnan(last)
            before, after = np.flatnonzero((last < first) & both), int(((last > first) & both).sum())
            few = 0 < len(before) <= MOST_BEFORE * after and after >= FEWEST
            if few and (end not in found or len(before) < found[end][0]):
                found[end] = len(before), start, before, int(both.sum()) - len(before)
        for end, (count, start, rows, others) in found.items():
            what = said(
                "{end!r} is before {start!r} in {rows:,} row(s), and not in the {others:,} others",
                end=end,
                start=start,
                rows=count,
                others=others,
            )
            fix = said("look at these rows and mend them in the file")
            yield self.found(WARNING, what, fix=fix, columns=[end, start], rows=rows, weight=count)


def _is_default(day: float, present: np.ndarray) -> bool:
    """Whether the day is there, and far from all dates beyond it on the side of the others."""
    others = present[(present != day) & ~np.isin(present, DEFAULTS)]
    if len(others) == len(present) or len(others) < 2 or day not in present:
        return False
    low, high = float(others.min()), float(others.max())
    gap = low - day if day < low else day - high
    return gap > WIDE * (high - low)
