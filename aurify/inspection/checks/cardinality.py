"""Categories of so many values that most are too rare to learn from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.errors import listing
from aurify.core.words import said
from aurify.data.columns import CATEGORY, FEW
from aurify.data.findings import NOTE, Finding
from aurify.inspection.cells import own_values, watched
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

RARE = 5
"""A category with fewer rows says little: three like it all agree by chance in one case of eight."""

MUCH = 0.3
"""Share of a column's rows in rare categories from which on it is told."""

ALONE = 3


class Cardinality(Check):
    """Category columns of more than ``FEW`` values, many of whose rows are in categories of few rows."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        many = []
        for column in watched(seen):
            codes = own_values(seen, column.name) if column.kind == CATEGORY else None
            if codes is None or len(column.values) <= FEW:
                continue
            counts = np.bincount(codes[codes >= 0], minlength=len(column.values))
            rare = int(counts[counts < RARE].sum())
            if rare > MUCH * max(counts.sum(), 1):
                many.append((column.name, len(column.values), int((counts == 1).sum()), rare))
        fix = said("group rare categories into few kinds, or leave the column out with --drop")
        for name, values, once, rare in many if len(many) <= ALONE else []:
            what = said(
                "column {column!r} has {values:,} categories, {once:,} of them in one row only",
                column=name,
                values=values,
                once=once,
            )
            told = {"categories": values, "once": once, "rows in rare categories": rare}
            yield self.found(NOTE, what, fix=fix, columns=[name], count=rare, evidence=told)
        if len(many) > ALONE:
            names = [name for name, *_ in many]
            what = said("{count:,} columns have many rare categories: {names}", count=len(many), names=listing(names))
            yield self.found(NOTE, what, fix=fix, columns=names, evidence={name: values for name, values, *_ in many})
