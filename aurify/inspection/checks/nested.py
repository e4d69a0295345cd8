"""Columns whose cells are lists, records or bytes."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.core.words import said
from aurify.data.findings import Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.leaving import left_for, say_left


class Nested(Check):
    """Columns that were left out because a cell holds more than one value, or bytes."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        fix = said("if it matters, take it apart into columns of numbers and texts")
        return say_left(self, left_for(seen, "made of"), said("lists, records or bytes"), fix)
