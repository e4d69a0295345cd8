"""Every column of the rows that may be learnt from against the same column of the test part."""

# n rows that may be learnt from, m test rows, both perhaps a sample

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aurify.core import rng
from aurify.data.columns import CATEGORY, DATE
from aurify.data.schema import MISSING
from aurify.inspection.inspected import MOST_FITTED, Inspected
from aurify.measure.two_samples import Apart, apart, distance, holm, missing_chance

MATTERS = 0.556
"""The area of two normal distributions 0.2 standard deviations apart, Cohen's (1988) small effect: less is left alone,
for with rows enough every difference is measurable."""

SURE = 0.01
"""Chance, over all columns together, below which a difference is one."""

RESCALED = 0.1
"""Greatest difference of cumulative shares that one factor may leave, of at least five times as much before."""


@dataclass(frozen=True, eq=False)
class Shift:
    """One column: ``known`` (n,) and ``other`` (m,) values as typed, and how well it tells them apart.

    ``chance`` is corrected for the number of columns.
    """

    name: str
    kind: str
    known: np.ndarray
    other: np.ndarray
    apart: Apart
    chance: float

    @property
    def matters(self) -> bool:
        area = self.apart.area
        return self.chance < SURE and area.value >= MATTERS and area.low > 0.5

    @property
    def missing(self) -> tuple[float, float]:
        """Shares without a value, of training and of test rows."""
        known, other = (float(np.mean(~_has_value(each))) for each in (self.known, self.other))
        return known, other

    @property
    def present(self) -> tuple[np.ndarray, np.ndarray]:
        """The values there are."""
        return self.known[_has_value(self.known)], self.other[_has_value(self.other)]

    @property
    def later(self) -> bool:
        """Whether it is a date and nearly every test row lies after, or before, every training row."""
        known, other = self.present
        if self.kind != DATE or not len(known) or not len(other):
            return False
        return bool(np.mean(other > known.max()) > 0.95 or np.mean(other < known.min()) > 0.95)


def shifts(seen: Inspected) -> list[Shift]:
    """Every typed column, in their order; of at most ``MOST_FITTED`` rows of each part."""
    rows = seen.rows[seen.drawn(len(seen.rows), MOST_FITTED, "inspect/shift/rows")]
    test = seen.test[seen.drawn(len(seen.test), MOST_FITTED, "inspect/shift/test")]
    found = []
    for column in seen.columns:
        values = seen.typed(column.name)
        if values is None:
            continue
        known, other = np.asarray(values[rows]), np.asarray(values[test])
        random = np.random.Generator(np.random.PCG64(rng.key(seen.seed, f"inspect/shift/{column.name}")))
        told = apart(known, other, random)
        if told is not None:
            found.append(Shift(column.name, column.kind, known, other, told, told.chance))
    adjusted = holm([shift.chance for shift in found])
    return [replace(shift, chance=float(chance)) for shift, chance in zip(found, adjusted, strict=True)]


def is_emptied(shift: Shift, columns: int) -> bool:
    """Whether no test row has a value where training rows have, which is no chance among so many columns."""
    gone, other = (int((~_has_value(each)).sum()) for each in (shift.known, shift.other))
    if other < len(shift.other) or gone == len(shift.known):
        return False
    return missing_chance(gone, len(shift.known), other, len(shift.other)) * columns < SURE


def is_constant(shift: Shift, columns: int) -> bool:
    """Whether all test rows have one value where training rows have several, beyond chance."""
    known, other = shift.present
    if len(other) < 2 or len(known) < 2 or (other != other[0]).any():
        return False
    if (known == known[0]).all() or (shift.kind == CATEGORY and other[0] < MISSING):
        return False
    same = int((known == other[0]).sum())
    return missing_chance(same, len(known), len(other), len(other)) * columns < SURE


def factor(shift: Shift, columns: int) -> float | None:
    """By what the test rows' numbers were multiplied, where one factor makes them the training rows' again.

    Numbers that are 0 are so in every unit: where most are, the others show it.
    """
    known, other = shift.present
    shares = [float(np.mean(each == 0)) if len(each) else 0.0 for each in (known, other)]
    known, other = known[known != 0], other[other != 0]
    if shift.kind in (CATEGORY, DATE) or min(len(known), len(other)) < 20:
        return None
    with np.errstate(all="ignore"):
        ratio = float(np.median(np.abs(other)) / np.median(np.abs(known)))
    if not np.isfinite(ratio) or ratio == 0 or 1 / 1.5 < ratio < 1.5:
        return None
    before, after = distance(known, other), max(distance(known, other / ratio), abs(shares[0] - shares[1]))
    even = 1 / len(known) + 1 / len(other)
    surely = 2 * np.exp(-2 * before**2 / even) * columns < SURE
    alike = after <= max(RESCALED, 1.36 * np.sqrt(even)) and before >= 5 * min(after, RESCALED)
    return ratio if surely and alike and before > 0.3 else None


def _has_value(values: np.ndarray) -> np.ndarray:
    """Which cells are not missing; a category that training never saw is a value."""
    return ~np.isnan(values) if values.dtype.kind == "f" else values != MISSING
