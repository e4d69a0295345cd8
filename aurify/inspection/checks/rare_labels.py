"""Labels that hardly any row holds, or nearly all do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import listed, said
from aurify.data.findings import WARNING, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

LEAST = 10
"""Rows that hold a label, and that do not, for it to be learnt and measured."""

SHOWN = 5


class RareLabels(Check):
    """Labels that too few rows hold, or lack, to learn from and to measure by."""

    needs = frozenset({Trait.BERNOULLI})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.schema.labels is None or seen.classes is None or not len(seen.rows):
            return
        held = (seen.target > 0).sum(0)
        fewer = np.minimum(held, len(seen.rows) - held)
        rare = np.flatnonzero(fewer < LEAST)
        if not len(rare):
            return
        rare = rare[np.argsort(fewer[rare], kind="stable")]
        names = [said("{name!r} ({count:,})", name=seen.classes[at], count=int(held[at])) for at in rare.tolist()]
        shown = listed(names[:SHOWN])
        if len(names) > SHOWN:
            shown = said("{names} and {count:,} more", names=listed(names[:SHOWN], ","), count=len(names) - SHOWN)
        yield self.found(
            WARNING,
            said(
                "{count:,} of {all:,} labels are held, or lacked, by fewer than {least} rows to learn from: {names}",
                count=len(rare),
                all=len(seen.classes),
                least=LEAST,
                names=shown,
            ),
            fix=said("gather more rows of them, or leave these labels out: they can hardly be measured"),
            columns=seen.schema.aims,
            weight=len(rare) / len(seen.classes),
            evidence={"labels": {seen.classes[at]: int(held[at]) for at in rare.tolist()}, "least": LEAST},
        )
