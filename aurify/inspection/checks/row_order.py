"""Rows that lie in the file in an order that the target follows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.class_folders import FILE, LABEL
from aurify.data.findings import NOTE, Finding
from aurify.inspection.check import Check
from aurify.inspection.clock import clocks
from aurify.inspection.inspected import MOST_FITTED, Inspected
from aurify.measure.bands import plain
from aurify.measure.series import normal_scores, resemblance

LEAST, SURE = 0.3, 1e-4


class RowOrder(Check):
    """Neighbours in the file with like targets: the file is sorted or grouped, and by what is not said."""

    needs = frozenset({Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.by != "random" or len(seen.rows) < 100 or _by_folder(seen) or seen.once(clocks):
            return
        target = seen.target[:MOST_FITTED]
        numbers = seen.classes is None
        values = normal_scores(target)[:, None] if numbers else (target[:, None] == np.unique(target)).astype(float)
        found = resemblance(values)
        if found.chance < SURE and found.value >= LEAST:
            text = said(
                "neighbours in the file resemble one another in the target (correlation {value:.2f}, 95% interval"
                " {low:.2f} to {high:.2f}): its rows are sorted or come in groups",
                value=found.value,
                low=found.low,
                high=found.high,
            )
            fix = said("if the order is one of time or of groups, name its column: --split time:COLUMN or group:COLUMN")
            evidence = {"correlation": plain(found.value), "rows": len(target)}
            yield self.found(NOTE, text, fix=fix, weight=found.value, evidence=evidence)


def _by_folder(seen: Inspected) -> bool:
    """Whether the rows are files in a folder for each class, read one folder after another."""
    if FILE not in seen.frame.columns or seen.schema.target != LABEL:
        return False
    return bool((seen.frame[FILE].str.split("/").list.first() == seen.frame[LABEL]).all())
