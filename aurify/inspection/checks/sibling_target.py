"""Columns that are measured as the target is and with it: the other runs, the other year, the other rater."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import SEVERE, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.suspects import evidence, left_out, score_bars, without


class SiblingTarget(Check):
    """Columns as large as the target, row by row, that are several or named like it, where the others are far off.

    Each is one finding, found without the help of its siblings; the target of an earlier row is none.
    """

    needs = frozenset({Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        for suspect in seen.suspects:
            if suspect.check == self.name():
                share, low, high = suspect.share
                text = said(
                    "column {column!r} is a sibling of the target {target!r}, of its size in every row: nearer to it "
                    "than what all other columns say in {share:.1%} of rows (95% interval {low:.1%} to {high:.1%})",
                    column=suspect.name,
                    target=seen.schema.target,
                    share=share,
                    low=low,
                    high=high,
                )
                yield self.found(
                    SEVERE,
                    text,
                    fix=left_out(suspect.name),
                    columns=[suspect.name],
                    weight=share,
                    evidence=evidence(suspect),
                    mend=without(suspect.name),
                    exhibits=[score_bars(suspect, False)],
                )
