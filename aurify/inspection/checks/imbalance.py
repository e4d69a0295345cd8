"""One class that nearly all rows have."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

NOTED, WARNED = 10.0, 100.0
"""Rows of the largest class for each of the rarest."""

LEAST_MEASURED = 10
"""Rows of a class below which it is rare before it is anything else."""

FEW_ROWS = 30
"""Rows of a class with which its recall is known to no better than a fifth."""


class Imbalance(Check):
    """The largest class dominates, so that accuracy says little.

    No technique is recommended as its mend: what weighs or repeats rare rows spoils log loss and calibration.
    """

    needs = frozenset({Trait.CATEGORICAL})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.classes is None or not len(seen.target):
            return
        counts = np.bincount(seen.target, minlength=len(seen.classes))
        present = counts[counts >= LEAST_MEASURED]
        if len(present) < 2 or present.max() <= len(seen.target) / 2 or present.max() < NOTED * present.min():
            return
        largest, rarest = int(present.max()), int(present.min())
        ratio = largest / rarest
        heavy = ratio >= WARNED or (rarest < FEW_ROWS and len(present) == 2)
        names = [seen.classes[int(np.flatnonzero(counts == count)[0])] for count in (largest, rarest)]
        text = said(
            "class {large!r} has {share:.1%} of the rows and {rare!r} {rows:,}, {ratio:.0f} to 1: always saying"
            " {large!r} is right {share:.1%} of the time",
            large=names[0],
            share=largest / len(seen.target),
            rare=names[1],
            rows=rarest,
            ratio=ratio,
        )
        two = said(
            "read average precision, recall and balanced accuracy, not accuracy; more rows of {rare!r} help most",
            rare=names[1],
        )
        many = said("read macro F1 and balanced accuracy, not accuracy; more rows of {rare!r} help most", rare=names[1])
        yield self.found(
            WARNING if heavy else NOTE,
            text,
            fix=two if len(present) == 2 else many,
            columns=[str(seen.schema.target)],
            weight=1 - 1 / ratio,
            evidence={"ratio": ratio, "largest": largest, "rarest": rarest, "classes": len(present)},
        )
