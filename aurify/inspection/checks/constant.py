"""Columns that say nothing: empty, or one value everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.core.words import said
from aurify.data.findings import Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.leaving import left_for, say_left


class Constant(Check):
    """Columns that were left out because every cell is the same, or empty."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        return say_left(self, left_for(seen, "empty", "the same"), said("one value everywhere or none"))
