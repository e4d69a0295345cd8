"""Which cells are missing, and what else that tells: which columns go together, where in the file, and the target."""

# R rows, C columns with missing cells

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aurify.inspection.cells import own_values
from aurify.inspection.inspected import Inspected
from aurify.measure.two_samples import chi_squared, missing_chance

TOGETHER = 0.9
"""Correlation of two columns' gaps from which on they are said to be missing together."""

EXPECTED = 5
"""Rows of a class without which a chi-square is no chance (Cochran 1954)."""

LEAST = 10
"""Rows with a gap, and without one, that are needed to compare them."""


@dataclass(frozen=True, eq=False)
class Gaps:
    """Columns that lack some cells and ``missing`` (R, C) bool: which."""

    names: tuple[str, ...]
    missing: np.ndarray

    @classmethod
    def of(cls, seen: Inspected) -> Gaps:
        """Of all columns that are learnt from."""
        columns = (*seen.schema.numbers, *seen.schema.dates, *seen.schema.categories)
        found = {}
        for column in columns:
            values = own_values(seen, column.name) if column.name not in seen.hidden else None
            if values is not None:
                gone = np.isnan(values) if values.dtype.kind == "f" else values < 0
                found |= {column.name: gone} if gone.any() else {}
        place = {name: at for at, name in enumerate(seen.frame.columns)}
        names = tuple(sorted(found, key=place.__getitem__))
        shape = np.zeros((seen.frame.height, 0), dtype=bool)
        return cls(names, np.stack([found[name] for name in names], axis=1) if names else shape)

    @property
    def counts(self) -> np.ndarray:
        """Missing cells of each column (C,)."""
        return self.missing.sum(0)

    def groups(self, rows: np.ndarray) -> list[list[int]]:
        """Places of columns whose gaps are mostly in the same rows, judged by these rows; the largest group first."""
        missing = self.missing[rows].astype(np.float32)
        counts = missing.sum(0)
        usable = np.flatnonzero((counts >= LEAST) & (len(rows) - counts >= LEAST))
        if len(usable) < 2:
            return []
        alike = np.asarray(np.corrcoef(missing[:, usable], rowvar=False)) >= TOGETHER
        groups: list[list[int]] = []
        free = set(range(len(usable)))
        for at in range(len(usable)):
            near = [other for other in np.flatnonzero(alike[at]) if other in free]
            if at in free and len(near) > 1:
                groups.append([int(usable[other]) for other in near])
                free -= set(near)
        return sorted(groups, key=len, reverse=True)

    def shares(self, order: np.ndarray, bins: int) -> np.ndarray:
        """Shares of missing cells (B, C) in stretches of rows of equal length, the rows taken in this order."""
        return np.stack([self.missing[part].mean(0) for part in np.array_split(order, bins)])


def uneven(shares: np.ndarray, rows: int) -> np.ndarray:
    """How unlike the stretches are, as a share of how unlike they could be (C,): Cramer's V; 0 where that is chance.

    ``shares`` (B, C) of ``rows`` rows in all. Chance is a chi-square test at one in a million, for neighbouring rows
    are seldom independent.
    """
    from scipy.stats import chi2

    mean = shares.mean(0)
    room = np.maximum(mean * (1 - mean), 1e-12)
    spread = ((shares - mean) ** 2).mean(0) / room
    sure = chi2.sf(spread * rows, len(shares) - 1) < 1e-6
    return np.where(sure, np.sqrt(spread), 0.0)


def chance_of(counts: np.ndarray) -> float:
    """The chance of counts (2, K) as unlike as these where two kinds of rows have the same classes.

    Fisher's (1922) exact test of two classes, Pearson's (1900) chi-square of more; those too rare to expect
    ``EXPECTED`` rows of are taken together first.
    """
    rare = counts.sum(0) * counts.sum(1).min() < EXPECTED * counts.sum()
    held = np.column_stack([counts[:, ~rare], counts[:, rare].sum(1)]) if counts.shape[1] > 2 else counts
    held = held[:, held.sum(0) > 0]
    if held.shape[1] != 2:
        return chi_squared(held)
    of_one, of_other = held.sum(1).tolist()
    return missing_chance(int(held[0, 0]), of_one, int(held[1, 0]), of_other)
