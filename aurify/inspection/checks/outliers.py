"""Numbers that stand apart from all others of their column: wrong units, wrong signs, slips of the finger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from aurify.core.errors import listing
from aurify.core.words import Said, said
from aurify.data.columns import NAMES_ROWS
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.cells import own_values
from aurify.inspection.check import Check
from aurify.inspection.codes import without_codes
from aurify.inspection.inspected import Inspected
from aurify.inspection.tails import FEWEST, excesses, far_values, stand_apart

LEVEL = 0.02
"""Chance of a false alarm in all columns of a table together."""

ALONE = 5
"""More columns than this are told of together."""

SHOWN = 3
SLIPS = (10.0, 100.0, 1000.0)
MOST = 1e100
FEW_NEGATIVE = 0.005
"""Share of a column up to which its only values below 0 may be slips."""

LONG_TAIL = 30.0
"""Median absolute deviations from the median beyond which a tail is called long."""


@dataclass(frozen=True, eq=False)
class _Odd:
    """Values of a column that stand apart, and those that do not."""

    name: str
    values: np.ndarray
    low: float
    high: float
    ratio: float
    negative: bool

    @property
    def slip(self) -> float | None:
        """The power of ten by which all of them would be ordinary values: above 1 where they are too large."""
        if not 0 < self.low <= self.high < SLIPS[0] * self.low:  # among values this wide any slip would fit
            return None
        factors = [factor for power in SLIPS for factor in (power, 1.0 / power)]
        with np.errstate(over="ignore"):
            moved = {factor: self.values / factor for factor in factors}
        return next((f for f, each in moved.items() if ((self.low <= each) & (each <= self.high)).all()), None)


class Outliers(Check):
    """Isolated values of number columns, judged by gaps; long tails, which are no error, are noted."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        names = [c.name for c in seen.schema.numbers if c.name not in seen.hidden and not NAMES_ROWS.search(c.name)]
        odd, long = [], []
        for name in names:
            seen.check()
            values = own_values(seen, name)
            assert values is not None
            present = without_codes(values[~np.isnan(values)])
            found = _odd(name, present, LEVEL / len(names))
            odd += [found] if found is not None else []
            long += [name] if found is None and _long(present) else []
        odd.sort(key=lambda each: -each.ratio)
        yield from (self._tell(seen, each) for each in odd[:ALONE])
        if len(odd) > ALONE:
            more = [each.name for each in odd[ALONE:]]
            what = said(
                "{count:,} more columns hold values far from all others: {names}", count=len(more), names=listing(more)
            )
            yield self.found(
                WARNING, what, fix=_fix(odd[ALONE]), columns=more, mend={"techniques": {"clip_outliers": {}}}
            )
        if long:
            what = said("a few values far out, in a tail that leads there: {names}", names=listing(long))
            fix = said("no error as such; if it hurts, try --with clip_outliers")
            yield self.found(NOTE, what, fix=fix, columns=long)

    def _tell(self, seen: Inspected, odd: _Odd) -> Finding:
        values = own_values(seen, odd.name)
        assert values is not None
        rows = np.flatnonzero(np.isin(values, odd.values))
        rows = rows[np.argsort(-np.abs(values[rows] - (odd.low + odd.high) / 2), kind="stable")]
        different = np.unique(odd.values)
        shown = ", ".join(map(_short, different[:SHOWN])) + (", ..." if len(different) > SHOWN else "")
        exhibit = Exhibit(
            kind="rows",
            caption=said("rows whose value stands apart"),
            data={
                "header": [said("row"), odd.name],
                "rows": [[str(row), f"{values[row]:.6g}"] for row in rows[:SHOWN]],
                "marks": [[at, 1] for at in range(len(rows[:SHOWN]))],
            },
        )
        return self.found(
            WARNING,
            _text(odd, shown, len(rows)),
            fix=_fix(odd),
            columns=[odd.name],
            rows=rows,
            weight=min(odd.ratio, 1e6),
            evidence={"lowest of the others": odd.low, "highest of the others": odd.high, "values": len(rows)},
            mend={"techniques": {"clip_outliers": {}}},
            exhibits=[exhibit],
        )


def _text(odd: _Odd, shown: str, rows: int) -> Said:
    if odd.negative:
        return said(
            "column {column!r}: {values} below 0 in {rows:,} row(s), all others are {low:.6g} to {high:.6g}",
            column=odd.name,
            values=shown,
            rows=rows,
            low=odd.low,
            high=odd.high,
        )
    apart = said(
        "column {column!r}: {values} in {rows:,} row(s), far from all others ({low:.6g} to {high:.6g})",
        column=odd.name,
        values=shown,
        rows=rows,
        low=odd.low,
        high=odd.high,
    )
    slip = odd.slip
    if slip is None:
        return apart
    if slip > 1:
        return said("{apart}: perhaps {factor:.0f} times too large, another unit", apart=apart, factor=slip)
    return said("{apart}: perhaps {factor:.0f} times too small, another unit", apart=apart, factor=1 / slip)


def _fix(odd: _Odd) -> Said:
    value = _short(odd.values[-1])
    if len(np.unique(odd.values)) == 1 and float(value) == odd.values[-1]:
        return said(
            "look at these rows and mend them in the file; if missing is meant: --missing={value}",
            value=value,
        )
    return said("look at these rows and mend them in the file; or pull them in with --with clip_outliers")


def _short(value: float) -> str:
    return f"{value:.6g}"


def _odd(name: str, present: np.ndarray, level: float) -> _Odd | None:
    """The values (n,) that stand apart: above all others, below them, or by their sign."""
    if len(present) < FEWEST:
        return None
    scale = float(np.abs(present).max())
    scaled = present / scale if scale > MOST else present  # 1e300 squared is no number
    apart = far_values(scaled, level)
    negative = apart.below is None and _negative(scaled, level)
    far = apart.values | (scaled < 0) if negative else apart.values
    if not far.any():
        return None
    others = present[~far]
    alone = negative and apart.above is None
    odd = _Odd(name, present[far], float(others.min()), float(others.max()), apart.ratio, alone)
    return odd if negative or apart.exceptional or odd.slip is not None else None


def _negative(present: np.ndarray, level: float) -> bool:
    """Whether the only values below 0 are few, whole, of the size that others have, and apart from them."""
    negative = present[present < 0]
    if (
        (present % 1 != 0).any()
        or not 0 < len(negative) <= max(1, FEW_NEGATIVE * len(present))
        or -negative.min() > present.max()
    ):
        return False
    return stand_apart(excesses(-present), len(negative), level)


def _long(present: np.ndarray) -> bool:
    """Whether some values lie many times the usual deviation from the median."""
    if len(present) < FEWEST:
        return False
    centre = np.median(present)
    spread = float(np.median(np.abs(present - centre)))
    return spread > 0 and bool((np.abs(present / LONG_TAIL - centre / LONG_TAIL) > spread).any())
