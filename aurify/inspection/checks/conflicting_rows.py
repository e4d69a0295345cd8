"""Rows that are alike in all columns and differ in the target."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.copies import first_alike, row_keys
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.alike import groups_of, inputs_of, repeats_among, side_by_side
from aurify.inspection.chance import FACTOR, MOST_JUDGED, MOSTLY_COPIES, Repeats
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

FEW = 0.005
"""A share of rows that costs no score that could be measured."""


class ConflictingRows(Check):
    """Rows with the same inputs and another target: no model can be right about all of them."""

    needs = frozenset({Trait.COLUMNS})
    of_target = True
    of_labels = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        tables = inputs_of(seen, seen.rows)
        if not tables or not len(seen.rows):
            return
        keys = row_keys(tables)
        which, sizes = groups_of(keys)
        low, high = np.full(len(sizes), np.inf), np.full(len(sizes), -np.inf)
        np.minimum.at(low, which, seen.target)
        np.maximum.at(high, which, seen.target)
        torn = (high > low)[which]
        if not torn.any():
            return
        judged = seen.drawn(len(which), MOST_JUDGED, "inspect/conflicting_rows")
        equal = repeats_among(seen, tables, np.flatnonzero(first_alike(keys) != np.arange(len(keys))), judged)
        best = _best(seen, which, len(sizes))
        groups = [np.flatnonzero(which == group) for group in np.flatnonzero(high > low)[:3]]
        yield self._finding(seen, np.flatnonzero(torn), equal, best, [seen.rows[_apart(seen, at)] for at in groups])

    def _finding(
        self, seen: Inspected, torn: np.ndarray, equal: Repeats, best: float, groups: list[np.ndarray]
    ) -> Finding:
        share = len(torn) / len(seen.rows)
        accident = equal.beyond and FEW <= share <= MOSTLY_COPIES and len(torn) / 2 > FACTOR * equal.by_chance
        if seen.classes is not None:
            text = said(
                "{rows:,} training rows ({share:.2%}) have the same inputs as a row with another target:"
                " no model can be right in more than {best:.2%} of all training rows",
                rows=len(torn),
                share=share,
                best=best,
            )
        else:
            text = said(
                "{rows:,} training rows ({share:.2%}) have the same inputs as a row with another target:"
                " no model can have a better R2 than {best:.3f} over all training rows",
                rows=len(torn),
                share=share,
                best=best,
            )
        fix = said("find out which of each are right, or which column would tell them apart")
        return self.found(
            WARNING if accident else NOTE,
            text,
            fix=fix if accident else "",
            rows=seen.rows[torn],
            weight=share,
            evidence={"share": share, "best": best, "by_chance": equal.by_chance, "beyond_chance": accident},
            exhibits=[side_by_side(seen, [g.tolist() for g in groups], said("the same inputs with another target"))],
        )


def _apart(seen: Inspected, rows: np.ndarray) -> np.ndarray:
    """Positions with different targets first, one of each."""
    firsts = np.unique(seen.target[rows], return_index=True)[1]
    return rows[np.sort(firsts)]


def _best(seen: Inspected, which: np.ndarray, count: int) -> float:
    """Accuracy of saying the commonest class of each group, or R2 of saying its mean."""
    if seen.classes is not None:
        pairs, held = np.unique(which * len(seen.classes) + seen.target, return_counts=True)
        most = np.zeros(count, dtype=np.int64)
        np.maximum.at(most, pairs // len(seen.classes), held)
        return float(most.sum() / len(which))
    scale = float(np.abs(seen.target).max()) or 1.0  # squares of huge targets would be infinite
    target = seen.target / scale
    means = np.bincount(which, target) / np.bincount(which)
    return float(1 - ((target - means[which]) ** 2).sum() / ((target - target.mean()) ** 2).sum())
