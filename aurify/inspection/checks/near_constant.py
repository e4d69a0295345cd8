"""Columns with one value in nearly every row."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.errors import listing
from aurify.core.words import said
from aurify.data.findings import NOTE, Finding
from aurify.inspection.cells import own_values
from aurify.inspection.check import Check
from aurify.inspection.gaps import chance_of
from aurify.inspection.inspected import Inspected

NEARLY = 0.995
FEWEST = 200
"""Rows below which one row in 200 is none at all."""

LEVEL, LEAST = 0.001, 5
"""Chance at which the few others are said to tell the target, and how many rows that takes."""


class NearConstant(Check):
    """Columns with one value in more than 99.5 % of the rows, and whether the few others tell something."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        columns = (*seen.schema.numbers, *seen.schema.dates, *seen.schema.categories)
        silent, telling, shares = [], [], {}
        for column in columns if seen.frame.height >= FEWEST else []:
            values = own_values(seen, column.name) if column.name not in seen.hidden else None
            rare = None if values is None else _rare(values)
            if rare is not None:
                shares[column.name] = round(1 - float(rare.mean()), 6)
                told = seen.schema.target is not None and _tells(seen, rare[seen.rows], len(columns))
                (telling if told else silent).append(column.name)
        if silent:
            what = said(
                "nearly constant, {share:.2%} of the rows hold one value: {names}",
                share=shares[silent[0]],
                names=listing(silent),
            )
            fix = said("they may go: --with drop_columns.constant=0.995, or --drop '{column}'", column=silent[0])
            yield self.found(NOTE, what, fix=fix, columns=silent, evidence={n: shares[n] for n in silent[:100]})
        if telling:
            what = said(
                "nearly constant ({share:.2%} one value), but the few other rows tell of the target: {names}",
                share=shares[telling[0]],
                names=listing(telling),
            )
            yield self.found(NOTE, what, columns=telling, evidence={n: shares[n] for n in telling[:100]})


def _rare(values: np.ndarray) -> np.ndarray | None:
    """Which rows (R,) hold another value than the usual one, or none; None where that is not nearly all."""
    gone = np.isnan(values) if values.dtype.kind == "f" else values < 0
    distinct, counts = np.unique(values[~gone], return_counts=True)
    if not len(distinct) or not NEARLY * len(values) < counts.max() < len(values):
        return None
    return values != distinct[counts.argmax()]


def _tells(seen: Inspected, rare: np.ndarray, columns: int) -> bool:
    """Whether the targets of the rare rows are others than elsewhere: by counts, or by ranks (Mann & Whitney 1947)."""
    from scipy.stats import mannwhitneyu

    if not LEAST <= rare.sum() <= len(rare) - LEAST:
        return False
    if seen.schema.labels is not None:
        return any(_tells(seen.of_label(at), rare, columns * len(seen.classes or ())) for at in seen.common_labels)
    one, other = seen.target[rare], seen.target[~rare]
    if seen.classes is None:
        return bool(mannwhitneyu(one, other).pvalue * columns < LEVEL)
    counts = np.stack([np.bincount(part, minlength=len(seen.classes)) for part in (one, other)])
    return chance_of(counts) * columns < LEVEL
