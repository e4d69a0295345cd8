"""How many equal rows a table would hold by chance, judged by how often rows agree in all columns but one or two."""

# n rows, d columns

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from aurify.data.copies import row_keys

MOST_COLUMNS = 6
"""Columns that pairs are made of: those in which alike rows differ most often."""

FEWEST_COLUMNS = 3
"""Columns without which nothing can be foretold: two are to be taken away."""

FEWEST_PATTERNS = 20
"""Different rows of which each must be there as often for the table to be a repeated one."""

MOST_JUDGED = 150_000
"""Rows that callers judge chance with, drawn: pairs of them grow with the square."""

MOSTLY_COPIES = 0.35
"""A table of which more rows repeat another than this is one of repeated patterns, not one with accidents in it."""

SURELY = 1e-4
"""Chance of so high a count where only chance is at work (of a Poisson count)."""

FACTOR = 2.0
"""How many times what chance gives, since the estimate of chance is one from a model."""

LEAST_BY_CHANCE = 0.05
"""Nothing is rarer: two copies may be a chance of which the model knows nothing, three are none."""


@dataclass(frozen=True)
class Repeats:
    """Rows that repeat an earlier row: how many, how many of them chance explains, and whether that is far fewer."""

    count: int
    by_chance: float
    beyond: bool


def repeats(columns: np.ndarray, count: int) -> Repeats:
    """Compare ``count`` repeating rows with what chance gives for rows of hashed cells ``columns`` (d, n) uint64.

    Of two columns that are independent within rows that agree in all others, pairs of rows that agree in both are as
    rare as those that agree in either foretell: N(both) = N(first) N(second) / N(neither), the estimate of capture and
    recapture (Lincoln 1930; for agreement of records Fellegi & Sunter 1969). Accidental copies agree in everything and
    raise the left side only. The pairs of columns that foretell most speak, among cells of about as many rows each, so
    that crowded places do not speak for sparse ones.
    """
    if count == 0:
        return Repeats(0, 0.0, beyond=False)
    whole = _Groups.of(_summed(columns))
    if len(whole.sizes) >= FEWEST_PATTERNS and int(np.gcd.reduce(whole.sizes)) > 1:
        return Repeats(count, 0.0, beyond=True)  # the whole table is there several times
    rows = columns.shape[1]
    found = rows - len(whole.sizes)
    if len(columns) < FEWEST_COLUMNS or found > MOSTLY_COPIES * rows or found == 0:
        return Repeats(count, float(count), beyond=False)
    expected = _by_chance(columns, whole)
    return Repeats(count, expected * count / found, beyond=beyond_chance(found, expected))


def beyond_chance(count: int, expected: float) -> bool:
    """Whether a count is far more than ``FACTOR`` times what is expected by chance."""
    from scipy.stats import poisson

    return bool(poisson.sf(count - 1, FACTOR * max(expected, LEAST_BY_CHANCE)) < SURELY)


def repeats_of(tables: list[np.ndarray], ids: np.ndarray, count: int) -> Repeats:
    """The same for typed tables (n, c), of which ``count`` rows repeat another; ``ids`` (n, b) are no columns of them.

    Rows that repeat another's ids too are copies of it, however many chance gives; so few of them say nothing.
    """
    columns = cells(tables)
    found = repeats(columns, count)
    if found.beyond or not ids.shape[1] or not len(columns):
        return found
    same = len(ids) - len(np.unique(_summed(cells([*tables, ids]))))
    expected = max(0.0, columns.shape[1] - len(np.unique(_summed(columns))) - same)
    return Repeats(count, expected, beyond=True) if beyond_chance(same, expected) else found


@dataclass(frozen=True, eq=False)
class _Groups:
    """Rows with one key: where the first of each group lies (g,), and how many there are (g,)."""

    firsts: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, keys: np.ndarray) -> _Groups:
        return cls(*np.unique(keys, return_index=True, return_counts=True)[1:])

    @property
    def pairs(self) -> np.ndarray:
        return self.sizes * (self.sizes - 1) / 2


def _by_chance(columns: np.ndarray, whole: _Groups) -> float:
    """Rows (n,) of hashed cells (d, n) that would repeat another if their copies were chance."""
    summed = _summed(columns)
    terms = columns * _weights(columns)
    without = [_Groups.of(summed - term) for term in terms]
    telling = sorted(range(len(terms)), key=lambda at: -without[at].pairs.sum())[:MOST_COLUMNS]
    expected = 0.0
    for first, second in combinations(telling, 2):
        expected = max(
            expected, _foretold(summed - terms[first] - terms[second], without[first], without[second], whole)
        )
    return expected


def _foretold(keys: np.ndarray, first: _Groups, second: _Groups, whole: _Groups) -> float:
    """Repeats that rows (n,) of equal ``keys`` foretell, which leave two columns out; the groups leave one or none."""
    _, cell, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    strata = np.log2(sizes).astype(np.int64)[cell]

    def of(groups: _Groups, what: np.ndarray) -> np.ndarray:
        return np.bincount(strata[groups.firsts], what, minlength=64)

    both, repeated = of(whole, whole.pairs), of(whole, whole.sizes - 1.0)
    one, other = of(first, first.pairs) - both, of(second, second.pairs) - both
    every = np.bincount(np.log2(sizes).astype(np.int64), sizes * (sizes - 1) / 2, minlength=64)
    neither = every - one - other - both
    foretold = (one + 0.5) * (other + 0.5) / (neither + 0.5)
    here = both > 0
    return float((repeated * np.minimum(foretold, both))[here] @ (1 / both[here]))


def cells(inputs: list[np.ndarray]) -> np.ndarray:
    """Hash every cell of tables (n, c) to (d, n) uint64; columns that are the same everywhere are left out."""
    hashed = [
        row_keys([table[:, [at]], np.full((len(table), 1), number, dtype=np.int64)])
        for number, table in enumerate(inputs)
        for at in range(table.shape[1])
    ]
    return np.array([each for each in hashed if (each != each[0]).any()], dtype=np.uint64)


def _summed(columns: np.ndarray) -> np.ndarray:
    """A key of each row (n,), from which a column can be taken away again."""
    return (columns * _weights(columns)).sum(0, dtype=np.uint64)


def _weights(columns: np.ndarray) -> np.ndarray:
    return np.arange(1, 2 * len(columns), 2, dtype=np.uint64)[:, None]
