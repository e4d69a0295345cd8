"""Columns that are the target in other clothes: copies, codes, thresholds, gaps, orders."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.core.parts import Trait
from aurify.core.words import Said, said
from aurify.data.findings import SEVERE, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.suspects import Suspect, evidence, left_out, score_bars, without


class TargetLeak(Check):
    """Columns that give the target away, which no column that is known beforehand does.

    A copy need not be compared with anything. One that decides the target, orders the rows as it does or is near it
    is a leak only where all other columns are far from that.
    """

    needs = frozenset({Trait.COLUMNS})
    of_target = True
    of_labels = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        for suspect in seen.suspects:
            if suspect.check == self.name():
                yield self.found(
                    SEVERE,
                    _text(suspect, seen.schema.target or "", seen.classes is not None),
                    fix=left_out(suspect.name),
                    columns=[suspect.name],
                    weight=suspect.share[0],
                    evidence=evidence(suspect),
                    mend=without(suspect.name),
                    exhibits=[score_bars(suspect, seen.classes is not None)],
                )


def _text(suspect: Suspect, target: str, classes: bool) -> Said:
    share, low, high = suspect.share
    match suspect.how:
        case "missing":
            return said(
                "column {column!r} gives the target {target!r} away by where it is missing: "
                "in {share:.1%} of rows (95% interval {low:.1%} to {high:.1%})",
                column=suspect.name,
                target=target,
                share=share,
                low=low,
                high=high,
            )
        case "same" if classes:
            return said(
                "column {column!r} is the target {target!r} under other names: "
                "in {share:.1%} of rows (95% interval {low:.1%} to {high:.1%})",
                column=suspect.name,
                target=target,
                share=share,
                low=low,
                high=high,
            )
        case "same":
            return said(
                "column {column!r} is the target {target!r}, perhaps on another scale: "
                "in {share:.1%} of rows (95% interval {low:.1%} to {high:.1%})",
                column=suspect.name,
                target=target,
                share=share,
                low=low,
                high=high,
            )
    return _followed(suspect, target)


def _followed(suspect: Suspect, target: str) -> Said:
    """What tells the target without being it. The longest run in one order has no interval: its rows are chosen."""
    share, low, high = suspect.share
    rest = suspect.scores.get("rest", (None,))[0]
    match suspect.how:
        case "decides":
            return said(
                "column {column!r} alone decides the target {target!r}: right in {share:.1%} of rows "
                "(95% interval {low:.1%} to {high:.1%}), balanced accuracy of all other columns {rest:.3f}",
                column=suspect.name,
                target=target,
                share=share,
                low=low,
                high=high,
                rest=rest,
            )
        case "order":
            return said(
                "column {column!r} has the order of the target {target!r}: {share:.1%} of rows follow it, and the R2 of"
                " all other columns is {rest:.3f}",
                column=suspect.name,
                target=target,
                share=share,
                rest=rest,
            )
        case "curve":
            return _curve(suspect, target)
    return said(
        "column {column!r} is the target {target!r} but for a little: nearer to it than what all other columns say "
        "in {share:.1%} of rows (95% interval {low:.1%} to {high:.1%})",
        column=suspect.name,
        target=target,
        share=share,
        low=low,
        high=high,
    )


def _curve(suspect: Suspect, target: str) -> Said:
    return said(
        "column {column!r} is a function of the target {target!r}, which no measurement is without noise: "
        "from one target to the next it hardly moves ({rows:,} rows compared)",
        column=suspect.name,
        target=target,
        rows=suspect.rows,
    )
