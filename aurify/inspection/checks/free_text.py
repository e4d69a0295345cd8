"""Columns of sentences, from which tables do not learn."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.core.words import said
from aurify.data.findings import Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.leaving import left_for, say_left


class FreeText(Check):
    """Columns that were left out because they hold free text."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        fix = said("if the words matter, make columns of them, such as whether a word is there or how long the text is")
        return say_left(self, left_for(seen, "free text"), said("free text"), fix)
