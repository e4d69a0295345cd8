"""Columns that say something about rows and are therefore not learnt from."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, Finding
from aurify.data.inferring import WEIGHT
from aurify.data.tables import GROUPS
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected


class Roles(Check):
    """Columns that group or weigh the rows."""

    needs = frozenset({Trait.COLUMNS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        for column in seen.columns:
            if column.reason in (WEIGHT, GROUPS):
                text = said("column {column!r} is left out: {reason}", column=column.name, reason=column.reason)
                yield self.found(NOTE, text, columns=[column.name])
