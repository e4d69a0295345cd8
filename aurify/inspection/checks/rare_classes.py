"""Classes with too few rows to be learnt or measured, and classes that a part of the rows lacks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import listed, said
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

LEAST_MEASURED = 10
"""Rows of a class below which no score of it means anything."""

USUAL_FOLDS = 5
LEAST_NUMBERS = 4
"""Different numbers below which they are codes: 0 and 1, or 1, 2 and 3."""

SHOWN = 5


class RareClasses(Check):
    """Classes that hardly any row has."""

    needs = frozenset({Trait.CATEGORICAL})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.classes is None:
            return
        counts = np.bincount(seen.target, minlength=len(seen.classes))
        least = max(seen.folds or USUAL_FOLDS, LEAST_MEASURED)
        rare = np.flatnonzero(counts < least)
        if not len(rare):
            return
        rare = rare[np.argsort(counts[rare], kind="stable")]
        named = [_named(seen.classes[code], int(counts[code])) for code in rare.tolist()]
        pairs = named[:SHOWN]
        shown = listed(pairs)
        if len(named) > SHOWN:
            shown = said("{names} and {count:,} more", names=listed(pairs, ","), count=len(named) - SHOWN)
        few = said(
            "{count:,} of {all:,} classes have fewer than {least} rows to learn from: {names}",
            count=len(rare),
            all=len(seen.classes),
            least=least,
            names=shown,
        )
        one = said("a class has fewer than {least} rows to learn from: {names}", least=least, names=shown)
        fix = said("join them with a class that is like them, leave their rows out, or gather more rows of them")
        if number := _a_number(seen.classes, rare):
            fix = said("if it is a number rather than classes, say --set task.kind=regress; else {fix}", fix=fix)
        yield self.found(
            NOTE if number else WARNING,
            one if len(rare) == 1 else few,
            fix=fix,
            columns=[str(seen.schema.target)],
            rows=seen.rows[np.isin(seen.target, rare)],
            weight=len(rare) / len(seen.classes),
            evidence={"classes": {seen.classes[code]: int(counts[code]) for code in rare.tolist()}, "least": least},
            exhibits=[_bars(seen.classes, counts, least)],
        )


def _a_number(classes: tuple[str, ...], rare: np.ndarray) -> bool:
    """Whether the target is rather counted or measured: numbers, not all of them whole or the rare at the ends.

    Codes of classes are rare anywhere among the others, tails of a distribution are not.
    """
    try:
        values = np.array([float(label) for label in classes])
    except ValueError:
        return False
    if len(values) < LEAST_NUMBERS or not np.isfinite(values).all():
        return False
    common = np.delete(values, rare)
    inside = (values[rare] > common.min(initial=np.inf)) & (values[rare] < common.max(initial=-np.inf))
    return bool((values % 1 != 0).any() or not inside.any())


def _named(name: str, count: int) -> str:
    return said("{name!r} ({count:,})", name=name, count=count)


def _bars(classes: tuple[str, ...], counts: np.ndarray, least: int) -> Exhibit:
    """The rarest classes."""
    order = np.argsort(counts, kind="stable")[:30].tolist()
    data = {
        "names": [classes[code] for code in order],
        "values": [int(counts[code]) for code in order],
        "low": None,
        "high": None,
        "axis": said("rows"),
        "reference": least,
    }
    return Exhibit(kind="bars", caption=said("Rows of the rarest classes"), data=data)
