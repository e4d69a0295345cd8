"""Columns that hold nothing, or the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.columns import LEFT_OUT
from aurify.data.findings import NOTE, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected


class Constant(Check):
    """Columns without two different values, which tell nothing."""

    needs = frozenset({Trait.COLUMNS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        for column in seen.columns:
            if column.kind == LEFT_OUT and seen.frame[column.name].drop_nulls().n_unique() <= 1:
                text = said("column {column!r} is left out: {reason}", column=column.name, reason=column.reason)
                yield self.found(NOTE, text, columns=[column.name])
